"""Files of messages as rows: what is waited for, what was fetched, what is sent, and their content in pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import asyncpg
import orjson

from gateway.store.channels.messages import ChatMessage
from runtime.database.pool import Conn
from sms.channels.model import FileTold, PartTold
from sms.channels.stored import file_as_json, file_of

_LOST_AFTER = timedelta(minutes=5)
"""Longer than a file may take: whoever fetched it is gone."""

_EXPECT = """
INSERT INTO chat_file (account_id, channel_id, message_id, told_hash, part_kind, told, state, try_at, created_at)
SELECT $1, $2, $3, f.told_hash, f.part_kind, f.told::jsonb, 'waiting', $4, $4
FROM unnest($5::text[], $6::text[], $7::text[]) AS f (told_hash, part_kind, told)
ON CONFLICT (account_id, message_id, told_hash) DO NOTHING
"""

_CLAIM = """
UPDATE chat_file SET try_at = $2, tries = tries + 1 WHERE (account_id, file_id) IN (
    SELECT account_id, file_id FROM chat_file WHERE channel_id = $1 AND state = 'waiting' AND try_at <= $3
    ORDER BY try_at, file_id LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING account_id, file_id, part_kind, told, tries, created_at
"""

_COLUMNS = (
    "f.account_id, f.file_id, f.message_id, f.told_hash, f.told, f.state, f.reason, f.media_type, f.size"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file to be fetched now. tries: this one counted."""

    account_id: str
    file_id: int
    part_kind: str
    told: FileTold
    tries: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFile:
    """media_type, size: by its bytes; "" and None as long as it is not here."""

    account_id: str
    file_id: int
    message_id: int
    told_hash: str
    told: FileTold = field(repr=False)
    state: str
    reason: str
    media_type: str
    size: int | None

    @property
    def name(self) -> str:
        return self.told.name


FilesOfMessages = Mapping[tuple[int, str], ChatFile]
"""By message and `told_hash_of`."""


def told_hash_of(file: FileTold) -> str:
    """Return by what a file is known in its message."""
    told = [file.id, file.url, file.name, file.size]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]


async def expect_files(conn: Conn, message: ChatMessage, parts: Sequence[PartTold], now: datetime) -> None:
    """Have the files of these parts fetched, each once. In the caller's transaction."""
    found = [(part.kind, part.file) for part in parts if part.file is not None]
    if found:
        await conn.execute(
            _EXPECT,
            message.account_id,
            message.channel_id,
            message.message_id,
            now,
            [told_hash_of(file) for _, file in found],
            [kind for kind, _ in found],
            [orjson.dumps(file_as_json(file)).decode() for _, file in found],
        )


async def claim_files(conn: Conn, channel_id: str, now: datetime, limit: int) -> list[WantedFile]:
    """Return what is to be fetched now; commit before it is."""
    rows = await conn.fetch(_CLAIM, channel_id, now + _LOST_AFTER, now, limit)
    return [WantedFile(**{**row, "told": file_of(row["told"])}) for row in rows]


async def keep_file(conn: Conn, wanted: WantedFile, content: bytes, media_type: str, name: str) -> None:
    """name: where none was told."""
    await conn.execute(
        "UPDATE chat_file SET state = 'kept', reason = '', media_type = $3, size = $4, content = $5, try_at = NULL,"
        " told = CASE WHEN told ? 'name' OR $6 = '' THEN told ELSE told || jsonb_build_object('name', $6::text) END"
        " WHERE account_id = $1 AND file_id = $2 AND state = 'waiting'",
        wanted.account_id,
        wanted.file_id,
        media_type,
        len(content),
        content,
        name,
    )


async def refuse_file(conn: Conn, wanted: WantedFile, reason: str, again_at: datetime | None = None) -> None:
    """Note why it is not here. again_at: when it is tried again, None = never by itself."""
    await conn.execute(
        "UPDATE chat_file SET state = $3, reason = $4, try_at = $5 WHERE account_id = $1 AND file_id = $2 AND state = 'waiting'",
        wanted.account_id,
        wanted.file_id,
        "waiting" if again_at else "refused",
        reason,
        again_at,
    )


async def retry_file(conn: Conn, account_id: str, file_id: int, now: datetime) -> bool:
    """Have one that was given up fetched again. Whether it was."""
    done: str = await conn.execute(
        "UPDATE chat_file SET state = 'waiting', tries = 0, try_at = $3, created_at = $3"
        " WHERE account_id = $1 AND file_id = $2 AND state = 'refused'",
        account_id,
        file_id,
        now,
    )
    return done != "UPDATE 0"


