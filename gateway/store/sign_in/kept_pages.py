"""Pages that browsers are led back to: encrypted, for a quarter of an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from runtime.database.pool import Conn

KEPT_FOR = timedelta(minutes=15)


async def keep_page(conn: Conn, mark: str, status: int, body: bytes, now: datetime) -> None:
    """Keep it, and forget all that are too old. mark: by which it is found."""
    async with conn.transaction():
        await conn.execute("DELETE FROM kept_page WHERE kept_at < $1", now - KEPT_FOR)
        await conn.execute(
            "INSERT INTO kept_page (mark, status, body, kept_at) VALUES ($1, $2, $3, $4)",
            mark,
            status,
            body,
            now,
        )


async def kept_page(conn: Conn, mark: str, now: datetime) -> tuple[int, bytes] | None:
    """Return status and body."""
    row = await conn.fetchrow(
        "SELECT status, body FROM kept_page WHERE mark = $1 AND kept_at >= $2", mark, now - KEPT_FOR
    )
    return (row["status"], row["body"]) if row else None
