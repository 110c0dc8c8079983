"""Dialogues of an office of hundreds: a channel whose every employee has a line in who may read and write, and what clients wrote."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

CHANNEL = "bench"
_CHANNEL = """
INSERT INTO channel (channel_id, account_id, name, kind, secret) VALUES ($2, $1, 'Чат', 'telegram', 'bench-secret')
"""
_ACCESS = """
INSERT INTO channel_access (account_id, channel_id, employee_id, may)
SELECT $1, $2, employee_id, CASE WHEN row_number() OVER () % 3 = 0 THEN 'read' ELSE 'send' END FROM employee WHERE account_id = $1
"""
_DIALOGUES = """
INSERT INTO dialogue (account_id, channel_id, chat_id, client_key, name, owner, last_message_at, last_in_at)
SELECT $1, $2, 'c' || n, 'chat:' || $2 || ':c' || n, 'Клиент ' || n, 'p' || n % 500, at, at
FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, $3::int) n) made
"""
_MESSAGES = """
INSERT INTO chat_message (account_id, channel_id, dialogue_id, outside_id, direction, author_kind, at, arrived_at, parts, status)
SELECT account_id, channel_id, dialogue_id, dialogue_id || '-' || n, CASE WHEN n % 2 = 0 THEN 'in' ELSE 'out' END,
    CASE WHEN n % 2 = 0 THEN 'client' ELSE 'employee' END, last_message_at - n * interval '1 second',
    last_message_at - n * interval '1 second', jsonb_build_array(jsonb_build_object('kind', 'text', 'text', 'Добрый день, ' || n)),
    'delivered'
FROM dialogue, generate_series(0, $2::int - 1) n WHERE account_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessengersSize:
    """messages: of each dialogue."""

    dialogues: int
    messages: int


async def fill_messengers(pool: asyncpg.Pool, account_id: str, size: MessengersSize) -> None:
    """Of employees that are there already."""
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(_CHANNEL, account_id, CHANNEL)
        await conn.execute(_ACCESS, account_id, CHANNEL)
        await conn.execute(_DIALOGUES, account_id, CHANNEL, size.dialogues)
        await conn.execute(_MESSAGES, account_id, size.messages)
        await conn.execute("ANALYZE")
