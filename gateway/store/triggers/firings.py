"""Firings as rows: one for a cause, a deal and a trigger, from the moment it is told until it is decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from gateway.store.outbound.adding import is_queue_full
from routing.decision import stable_id
from routing.triggers.causes import Cause
from routing.triggers.decide import LOOP_WINDOW, FiredLately, FiringDecision
from routing.triggers.model import AddToCampaign, CallBack, Trigger
from routing.triggers.reasons import FiringReason
from runtime.database.pool import Conn

FiringState = Literal["reading", "queued", "skipped", "failed"]
FiringSource = Literal["event", "hook", "apply"]

_ADD = """
INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause_key, cause, event_id, source, happened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING firing_id
"""

# Told by a hook before the CRM told of the change itself: that is the same entrance.
_BIND = """
UPDATE firing SET event_id = $6, cause_key = $7 WHERE (account_id, firing_id) IN (
    SELECT account_id, firing_id FROM firing WHERE account_id = $1 AND trigger = $2 AND deal_id = $3
      AND source = 'hook' AND event_id IS NULL AND created_at >= $8
      AND cause->>'pipeline_id' = $4 AND cause->>'stage_id' = $5 ORDER BY created_at LIMIT 1)
RETURNING firing_id
"""

# Of the entrance of which a hook tells the CRM told already, or another hook; unless the deal left the stage since.
_SAME = """
SELECT EXISTS (SELECT 1 FROM firing f WHERE account_id = $1 AND trigger = $2 AND deal_id = $3
  AND source IN ('event', 'hook') AND cause->>'stage_id' IS NOT DISTINCT FROM $4 AND created_at > now() - $5::interval
  AND NOT EXISTS (SELECT 1 FROM crm_event e WHERE e.account_id = f.account_id AND e.entity_kind = 'deal'
    AND e.entity_id = f.deal_id AND e.aspect = 'stage' AND e.at > f.happened_at
    AND e.old_value = (f.cause->>'pipeline_id') || '/' || (f.cause->>'stage_id')))
"""

# The feed tells afterwards of prices in between: the way up past the amount was one, and fired already.
_CROSSED = """
SELECT EXISTS (SELECT 1 FROM firing f WHERE f.account_id = $1 AND f.trigger = $2 AND f.deal_id = $3
  AND f.cause->>'on' = 'price_crossed' AND f.happened_at >= $4 AND NOT EXISTS (
    SELECT 1 FROM crm_event e WHERE e.account_id = f.account_id AND e.entity_kind = 'deal' AND e.entity_id = f.deal_id
      AND e.aspect = 'price' AND e.at > $4 AND e.at <= f.happened_at AND e.new_value ~ '^[0-9]{1,15}$'
      AND e.new_value::bigint < $5))
"""

_DUE = """
SELECT * FROM firing WHERE account_id = $1 AND state = 'reading' AND next_try_at <= now()
ORDER BY created_at, firing_id LIMIT $2
"""

_LATELY = """
SELECT (SELECT count(*) FROM firing WHERE account_id = $1 AND deal_id = $3 AND trigger = $2 AND state = 'queued'
    AND firing_id <> $4 AND created_at > now() - $5::interval) AS fired,
  EXISTS (SELECT 1 FROM outbound_item i JOIN firing f USING (account_id, firing_id) WHERE i.account_id = $1
    AND i.contact_id = $6 AND i.kind = $7 AND i."order"->'action' = $8
    AND (i.created_at > now() - $9::interval OR i.state IN ('held', 'waiting')) AND i.state NOT IN ('cleared', 'dropped')
    AND ((f.trigger, f.deal_id) <> ($2, $3) OR 'apply' IN (f.source, $10))) AS same_action
"""

_QUEUE = """
INSERT INTO outbound_item (account_id, item_id, kind, firing_id, source, deal_id, contact_id, target, connection, line,
    priority, campaign, "order", state, reason, ended_at)
