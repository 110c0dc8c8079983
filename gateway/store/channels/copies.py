"""Copies of dialogues as rows: the notes, and which message stands in which of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from gateway.store.channels.listing import quoted_messages
from gateway.store.channels.messages import ChatMessage, as_message
from routing.client import Ref
from routing.dialogues.copies import CopyMode, CopyPeriod
from routing.dialogues.rules import CopyRule
from runtime.database.pool import Conn
from sms.channels.model import PartTold
from sms.channels.stored import parts_of

_ADD = """
INSERT INTO chat_copy (account_id, channel_id, dialogue_id, deal, mode, starts_at, ends_at, addition)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *
"""

# A period that the channel's rule does not know any more is over: it is written with what it has.
_DUE = """
SELECT c.copy_id, d.client_key FROM chat_copy c JOIN dialogue d USING (account_id, dialogue_id)
WHERE c.channel_id = $1 AND c.due_at IS NOT NULL AND (c.due_at <= $2 OR (c.revision = 0 AND c.mode <> $3))
ORDER BY c.due_at, c.copy_id LIMIT $4
"""

_TAKE = """
UPDATE chat_copy_message SET is_pending = false WHERE (account_id, message_id) IN (
    SELECT c.account_id, c.message_id FROM chat_copy_message c JOIN chat_message m USING (account_id, message_id)
    JOIN dialogue d ON d.account_id = m.account_id AND d.dialogue_id = m.dialogue_id
    WHERE c.channel_id = $1 AND c.is_pending AND d.client_key = $2)
RETURNING account_id, message_id
"""

_WRITTEN = """
UPDATE chat_copy SET deal = $3, marks = $4, members = $5, revision = $6, changing = changing || $7::text[], due_at = NULL,
    written_at = coalesce(written_at, $8), ordered_at = $8, is_emptied = false
WHERE account_id = $1 AND copy_id = $2
"""

_KEPT = """
UPDATE chat_copy_message m SET mark = told.mark, revision = $4
FROM unnest($2::bigint[], $3::text[]) AS told (message_id, mark)
WHERE m.account_id = $1 AND m.message_id = told.message_id AND m.mark IS DISTINCT FROM told.mark
"""

_CHANGING = """
SELECT c.copy_id, d.client_key, c.confirmed, c.revision, k.key, e.state, e.error_code
FROM chat_copy c JOIN dialogue d USING (account_id, dialogue_id) CROSS JOIN unnest(c.changing) AS k (key)
LEFT JOIN effect e ON e.account_id = c.account_id AND e.effect_key = k.key
WHERE c.channel_id = $1 AND c.changing <> '{}' AND c.sealed_at IS NULL
"""

_CONFIRM = """
UPDATE chat_copy SET changing = ARRAY(SELECT unnest(changing) EXCEPT SELECT unnest($3::text[])),
    confirmed = CASE WHEN changing <@ $3::text[] THEN greatest(confirmed, $4) ELSE confirmed END
WHERE account_id = $1 AND copy_id = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """A copy as stored. deal: of its first message, by id once that is known."""

    account_id: str
    copy_id: int
    channel_id: str
    dialogue_id: int
    deal: Ref
    period: CopyPeriod
    addition: int
    marks: tuple[str, ...]
    members: int
    revision: int
    confirmed: int
    written_at: datetime | None
    is_sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedRow:
    """A message with where it stands. mark: None = nowhere yet. former: what it said before, the oldest first. quoted: the one that
    it answers, where that stands in the same dialogue."""

    message: ChatMessage
    copy_id: int | None
    mark: str | None
    former: tuple[tuple[PartTold, ...], ...]
    quoted: ChatMessage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyChange:
    """An effect that changes a note, as it fares; state None: it is no longer kept."""

    copy_id: int
    client_key: str
    confirmed: int
    revision: int
    key: str
    state: str | None
    error_code: str | None


async def clients_with_news(conn: Conn, channel_id: str, limit: int) -> list[str]:
    """Return clients of whose messages something is new; under which name their lock is taken."""
    rows = await conn.fetch(
        "SELECT d.client_key FROM chat_copy_message c JOIN chat_message m USING (account_id, message_id)"
        " JOIN dialogue d ON d.account_id = m.account_id AND d.dialogue_id = m.dialogue_id"
        " WHERE c.channel_id = $1 AND c.is_pending GROUP BY d.client_key ORDER BY min(c.message_id) LIMIT $2",
        channel_id,
        limit,
    )
    return [row["client_key"] for row in rows]


async def take_news(conn: Conn, channel_id: str, client_key: str) -> list[CopiedRow]:
    """Return the messages of a client of which something is new, in the order in which they came. The caller holds the client's
    lock."""
    taken = await conn.fetch(_TAKE, channel_id, client_key)
    if not taken:
        return []
    rows = await conn.fetch(
        "SELECT m.*, c.copy_id, c.mark FROM chat_message m JOIN chat_copy_message c USING (account_id, message_id)"
        " WHERE m.account_id = $1 AND m.message_id = ANY($2) ORDER BY m.message_id",
        taken[0]["account_id"],
        [row["message_id"] for row in taken],
    )
    return await _with_former(conn, rows)


