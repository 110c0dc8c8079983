"""What goes out through a connection: triggers and campaigns that name it, and what waits for it."""

from __future__ import annotations

from runtime.database.pool import Conn

_NAMED = """
SELECT 'trigger ' || t.name AS what FROM pipeline_trigger t JOIN pipeline_trigger_version v USING (account_id, name, version)
    WHERE t.account_id = $1 AND t.removed_at IS NULL AND v.body->'action'->>$3 = $2
UNION ALL SELECT 'campaign ' || c.name FROM campaign c
    WHERE c.account_id = $1 AND c.state <> 'finished' AND c.settings->>$3 = $2
ORDER BY what
"""
_WAITING = """
SELECT count(*) FROM outbound_item WHERE account_id = $1 AND state IN ('held', 'waiting', 'dialling', 'sending')
    AND (connection = $2 OR "order"->'action'->>$3 = $2)
"""


async def uses_of_connection(conn: Conn, account_id: str, name: str) -> list[str]:
    """Return what calls by this PBX: "trigger big deals", "campaign autumn", "3 that wait"."""
    return await _uses(conn, account_id, name, "connection")


async def uses_of_sms_connection(conn: Conn, account_id: str, name: str) -> list[str]:
    """As `uses_of_connection`, of texts."""
    return await _uses(conn, account_id, name, "provider")


async def _uses(conn: Conn, account_id: str, name: str, field: str) -> list[str]:
    named = [row["what"] for row in await conn.fetch(_NAMED, account_id, name, field)]
    waiting = await conn.fetchval(_WAITING, account_id, name, field)
    return [*named, f"{waiting} that wait"] if waiting else named
