"""Calls that come into the queue: no more than may wait, and those of missed calls each once."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.store.outbound.pace import hold_pace
from routing.decision import stable_id
from routing.effects import CallClient
from runtime.database.pool import Conn

# Where one waits for this client already, or too many do, it is kept as dropped, with the reason.
_ADD = """
INSERT INTO outbound_item (account_id, item_id, kind, source, deal_id, contact_id, client, target, connection, line, "order",
    state, reason, ended_at)
SELECT $1, $2, 'callback', 'matrix', $3, $4, $5, $6, $7, $8, $9, CASE WHEN why = '' THEN 'waiting' ELSE 'dropped' END, why,
    CASE WHEN why <> '' THEN now() END
FROM (SELECT CASE
    WHEN EXISTS (SELECT 1 FROM outbound_item WHERE account_id = $1 AND client = $5 AND kind = 'callback' AND state = 'waiting')
        OR EXISTS (SELECT 1 FROM outbound_attempt WHERE account_id = $1 AND client = $5 AND state <> 'over') THEN 'waits_already'
    WHEN $10 THEN 'queue_full'
    ELSE '' END AS why) AS asked
ON CONFLICT DO NOTHING
"""
_ADD_ASKED = """
INSERT INTO outbound_item (account_id, item_id, kind, source, deal_id, contact_id, client, target, connection, line, "order",
    priority, expires_at)
SELECT $1, $2, 'callback', 'api', $3, $4, $5, $6, $7, $8, $9, -1, $10
WHERE NOT EXISTS (SELECT 1 FROM outbound_item WHERE account_id = $1 AND client = $5 AND kind = 'callback' AND state = 'waiting')
    AND NOT EXISTS (SELECT 1 FROM outbound_attempt WHERE account_id = $1 AND client = $5 AND state <> 'over')
RETURNING item_id
"""
WAITS_FOR = timedelta(minutes=10)
"""Whoever asked sits at the phone now."""
_WAITING = """
SELECT count(*) FROM (SELECT FROM outbound_item WHERE account_id = $1 AND state = 'waiting' AND kind = 'callback' LIMIT $2)
AS waiting
"""


async def is_queue_full(conn: Conn, account_id: str) -> bool:
    """Whether as many call backs wait as may. Nobody else adds one, or places a call, until the transaction ends."""
    pace = await hold_pace(conn, account_id)
    if pace is None:
        return False
    most = pace.settings.outbound.queue_most
    waiting: int = await conn.fetchval(_WAITING, account_id, most)
    return waiting >= most


async def add_missed_call(conn: Conn, account_id: str, key: str, order: CallClient, decision_id: str) -> None:
    """Put it into the queue, in the decision's transaction. key: of the order; the same again is the same item."""
    await conn.execute(
        _ADD,
        account_id,
        stable_id(account_id, "outbound", "matrix", key),
        order.deal_id,
        order.contact_id,
        order.number,
        {"kind": "employee", "employee_id": order.employee_id},
        order.connection,
        order.line,
        {
            "decision_id": decision_id,
            "action": {
                "do": "callback",
                "connection": order.connection,
                "line": order.line,
                "task_when_failed": order.task_when_failed,
            },
        },
        await is_queue_full(conn, account_id),
    )


async def add_asked(conn: Conn, account_id: str, item_id: str, order: CallClient, now: datetime) -> bool:
    """Put a call that a person asked for before all others. False: this client waits already, or is being called."""
    await hold_pace(conn, account_id)
    added = await conn.fetchval(
        _ADD_ASKED,
        account_id,
        item_id,
        order.deal_id,
        order.contact_id,
        order.number,
        {"kind": "employee", "employee_id": order.employee_id},
        order.connection,
        order.line,
        {
            "action": {
                "do": "callback",
                "connection": order.connection,
                "line": order.line,
                "task_when_failed": order.task_when_failed,
            },
        },
        now + WAITS_FOR,
    )
    return added is not None
