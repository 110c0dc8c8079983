"""The journal: calls by any of its filters, newest or oldest first, page after page in both directions, and how many there are.

Which calls are meant is read from one index alone (migration 0811), whatever the filter; only a page's own calls are read whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

import asyncpg

from gateway.store.calls.calls import call_of_row
from routing.calls.model import Direction
from routing.client import ClientKind
from routing.client_work.values import CallRow
from runtime.database.pool import Conn

CallResult = Literal["answered", "unknown", "missed", "not_reached", "under_way"]
"""How a call came out. unknown: answered on an address of nobody who is mapped to the CRM. missed: a client's that nobody answered;
not_reached: one of ours that nobody did."""
CrmWrites = Literal["waiting", "dead"]
"""What has become of a call's changes in the CRM: some wait still, or were given up."""

PlaceInJournal = tuple[datetime, str]
"""Where a page ends: (started_at, call_id) of its last call."""

_CSV_PAGE = 500

_RESULTS: dict[CallResult, str] = {
    "answered": "answered_at IS NOT NULL AND NOT is_by_unknown",
    "unknown": "answered_at IS NOT NULL AND is_by_unknown",
    "missed": "answered_at IS NULL AND is_over AND direction = 'inbound'",
    "not_reached": "answered_at IS NULL AND is_over AND direction <> 'inbound'",
    "under_way": "NOT is_over",
}
_OPEN_STATES: dict[CrmWrites, str] = {
    "dead": "('dead')",
    "waiting": "('waiting', 'sending', 'unknown', 'held')",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """None: any. since, until: it started in [since, until). clients: E.164, any of them. client_end: the last digits of the
    number. line: E.164 or as the PBX names it. connection: its id. employee: who took part; addresses: theirs, by which calls are
    found that were stored before that was kept. reason: of the PBX's question."""

    since: datetime | None = None
    until: datetime | None = None
    clients: tuple[str, ...] | None = None
    client_end: str | None = None
    line: str | None = None
    connection: str | None = None
    employee: str | None = None
    addresses: tuple[str, ...] = ()
    direction: Direction | None = None
    result: CallResult | None = None
    client_kind: ClientKind | None = None
    reason: str | None = None
    writes: CrmWrites | None = None

    @property
    def is_by_index(self) -> bool:
        """Whether an index leads to its calls and to no others."""
        return replace(self, since=None, until=None, clients=None) == CallFilter()


# What the index leads to is read; of what it is only filtered by, most is left, and nothing else of these calls is looked at.
_READ_AT_ONCE = """
SELECT * FROM call c WHERE {where} ORDER BY started_at {order}, call_id {order} LIMIT {limit}
"""
_FOUND_FIRST = """
WITH page AS MATERIALIZED (
    SELECT call_id FROM call c WHERE {where} ORDER BY started_at {order}, call_id {order} LIMIT {limit}
)
SELECT call.* FROM page JOIN call ON call.account_id = $1 AND call.call_id = page.call_id
ORDER BY call.started_at {order}, call.call_id {order}
"""


class CallCounts(NamedTuple):
    """calls: at most as many as were asked for; is_more: there are more. answered, missed: of those."""

    calls: int
    answered: int
    missed: int
    is_more: bool


async def page_of(
    conn: Conn,
    account_id: str,
    wanted: CallFilter,
    *,
    towards: Literal["older", "newer"] = "older",
    place: PlaceInJournal | None = None,
    limit: int = 50,
) -> list[CallRow]:
    """Return the calls next to a place in that direction, the nearest first; without a place from the newest or the oldest on."""
    where, values = _where(account_id, wanted)
    order = "DESC" if towards == "older" else "ASC"
    if place is not None:
        values += place
        than = "<" if towards == "older" else ">"
        where += f" AND (started_at, call_id) {than} (${len(values) - 1}, ${len(values)})"
    values.append(limit)
    sql = _READ_AT_ONCE if wanted.is_by_index else _FOUND_FIRST
    rows = await conn.fetch(sql.format(where=where, order=order, limit=f"${len(values)}"), *values)
    return [call_of_row(row) for row in rows]


async def count_of(conn: Conn, account_id: str, wanted: CallFilter, *, at_most: int = 10_000) -> CallCounts:
    """Return how many calls there are, counted no further than `at_most`."""
    where, values = _where(account_id, wanted)
    row = await conn.fetchrow(
        "SELECT count(*) AS calls, count(answered_at) AS answered,"  # noqa: S608 - parts of this module
        " count(*) FILTER (WHERE answered_at IS NULL AND is_over AND direction = 'inbound') AS missed FROM ("
        f" SELECT answered_at, is_over, direction FROM call c WHERE {where} LIMIT ${len(values) + 1}) AS first_ones",
        *values,
        at_most + 1,
    )
    assert row is not None
    is_more = row["calls"] > at_most
    return CallCounts(min(row["calls"], at_most), row["answered"], row["missed"], is_more)


async def count_newer(
    conn: Conn, account_id: str, wanted: CallFilter, place: PlaceInJournal, *, at_most: int = 100
) -> int:
    """Return how many calls came after this place, counted no further than `at_most`."""
    where, values = _where(account_id, wanted)
    found: int = await conn.fetchval(
        f"SELECT count(*) FROM (SELECT FROM call c WHERE {where}"  # noqa: S608 - parts of this module
        f" AND (started_at, call_id) > (${len(values) + 1}, ${len(values) + 2}) LIMIT ${len(values) + 3}) AS first_ones",
        *values,
        *place,
        at_most,
    )
    return found


async def writes_of(conn: Conn, account_id: str, call_ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return what each of these calls ordered in the CRM, in that order: (what, state)."""
    rows = await conn.fetch(
        "SELECT call_id, what, state FROM effect WHERE account_id = $1 AND call_id = ANY($2) ORDER BY seq",
        account_id,
        list(call_ids),
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["call_id"], []).append((row["what"], row["state"]))
    return found


async def every_call(
    pool: asyncpg.Pool, account_id: str, wanted: CallFilter
) -> AsyncIterator[Sequence[CallRow]]:
    """Yield all of them in portions, newest first; no connection is held while a portion is worked on."""
    place: PlaceInJournal | None = None
    while True:
        async with pool.acquire() as conn:
            rows = await page_of(conn, account_id, wanted, place=place, limit=_CSV_PAGE)
        if rows:
            yield rows
        if len(rows) < _CSV_PAGE:
            return
        place = place_of(rows[-1])


def place_of(row: CallRow) -> PlaceInJournal:
    return row.call.started_at, row.call_id


def _where(account_id: str, wanted: CallFilter) -> tuple[str, list[object]]:
    """Return the condition and its values; only what is asked for stands in it, so that the index is used for it."""
    # Of one client the index has the calls in their order already.
    one = wanted.clients[0] if wanted.clients and len(wanted.clients) == 1 else None
    values: list[object] = [account_id]
    parts = ["account_id = $1"]

    def put(part: str, *given: object) -> None:
        names = []
        for value in given:
            values.append(value)
            names.append(f"${len(values)}")
        parts.append(part.format(*names))

    for part, value in (
        ("started_at >= {}", wanted.since),
        ("started_at < {}", wanted.until),
        ("client = {}", one),
        ("client = ANY({}::text[])", None if one or wanted.clients is None else list(wanted.clients)),
        ("right(client, length({0})) = {0}", wanted.client_end),
        ("line = {}", wanted.line),
        ("connection_id = {}", wanted.connection),
        ("direction = {}", wanted.direction),
        ("client_kind = {}", wanted.client_kind and wanted.client_kind.value),
        ("lookup_reason = {}", wanted.reason),
    ):
        if value is not None:
            put(part, value)
    if wanted.employee is not None:
        put(_TOOK_PART, wanted.employee, list(wanted.addresses))
    if wanted.result is not None:
        parts.append(_RESULTS[wanted.result])
    if wanted.writes is not None:
        parts.append(
            "call_id IN (SELECT e.call_id FROM effect e WHERE e.account_id = $1 AND e.call_id IS NOT NULL"  # noqa: S608
            f" AND e.state IN {_OPEN_STATES[wanted.writes]})"
        )
    return " AND ".join(parts), values


_TOOK_PART = """(people @> ARRAY[{0}::text] OR people IS NULL AND (SELECT facts->'rung' ?| {1}::text[]
    OR jsonb_path_query_array(facts, '$.talks[*].party') ?| {1}::text[]
    FROM call old WHERE old.account_id = c.account_id AND old.call_id = c.call_id))"""
