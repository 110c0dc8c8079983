"""Until everything that goes out has ended. Nobody waits in vain for minutes: what nothing will be told of any more is looked at
as though they had passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.database.pool import Conn

LEFT = {
    "firings": "SELECT count(*) FROM firing WHERE state = 'reading'",
    "items": "SELECT count(*) FROM outbound_item WHERE ended_at IS NULL",
    "attempts": "SELECT count(*) FROM outbound_attempt WHERE state <> 'over'",
    "texts": "SELECT count(*) FROM sms_message WHERE ended_at IS NULL OR look_at IS NOT NULL",
}

# What counts from when it was begun to be placed; when it was claimed, by which the pace goes, stays as it is.
_MINUTES_PASS = (
    "UPDATE outbound_attempt SET look_at = now(), placed_at = placed_at - interval '1 minute' WHERE state <> 'over'",
    "UPDATE sms_message SET look_at = now() WHERE look_at > now()",
    "UPDATE sms_message SET next_try_at = now() WHERE state = 'queued' AND next_try_at > now()",
)


async def let_minutes_pass(conn: Conn) -> None:
    """For what is on its way. Only while the doubles are quiet and all that they told is understood."""
    for sql in _MINUTES_PASS:
        await conn.execute(sql)


async def what_is_left(conn: Conn) -> Mapping[str, Any]:
    return {name: count for name, sql in LEFT.items() if (count := await conn.fetchval(sql))}
