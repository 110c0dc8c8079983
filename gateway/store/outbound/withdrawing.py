"""Attempts whose client has called us meanwhile, while only the employee's phone rings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.store.outbound.attempts import AttemptRow, as_attempt
from runtime.database.pool import Conn

# Not what only rang in vain and is over: they wait to be called back. A call that goes on began at about the time of the claim
# or after it, since nobody is called who is talking.
_POINTLESS = """
SELECT a.*, ARRAY(SELECT e->>'leg' FROM connection o JOIN inbox i ON i.account_id = o.account_id
    AND i.connection_id = o.connection_id AND i.call_key = a.call_key
    CROSS JOIN LATERAL jsonb_array_elements(i.events) e
    WHERE o.account_id = a.account_id AND o.name = a.connection AND e->>'leg' IS NOT NULL ORDER BY i.event_id) AS legs
FROM outbound_attempt a WHERE a.account_id = $1 AND a.state IN ('operator_ringing', 'operator_answered')
  AND a.withdrawn_at IS NULL AND EXISTS (SELECT FROM call c WHERE c.account_id = a.account_id AND c.client = a.client
    AND c.direction = 'inbound' AND c.attempt_id IS NULL AND NOT coalesce((c.facts->>'is_callback')::boolean, false)
    AND (NOT c.is_over AND c.started_at + c.clock_offset > a.claimed_at - $2::interval
      OR c.answered_at IS NOT NULL AND c.ended_at + c.clock_offset > a.claimed_at))
"""

_WITHDRAW = """
UPDATE outbound_attempt SET withdrawn_at = $3 WHERE account_id = $1 AND attempt_id = $2 AND withdrawn_at IS NULL
  AND state <> 'over' RETURNING attempt_id
"""

_EARLIER = timedelta(minutes=1)


class PointlessAttempt(NamedTuple):
    """legs: the PBX's ids of the phones that its events told of, in that order."""

    attempt: AttemptRow
    legs: tuple[str, ...]


async def pointless_attempts(conn: Conn, account_id: str) -> list[PointlessAttempt]:
    rows = await conn.fetch(_POINTLESS, account_id, _EARLIER)
    return [PointlessAttempt(as_attempt(row), tuple(dict.fromkeys(row["legs"]))) for row in rows]


async def withdraw(conn: Conn, attempt: AttemptRow, now: datetime) -> bool:
    """Write down that it is taken back. False: somebody else has, or it is over."""
    done = await conn.fetchval(_WITHDRAW, attempt.account_id, attempt.attempt_id, now)
    return done is not None
