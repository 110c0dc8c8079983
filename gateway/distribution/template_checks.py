"""What is wrong with templates, by what the account really has: asked when one is saved, and again whenever that changes."""

from __future__ import annotations

from crm.store.metadata import pipelines_of
from gateway.store.admin.schedules import schedules_of
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.listing import items_per_day
from gateway.store.distribution.templates import attachments_of, templates_of
from routing.distribution.problems import KnownToTemplates, TemplateProblem, problems
from routing.schedules.checks import people_inside
from runtime.database.pool import Conn


async def surroundings_of(conn: Conn, account_id: str, template: str) -> KnownToTemplates:
    """Return what of the account a template speaks of."""
    return await _of_template(conn, account_id, await _of_account(conn, account_id), template)


async def problems_of_all(conn: Conn, account_id: str) -> list[tuple[str, TemplateProblem]]:
    """Return (template, problem) of every template that holds, errors first."""
    known = await _of_account(conn, account_id)
    found = [
        (saved.name, one)
        for saved in await templates_of(conn, account_id)
        for one in problems(saved.template, await _of_template(conn, account_id, known, saved.name))
    ]
    return sorted(found, key=lambda pair: pair[1].severity != "error")


async def _of_account(conn: Conn, account_id: str) -> KnownToTemplates:
    """Return what is the same for all its templates."""
    pipelines = await pipelines_of(conn, account_id)
    staff = await staff_of(conn, account_id)
    groups = {person.id: person.group for person in staff.employees}
    return KnownToTemplates(
        staff=staff,
        pipelines=[p.id for p in pipelines] or None,
        stages=[(p.id, s.id) for p in pipelines for s in p.stages] or None,
        schedules={s.name: people_inside(s.schedule, groups) for s in await schedules_of(conn, [account_id])},
    )


async def _of_template(
    conn: Conn, account_id: str, known: KnownToTemplates, template: str
) -> KnownToTemplates:
    attached = await attachments_of(conn, account_id, template)
    return known._replace(
        attached=[(a.pipeline_id, a.stage_id) for a in attached],
        items_per_day=await items_per_day(conn, account_id, template),
    )
