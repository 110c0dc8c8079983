"""Who is in a campaign: one number once, each with its item of what goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from campaigns.reasons import MemberReason
from gateway.store.campaigns.campaigns import CampaignRow
from routing.decision import stable_id
from runtime.database.pool import Conn

MemberSource = Literal["list", "trigger", "api"]
_CLEARED_TOGETHER = 2000

# The places of those that are new follow on; whoever adds holds the campaign's row.
_ADD = """
WITH new AS (
    SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
        WITH ORDINALITY AS n (number, item_id, name, client_id, data, nth)
), taken AS (
    INSERT INTO campaign_member (account_id, campaign_id, number, item_id, place, name, client_id, data, source, upload)
    SELECT $1, $2, number, item_id, $8 + nth - 1, name, client_id, data, $9, $10 FROM new
    ON CONFLICT DO NOTHING RETURNING number, item_id, place
)
INSERT INTO outbound_item (account_id, item_id, kind, source, client, campaign, priority, not_before, state, "order")
SELECT $1, item_id, 'campaign', CASE $9 WHEN 'list' THEN 'campaign' ELSE 'api' END, number, $11, $12,
    now() + place * interval '1 microsecond', 'held', $13 FROM taken
ON CONFLICT DO NOTHING RETURNING client
"""
_LIST = """
SELECT m.*, i.not_before, i.counters, i.deal_id, i.contact_id, i.employee_id FROM campaign_member m
LEFT JOIN outbound_item i USING (account_id, item_id)
WHERE m.account_id = $1 AND m.campaign_id = $2 AND ($3::text IS NULL OR m.state = $3) AND ($4::text IS NULL OR m.reason = $4)
  AND ($5::text IS NULL OR m.number = $5) AND m.place > $6 ORDER BY m.place LIMIT $7
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """number: E.164. client_id: as the list calls the client. data: further columns."""

    number: str
    name: str = ""
    client_id: str = ""
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """number: '' = it was emptied. state, reason: of its item. not_before, counters and what follows: only while the item is kept."""

    account_id: str
    campaign_id: str
    number: str
    item_id: str
    place: int
    name: str
    client_id: str
    data: Mapping[str, str]
    source: MemberSource
    upload: str | None
    state: str
    reason: str
    tries: int
    engine_ref: str | None
    added_at: datetime
    ended_at: datetime | None
    not_before: datetime | None = None
    counters: Mapping[str, int] | None = None
    deal_id: str | None = None
    contact_id: str | None = None
    employee_id: str | None = None


async def take_places(conn: Conn, row: CampaignRow, count: int) -> int:
    """Return the first of so many places that are nobody's; members stand in their order."""
    last: int = await conn.fetchval(
        "UPDATE campaign SET places = places + $3 WHERE account_id = $1 AND campaign_id = $2 RETURNING places",
        row.account_id,
        row.campaign_id,
        count,
    )
    return last - count + 1


async def add_members(
    conn: Conn,
    row: CampaignRow,
    members: Sequence[NewMember],
    *,
    source: Literal["list", "api"],
    upload: str | None = None,
) -> set[str]:
    """Add those whose numbers are not there yet, in this order; return these. The campaign's row must be locked."""
    added = await conn.fetch(
        _ADD,
        row.account_id,
        row.campaign_id,
        [m.number for m in members],
        [item_id_of(row, m.number) for m in members],
        [m.name for m in members],
        [m.client_id for m in members],
        [dict(m.data) for m in members],
        await take_places(conn, row, len(members)),
        source,
        upload,
        row.name,
        row.settings.priority,
        order_of(row),
    )
    return {found["client"] for found in added}


def item_id_of(row: CampaignRow, number: str) -> str:
    return stable_id(row.account_id, "campaign", row.campaign_id, number)


def order_of(row: CampaignRow) -> dict[str, Any]:
    """Return what is to be done with a number of no trigger, as a trigger's action is written."""
    unreached = row.settings.unreached.model_dump(mode="json")
    return {
        "campaign_id": row.campaign_id,
        "action": {"do": "campaign", "campaign": row.name, "unreached": unreached},
    }


