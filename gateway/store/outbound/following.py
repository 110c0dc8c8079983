"""Attempts under way and the calls that came of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from gateway.store.outbound.attempts import AttemptRow, as_attempt
from routing.calls.model import Call
from runtime.database.pool import Conn

# Those of which nobody knows what became of them are heard of late at times.
_OPEN = """
SELECT * FROM outbound_attempt WHERE account_id = $1 AND (state <> 'over' OR side = 'unknown' AND over_at > $2)
ORDER BY claimed_at, attempt_id
"""

_CALLS = """
SELECT attempt_id AS of_attempt, call_key, facts, heard_at FROM call WHERE account_id = $1 AND attempt_id = ANY($2)
ORDER BY started_at, call_id
"""

# Of a PBX that does not carry our id: by the client, the direction and the time. One call is one attempt's.
_LIKE = """
SELECT a.attempt_id AS of_attempt, c.call_key, c.facts, c.heard_at FROM outbound_attempt a
JOIN connection o ON o.account_id = a.account_id AND o.name = a.connection
JOIN call c ON c.account_id = a.account_id AND c.client = a.client AND c.connection_id = o.connection_id
WHERE a.account_id = $1 AND a.attempt_id = ANY($2) AND a.placed_at IS NOT NULL AND c.direction = 'outbound'
  AND c.attempt_id IS NULL AND c.started_at + c.clock_offset BETWEEN a.placed_at - $3::interval AND a.placed_at + $4::interval
  AND NOT EXISTS (SELECT 1 FROM outbound_attempt b WHERE b.account_id = a.account_id AND b.attempt_id <> a.attempt_id
    AND b.client = a.client AND b.call_key = c.call_key)
ORDER BY c.started_at, c.call_id
"""

# A call back that a PBX tells as incoming, as it does where the client asked for it.
_ORDERED = """
SELECT EXISTS (SELECT 1 FROM outbound_attempt a JOIN connection o ON o.account_id = a.account_id AND o.name = a.connection
    WHERE a.account_id = $1 AND o.connection_id = $2 AND o.kind = ANY($3) AND a.client = $4
    AND $5 BETWEEN a.placed_at - $6::interval AND a.placed_at + $7::interval)
"""

_EARLIER = timedelta(seconds=5)
_LATER = timedelta(seconds=90)


class HeardCall(NamedTuple):
    """heard_at: when the latest word of it came."""

    call_key: str
    call: Call
    heard_at: datetime


async def open_attempts(conn: Conn, account_id: str, unknown_since: datetime) -> list[AttemptRow]:
    """Return those that live, and those that came to nobody knows what since then."""
    return [as_attempt(row) for row in await conn.fetch(_OPEN, account_id, unknown_since)]


async def calls_of_attempts(
    conn: Conn, account_id: str, attempt_ids: Sequence[str]
) -> dict[str, list[HeardCall]]:
    """Return the calls that carry the ids of these, by attempt."""
    return _by_attempt(await conn.fetch(_CALLS, account_id, list(attempt_ids)))


async def calls_like_attempts(
    conn: Conn, account_id: str, attempt_ids: Sequence[str]
) -> dict[str, list[HeardCall]]:
    """Return the calls that may be these, which a PBX tells without our id."""
    return _by_attempt(await conn.fetch(_LIKE, account_id, list(attempt_ids), _EARLIER, _LATER))


async def may_be_ordered(
    conn: Conn, account_id: str, connection_id: str, kinds: Collection[str], client: str, started_at: datetime
) -> bool:
    """Whether a call of this client came when the gateway had ordered one there. kinds: of PBXs that do not carry our id."""
    known: bool = await conn.fetchval(
        _ORDERED, account_id, connection_id, list(kinds), client, started_at, _EARLIER, _LATER
    )
    return known


def _by_attempt(rows: Sequence[object]) -> dict[str, list[HeardCall]]:
    found: dict[str, list[HeardCall]] = {}
    for row in rows:
        call = Call.model_validate_json(orjson.dumps(row["facts"]))  # type: ignore[index]
        heard = HeardCall(row["call_key"], call, row["heard_at"])  # type: ignore[index]
        found.setdefault(row["of_attempt"], []).append(heard)  # type: ignore[index]
    return found
