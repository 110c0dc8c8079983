"""SQL that is the same for the effects of every system, and the queue of one account and system."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from runtime.database import channels
from runtime.database.pool import Conn

ENDED = frozenset({"dead", "skipped", "expired"})

# Looked for from those that wait for others, which are few; what has ended is most of the table.
_FATE = """
WITH fallen AS MATERIALIZED (
    SELECT e.effect_key, need.state, need.effect_key AS cause FROM effect e
    CROSS JOIN LATERAL (
        SELECT d.effect_key, d.state FROM effect d
        WHERE d.account_id = e.account_id AND d.effect_key = ANY(e.after) AND d.state IN ('dead', 'skipped', 'expired')
        LIMIT 1
    ) need
    WHERE e.account_id = $1 AND e.after <> '{{}}' AND {which}
)
UPDATE effect e SET state = fallen.state, error_code = 'dependency', error_field = NULL, error_detail = fallen.cause
FROM fallen
WHERE e.account_id = $1 AND e.effect_key = fallen.effect_key AND e.state IN ('waiting', 'held')
RETURNING e.effect_key
"""
_FATE_OF_LIVE = _FATE.format(which="e.system = $3 AND e.state = 'waiting' AND e.lane < $2")
_FATE_OF_SYSTEM = _FATE.format(which="e.system = $2 AND e.state IN ('waiting', 'held')")
_FATE_AFTER = _FATE.format(which="e.state IN ('waiting', 'held') AND e.after && $2::text[]")

_TAKE = """
UPDATE effect SET state = 'sending', attempts = attempts + 1, sent_at = $3, next_try_at = NULL
WHERE (account_id, effect_key) IN (
    SELECT e.account_id, e.effect_key FROM effect e
    WHERE e.account_id = $1 AND e.system = $2 AND e.state = 'waiting'
      AND (e.not_before IS NULL OR e.not_before <= $3) AND (e.next_try_at IS NULL OR e.next_try_at <= $3)
      AND NOT EXISTS (SELECT 1 FROM effect d WHERE d.account_id = e.account_id AND d.effect_key = ANY(e.after)
                      AND d.state <> 'done')
    ORDER BY e.lane, e.seq LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING effect_key, client, what, "order", attempts, doubts, lane, seq
"""

_UNVERIFIED = """
SELECT effect_key, client, what, "order", attempts, doubts, lane, seq FROM effect
WHERE account_id = $1 AND system = $2 AND state = 'unknown' AND next_try_at <= $3 ORDER BY lane, seq LIMIT $4
"""

_RECORD = """
UPDATE effect SET state = $5, crm_id = coalesce($6, crm_id), error_code = $7, error_detail = $8, next_try_at = $9,
    doubts = doubts + ($5 = 'unknown')::int, done_at = CASE WHEN $5 = 'done' THEN $10::timestamptz ELSE done_at END
WHERE account_id = $1 AND system = $2 AND effect_key = $3 AND attempts = $4
  AND state IN ('waiting', 'sending', 'unknown')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenEffect:
    """An effect to carry out or to look into. attempt: fences late outcomes."""

    key: str
    client: str
    what: str
    order: Mapping[str, Any]
    attempt: int
    unknown_attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of it. id: what the system calls what was made. next_try_at: when to go on, of unknown and waiting."""

    state: Literal["done", "waiting", "unknown", "dead", "skipped"]
    id: str | None = None
    code: str | None = None
    detail: str | None = None
    next_try_at: datetime | None = None


class EffectQueue:
    """The effects of one account and system, for an executor that sends each by itself. Every method is committed when
    it returns."""

    def __init__(self, pool: asyncpg.Pool, account_id: str, system: str) -> None:
        self._pool, self._account, self._system = pool, account_id, system

    async def recover_in_flight(self, look_at: datetime) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            return await recover_in_flight(conn, self._account, self._system, look_at)

    async def take(self, now: datetime, limit: int) -> list[TakenEffect]:
        """Mark as being sent what may go out now, most urgent lane first. None while the account is not on."""
        async with self._pool.acquire() as conn, conn.transaction():
            state = await conn.fetchval("SELECT state FROM account WHERE account_id = $1", self._account)
            if state not in (None, "on"):
                await hold(conn, self._account, self._system)
                return []
            fallen = await conn.fetch(_FATE_OF_SYSTEM, self._account, self._system)
            await cascade(conn, self._account, [row["effect_key"] for row in fallen])
            rows = await conn.fetch(_TAKE, self._account, self._system, now, limit)
        return [_taken(row) for row in sorted(rows, key=lambda row: (row["lane"], row["seq"]))]

    async def unverified(self, now: datetime, limit: int) -> list[TakenEffect]:
        """Return what has to be looked into before anything is sent again."""
        rows = await self._pool.fetch(_UNVERIFIED, self._account, self._system, now, limit)
        return [_taken(row) for row in rows]

    async def record(self, effect: TakenEffect, result: Result, now: datetime) -> None:
        """Record outcomes: what needs an effect that failed fails with it, of whatever system; what was superseded is ignored."""
        async with self._pool.acquire() as conn, conn.transaction():
            done = await conn.execute(
                _RECORD,
                self._account,
                self._system,
                effect.key,
                effect.attempt,
                result.state,
                result.id,
                result.code,
                result.detail,
                result.next_try_at,
                now,
            )
            if done != "UPDATE 0" and result.state in ENDED:
                await cascade(conn, self._account, [effect.key])


async def wake(conn: Conn, account_id: str, system: str) -> None:
    """Wake the executor of this account and system when the transaction commits."""
    await channels.notify(conn, channels.EFFECTS, channels.of_executor(account_id, system))


async def recover_in_flight(conn: Conn, account_id: str, system: str, look_at: datetime) -> int:
    """Mark what a predecessor was sending as unknown, to be looked into from then on; how many effects."""
    done = await conn.execute(
        "UPDATE effect SET state = 'unknown', next_try_at = $3, doubts = doubts + 1"
        " WHERE account_id = $1 AND system = $2 AND state = 'sending'",
        account_id,
        system,
        look_at,
    )
    fallen = await conn.fetch(_FATE_OF_SYSTEM, account_id, system)
    await cascade(conn, account_id, [row["effect_key"] for row in fallen])
    return int(done.split()[-1])


async def hold(conn: Conn, account_id: str, system: str | None = None) -> int:
    """Keep what waits (None = of all systems) for a reactivation; how many. A card for the screen is no use later, nor
    what was to be given away from somebody at that moment: whoever ordered that orders it anew."""
    await conn.execute(
        "UPDATE effect SET state = 'skipped', error_code = 'too-late'"
        " WHERE account_id = $1 AND ($2::text IS NULL OR system = $2) AND state = 'waiting'"
        " AND (what = 'show_card' OR \"order\"->>'owner_was' IS NOT NULL)",
        account_id,
        system,
    )
    done = await conn.execute(
        "UPDATE effect SET state = 'held', next_try_at = NULL"
        " WHERE account_id = $1 AND ($2::text IS NULL OR system = $2) AND state = 'waiting'",
        account_id,
        system,
    )
    return int(done.split()[-1])


async def cascade_to_live(conn: Conn, account_id: str, system: str, before_lane: int) -> None:
    """Cascade among waiting effects of the faster lanes, whatever they need."""
    await conn.execute(_FATE_OF_LIVE, account_id, before_lane, system)


async def cascade(
    conn: Conn,
    account_id: str,
    keys: Sequence[str],
    keep: Callable[[Conn, str, Sequence[str]], Awaitable[None]] | None = None,
) -> None:
    """Let what needs one of these, which are dead, skipped or expired, become the same, and so on, across systems.

    keep: told of them before, to change what can do without them.
    """
    fallen = keys
    while fallen:
        if keep is not None:
            await keep(conn, account_id, fallen)
        rows = await conn.fetch(_FATE_AFTER, account_id, fallen)
        fallen = [row["effect_key"] for row in rows]


async def next_due(conn: Conn, account_id: str, system: str, now: datetime) -> datetime | None:
    """When something that is not due yet will be; None when nothing is planned."""
    due: datetime | None = await conn.fetchval(
        "SELECT min(greatest(not_before, next_try_at)) FROM effect WHERE account_id = $1 AND system = $2"
        " AND state IN ('waiting', 'unknown') AND greatest(not_before, next_try_at) > $3",
        account_id,
        system,
        now,
    )
    return due


def _taken(row: asyncpg.Record) -> TakenEffect:
    return TakenEffect(
        key=row["effect_key"],
        client=row["client"],
        what=row["what"],
        order=row["order"],
        attempt=row["attempts"],
        unknown_attempts=row["doubts"],
    )
