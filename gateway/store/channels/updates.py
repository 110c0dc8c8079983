"""The inbox of messenger channels: what was told, each once, with a job for each client it concerns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS

CHATS_TASK = "work_chats"

# A lock of its own beside that of the client's calls: theirs takes away waiting jobs of its name. What is decided about one
# client is guarded by the advisory lock that both take.
_DEFER = f"""
SELECT procrastinate_defer_jobs_v1(array_agg(row('clients', '{CHATS_TASK}', 0, account_id || ' chats ' || subject, NULL,
    jsonb_build_object('account_id', account_id, 'subject', subject), NULL)::procrastinate_job_to_defer_v1))
FROM unnest($1::text[], $2::text[]) AS s (account_id, subject) HAVING count(*) > 0
"""  # noqa: S608 - a constant

_INSERT = """
INSERT INTO channel_update (account_id, update_id, channel_id, dedupe_key, client_key, about, told, raw, told_at, sequence,
    received_at, state, error)
OVERRIDING SYSTEM VALUE SELECT $1, u.update_id, u.channel_id, u.dedupe_key, u.client_key, u.about, u.told::jsonb, u.raw, u.told_at, u.sequence, $2,
    CASE WHEN u.error IS NULL THEN 'pending' ELSE 'dead' END, u.error
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::timestamptz[], $10::bigint[],
    $11::text[], $12::bigint[]) AS u (channel_id, dedupe_key, client_key, about, told, raw, told_at, sequence, error, update_id)
ON CONFLICT (channel_id, dedupe_key) DO NOTHING
RETURNING client_key, state
"""

_NEXT_IDS = (
    "SELECT nextval(pg_get_serial_sequence('channel_update', 'update_id')) FROM generate_series(1, $1)"
)

_KEYS_OF_CHATS = """
SELECT channel_id, chat_id, client_key FROM dialogue
WHERE (channel_id, chat_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

_KEYS_OF_MESSAGES = """
SELECT m.channel_id, m.outside_id AS id, d.client_key FROM chat_message m JOIN dialogue d USING (account_id, dialogue_id)
WHERE (m.channel_id, m.outside_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
UNION
SELECT m.channel_id, m.own_key, d.client_key FROM chat_message m JOIN dialogue d USING (account_id, dialogue_id)
WHERE (m.channel_id, m.own_key) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

# Early: said of a message that nobody has told yet; it is worked on when that has come.
_COME = """
UPDATE channel_update u SET state = 'pending', client_key = d.client_key
FROM chat_message m JOIN dialogue d USING (account_id, dialogue_id)
WHERE u.state = 'early' AND u.received_at > now() - interval '1 day' AND (m.outside_id = u.about OR m.own_key = u.about)
    AND (m.channel_id = u.channel_id OR u.told->>'channel' IS NULL AND EXISTS (
        SELECT FROM channel a JOIN channel b USING (account_id, kind)
        WHERE a.channel_id = u.channel_id AND b.channel_id = m.channel_id AND a.kind = ANY($1)))
RETURNING u.account_id, u.client_key
"""
_SHARING = [name for name, kind in CHANNEL_KINDS.items() if kind.shares_address]
"""Kinds of channels of which it is not always said which one is meant."""

_LATE = """
SELECT DISTINCT account_id, client_key FROM channel_update
WHERE state = 'pending' AND received_at < now() - interval '5 seconds' AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs j WHERE j.lock = account_id || ' chats ' || client_key AND j.status IN ('todo', 'doing'))
LIMIT 1000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpdate:
    """One row to be stored. told: as of `update_as_json`, None = unreadable, with raw and error. about: as of the table."""

    channel_id: str
    dedupe_key: str | None
    client_key: str
    told_at: datetime
    told: str | None = None
    raw: bytes | None = None
    about: str | None = None
    sequence: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingUpdate:
    update_id: int
    channel_id: str
    told: Mapping[str, Any]
    told_at: datetime
    sequence: int
    received_at: datetime


async def store_updates(
    conn: Conn, account_id: str, updates: Sequence[NewUpdate], received_at: datetime
) -> int:
    """Store those that are not known yet and make a job for each client, in the caller's transaction. How many are new. They are
    numbered as they came, and written in the order of their keys: two who tell the same at once wait for each other's rows."""
    ids = sorted(row[0] for row in await conn.fetch(_NEXT_IDS, len(updates)))
    numbered = sorted(zip(updates, ids, strict=True), key=lambda u: (u[0].channel_id, u[0].dedupe_key or ""))
    rows = await conn.fetch(
        _INSERT,
        account_id,
        received_at,
        *(
            [getattr(u, name) for u, _ in numbered]
            for name in (
                "channel_id",
                "dedupe_key",
                "client_key",
                "about",
                "told",
                "raw",
                "told_at",
                "sequence",
                "error",
            )
        ),
        [id for _, id in numbered],
    )
    await enqueue_chats(
        conn, sorted({(account_id, r["client_key"]) for r in rows if r["state"] == "pending"})
    )
    return len(rows)


