"""When a PBX was last heard of is known, however loud another one is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.health.status import installation_status
from gateway.store.admin import accounts
from gateway.store.alerts import alarms

_SPEAKS = """
INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, received_at, raw, events, state)
SELECT account_id, connection_id, sha256((connection_id || n)::bytea), 'k', $2::timestamptz + n * interval '1 ms', '', '[]', 'applied'
FROM connection, generate_series(1, $3::int) AS n WHERE name = $1
"""


async def test_a_quiet_pbx_is_not_drowned_by_a_loud_one(pool: asyncpg.Pool) -> None:
    ago = datetime.now(UTC) - timedelta(minutes=2)
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="a", name="A", base_url="http://crm.example")
        for name in ("quiet", "loud", "never"):
            await accounts.add_connection(conn, account_id="a", name=name, kind="generic", secret=name)
        await conn.execute(_SPEAKS, "quiet", ago, 1)
        await conn.execute(_SPEAKS, "loud", ago + timedelta(minutes=1), 6000)
        heard = await alarms.heard(conn)
        assert heard["a", "quiet"] == ago + timedelta(milliseconds=1)
        assert ("a", "never") not in heard
        await conn.execute("DELETE FROM inbox")
        assert await alarms.heard(conn) == heard, "longer than the messages are kept"
        await conn.execute(_SPEAKS, "quiet", ago, 1)
        await conn.execute(_SPEAKS, "loud", ago + timedelta(minutes=1), 6000)
    (account,) = (await installation_status(pool, datetime.now(UTC))).accounts
    told = {connection.name: connection.last_event_at for connection in account.connections}
    assert told == {
        "quiet": ago + timedelta(milliseconds=1),
        "loud": ago + timedelta(minutes=1, seconds=6),
        "never": None,
    }
