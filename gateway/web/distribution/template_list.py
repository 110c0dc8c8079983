"""All templates: what each does where, how many people take part, what it gave today, what is wrong with it; and removing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from crm.store.metadata import pipelines_of
from gateway.admin.distribution import templates
from gateway.admin.distribution.templates import TemplateInUse
from gateway.distribution.template_checks import problems_of_all
from gateway.store.admin.staff import staff_of
from gateway.store.admin.users import users
from gateway.store.distribution import templates as store
from gateway.store.distribution.listing import TemplateCounts, counts_by_template
from gateway.store.distribution.templates import SavedTemplate
from gateway.web.distribution.tabs import tabs, template_path
from gateway.web.distribution.template.seen import SeenProblem, problem_seen
from gateway.web.distribution.template.stages import AttachedStage, stage_seen
from gateway.web.frame import (
    AnyPageCall,
    Form,
    NoPageQuery,
    PageAnswer,
    PageCall,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.words.sorting import by_name
from gateway.web.words.uses import are_of_channels, uses_said
from routing.distribution.roster import roster_of
from routing.texts.catalogue import phrase

_NONE = TemplateCounts(0, 0)


class TemplateRemovalForm(Form):
    even_if_used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLine:
    """people: how many can be chosen at all."""

    saved: SavedTemplate
    path: str
    people: int
    stages: Sequence[AttachedStage]
    counts: TemplateCounts
    problems: Sequence[SeenProblem]


async def list_templates(call: PageCall) -> Shown:
    async with call.connection() as conn:
        staff, pipelines = await staff_of(conn, call.account.id), await pipelines_of(conn, call.account.id)
        found = await store.templates_of(conn, call.account.id)
        attached = await store.attachments_of(conn, call.account.id)
        counts = await counts_by_template(conn, call.account.id, _midnight(call))
        wrong = await problems_of_all(conn, call.account.id)
    lines = [
        TemplateLine(
            saved=saved,
            path=template_path(saved.name),
            people=len(set(roster_of(saved.template, staff).people)),
            stages=[stage_seen(a, pipelines) for a in attached if a.template == saved.name],
            counts=counts.get(saved.name, _NONE),
            problems=[problem_seen(one, call.texts) for name, one in wrong if name == saved.name],
        )
        for saved in sorted(found, key=lambda saved: by_name(saved.name))
        if call.may("read_only", template=saved.name)
    ]
    values = {
        "lines": lines,
        "may_add": call.may("senior_manager") and not call.who.bound.templates,
        "tabs_shown": tabs(call, "templates"),
    }
    return Shown("distribution/templates.html", values)


def _midnight(call: AnyPageCall) -> datetime:
    return datetime.combine(call.now.astimezone(call.zone).date(), time(), tzinfo=call.zone)


async def ask_template_removal(call: PageCall) -> Shown:
    return await _question(call)


async def _question(call: AnyPageCall, status: int = 200) -> Shown:
    name = call.path["template"]
    async with call.connection() as conn:
        if await store.template_of(conn, call.account.id, name) is None:
            raise page_not_found("template")
        use = await store.use_of(conn, call.account.id, name)
        named = await store.uses_of_template(conn, call.account.id, name)
        people = {user.login: user.name for user in await users(conn)} if named else {}
    uses = uses_said(named, call.texts, people)
    values = {
        "name": name,
        "use": use,
        "uses": uses,
        "of_channels": call.may("admin") and are_of_channels(named),
        "tabs_shown": tabs(call, "templates"),
    }
    return Shown("distribution/remove_template.html", values, status=status)


async def remove_template(call: PageCall[NoPageQuery, TemplateRemovalForm]) -> PageAnswer:
    name = call.path["template"]
    async with call.connection() as conn:
        if await store.template_of(conn, call.account.id, name) is None:
            raise page_not_found("template")
        try:
            await templates.remove_template(conn, call.account.id, name, even_if_used=call.form.even_if_used)
        except TemplateInUse:
            return await _question(call, 409)
    return SeeOther(call.here("/distribution/templates"), said=phrase("distribution.form.removed", name=name))
