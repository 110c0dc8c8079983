"""Calls of the past with what was known when they were decided: what a replay starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import asyncpg
import orjson
from pydantic import TypeAdapter

from routing.calls.model import Call
from routing.client import Client, ClientEntity, ClientKind
from routing.matrix.model import Moment
from routing.schedules.calendar import PublicHolidays
from routing.settings import AccountSettings, stored_settings
from runtime.database.pool import Conn

_CALLS = """
SELECT call_id, connection_id, client, line, started_at, client_kind, facts::text AS facts FROM call
WHERE account_id = $1 AND started_at >= $2 AND started_at < $3 AND client IS NOT NULL AND direction <> 'internal'
    AND is_over AND ($4::timestamptz IS NULL OR (started_at, call_id) > ($4, $5))
ORDER BY started_at, call_id LIMIT $6
"""
_CALL = """
SELECT call_id, connection_id, client, line, started_at, client_kind, facts::text AS facts FROM call
WHERE account_id = $1 AND call_id = $2 AND client IS NOT NULL AND direction <> 'internal' AND is_over
"""
_COUNT = """
SELECT count(*) FROM call WHERE account_id = $1 AND started_at >= $2 AND started_at < $3
    AND client IS NOT NULL AND direction <> 'internal' AND is_over
"""
_INPUTS = """
SELECT call_id, inputs->>'moment' AS moment, inputs->>'client' AS client, inputs->>'client_kind' AS client_kind,
    (inputs->>'staff_version')::bigint AS staff_version, inputs->>'settings' AS settings,
    inputs->>'time_zone' AS time_zone, inputs->>'holidays' AS holidays,
    inputs->>'worked_days' AS worked_days, inputs->>'line' AS line
FROM decision WHERE account_id = $1 AND call_id = ANY($2) AND kind = 'matrix' AND client IS NOT NULL
    AND num_nulls(inputs->>'moment', inputs->>'client', inputs->>'client_kind', inputs->>'staff_version',
        inputs->>'settings', inputs->>'time_zone') = 0
ORDER BY call_id, seq
"""
_MADE = """
SELECT call_id, crm_id FROM effect WHERE account_id = $1 AND call_id = ANY($2)
    AND what IN ('create_contact', 'create_deal', 'create_lead') AND crm_id IS NOT NULL
"""

_FREE_DAYS: TypeAdapter[frozenset[date]] = TypeAdapter(frozenset[date])
_WORKED_DAYS: TypeAdapter[dict[date, int | None]] = TypeAdapter(dict[date, int | None])


class KnownClient(NamedTuple):
    """What was known at the call's first decision."""

    client: Client
    client_kind: ClientKind
    staff_version: int
    settings: AccountSettings
    time_zone: str
    holidays: PublicHolidays


class PastCall(NamedTuple):
    """known: None where what the call's decisions knew is not stored any more. arrived: entities that others had made by each
    later moment (ours are left out: a replay orders its own)."""

    call_id: str
    connection: str
    number: str
    line: str | None
    started_at: datetime
    client_kind: ClientKind | None
    call: Call
    known: KnownClient | None
    arrived: Mapping[Moment, tuple[ClientEntity, ...]]


class PastCalls:
    """Reads page after page; what repeats (settings, holidays) is parsed once."""

    def __init__(self) -> None:
        self._settings: dict[str, AccountSettings] = {}
        self._holidays: dict[tuple[str | None, str | None], PublicHolidays] = {}

    async def count(self, conn: Conn, account_id: str, since: datetime, until: datetime) -> int:
        return int(await conn.fetchval(_COUNT, account_id, since, until))

    async def page(
        self,
        conn: Conn,
        account_id: str,
        since: datetime,
        until: datetime,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[PastCall]:
        """Return the calls of clients that started in [since, until) and are over, oldest first. after: the last one's
        (started_at, call_id)."""
        rows = await conn.fetch(_CALLS, account_id, since, until, *(after or (None, None)), limit)
        return await self._of_rows(conn, account_id, rows)

    async def one(self, conn: Conn, account_id: str, call_id: str) -> PastCall | None:
        """Return this call, None where it is none of a client that is over."""
        found = await self._of_rows(conn, account_id, await conn.fetch(_CALL, account_id, call_id))
        return found[0] if found else None

    async def _of_rows(self, conn: Conn, account_id: str, rows: Sequence[asyncpg.Record]) -> list[PastCall]:
        ids = [r["call_id"] for r in rows]
        inputs: dict[str, list[asyncpg.Record]] = {}
        for row in await conn.fetch(_INPUTS, account_id, ids):
            inputs.setdefault(row["call_id"], []).append(row)
        made: dict[str, set[str]] = {}
        for row in await conn.fetch(_MADE, account_id, ids):
            made.setdefault(row["call_id"], set()).add(row["crm_id"])
        return [self._past(r, inputs.get(r["call_id"], ()), made.get(r["call_id"], set())) for r in rows]

    def _past(self, row: asyncpg.Record, inputs: Sequence[asyncpg.Record], made: set[str]) -> PastCall:
        clients = [Client.model_validate_json(i["client"]) for i in inputs]
        return PastCall(
            call_id=row["call_id"],
            connection=row["connection_id"],
            number=row["client"],
            line=row["line"],
            started_at=row["started_at"],
            client_kind=ClientKind(row["client_kind"]) if row["client_kind"] else None,
            call=Call.model_validate_json(row["facts"]),
            known=self._known(inputs[0], clients[0]) if inputs else None,
            arrived=_arrived(row["call_id"], inputs, clients, made),
        )

    def _known(self, first: asyncpg.Record, client: Client) -> KnownClient:
        settings, holidays = first["settings"], (first["holidays"], first["worked_days"])
        if settings not in self._settings:
            self._settings[settings] = stored_settings(orjson.loads(settings))
        if holidays not in self._holidays:
            free, worked = holidays
            self._holidays[holidays] = PublicHolidays(
                _FREE_DAYS.validate_json(free or "[]"), _WORKED_DAYS.validate_json(worked or "{}")
            )
        return KnownClient(
            client=client,
            client_kind=ClientKind(first["client_kind"]),
            staff_version=first["staff_version"],
            settings=self._settings[settings],
            time_zone=first["time_zone"],
            holidays=self._holidays[holidays],
        )


def _arrived(
    call_id: str, inputs: Sequence[asyncpg.Record], clients: Sequence[Client], made: set[str]
) -> dict[Moment, tuple[ClientEntity, ...]]:
    found: dict[Moment, tuple[ClientEntity, ...]] = {}
    if len(inputs) < 2:
        return found
    at_first = {e.ref for e in clients[0].entities}
    for row, client in zip(inputs[1:], clients[1:], strict=True):
        others = tuple(
            e
            for e in client.entities
            if e.ref not in at_first
            and e.ref.id not in made
            and not (e.ref.effect or "").startswith(f"{call_id}:")
        )
        if others:
            found[Moment(row["moment"])] = others
    return found