async def enqueue_chats(conn: Conn, clients: Sequence[tuple[str, str]]) -> None:
    """Make the jobs of these (account_id, client_key)."""
    if clients:
        await conn.execute(_DEFER, [a for a, _ in clients], [c for _, c in clients])


async def delete_queued_chats(conn: Conn, account_id: str, client_key: str) -> None:
    """Take away the jobs of these chats that wait: what they were made for is visible to the next statement here."""
    await conn.execute(
        "DELETE FROM procrastinate_jobs WHERE lock = $1 AND status = 'todo'",
        f"{account_id} chats {client_key}",
    )


async def keys_of_chats(conn: Conn, chats: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return whose these chats are, (channel_id, chat_id) each, as it was fixed when they began."""
    if not chats:
        return {}
    rows = await conn.fetch(_KEYS_OF_CHATS, [c for c, _ in chats], [id for _, id in chats])
    return {(r["channel_id"], r["chat_id"]): r["client_key"] for r in rows}


async def keys_of_messages(conn: Conn, messages: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return whose these messages are, (channel_id, the vendor's id or our key) each."""
    if not messages:
        return {}
    rows = await conn.fetch(_KEYS_OF_MESSAGES, [c for c, _ in messages], [id for _, id in messages])
    return {(r["channel_id"], r["id"]): r["client_key"] for r in rows}


async def pending_updates(conn: Conn, account_id: str, client_key: str, limit: int) -> list[PendingUpdate]:
    """Return what waits for this client, in order: by the vendor's time, its numbering, then as it came. What became of a chat
    is not numbered: whoever writes and blocks us within one second has blocked us."""
    rows = await conn.fetch(
        "SELECT update_id, channel_id, told, told_at, sequence, received_at FROM channel_update"
        " WHERE account_id = $1 AND client_key = $2 AND state = 'pending'"
        " ORDER BY told_at, COALESCE(told->>'told' = 'chat', false), sequence, update_id LIMIT $3",
        account_id,
        client_key,
        limit,
    )
    return [PendingUpdate(**row) for row in rows]


async def is_chat_known_since(
    conn: Conn, account_id: str, channel_id: str, client_key: str, at: datetime, *, or_then: bool
) -> bool:
    """Whether it was told of a time later than `at` if this client may be written to. or_then: or of just that time. Only what
    came since is looked through."""
    return bool(
        await conn.fetchval(
            "SELECT EXISTS (SELECT FROM channel_update WHERE account_id = $1 AND channel_id = $2 AND client_key = $3"
            " AND state = 'applied' AND received_at > $4::timestamptz - interval '1 hour'"
            " AND (told_at > $4 OR $5 AND told_at = $4)"
            " AND told->>'told' = 'chat' AND told ? 'can_write')",
            account_id,
            channel_id,
            client_key,
            at,
            or_then,
        )
    )


async def mark_update(
    conn: Conn, account_id: str, update_id: int, state: str, error: str | None = None
) -> None:
    """state: applied, early or dead."""
    await conn.execute(
        "UPDATE channel_update SET state = $3, error = $4, applied_at = now() WHERE account_id = $1 AND update_id = $2",
        account_id,
        update_id,
        state,
        None if error is None else error[:2000],
    )


async def pass_update_on(conn: Conn, account_id: str, update_id: int, client_key: str) -> None:
    """Give an update to the client whose chat it turned out to be."""
    await conn.execute(
        "UPDATE channel_update SET client_key = $3 WHERE account_id = $1 AND update_id = $2",
        account_id,
        update_id,
        client_key,
    )
    await enqueue_chats(conn, [(account_id, client_key)])


async def take_early_updates(
    conn: Conn, account_id: str, channels: Sequence[str], ids: Sequence[str]
) -> list[PendingUpdate]:
    """Return what was said of this message (its id, our key) before it was told. channels: its own, and others that are told of at
    the same address, where it is not said which one is meant."""
    rows = await conn.fetch(
        "SELECT update_id, channel_id, told, told_at, sequence, received_at FROM channel_update"
        " WHERE account_id = $1 AND (channel_id = $2 OR channel_id = ANY($3) AND told->>'channel' IS NULL)"
        " AND state = 'early' AND about = ANY($4)"
        " ORDER BY told_at, sequence, update_id",
        account_id,
        channels[0],
        channels[1:],
        [id for id in ids if id],
    )
    return [PendingUpdate(**row) for row in rows]


async def sweep_chats(conn: Conn) -> int:
    """Make jobs for what is left without one, and for what was early and is no more. How many clients."""
    come = {(r["account_id"], r["client_key"]) for r in await conn.fetch(_COME, _SHARING)}
    late = {(r["account_id"], r["client_key"]) for r in await conn.fetch(_LATE)}
    await enqueue_chats(conn, sorted(come | late))
    return len(come | late)


async def delete_old_updates(conn: Conn, before: datetime, *, limit: int) -> int:
    """Delete what was worked on, or waited in vain, earlier. How many."""
    done: str = await conn.execute(
        "DELETE FROM channel_update WHERE (account_id, update_id) IN (SELECT account_id, update_id FROM channel_update"
        " WHERE state IN ('applied', 'early', 'ignored') AND received_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])
