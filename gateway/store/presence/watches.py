"""How the watching of each account goes, and what it looks at: calls, phones, our own writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from gateway.pbx.capabilities import PhoneState
from routing.attendance.trust import Watch, begun
from runtime.database.pool import Conn

_TALKS = """
SELECT is_over, facts->'talks' AS talks, clock_offset FROM call
WHERE account_id = $1 AND started_at > $2 AND answered_at IS NOT NULL
    AND (NOT is_over OR coalesce(ended_at, updated_at) > $3 OR updated_at > $3)
"""
_OWN_WRITES = """
SELECT e.what, e.sent_at, e.done_at, e.crm_id, coalesce(e."order"->'target'->>'id', t.crm_id) AS target_id
FROM effect e LEFT JOIN effect t ON t.account_id = e.account_id AND t.effect_key = e."order"->'target'->>'effect'
WHERE e.account_id = $1 AND e.sent_at BETWEEN $2 AND $3
"""
_PHONES = """
SELECT p.address, p.is_busy, p.is_dnd FROM presence_phone p JOIN presence_phone_source s USING (account_id, connection_id)
WHERE account_id = $1 AND s.seen_at > $2
"""
_LONGEST_CALL = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class StoredTalk:
    """party: the address that answered. ended_at: None = it goes on."""

    party: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """An effect of ours. ids: what it made and what it was done to. at: by our clock."""

    what: str
    ids: frozenset[str]
    at: datetime


async def watch_of(conn: Conn, account_id: str) -> Watch | None:
    row = await conn.fetchrow("SELECT * FROM presence_watch WHERE account_id = $1", account_id)
    return _watch(row) if row else None


async def watches(conn: Conn, account_ids: Collection[str] | None) -> dict[str, Watch]:
    """Return those of these accounts, None = of all."""
    rows = await conn.fetch(
        "SELECT * FROM presence_watch WHERE $1::text[] IS NULL OR account_id = ANY($1)",
        None if account_ids is None else sorted(account_ids),
    )
    return {row["account_id"]: _watch(row) for row in rows}


async def take_watch(conn: Conn, account_id: str, now: datetime, every: timedelta) -> Watch | None:
    """Lock it until the transaction ends. None: another process looks, or has looked within `every`."""
    first = begun(now)
    await conn.execute(
        "INSERT INTO presence_watch (account_id, trusted_from, watched_at) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        account_id,
        first.trusted_from,
        now - every,
    )
    row = await conn.fetchrow(
        "SELECT * FROM presence_watch WHERE account_id = $1 AND watched_at <= $2 FOR UPDATE SKIP LOCKED",
        account_id,
        now - every,
    )
    return _watch(row) if row else None


async def note_look(
    conn: Conn, account_id: str, trusted_from: datetime, watched_at: datetime, are_beats_lost: bool
) -> None:
    await conn.execute(
        "UPDATE presence_watch SET trusted_from = $2, watched_at = $3, are_beats_lost = $4 WHERE account_id = $1",
        account_id,
        trusted_from,
        watched_at,
        are_beats_lost,
    )


async def forget_watch(conn: Conn, account_id: str, now: datetime) -> bool:
    """Let nothing go on where presence was switched off. False: it is on; the memory of a process may not know yet."""
    removed = await conn.fetchval(
        "DELETE FROM presence_watch w USING account a WHERE w.account_id = $1 AND a.account_id = w.account_id"
        " AND a.settings->'presence'->>'is_on' IS DISTINCT FROM 'true' RETURNING true",
        account_id,
    )
    if not removed:
        return False
    await conn.execute(
        "UPDATE presence_interval SET until = greatest($2, since) WHERE account_id = $1 AND until IS NULL",
        account_id,
        now,
    )
    for table in ("presence", "presence_page", "presence_phone", "presence_phone_source"):
        await conn.execute(f"DELETE FROM {table} WHERE account_id = $1", account_id)  # noqa: S608
    return True


async def watched_accounts(conn: Conn) -> set[str]:
    return {row["account_id"] for row in await conn.fetch("SELECT account_id FROM presence_watch")}


async def feed_newest(conn: Conn, account_id: str) -> datetime | None:
    """By the CRM's clock; None where it was never read."""
    newest: datetime | None = await conn.fetchval(
        "SELECT feed_newest_at FROM presence_watch WHERE account_id = $1", account_id
    )
    return newest


async def note_feed_read(
    conn: Conn, account_id: str, read_at: datetime, heard_at: datetime | None, newest_at: datetime | None
) -> None:
    """heard_at, newest_at: None = nothing new; they never go back."""
    await conn.execute(
        "UPDATE presence_watch SET feed_read_at = $2, feed_heard_at = greatest(feed_heard_at, $3),"
        " feed_newest_at = greatest(feed_newest_at, $4), feed_error = '' WHERE account_id = $1",
        account_id,
        read_at,
        heard_at,
        newest_at,
    )


async def note_feed_failed(conn: Conn, account_id: str, error: str) -> None:
    await conn.execute(
        "UPDATE presence_watch SET feed_error = $2 WHERE account_id = $1", account_id, error[:500]
    )


async def talks_of(conn: Conn, account_id: str, since: datetime, now: datetime) -> list[StoredTalk]:
    """Return those that go on, and those of calls that ended or were told of after `since`. Times by our clock."""
    found = []
    for row in await conn.fetch(_TALKS, account_id, now - _LONGEST_CALL, since):
        for talk in row["talks"] or ():
            if not talk.get("party"):
                continue
            started = datetime.fromisoformat(talk["started_at"])
            ended = datetime.fromisoformat(talk["ended_at"]) if talk.get("ended_at") else None
            if ended is None and row["is_over"]:
                ended = started
            offset = row["clock_offset"]
            found.append(StoredTalk(talk["party"], started + offset, ended + offset if ended else None))
    return found


async def own_writes(conn: Conn, account_id: str, since: datetime, until: datetime) -> list[OwnWrite]:
    return [
        OwnWrite(
            row["what"],
            frozenset(id for id in (row["crm_id"], row["target_id"]) if id),
            row["done_at"] or row["sent_at"],
        )
        for row in await conn.fetch(_OWN_WRITES, account_id, since, until)
    ]


async def phones_of_account(conn: Conn, account_id: str, since: datetime) -> list[PhoneState]:
    """Return what telephone systems that were heard after `since` say."""
    rows = await conn.fetch(_PHONES, account_id, since)
    return [PhoneState(row["address"], row["is_busy"], row["is_dnd"]) for row in rows]


async def keep_phones(
    conn: Conn, account_id: str, connection_id: str, words: Sequence[PhoneState], seen_at: datetime
) -> None:
    """All that this telephone system says now, in place of what it said before."""
    await conn.execute(
        "DELETE FROM presence_phone WHERE account_id = $1 AND connection_id = $2", account_id, connection_id
    )
    await conn.executemany(
        "INSERT INTO presence_phone (account_id, connection_id, address, is_busy, is_dnd)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        [(account_id, connection_id, w.address, w.is_busy, w.is_dnd) for w in words],
    )
    await conn.execute(
        "INSERT INTO presence_phone_source (account_id, connection_id, seen_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (account_id, connection_id) DO UPDATE SET seen_at = excluded.seen_at",
        account_id,
        connection_id,
        seen_at,
    )


def _watch(row: asyncpg.Record) -> Watch:
    return Watch(
        trusted_from=row["trusted_from"],
        watched_at=row["watched_at"],
        feed_read_at=row["feed_read_at"],
        feed_heard_at=row["feed_heard_at"],
        feed_error=row["feed_error"],
        are_beats_lost=row["are_beats_lost"],
    )
