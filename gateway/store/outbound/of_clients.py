"""Call backs of certain clients: which wait or are under way, and stopping them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from runtime.database.pool import Conn

_OPEN = """
SELECT client, state = 'dialling' AS is_under_way, not_before, (SELECT count(*) FROM outbound_attempt a
    WHERE a.account_id = i.account_id AND a.item_id = i.item_id AND a.state = 'over') AS attempts,
    CASE WHEN look_at IS NOT NULL THEN reason END AS waits_for
FROM outbound_item i WHERE account_id = $1 AND client = ANY($2) AND kind = 'callback' AND state IN ('waiting', 'dialling')
ORDER BY is_under_way, created_at DESC
"""
# A phone that rings is not silenced, but it is not rung again.
_STOP = """
UPDATE outbound_item SET state = CASE state WHEN 'waiting' THEN 'cleared' ELSE state END,
    reason = CASE state WHEN 'waiting' THEN 'cleared' ELSE reason END,
    ended_at = CASE state WHEN 'waiting' THEN now() END, look_at = NULL, expires_at = $3
WHERE account_id = $1 AND client = $2 AND kind = 'callback' AND state IN ('waiting', 'dialling')
"""


class OpenCallBack(NamedTuple):
    """attempts: that came to nothing. not_before: of the next. waits_for: why it was passed over when it was looked at last, a code
    of outbound.reason; None: it was not."""

    client: str
    is_under_way: bool
    not_before: datetime
    attempts: int
    waits_for: str | None


async def open_call_backs(conn: Conn, account_id: str, clients: Collection[str]) -> dict[str, OpenCallBack]:
    """Return by client; of several that which is under way, else the oldest."""
    rows = await conn.fetch(_OPEN, account_id, list(clients))
    return {row["client"]: OpenCallBack(**row) for row in rows}


async def stop_call_backs(conn: Conn, account_id: str, client: str, now: datetime) -> bool:
    """Let nobody be rung for this client again, without stage and task. False: there was nothing to stop."""
    done: str = await conn.execute(_STOP, account_id, client, now)
    return done != "UPDATE 0"