async def listed_members(
    conn: Conn,
    row: CampaignRow,
    *,
    state: str | None = None,
    reason: str | None = None,
    number: str | None = None,
    after: int = 0,
    limit: int,
) -> list[MemberRow]:
    """In the order of the list. after: the place of the last one of the page before."""
    found = await conn.fetch(_LIST, row.account_id, row.campaign_id, state, reason, number, after, limit)
    return [_member(one) for one in found]


async def known_numbers(conn: Conn, row: CampaignRow, numbers: Sequence[str]) -> set[str]:
    """Return those of these that are in the campaign."""
    found = await conn.fetch(
        "SELECT number FROM campaign_member WHERE account_id = $1 AND campaign_id = $2 AND number = ANY($3)",
        row.account_id,
        row.campaign_id,
        list(numbers),
    )
    return {one["number"] for one in found}


async def uploaded_numbers(conn: Conn, row: CampaignRow, upload: str, numbers: Sequence[str]) -> set[str]:
    """Return those of these that came in by this list."""
    found = await conn.fetch(
        "SELECT w.number FROM unnest($3::text[]) AS w (number) CROSS JOIN LATERAL (SELECT FROM campaign_member m"
        " WHERE m.account_id = $1 AND m.campaign_id = $2 AND m.number = w.number AND m.upload = $4 LIMIT 1) AS mine",
        row.account_id,
        row.campaign_id,
        list(numbers),
        upload,
    )
    return {one["number"] for one in found}


async def running_of(conn: Conn, account_id: str, number: str) -> list[tuple[str, str, MemberRow]]:
    """Return (campaign, its id, the member) for each campaign that runs and has this number (E.164), the latest first."""
    found = await conn.fetch(
        "SELECT c.name AS campaign, m.* FROM campaign_member m JOIN campaign c USING (account_id, campaign_id)"
        " WHERE m.account_id = $1 AND m.number = $2 AND c.state IN ('running', 'stopping') ORDER BY m.added_at DESC",
        account_id,
        number,
    )
    rows = [dict(row) for row in found]
    return [(row.pop("campaign"), row["campaign_id"], MemberRow(**row)) for row in rows]


async def count_uploaded(conn: Conn, row: CampaignRow, upload: str) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM campaign_member WHERE account_id = $1 AND campaign_id = $2 AND upload = $3",
        row.account_id,
        row.campaign_id,
        upload,
    )
    return found


async def clear_held(conn: Conn, row: CampaignRow, reason: MemberReason, *, tried_too: bool) -> int:
    """End some of those that wait, without stage and task; how many. tried_too: also those that were called and are to be called
    again."""
    done: str = await conn.execute(
        "UPDATE outbound_item SET state = 'cleared', reason = $3, ended_at = now() WHERE (account_id, item_id) IN ("
        "SELECT account_id, item_id FROM outbound_item WHERE account_id = $1 AND campaign = $2 AND ended_at IS NULL"
        " AND state IN ('held', 'waiting') AND ($4 OR counters = '{}') LIMIT $5 FOR UPDATE)",
        row.account_id,
        row.name,
        reason,
        tried_too,
        _CLEARED_TOGETHER,
    )
    return int(done.split()[-1])


async def take_out(conn: Conn, row: CampaignRow, number: str) -> bool:
    """End the one that waits. False: there is none, or it is on the line, or was done with."""
    done: str = await conn.execute(
        "UPDATE outbound_item SET state = 'cleared', reason = 'taken_out', ended_at = now() WHERE account_id = $1"
        " AND campaign = $2 AND client = $3 AND ended_at IS NULL AND state IN ('held', 'waiting')",
        row.account_id,
        row.name,
        number,
    )
    return done != "UPDATE 0"


def _member(row: asyncpg.Record) -> MemberRow:
    values = dict(row)
    is_kept = values["number"].startswith("+")
    return MemberRow(**{**values, "number": values["number"] if is_kept else ""})
