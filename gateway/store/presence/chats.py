"""The question by Telegram as rows: chats of employees, what was asked there, and how far the bot's messages were read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.alerts.delivery import AlertNotSent
from runtime.database.pool import Conn

CLAIM_LOST = timedelta(seconds=20)
"""Longer than any attempt takes."""
_READING_LASTS = timedelta(days=6)
"""After a week without messages Telegram may begin to count anew, below what was read."""

_NEW_CODE = """
INSERT INTO presence_chat (account_id, employee_id, code_hash, code_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, employee_id) DO UPDATE SET code_hash = excluded.code_hash, code_until = excluded.code_until
"""
_LINK = """
UPDATE presence_chat SET chat_id = $2, linked_at = $3, code_hash = NULL, code_until = NULL
WHERE code_hash = $1 AND code_until > $3 RETURNING account_id, employee_id
"""
_ASK = """
INSERT INTO presence_asked (account_id, employee_id, asked_at, answer_by, chat_id)
SELECT p.account_id, p.employee_id, p.asked_at, p.answer_by, c.chat_id
FROM presence p JOIN presence_chat c USING (account_id, employee_id)
WHERE p.mark = 'asked' AND p.answer_by > $1 AND c.chat_id IS NOT NULL
ON CONFLICT DO NOTHING
"""
# What was answered otherwise, or whose time is over, is not asked any more.
_CLAIM = """
UPDATE presence_asked SET state = 'sending', claimed_at = $1, attempts = attempts + 1
WHERE (account_id, employee_id, asked_at) IN (
    SELECT a.account_id, a.employee_id, a.asked_at FROM presence_asked a
    JOIN presence p USING (account_id, employee_id, asked_at)
    WHERE (a.state = 'waiting' AND a.next_try_at <= $1 OR a.state = 'sending' AND a.claimed_at < $2)
        AND a.answer_by > $1 AND p.mark = 'asked'
    ORDER BY a.asked_at LIMIT $3 FOR UPDATE OF a SKIP LOCKED)
RETURNING account_id, employee_id, asked_at, answer_by, chat_id, button, attempts
"""
_OUTCOME = """
UPDATE presence_asked SET state = $5, error_code = $6, error = $7, next_try_at = $8
WHERE account_id = $1 AND employee_id = $2 AND asked_at = $3 AND attempts = $4 AND state = 'sending'
"""
_READ = """
INSERT INTO bot_reading AS r (bot, next_update, read_at) VALUES ($1, $2 + 1, $3)
ON CONFLICT (bot) DO UPDATE SET next_update = excluded.next_update, read_at = excluded.read_at
WHERE r.next_update <= $2 OR r.read_at <= $4 RETURNING true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChat:
    """code_until: None = no code is open."""

    chat_id: str | None
    linked_at: datetime | None
    code_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedByBot:
    """button: what the question's button sends back."""

    account_id: str
    employee_id: str
    asked_at: datetime
    answer_by: datetime
    chat_id: str
    button: str
    attempts: int


async def chat_of(conn: Conn, account_id: str, employee_id: str) -> PresenceChat | None:
    row = await conn.fetchrow(
        "SELECT chat_id, linked_at, code_until FROM presence_chat WHERE account_id = $1 AND employee_id = $2",
        account_id,
        employee_id,
    )
    return PresenceChat(**row) if row else None


async def set_code(conn: Conn, account_id: str, employee_id: str, code_hash: str, until: datetime) -> None:
    """In place of one that was given out before; the chat that is linked stays until another one takes its place."""
    await conn.execute(_NEW_CODE, account_id, employee_id, code_hash, until)


async def link_by_code(conn: Conn, code_hash: str, chat_id: str, now: datetime) -> tuple[str, str] | None:
    """Return (account, employee); None where there is no such code any more. A code links once."""
    row = await conn.fetchrow(_LINK, code_hash, chat_id, now)
    return (row["account_id"], row["employee_id"]) if row else None


async def unlink(conn: Conn, account_id: str, employee_id: str) -> None:
    await conn.execute(
        "DELETE FROM presence_chat WHERE account_id = $1 AND employee_id = $2", account_id, employee_id
    )


async def are_chats_used(conn: Conn, now: datetime) -> bool:
    """Whether anybody is linked, or may link themselves now."""
    used: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM presence_chat WHERE chat_id IS NOT NULL OR code_until > $1)", now
    )
    return used


async def ask_by_bot(conn: Conn, now: datetime) -> None:
    """Write down each open question to somebody who has a chat, once."""
    await conn.execute(_ASK, now)


async def claim_questions(conn: Conn, now: datetime, limit: int) -> list[AskedByBot]:
    """Return what is to be sent now; it is the caller's for `CLAIM_LOST`."""
    rows = await conn.fetch(_CLAIM, now, now - CLAIM_LOST, limit)
    return [AskedByBot(**row) for row in rows]


async def question_was_sent(conn: Conn, asked: AskedByBot) -> None:
    await _end(conn, asked, "sent", None, asked.asked_at)


async def question_was_not_sent(
    conn: Conn, asked: AskedByBot, why: AlertNotSent, again_at: datetime | None
) -> None:
    """again_at: None = not again."""
    await _end(conn, asked, "waiting" if again_at else "given_up", why, again_at or asked.asked_at)


async def _end(
    conn: Conn, asked: AskedByBot, state: str, why: AlertNotSent | None, again_at: datetime
) -> None:
    await conn.execute(
        _OUTCOME,
        asked.account_id,
        asked.employee_id,
        asked.asked_at,
        asked.attempts,
        state,
        why.code if why else None,
        str(why) if why else None,
        again_at,
    )


async def asked_with(conn: Conn, button: str) -> AskedByBot | None:
    """Return the question of a button."""
    row = await conn.fetchrow(
        "SELECT account_id, employee_id, asked_at, answer_by, chat_id, button, attempts FROM presence_asked"
        " WHERE button = $1",
        button,
    )
    return AskedByBot(**row) if row else None


async def next_update(conn: Conn, bot: str, now: datetime) -> int | None:
    """Return from where its messages are to be read; None = from the oldest that Telegram has."""
    found: int | None = await conn.fetchval(
        "SELECT next_update FROM bot_reading WHERE bot = $1 AND read_at > $2", bot, now - _READING_LASTS
    )
    return found


async def take_update(conn: Conn, bot: str, update_id: int, now: datetime) -> bool:
    """Note that it is read, in the transaction of what it does. False: it was read already."""
    is_new: bool | None = await conn.fetchval(_READ, bot, update_id, now, now - _READING_LASTS)
    return is_new is True


async def delete_asked_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Return how many questions were removed."""
    status: str = await conn.execute(
        "DELETE FROM presence_asked WHERE ctid IN (SELECT ctid FROM presence_asked WHERE asked_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(status.rpartition(" ")[2])