VALUES ($1, $2, $3, $4, 'trigger', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, CASE WHEN $13 = 'dropped' THEN now() END)
ON CONFLICT DO NOTHING
"""

SAME_ACTION_GAP = timedelta(minutes=10)
"""A client gets the same action of two triggers, or for two deals, not twice within it, nor while it still waits; and what is
applied to a deal is the same as what its entrance started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringRow:
    """steps: as of a decision. contact_id: of the deal when it was read."""

    account_id: str
    firing_id: str
    trigger: str
    version: int
    deal_id: str
    cause_key: str
    cause: Mapping[str, Any]
    event_id: int | None
    source: FiringSource
    state: FiringState
    reason: str
    steps: Sequence[Mapping[str, Any]]
    contact_id: str | None
    tries: int
    next_try_at: datetime
    happened_at: datetime
    created_at: datetime
    ended_at: datetime | None

    @property
    def as_cause(self) -> Cause:
        return Cause(**{**self.cause, "named": tuple(self.cause["named"])})


async def add_firing(
    conn: Conn,
    account_id: str,
    trigger: tuple[str, int],
    deal_id: str,
    cause: Cause,
    *,
    source: FiringSource,
    happened_at: datetime,
) -> str | None:
    """Keep it to be read and decided. trigger: name and version. None: this cause was told already."""
    name, version = trigger
    added: str | None = await conn.fetchval(
        _ADD,
        account_id,
        stable_id(account_id, "firing", name, deal_id, cause.key),
        name,
        version,
        deal_id,
        cause.key,
        asdict(cause),
        cause.event_id,
        source,
        happened_at,
    )
    return added


async def bind_event(
    conn: Conn, account_id: str, trigger: str, deal_id: str, cause: Cause, since: datetime
) -> bool:
    """Whether a hook told of this entrance before. since: it cannot have been earlier."""
    bound = await conn.fetchval(
        _BIND,
        account_id,
        trigger,
        deal_id,
        cause.pipeline_id,
        cause.stage_id,
        cause.event_id,
        cause.key,
        since,
    )
    return bound is not None


async def is_told(
    conn: Conn, account_id: str, trigger: str, deal_id: str, stage_id: str | None, within: timedelta
) -> bool:
    """Whether this entrance fired a moment ago."""
    found: bool = await conn.fetchval(_SAME, account_id, trigger, deal_id, stage_id, within)
    return found


async def is_crossed_already(
    conn: Conn, account_id: str, trigger: str, deal_id: str, at: datetime, amount: int
) -> bool:
    found: bool = await conn.fetchval(_CROSSED, account_id, trigger, deal_id, at, amount)
    return found


async def busy_accounts(conn: Conn, account_ids: Collection[str]) -> list[str]:
    """Those of these that are on and have something to read now."""
    rows = await conn.fetch(
        "SELECT account_id FROM account WHERE account_id = ANY($1) AND state = 'on' AND EXISTS (SELECT 1 FROM firing f"
        " WHERE f.account_id = account.account_id AND f.state = 'reading' AND f.next_try_at <= now())",
        list(account_ids),
    )
    return [row["account_id"] for row in rows]


async def due(conn: Conn, account_id: str, limit: int) -> list[FiringRow]:
    """Return what is to be read now, the oldest first."""
    return [as_firing(row) for row in await conn.fetch(_DUE, account_id, limit)]


async def lock_reading(conn: Conn, account_id: str, firing_id: str) -> FiringRow | None:
    """Hold it until the transaction ends. None: it is decided already."""
    row = await conn.fetchrow(
        "SELECT * FROM firing WHERE account_id = $1 AND firing_id = $2 AND state = 'reading' FOR UPDATE",
        account_id,
        firing_id,
    )
    return as_firing(row) if row else None


async def fired_lately(
    conn: Conn, firing: FiringRow, trigger: Trigger, contact_id: str | None
) -> FiredLately:
    row = await conn.fetchrow(
        _LATELY,
        firing.account_id,
        firing.trigger,
        firing.deal_id,
        firing.firing_id,
        LOOP_WINDOW,
        contact_id,
        trigger.action.do,
        trigger.action.model_dump(mode="json"),
        SAME_ACTION_GAP,
        firing.source,
    )
    assert row is not None
    return FiredLately(fired=row["fired"], same_action=row["same_action"])


