"""What /metrics says of calls and texts that go out."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from gateway.health.shared_metrics import SharedFigures
from tests.integration.sms_sending.desk import ACCOUNT, Desk

_ITEM = (
    'INSERT INTO outbound_item (account_id, item_id, kind, source, state, not_before, "order")'
    " VALUES ($1, $2, $3, 'trigger', $4, now() + $5 * interval '1 second', '{}')"
)
_ATTEMPT = (
    "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, state, side, reason,"
    " claimed_at, placed_at, over_at, look_at) VALUES ($1, $2, 'u', 'callback', '+7', 'pbx', 'over', $3, $4,"
    " now(), now() - $5 * interval '1 minute', now() - $5 * interval '1 minute', now())"
)
_MESSAGE = (
    "INSERT INTO sms_message (account_id, connection, number, text, encoding, parts, fresh_until, expires_at, state,"
    " claimed_at) VALUES ($1, 'texts', '+79161234567', 'x', 'gsm7', 1, now(), now(), $2,"
    " CASE WHEN $2 <> 'queued' THEN now() - $3 * interval '1 minute' END)"
)


async def _told(desk: Desk) -> dict[tuple[str, ...], float]:
    figures = SharedFigures(desk.pool)
    await figures.read()
    return {
        (name, *(v for k, v in sorted(labels.items()) if k != "account")): value
        for _, name, _, labels, value in figures.samples()
        if name.startswith(("outbound_", "sms_"))
    }


async def test_queues_pace_outcomes_and_what_needs_a_person_are_told(pool: asyncpg.Pool) -> None:
    desk = Desk(pool, now=datetime.now(UTC))
    await desk.open()
    await desk.connect()
    await pool.execute('UPDATE account SET settings = \'{"outbound": {"rate": 3}}\'')
    await pool.execute(
        "INSERT INTO outbound_connection (account_id, connection, stopped_at) VALUES ($1, 'pbx', now())",
        ACCOUNT,
    )
    for name, kind, state, in_seconds in (
        ("a", "callback", "waiting", -90),
        ("b", "callback", "waiting", -10),
        ("later", "campaign", "waiting", 3600),
        ("s", "sms", "waiting", -5),
        ("d", "callback", "dialling", 0),
        ("u", "callback", "unknown", 0),
        ("e", "callback", "succeeded", 0),
    ):
        await pool.execute(_ITEM, ACCOUNT, name, kind, state, in_seconds)
    for name, side, reason, minutes in (
        ("1", "talked", "talked", 0),
        ("2", "client", "busy", 5),
        ("3", "client", "busy", 59),
        ("4", "client", "busy", 61),
    ):
        await pool.execute(_ATTEMPT, ACCOUNT, name, side, reason, minutes)
    for state, minutes in (
        ("queued", 0),
        ("delivered", 1),
        ("delivered", 2),
        ("unknown", 3),
        ("rejected", 61),
    ):
        await pool.execute(_MESSAGE, ACCOUNT, state, minutes)
    told = await _told(desk)
    assert 90 <= told.pop(("outbound_oldest_seconds", "callback")) < 150
    assert 5 <= told.pop(("outbound_oldest_seconds", "sms")) < 65
    assert told == {
        ("outbound_waiting", "callback"): 2,
        ("outbound_waiting", "campaign"): 1,
        ("outbound_waiting", "sms"): 1,
        ("outbound_oldest_seconds", "campaign"): 0,
        ("outbound_rate",): 3,
        ("outbound_placed_minute",): 1,
        ("outbound_under_way",): 1,
        ("outbound_unknown",): 1,
        ("outbound_attempts_hour", "talked", "talked"): 1,
        ("outbound_attempts_hour", "busy", "client"): 2,
        ("outbound_stopped", "pbx"): 1,
        ("sms_hour", "texts", "queued"): 1,
        ("sms_hour", "texts", "delivered"): 2,
        ("sms_hour", "texts", "unknown"): 1,
    }
