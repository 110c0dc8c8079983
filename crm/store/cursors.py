"""Where each feed of an account stands and how it fares, and which entities wait to be read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from crm.store.directory import EntityRef
from runtime.database.pool import Conn


class FeedState(NamedTuple):
    """One feed as a status page shows it. last_error: of the latest failure, None after a success."""

    feed: str
    cursor: dict[str, Any]
    last_success: datetime | None
    last_error: str | None
    last_error_at: datetime | None


async def read_cursor(conn: Conn, account_id: str, feed: str) -> dict[str, Any]:
    """{} when the feed never ran."""
    cursor = await conn.fetchval(
        "SELECT cursor FROM sync_cursor WHERE account_id = $1 AND feed = $2", account_id, feed
    )
    return dict(cursor) if cursor else {}


async def write_cursor(conn: Conn, account_id: str, feed: str, cursor: dict[str, Any]) -> None:
    """In the same transaction as the rows that it speaks of. Counts as a success of the feed."""
    await conn.execute(
        "INSERT INTO sync_cursor (account_id, feed, cursor, last_success) VALUES ($1, $2, $3, now())"
        " ON CONFLICT (account_id, feed) DO UPDATE"
        " SET cursor = excluded.cursor, last_success = now(), last_error = NULL",
        account_id,
        feed,
        cursor,
    )


async def record_failure(conn: Conn, account_id: str, feed: str, error: str) -> None:
    await conn.execute(
        "INSERT INTO sync_cursor (account_id, feed, last_error, last_error_at) VALUES ($1, $2, $3, now())"
        " ON CONFLICT (account_id, feed) DO UPDATE"
        " SET last_error = excluded.last_error, last_error_at = excluded.last_error_at",
        account_id,
        feed,
        error[:1000],
    )


async def forget_failures(conn: Conn, account_id: str) -> None:
    """Forget what was said of its feeds: the CRM lets us in (again)."""
    await conn.execute(
        "UPDATE sync_cursor SET last_error = NULL WHERE account_id = $1 AND last_error IS NOT NULL",
        account_id,
    )


async def clear_failure(conn: Conn, account_id: str, feed: str) -> None:
    """Its latest turn went well, even if it had nothing to write."""
    await conn.execute(
        "UPDATE sync_cursor SET last_error = NULL, last_success = now()"
        " WHERE account_id = $1 AND feed = $2 AND last_error IS NOT NULL",
        account_id,
        feed,
    )


async def drop_cursors(conn: Conn, account_id: str, prefix: str) -> None:
    """Let the feeds whose name begins so start from the beginning."""
    await conn.execute(
        "DELETE FROM sync_cursor WHERE account_id = $1 AND starts_with(feed, $2)", account_id, prefix
    )


async def feed_states(conn: Conn, account_id: str) -> list[FeedState]:
    rows = await conn.fetch(
        "SELECT feed, cursor, last_success, last_error, last_error_at FROM sync_cursor"
        " WHERE account_id = $1 ORDER BY feed",
        account_id,
    )
    return [FeedState(**r) for r in rows]


async def feeds_by_account(
    conn: Conn, account_ids: Sequence[str] | None = None
) -> dict[str, list[FeedState]]:
    """Return the same of these accounts, None = of all, in one query."""
    found: dict[str, list[FeedState]] = {}
    for row in await conn.fetch(
        "SELECT account_id, feed, cursor, last_success, last_error, last_error_at FROM sync_cursor"
        " WHERE $1::text[] IS NULL OR account_id = ANY($1) ORDER BY account_id, feed",
        account_ids,
    ):
        values = dict(row)
        found.setdefault(values.pop("account_id"), []).append(FeedState(**values))
    return found


async def ask_reread(conn: Conn, account_id: str, refs: Iterable[EntityRef]) -> None:
    """Ask the account's worker to read these again soon."""
    pairs = sorted(set(refs))
    await conn.execute(
        "INSERT INTO directory_reread (account_id, kind, entity_id)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[])"
        " ON CONFLICT (account_id, kind, entity_id) DO UPDATE SET asked_at = clock_timestamp()",
        account_id,
        [kind for kind, _ in pairs],
        [id for _, id in pairs],
    )


async def waiting_rereads(conn: Conn, account_id: str, limit: int) -> list[tuple[EntityRef, datetime]]:
    """Oldest first, with the moment of the latest wish."""
    rows = await conn.fetch(
        "SELECT kind, entity_id, asked_at FROM directory_reread WHERE account_id = $1 ORDER BY asked_at LIMIT $2",
        account_id,
        limit,
    )
    return [((r["kind"], r["entity_id"]), r["asked_at"]) for r in rows]


async def finish_rereads(conn: Conn, account_id: str, done: Iterable[tuple[EntityRef, datetime]]) -> None:
    """Take away the wishes that are fulfilled; one that came after these were asked for stays."""
    rows = list(done)
    await conn.execute(
        "DELETE FROM directory_reread t"
        " USING unnest($2::text[], $3::text[], $4::timestamptz[]) AS d (kind, entity_id, asked_at)"
        " WHERE t.account_id = $1 AND t.kind = d.kind AND t.entity_id = d.entity_id AND t.asked_at <= d.asked_at",
        account_id,
        [ref[0] for ref, _ in rows],
        [ref[1] for ref, _ in rows],
        [at for _, at in rows],
    )