async def files_of(conn: Conn, account_id: str, message_ids: Collection[int]) -> FilesOfMessages:
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM chat_file f WHERE f.account_id = $1 AND f.message_id = ANY($2)",  # noqa: S608
        account_id,
        list(message_ids),
    )
    return {(row["message_id"], row["told_hash"]): _file(row) for row in rows}


async def file_in_dialogue(conn: Conn, account_id: str, dialogue_id: int, file_id: int) -> ChatFile | None:
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM chat_file f JOIN chat_message m USING (account_id, message_id)"  # noqa: S608
        " WHERE f.account_id = $1 AND m.dialogue_id = $2 AND f.file_id = $3",
        account_id,
        dialogue_id,
        file_id,
    )
    return _file(row) if row else None


async def file_of_id(conn: Conn, account_id: str, file_id: int) -> ChatFile | None:
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM chat_file f WHERE f.account_id = $1 AND f.file_id = $2",  # noqa: S608
        account_id,
        file_id,
    )
    return _file(row) if row else None


async def latest_files(
    conn: Conn, account_id: str, *, channel: str | None, dialogue: int | None, state: str | None, limit: int
) -> list[tuple[ChatFile, asyncpg.Record]]:
    """Return the latest first, each with `channel_id`, `channel_name`, `dialogue_id` and `at` of its message."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS}, f.channel_id, c.name AS channel_name, m.dialogue_id, m.at FROM chat_file f"  # noqa: S608
        " JOIN chat_message m USING (account_id, message_id) JOIN channel c ON c.channel_id = f.channel_id"
        " WHERE f.account_id = $1 AND ($2::text IS NULL OR f.channel_id = $2)"
        " AND ($3::bigint IS NULL OR m.dialogue_id = $3) AND ($4::text IS NULL OR f.state = $4)"
        " ORDER BY f.file_id DESC LIMIT $5",
        account_id,
        channel,
        dialogue,
        state,
        limit,
    )
    return [(_file(row), row) for row in rows]


async def file_of_link(conn: Conn, link_hash: str, now: datetime) -> ChatFile | None:
    """Return what the address that was given to a messenger leads to, as long as it does."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM chat_file f WHERE f.link_hash = $1 AND f.link_until > $2 AND f.state = 'kept'",  # noqa: S608
        link_hash,
        now,
    )
    return _file(row) if row else None


async def link_file(conn: Conn, file: ChatFile, link_hash: str, until: datetime) -> None:
    """Have it reached by this address, and by none that was given before."""
    await conn.execute(
        "UPDATE chat_file SET link_hash = $3, link_until = $4 WHERE account_id = $1 AND file_id = $2",
        file.account_id,
        file.file_id,
        link_hash,
        until,
    )


async def add_own_file(
    conn: Conn, message: ChatMessage, part: PartTold, content: bytes, media_type: str, now: datetime
) -> None:
    """Keep a file that is sent with this message."""
    assert part.file is not None
    await conn.execute(
        "INSERT INTO chat_file (account_id, channel_id, message_id, told_hash, part_kind, told, state, media_type, size, content,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, 'kept', $7, $8, $9, $10)",
        message.account_id,
        message.channel_id,
        message.message_id,
        told_hash_of(part.file),
        part.kind,
        file_as_json(part.file),
        media_type,
        len(content),
        content,
        now,
    )


async def piece_of(conn: Conn, file: ChatFile, start: int, length: int) -> bytes:
    """Return a part of its content, b"" where it was emptied meanwhile."""
    piece: bytes | None = await conn.fetchval(
        "SELECT substring(content FROM $3 FOR $4) FROM chat_file WHERE account_id = $1 AND file_id = $2",
        file.account_id,
        file.file_id,
        start + 1,
        length,
    )
    return piece or b""


async def delete_chat_files(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete what was sent and received earlier, but for what waits to be sent."""
    done: str = await conn.execute(
        "DELETE FROM chat_file WHERE (account_id, file_id) IN (SELECT f.account_id, f.file_id FROM chat_file f"
        " JOIN chat_message m USING (account_id, message_id) WHERE f.account_id = $1 AND m.arrived_at < $2"
        " AND m.status NOT IN ('waiting', 'sending') LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


def _file(row: asyncpg.Record) -> ChatFile:
    own = {one.name: row[one.name] for one in fields(ChatFile)}
    return ChatFile(**{**own, "told": file_of(row["told"])})