async def messages_in(conn: Conn, copy: CopyRow) -> list[CopiedRow]:
    """Return all that stand in a copy."""
    rows = await conn.fetch(
        "SELECT m.*, c.copy_id, c.mark FROM chat_copy_message c JOIN chat_message m USING (account_id, message_id)"
        " WHERE c.account_id = $1 AND c.copy_id = $2",
        copy.account_id,
        copy.copy_id,
    )
    return await _with_former(conn, rows)


async def leave_out(conn: Conn, message: ChatMessage) -> None:
    """Never copy this message: it came while nothing was copied."""
    await conn.execute(
        "UPDATE chat_copy_message SET is_left_out = true, is_pending = false WHERE account_id = $1 AND message_id = $2",
        message.account_id,
        message.message_id,
    )


async def put_into(conn: Conn, message: ChatMessage, copy: CopyRow) -> None:
    """Have the message stand in this copy from now on."""
    await conn.execute(
        "UPDATE chat_copy_message SET copy_id = $3, mark = NULL, revision = 0 WHERE account_id = $1 AND message_id = $2",
        message.account_id,
        message.message_id,
        copy.copy_id,
    )


async def taken_out(conn: Conn, copy: CopyRow) -> None:
    """One message less stands in it than was written."""
    await conn.execute(
        "UPDATE chat_copy SET members = members - 1 WHERE account_id = $1 AND copy_id = $2",
        copy.account_id,
        copy.copy_id,
    )


async def pass_copy_on(conn: Conn, account_id: str, message_id: int, to_message_id: int) -> None:
    """Have another message stand where this one stands, which is removed: both were the same."""
    await conn.execute(
        "UPDATE chat_copy_message c SET message_id = $3, is_pending = true WHERE account_id = $1 AND message_id = $2"
        " AND NOT EXISTS (SELECT 1 FROM chat_copy_message o WHERE o.account_id = $1 AND o.message_id = $3)",
        account_id,
        message_id,
        to_message_id,
    )
    await conn.execute(
        "UPDATE chat_copy k SET members = members - (c.mark IS NOT NULL)::integer, due_at = coalesce(due_at, now())"
        " FROM chat_copy_message c WHERE c.account_id = $1 AND c.message_id = $2"
        " AND k.account_id = c.account_id AND k.copy_id = c.copy_id",
        account_id,
        message_id,
    )


async def copy_of_id(conn: Conn, account_id: str, copy_id: int) -> CopyRow:
    row = await conn.fetchrow(
        "SELECT * FROM chat_copy WHERE account_id = $1 AND copy_id = $2 FOR UPDATE", account_id, copy_id
    )
    assert row is not None
    return _copy(row)


async def copies_of_period(
    conn: Conn, account_id: str, dialogue_id: int, period: CopyPeriod
) -> list[CopyRow]:
    """Return the note of this period of a dialogue with its additions, the latest first; of each deal."""
    rows = await conn.fetch(
        "SELECT * FROM chat_copy WHERE account_id = $1 AND dialogue_id = $2 AND starts_at = $3 AND mode = $4"
        " ORDER BY addition DESC, copy_id DESC",
        account_id,
        dialogue_id,
        period.starts_at,
        period.mode,
    )
    return [_copy(row) for row in rows]


async def add_copy(
    conn: Conn, message: ChatMessage, deal: Ref, period: CopyPeriod, *, addition: int = 0
) -> CopyRow:
    """Begin the note of a period, for the deal of this message."""
    row = await conn.fetchrow(
        _ADD,
        message.account_id,
        message.channel_id,
        message.dialogue_id,
        deal.model_dump(mode="json"),
        period.mode,
        period.starts_at,
        period.ends_at,
        addition,
    )
    assert row is not None
    return _copy(row)


async def make_due(conn: Conn, copy: CopyRow, at: datetime) -> None:
    """Have it written at this time, unless it is to be sooner."""
    await conn.execute(
        "UPDATE chat_copy SET due_at = least(due_at, $3) WHERE account_id = $1 AND copy_id = $2",
        copy.account_id,
        copy.copy_id,
        at,
    )


async def put_off(conn: Conn, account_id: str, copy_id: int, at: datetime) -> None:
    """Have it written at this time, not sooner."""
    await conn.execute(
        "UPDATE chat_copy SET due_at = $3 WHERE account_id = $1 AND copy_id = $2", account_id, copy_id, at
    )


async def due_copies(
    conn: Conn, channel_id: str, now: datetime, rule: CopyRule, limit: int
) -> list[tuple[int, str]]:
    """Return which are to be written now, with their client. rule: the channel's; what was begun by another waits for nothing."""
    return [(r["copy_id"], r["client_key"]) for r in await conn.fetch(_DUE, channel_id, now, rule, limit)]


