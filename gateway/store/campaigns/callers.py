"""Members of running campaigns as a gateway keeps them in memory: number, name and id, while phones ring."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from runtime.database.pool import Conn

_AT_A_TIME = 500


class RunningCampaign(NamedTuple):
    """places: given to members so far; who comes in, or is called anew, gets the next one."""

    account_id: str
    campaign_id: str
    name: str
    places: int


class ListedCaller(NamedTuple):
    """number: digits. name, client_id: as the list has them, '' = it says nothing."""

    number: int
    name: str
    client_id: str


async def running_campaigns(conn: Conn) -> list[RunningCampaign]:
    """Of all accounts, those that began last first."""
    rows = await conn.fetch(
        "SELECT account_id, campaign_id, name, places FROM campaign WHERE state IN ('running', 'stopping')"
        " ORDER BY started_at DESC NULLS LAST, campaign_id"
    )
    return [RunningCampaign(**dict(row)) for row in rows]


async def callers_of(
    conn: Conn, campaign: RunningCampaign, *, after: int, most: int
) -> AsyncIterator[ListedCaller]:
    """Yield members by their numbers, within a transaction. after: the place behind which they stand."""
    rows = conn.cursor(
        "SELECT substr(number, 2)::bigint AS number, name, client_id FROM campaign_member"
        " WHERE account_id = $1 AND campaign_id = $2 AND place > $3 AND number LIKE '+%' ORDER BY 1 LIMIT $4",
        campaign.account_id,
        campaign.campaign_id,
        after,
        most,
        prefetch=_AT_A_TIME,
    )
    async for row in rows:
        yield ListedCaller(row["number"], row["name"], row["client_id"])
