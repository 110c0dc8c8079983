"""What is set for shift change: shown, changed, refused at its field."""

from __future__ import annotations

from collections.abc import Mapping

from crm.store.metadata import fields_of, pipelines_of
from gateway.admin.operations import shift_change as service
from gateway.admin.operations.shift_change import ShiftRefused
from gateway.admin.refused import InputRefused
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.templates import template_names
from gateway.web.distribution.shift_change.policy_form import (
    ShiftPolicyForm,
    policy_form_of,
    policy_of_form,
)
from gateway.web.distribution.tabs import tabs
from gateway.web.distribution.template.seen import pipeline_options
from gateway.web.frame import AnyPageCall, NoPageQuery, PageAnswer, PageCall, SeeOther, Shown
from gateway.web.refusals import refusal_said
from gateway.web.saving.together import clashes_said, standing, together
from gateway.web.words.sorting import by_name
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn

SETTINGS = "/distribution/shift-change/settings"
_SETS = ("pipeline", "goes_along")
_FIELDS: Mapping[str, str] = {"pipelines": "pipeline", "excluded_fields": "fields"}


async def show_settings(call: PageCall) -> Shown:
    return await _page(call)


async def save_settings(call: PageCall[NoPageQuery, ShiftPolicyForm]) -> PageAnswer:
    form = call.form
    async with call.connection() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        now = policy_form_of(await service.show_policy(conn, call.account.id)).shown
        merged, clashes = together(form.opened_with, now, form.shown, _SETS)
        form = form.showing(merged)
        errors = {} if clashes else await _refused(conn, call, form)
    if clashes:
        return await _page(call, form, clashes_said(clashes, call.texts), 409)
    if errors:
        return await _page(call, form, {id: call.texts.render(said) for id, said in errors.items()})
    said = phrase("distribution.shift.said.on" if form.is_on else "distribution.shift.said.off")
    return SeeOther(call.here("/distribution/shift-change"), said=said)


async def _refused(conn: Conn, call: AnyPageCall, form: ShiftPolicyForm) -> dict[str, Phrase]:
    """Save it; return what was refused, by its field."""
    policy, errors = policy_of_form(form)
    if policy is None:
        return errors
    try:
        await service.save_policy(conn, call.account.id, policy, call.who.name)
    except ShiftRefused as err:
        return refusals_of(err)
    except InputRefused as err:
        return {_field(err.field): phrase("distribution.refused.other", said=refusal_said(err, call.texts))}
    return {}


def refusals_of(err: ShiftRefused) -> dict[str, Phrase]:
    """Return what is wrong of each field, in the words of pages."""
    found: dict[str, Phrase] = {}
    for one in err.problems:
        found.setdefault(_field(str(one["field"])), phrase(f"distribution.shift.refused.{one['code']}"))
    return found or {_field(err.field): phrase(f"distribution.shift.refused.{err.code}")}


def _field(name: str) -> str:
    return _FIELDS.get(name.split(".")[0], name.split(".")[0])


async def _page(
    call: AnyPageCall,
    typed: ShiftPolicyForm | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 422,
) -> Shown:
    """typed: what was refused."""
    say, account_id = call.texts.say, call.account.id
    async with call.connection() as conn:
        stands = policy_form_of(await service.show_policy(conn, account_id))
        staff = await staff_of(conn, account_id)
        names = sorted(await template_names(conn, [account_id]), key=by_name)
        fields = [(f.id, f.name) for f in await fields_of(conn, account_id, "deal")]
        pipelines = await pipelines_of(conn, account_id)
    form = typed or stands
    groups = sorted({p.group for p in staff.employees if p.group}, key=by_name)
    values = {
        "form": form,
        "was": standing(stands.shown),
        "errors": errors or {},
        "templates": _options(names, form.template, say("distribution.choose"), call),
        "groups": _options(groups, form.group, say("distribution.shift.everybody"), call),
        "pipelines": pipeline_options(pipelines, form.pipeline, call.texts),
        "field_options": [("", say("distribution.choose")), *fields, *_unknown(form, dict(fields), call)],
        "field_rows": [*form.fields, ("", "")],
        "tabs_shown": tabs(call, "shift_change"),
    }
    return Shown("distribution/shift_settings.html", values, status=status if errors else 200)


def _options(names: list[str], chosen: str, unset: str, call: AnyPageCall) -> list[tuple[str, str]]:
    """Return what a select offers; what is chosen and is there no more stays to be seen."""
    found = [("", unset), *((name, name) for name in names)]
    if chosen and chosen not in names:
        found.append((chosen, call.texts.say("distribution.gone", name=chosen)))
    return found


def _unknown(form: ShiftPolicyForm, known: Mapping[str, str], call: AnyPageCall) -> list[tuple[str, str]]:
    return [(id, call.texts.say("distribution.gone", name=id)) for id, _ in form.fields if id not in known]
