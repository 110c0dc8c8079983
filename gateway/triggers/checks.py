"""What is wrong with triggers, by what the account really has."""

from __future__ import annotations

from campaigns.states import takes_members
from crm.store.metadata import fields_of, pipelines_of, users_of
from gateway.store.admin.accounts import connections
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns.campaigns import campaigns_of
from gateway.store.distribution.templates import template_names
from gateway.store.sms.connections import sms_connections
from gateway.store.triggers.triggers import triggers_on
from gateway.triggers.texts import text_problem
from routing.triggers.problems import KnownToTriggers, TriggerProblem, problems
from runtime.database.pool import Conn
from sms.kinds import SMS_KINDS
from sms.model import MOST_PARTS
from sms.templates import SmsMacros


async def surroundings_of(conn: Conn, account_id: str) -> KnownToTriggers:
    """Return what of the account a trigger speaks of."""
    pipelines = await pipelines_of(conn, account_id)
    deal, contact = [await fields_of(conn, account_id, kind) for kind in ("deal", "contact")]
    users = await users_of(conn, account_id)
    campaigns = await campaigns_of(conn, account_id)
    macros = SmsMacros.of([*(f"deal.cf_{f.id}" for f in deal), *(f"maincontact.cf_{f.id}" for f in contact)])
    providers = await sms_connections(conn, account_id)
    most = {found.name: SMS_KINDS[found.connection.kind].capabilities.most_parts for found in providers}

    return KnownToTriggers(
        staff=await staff_of(conn, account_id),
        stages=[(p.id, s.id) for p in pipelines for s in p.stages] or None,
        fields=[*(f"deal.cf_{f.id}" for f in deal), *(f"contact.cf_{f.id}" for f in contact)] or None,
        users=[user.id for user in users] or None,
        templates=await template_names(conn, [account_id]),
        connections=[found.name for found in await connections(conn, account_id)],
        providers=list(most),
        campaigns=[found.name for found in campaigns],
        finished=[found.name for found in campaigns if not takes_members(found.state)],
        text_problem=lambda action: text_problem(action, macros, most.get(action.provider, MOST_PARTS)),
    )


async def problems_of_all(conn: Conn, account_id: str) -> list[tuple[str, TriggerProblem]]:
    """(name, what is wrong) of the triggers that are on, errors first."""
    known = await surroundings_of(conn, account_id)
    on = await triggers_on(conn, account_id)
    found = [(saved.name, one) for saved in on for one in problems(saved.trigger, known)]
    return sorted(found, key=lambda named: named[1].severity != "error")
