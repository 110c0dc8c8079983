"""People who sign in to the pages, as rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from gateway.store.admin.accounts import AlreadyExists
from runtime.database.pool import Conn

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminUser:
    """account_id: None = every account."""

    login: str
    name: str
    role: str
    account_id: str | None
    is_on: bool
    created_at: datetime


def is_login(text: str) -> bool:
    return _LOGIN.fullmatch(text) is not None


async def add_user(
    conn: Conn, *, login: str, name: str, role: str, account_id: str | None, password_hash: str
) -> None:
    """password_hash: argon2. Raises AlreadyExists."""
    try:
        await conn.execute(
            "INSERT INTO admin_user (login, name, role, account_id, password_hash) VALUES ($1, $2, $3, $4, $5)",
            login,
            name,
            role,
            account_id,
            password_hash,
        )
    except asyncpg.UniqueViolationError as err:
        raise AlreadyExists(f"user {login}") from err


async def users(conn: Conn) -> list[AdminUser]:
    rows = await conn.fetch(
        "SELECT login, name, role, account_id, is_on, created_at FROM admin_user ORDER BY login"
    )
    return [AdminUser(**row) for row in rows]


async def password_hash_of(conn: Conn, login: str) -> str | None:
    """None when nobody of this login may sign in."""
    found: str | None = await conn.fetchval(
        "SELECT password_hash FROM admin_user WHERE login = $1 AND is_on", login
    )
    return found


async def set_password(conn: Conn, login: str, password_hash: str) -> bool:
    """Whether there is such a user."""
    done: str = await conn.execute(
        "UPDATE admin_user SET password_hash = $2, changed_at = now() WHERE login = $1", login, password_hash
    )
    return done != "UPDATE 0"


async def remove_user(conn: Conn, login: str) -> bool:
    """Whether there was one."""
    return bool(await conn.execute("DELETE FROM admin_user WHERE login = $1", login) != "DELETE 0")
