"""What a decision knows of people's work and of the client's other deals, besides hours and presence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from crm.store.deals import KnownDeal
from gateway.store.distribution.turns import given_now, open_deals_now
from routing.distribution.item import OtherDeal, Standing
from routing.distribution.standings import with_counts
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
    """Put beside what is said of everybody's hours what they have and were given, where this template asks for it."""
    return with_counts(
        said,
        [p.id for p in staff.employees],
        open_deals=await open_deals_now(conn, account_id, template, staff),
        given=await given_now(conn, account_id, template, now),
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