async def nothing_to_write(conn: Conn, copy: CopyRow) -> None:
    """Note that it says what it said before."""
    await conn.execute(
        "UPDATE chat_copy SET due_at = NULL WHERE account_id = $1 AND copy_id = $2",
        copy.account_id,
        copy.copy_id,
    )


async def keep_written(
    conn: Conn,
    copy: CopyRow,
    *,
    marks: Sequence[str],
    messages: Mapping[int, str],
    changing: Sequence[str],
    now: datetime,
) -> None:
    """Keep what was ordered. marks: of the parts; messages: id -> mark of what it says; changing: effects."""
    row = (copy.account_id, copy.copy_id)
    revision = copy.revision + 1
    await conn.execute(
        _WRITTEN,
        *row,
        copy.deal.model_dump(mode="json"),
        list(marks),
        len(messages),
        revision,
        list(changing),
        now,
    )
    await conn.execute(_KEPT, copy.account_id, list(messages), list(messages.values()), revision)


async def seal(conn: Conn, copy: CopyRow, now: datetime, anew: Sequence[int]) -> None:
    """Write it no more. anew: messages that are to stand in an addition to it."""
    row = (copy.account_id, copy.copy_id)
    await conn.execute(
        "UPDATE chat_copy SET sealed_at = coalesce(sealed_at, $3), due_at = NULL, changing = '{}'"
        " WHERE account_id = $1 AND copy_id = $2",
        *row,
        now,
    )
    await conn.execute(
        "UPDATE chat_copy_message SET is_pending = true, mark = NULL WHERE account_id = $1 AND copy_id = $2"
        " AND message_id = ANY($3)",
        *row,
        list(anew),
    )


async def changes_under_way(conn: Conn, channel_id: str) -> list[CopyChange]:
    """Return every change of a note of which it was not known how it ended."""
    return [CopyChange(**dict(row)) for row in await conn.fetch(_CHANGING, channel_id)]


async def confirm(conn: Conn, account_id: str, copy_id: int, ended: Sequence[str], revision: int) -> None:
    """Note which changes have ended. revision: stands in the CRM for certain, once none is under way."""
    await conn.execute(_CONFIRM, account_id, copy_id, list(ended), revision)


async def changed_after(conn: Conn, account_id: str, copy_id: int, revision: int) -> list[int]:
    """Return the messages that were changed in this copy after a revision of it."""
    rows = await conn.fetch(
        "SELECT message_id FROM chat_copy_message WHERE account_id = $1 AND copy_id = $2 AND revision > $3",
        account_id,
        copy_id,
        revision,
    )
    return [row["message_id"] for row in rows]


async def kept_effects(conn: Conn, account_id: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the states of these effects, of those that are still kept."""
    rows = await conn.fetch(
        "SELECT effect_key, state FROM effect WHERE account_id = $1 AND effect_key = ANY($2)",
        account_id,
        list(keys),
    )
    return {row["effect_key"]: row["state"] for row in rows}


async def _with_former(conn: Conn, rows: Sequence[asyncpg.Record]) -> list[CopiedRow]:
    former: dict[int, list[tuple[PartTold, ...]]] = {}
    if edited := [row["message_id"] for row in rows if row["edited_at"] is not None or row["revision"]]:
        for was in await conn.fetch(
            "SELECT message_id, parts FROM chat_revision WHERE account_id = $1 AND message_id = ANY($2)"
            " ORDER BY message_id, revision",
            rows[0]["account_id"],
            edited,
        ):
            former.setdefault(was["message_id"], []).append(parts_of(was["parts"]))
    messages = [_message(row) for row in rows]
    quoted = await quoted_messages(conn, messages[0].account_id, messages) if messages else {}
    return [
        CopiedRow(
            message=message,
            copy_id=row["copy_id"],
            mark=row["mark"],
            former=tuple(former.get(message.message_id, ())),
            quoted=quoted.get((message.dialogue_id, message.quoted_id)),
        )
        for row, message in zip(rows, messages, strict=True)
    ]


def _message(row: asyncpg.Record) -> ChatMessage:
    return as_message({name: value for name, value in row.items() if name not in ("copy_id", "mark")})


def _copy(row: asyncpg.Record) -> CopyRow:
    mode: CopyMode = row["mode"]
    return CopyRow(
        account_id=row["account_id"],
        copy_id=row["copy_id"],
        channel_id=row["channel_id"],
        dialogue_id=row["dialogue_id"],
        deal=Ref.model_validate(row["deal"]),
        period=CopyPeriod(mode=mode, starts_at=row["starts_at"], ends_at=row["ends_at"]),
        addition=row["addition"],
        marks=tuple(row["marks"]),
        members=row["members"],
        revision=row["revision"],
        confirmed=row["confirmed"],
        written_at=row["written_at"],
        is_sealed=row["sealed_at"] is not None,
    )
