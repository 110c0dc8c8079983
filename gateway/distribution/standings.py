"""What a decision knows of people's work and of the client's other deals, besides hours and presence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from crm.store.deals import KnownDeal, open_deals_of
from gateway.distribution.availability import with_counts
from gateway.store.distribution import items as store
from gateway.store.distribution.templates import attachments_of
from routing.distribution.item import OtherDeal, Standing
from routing.distribution.template import DistributionTemplate
from routing.staff import Staff
from runtime.database.pool import Conn

Via = Literal["contact", "company"]


async def counted(
    conn: Conn,
    account_id: str,
    template: DistributionTemplate,
    staff: Staff,
    said: Mapping[str, Standing],
    now: datetime,
) -> dict[str, Standing]:
    """Count only what this template asks for."""
    open_deals: dict[str, int] = {}
    given: dict[str, int] = {}
    if counts_open_deals(template):
        users = {p.crm_user_id: p.id for p in staff.employees if p.crm_user_id}
        attached = await attachments_of(conn, account_id, template.name)
        pipelines = sorted({a.pipeline_id for a in attached})
        found = await open_deals_of(conn, account_id, list(users), pipelines or None)
        open_deals = {users[user]: n for user, n in found.items()}
        for employee_id, n in (await store.given_not_seen_yet(conn, account_id)).items():
            open_deals[employee_id] = open_deals.get(employee_id, 0) + n
    if template.window is not None:
        since = now - timedelta(minutes=template.window.minutes)
        given = await store.given_since(conn, account_id, template.name, since)
    return with_counts(said, [p.id for p in staff.employees], open_deals=open_deals, given=given)


def counts_open_deals(template: DistributionTemplate) -> bool:
    """Whether decisions of this template look at how many deals people have."""
    members = (*template.employees, *(m for g in template.groups for m in g.members))
    return (
        template.balance == "open_deals"
        or template.open_deals_limit is not None
        or any(m.open_deals_limit is not None for m in members)
    )


def other_deals(deal: KnownDeal) -> tuple[OtherDeal, ...]:
    """Each once, with all by which it is the same client's."""
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    found: dict[str, OtherDeal] = {}
    for other in deal.others:
        via = found[other.id].via if other.id in found else frozenset[Via]()
        kind: Via = "company" if other.via == "company" else "contact"
        found[other.id] = OtherDeal(
            id=other.id,
            owner=other.owner_id,
            via=via | {kind},
            is_open=other.is_open,
            at=(other.created_at if other.is_open else other.at) or long_ago,
            pipeline_id=other.pipeline_id,
        )
    return tuple(found.values())
