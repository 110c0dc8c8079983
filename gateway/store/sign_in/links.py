"""Links that let somebody in once, without the password, as rows."""

from __future__ import annotations

from datetime import datetime

from runtime.database.pool import Conn


async def keep_link(
    conn: Conn, *, secret_hash: str, login: str, expires_at: datetime, is_local: bool
) -> None:
    await conn.execute(
        "INSERT INTO sign_in_link (secret_hash, login, expires_at, is_local) VALUES ($1, $2, $3, $4)",
        secret_hash,
        login,
        expires_at,
        is_local,
    )


async def is_link(conn: Conn, secret_hash: str, now: datetime, *, is_local: bool) -> bool:
    """Whether it would let somebody in. is_local: who asks sits at this machine."""
    found = await conn.fetchval(
        "SELECT TRUE FROM sign_in_link WHERE secret_hash = $1 AND expires_at > $2 AND (NOT is_local OR $3)",
        secret_hash,
        now,
        is_local,
    )
    return bool(found)


async def take_link(conn: Conn, secret_hash: str, now: datetime, *, is_local: bool) -> str | None:
    """Return whose it is, once."""
    login: str | None = await conn.fetchval(
        "DELETE FROM sign_in_link WHERE secret_hash = $1 AND expires_at > $2 AND (NOT is_local OR $3)"
        " RETURNING login",
        secret_hash,
        now,
        is_local,
    )
    return login


async def delete_expired_links(conn: Conn, before: datetime, *, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM sign_in_link WHERE secret_hash IN"
        " (SELECT secret_hash FROM sign_in_link WHERE expires_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])
