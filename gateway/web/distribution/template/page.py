"""The page of one template: shown, changed button by button, saved; what somebody else saved meanwhile is shown beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from crm.store.metadata import pipelines_of
from gateway.admin.distribution import templates
from gateway.admin.distribution.templates import check_template
from gateway.admin.refused import InputRefused
from gateway.store.admin.schedules import schedule_names
from gateway.store.admin.staff import staff_of
from gateway.store.distribution import templates as store
from gateway.store.distribution.templates import SavedTemplate
from gateway.store.distribution.turns import open_deals_now
from gateway.web.distribution.tabs import tabs, template_path
from gateway.web.distribution.template.editing import pressed_in_form
from gateway.web.distribution.template.form import FIRST_SIGNS, TemplateForm, form_of
from gateway.web.distribution.template.rights import editors_of
from gateway.web.distribution.template.saving import save_form
from gateway.web.distribution.template.seen import (
    names_of_shares,
    people_options,
    pipeline_options,
    schedule_options,
    see_form,
    who_can_be_added,
)
from gateway.web.distribution.template.stages import stages_seen
from gateway.web.distribution.template.trying import begin_trial, trial_seen
from gateway.web.distribution.template.typed import FieldErrors, template_of
from gateway.web.frame import AnyPageCall, PageAnswer, PageCall, PageQuery, SeeOther, Shown, page_not_found
from routing.distribution.problems import TemplateProblem
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

NEW = "/distribution/new"
_PAGE, _FIELDS = "distribution/template.html", "distribution/_template_fields.html"


class NewTemplateQuery(PageQuery):
    kind: Literal["turn", "load"] = "turn"


class TemplateQuery(PageQuery):
    """part: of the page that is asked for alone, by the form as it is typed."""

    part: Literal["", "sums", "simulation"] = ""


async def show_template(call: PageCall) -> Shown:
    async with call.connection() as conn:
        saved = await the_saved(conn, call)
        return await template_page(conn, call, form_of(saved.template, saved.version), saved)


async def show_new_template(call: PageCall[NewTemplateQuery, None]) -> Shown:
    way: Literal["turn.even", "load.even"] = "turn.even" if call.query.kind == "turn" else "load.even"
    form = TemplateForm(way=way, wait=True, sign=FIRST_SIGNS)
    async with call.connection() as conn:
        return await template_page(conn, call, form, None)


async def the_saved(conn: Conn, call: AnyPageCall) -> SavedTemplate:
    """Raise PageRefused."""
    saved = await store.template_of(conn, call.account.id, call.path["template"])
    if saved is None:
        raise page_not_found("template")
    return saved


async def change_template(call: PageCall[TemplateQuery, TemplateForm]) -> PageAnswer:
    form = call.form.model_copy(update={"name": call.path["template"]})
    async with call.connection() as conn:
        return await _answered(conn, call, form, await store.template_of(conn, call.account.id, form.name))


async def add_template(call: PageCall[TemplateQuery, TemplateForm]) -> PageAnswer:
    async with call.connection() as conn:
        return await _answered(conn, call, call.form, None)


async def _answered(
    conn: Conn, call: PageCall[TemplateQuery, TemplateForm], form: TemplateForm, saved: SavedTemplate | None
) -> PageAnswer:
    if form.do == "save":
        return await _save(conn, call, form, saved)
    if call.query.part == "sums":
        values = await form_values(conn, call, form, saved)
        return Shown("distribution/_sums.html", values)
    if form.do == "simulate":
        return await _simulate(conn, call, form, saved)
    if call.query.part == "simulation":
        return Shown("distribution/_simulation.html", await _beside(conn, call, form, saved))
    form = pressed_in_form(form, await staff_of(conn, call.account.id))
    if call.is_fragment:
        return Shown(_FIELDS, await form_values(conn, call, form, saved))
    return await template_page(conn, call, form, saved, is_changed=True)


async def _simulate(
    conn: Conn, call: PageCall[TemplateQuery, TemplateForm], form: TemplateForm, saved: SavedTemplate | None
) -> PageAnswer:
    template, errors = template_of(form)
    refused: FieldErrors = dict(errors)
    if template is not None:
        begun = await begin_trial(conn, call, template)
        form = form.model_copy(update={"simulation": begun.work_id, "do": ""})
        if begun.refused:
            refused["simulation"] = begun.refused
    if call.is_fragment:
        values = await _beside(conn, call, form, saved)
        return Shown(
            "distribution/_simulation.html",
            {**values, "trial_errors": [call.texts.render(said) for said in refused.values()]},
        )
    status = 422 if refused else 200
    return await template_page(conn, call, form, saved, errors=refused, status=status, is_changed=True)


async def _save(
    conn: Conn, call: PageCall[TemplateQuery, TemplateForm], form: TemplateForm, saved: SavedTemplate | None
) -> PageAnswer:
    async def save(template: DistributionTemplate) -> object:
        return await templates.save_template(
            conn, call.account.id, template, by=call.who.name, version=form.version
        )

    left = await save_form(conn, call, form, saved, save)
    if left is None:
        name = form.name.strip()
        return SeeOther(call.here(template_path(name)), said=phrase("distribution.form.saved", name=name))
    conflict = None if left.changes is None else {"theirs": left.saved, "changes": left.changes}
    return await template_page(
        conn,
        call,
        left.form,
        left.saved,
        errors=left.errors,
        found=left.found,
        conflict=conflict,
        status=left.status,
        is_changed=True,
    )


async def template_page(
    conn: Conn,
    call: AnyPageCall,
    form: TemplateForm,
    saved: SavedTemplate | None,
    *,
    errors: FieldErrors | None = None,
    found: Sequence[TemplateProblem] | None = None,
    conflict: Mapping[str, Any] | None = None,
    status: int = 200,
    is_changed: bool = False,
) -> Shown:
    """found: what the checks found; None: they are asked. is_changed: it holds what is not saved."""
    values = await form_values(conn, call, form, saved, errors=errors or {}, found=found)
    more = {
        "tabs_shown": tabs(call, "templates"),
        "conflict": conflict,
        "is_changed": is_changed,
        "editors": await editors_of(conn, call, form.name) if saved else (),
        "may_remove": saved is not None and call.may("admin", template=form.name),
        **await _beside(conn, call, form, saved),
        **(await stages_seen(conn, call, form.name) if saved else {"attached": (), "free_stages": ()}),
    }
    return Shown(_PAGE, {**values, **more}, status=status, is_typed=True)


async def form_values(
    conn: Conn,
    call: AnyPageCall,
    form: TemplateForm,
    saved: SavedTemplate | None,
    *,
    errors: FieldErrors | None = None,
    found: Sequence[TemplateProblem] | None = None,
    action: str | None = None,
) -> dict[str, Any]:
    """Return what distribution/_template_fields.html is made of. action: where the form goes; None: to the page of the template."""
    texts, account_id = call.texts, call.account.id
    staff, pipelines = await staff_of(conn, account_id), await pipelines_of(conn, account_id)
    template, _ = template_of(form)
    if found is None:
        found = await _found(conn, account_id, template) if template and (form.people or form.groups) else ()
    counts = template is not None and template.counts_open_deals
    open_deals = await open_deals_now(conn, account_id, template, staff) if template and counts else None
    schedules = await schedule_names(conn, [account_id])
    if call.who.bound.schedules:
        schedules = [name for name in schedules if name in call.who.bound.schedules or name == form.schedule]
    own_path = template_path(form.name) if saved is not None else NEW
    seen = see_form(form, staff, found, texts, open_deals)
    return {
        "form": form,
        "saved": saved,
        "action": action or call.here(own_path),
        "may_edit": call.may("senior_manager", template=form.name if saved else None),
        "seen": seen,
        "names_of_shares": names_of_shares(seen),
        "errors": {id: texts.render(said) for id, said in (errors or {}).items()},
        "add_options": who_can_be_added(form, staff, texts),
        "exclusion_options": people_options(staff, texts.say("distribution.choose"), form.exclusion),
        "fallback_options": people_options(staff, texts.say("distribution.choose")),
        "schedule_options": schedule_options(schedules, form.schedule, texts),
        "pipeline_options": pipeline_options(pipelines, form.repeat_pipeline, texts),
        "quiet_rows": [*form.quiet_pairs, ("", "")],
    }


async def _found(conn: Conn, account_id: str, template: DistributionTemplate) -> Sequence[TemplateProblem]:
    try:
        return await check_template(conn, account_id, template)
    except InputRefused:
        return ()  # of a name that cannot be one: said when it is saved


async def _beside(
    conn: Conn, call: AnyPageCall, form: TemplateForm, saved: SavedTemplate | None
) -> dict[str, Any]:
    """Return what the simulation is made of, and the form's own address."""
    own_path = template_path(form.name) if saved is not None else NEW
    trial = await trial_seen(conn, call, form)
    return {
        "form": form,
        "action": call.here(own_path),
        "may_edit": call.may("senior_manager", template=form.name if saved else None),
        "trial": trial,
        "trial_errors": [],
    }