async def decided(
    conn: Conn, firing: FiringRow, trigger: Trigger, decision: FiringDecision, contact_id: str | None
) -> None:
    """Write down how it came out; what fires is put into the queue, in the same transaction."""
    is_queued = decision.outcome == "queue"
    await _end(
        conn,
        firing,
        "queued" if is_queued else "skipped",
        decision.reason,
        steps=[step.as_json() for step in decision.steps],
        contact_id=contact_id,
    )
    if is_queued:
        await _queue(conn, firing, trigger, contact_id)


async def skipped(conn: Conn, firing: FiringRow, reason: FiringReason) -> None:
    """End what nothing has to be read for."""
    await _end(conn, firing, "skipped", reason)


async def put_off(
    conn: Conn,
    account_id: str,
    firing_ids: Sequence[str],
    pause: timedelta,
    most: timedelta,
    *,
    waits: FiringReason = "waits_for_crm",
    ends: FiringReason = "crm_silent",
) -> int:
    """Read them later, since the CRM does not answer; what waits for longer than `most` is given up. How many those are.

    waits, ends: why, as long as it is tried, and once it is given up."""
    done: str = await conn.execute(
        "UPDATE firing SET state = 'failed', reason = $4, ended_at = now(), tries = tries + 1"
        " WHERE account_id = $1 AND firing_id = ANY($2) AND state = 'reading' AND created_at <= now() - $3::interval",
        account_id,
        list(firing_ids),
        most,
        ends,
    )
    await conn.execute(
        "UPDATE firing SET tries = tries + 1, reason = $4, next_try_at = now() + $3::interval"
        " WHERE account_id = $1 AND firing_id = ANY($2) AND state = 'reading'",
        account_id,
        list(firing_ids),
        pause,
        waits,
    )
    return int(done.split()[-1])


async def delete_firings_older_than(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM firing WHERE (account_id, firing_id) IN (SELECT account_id, firing_id FROM firing"
        " WHERE account_id = $1 AND created_at < $2 AND state <> 'reading' LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def delete_outbound_older_than(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete what has ended."""
    done: str = await conn.execute(
        "DELETE FROM outbound_item WHERE (account_id, item_id) IN (SELECT account_id, item_id FROM outbound_item"
        " WHERE account_id = $1 AND created_at < $2 AND ended_at IS NOT NULL LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def _end(
    conn: Conn,
    firing: FiringRow,
    state: FiringState,
    reason: FiringReason,
    *,
    steps: Sequence[Mapping[str, Any]] = (),
    contact_id: str | None = None,
) -> None:
    await conn.execute(
        "UPDATE firing SET state = $3, reason = $4, steps = $5, contact_id = $6, tries = tries + 1, ended_at = now()"
        " WHERE account_id = $1 AND firing_id = $2",
        firing.account_id,
        firing.firing_id,
        state,
        reason,
        list(steps),
        contact_id,
    )


async def _queue(conn: Conn, firing: FiringRow, trigger: Trigger, contact_id: str | None) -> None:
    action = trigger.action
    is_call, is_campaign = isinstance(action, CallBack), isinstance(action, AddToCampaign)
    written = action.model_dump(mode="json")
    is_full = is_call and await is_queue_full(conn, firing.account_id)
    await conn.execute(
        _QUEUE,
        firing.account_id,
        stable_id(firing.account_id, "outbound", firing.firing_id),
        action.do,
        firing.firing_id,
        firing.deal_id,
        contact_id,
        written.get("target") if is_call else written.get("to"),
        written.get("connection"),
        written.get("line"),
        written.get("priority", 0),
        written.get("campaign") if is_campaign else None,
        {"trigger": firing.trigger, "version": firing.version, "action": written},
        "dropped" if is_full else "held" if is_campaign else "waiting",
        "queue_full" if is_full else "",
    )


def as_firing(row: asyncpg.Record) -> FiringRow:
    return FiringRow(**dict(row))
