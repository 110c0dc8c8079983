"""A signature holds for ever: an old notification is taken and told, and refused where the connection says so."""

from __future__ import annotations

import time

import asyncpg
from structlog.testing import capture_logs

from runtime.doors.tally import Stranger
from tests.integration.pbx.running_gateway import add_connection, prepare, running_gateway

KEYS = {"api_key": "demo", "api_salt": "demo"}


def _told(at: float) -> dict[str, object]:
    return {
        "entry_id": "e",
        "call_id": f"c{at}",
        "timestamp": int(at),
        "seq": 1,
        "call_state": "Appeared",
        "location": "abonent",
        "from": {"number": "79001234567"},
        "to": {"number": "74951234567"},
    }


async def test_what_was_signed_long_ago_is_told_and_refused_only_by_a_setting(
    pool: asyncpg.Pool, database_url: str
) -> None:
    await prepare(pool)
    await add_connection(pool, "late", "mango", keys=KEYS)
    await add_connection(pool, "strict", "mango", keys=KEYS, settings={"oldest_notification_minutes": "60"})
    now = time.time()
    async with running_gateway(pool, database_url) as running:
        with capture_logs() as lines:
            for name, at, status in (
                ("late", now, 200),
                ("late", 1_700_000_000, 200),
                ("strict", now - 1800, 200),
                ("strict", now - 3700, 401),
            ):
                assert (await running.notify(name, "events/call", _told(at)))[0] == status, (name, at)
        counted = running.gateway.strangers.tally.fetch()
        assert counted[Stranger("signed-long-ago", "late", "127.0.0.1")] == 1
        assert counted[Stranger("signed-long-ago", "strict", "127.0.0.1")] == 1
        assert counted[Stranger("pbx", "strict", "127.0.0.1")] == 1
        assert [line["connection"] for line in lines if line["event"] == "notification-signed-long-ago"] == [
            "late"
        ]
        assert len(await running.stored()) == 3
