"""People who sign in to the pages, as rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from gateway.store.admin.accounts import AlreadyExists
from gateway.store.admin.bindings import Bindings, bindings_of
from gateway.store.admin.roles import Role
from runtime.database.pool import Conn

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_COLUMNS = (
    "login, name, role, account_id, employee, templates, schedules, counters, is_on, created_at,"
    " totp_on_at IS NOT NULL AS has_second_factor"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminUser:
    """is_on: may sign in. has_second_factor: with a code of their phone beside the password."""

    login: str
    name: str
    role: Role
    bound: Bindings
    is_on: bool
    created_at: datetime
    has_second_factor: bool = False

    @property
    def account_id(self) -> str | None:
        return self.bound.account_id


def is_login(text: str) -> bool:
    return _LOGIN.fullmatch(text) is not None


async def add_user(
    conn: Conn, *, login: str, name: str, role: Role, bound: Bindings, password_hash: str
) -> None:
    """password_hash: argon2. Raises AlreadyExists."""
    try:
        await conn.execute(
            "INSERT INTO admin_user (login, name, role, account_id, employee, templates, schedules, password_hash,"
            " counters) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            login,
            name,
            role,
            bound.account_id,
            bound.employee,
            list(bound.templates),
            list(bound.schedules),
            password_hash,
            list(bound.counters),
        )
    except asyncpg.UniqueViolationError as err:
        raise AlreadyExists(f"user {login}") from err


async def lock_users(conn: Conn) -> None:
    """Nobody else changes who may sign in until the transaction ends."""
    await conn.execute("LOCK TABLE admin_user IN SHARE ROW EXCLUSIVE MODE")


async def users(conn: Conn, account_id: str | None = None) -> list[AdminUser]:
    """Those bound to this account; None: all of them."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM admin_user WHERE $1::text IS NULL OR account_id = $1 ORDER BY login",  # noqa: S608
        account_id,
    )
    return [_user(row) for row in rows]


async def change_user(conn: Conn, login: str, *, name: str, role: Role, bound: Bindings, is_on: bool) -> bool:
    """Whether there is such a user."""
    done: str = await conn.execute(
        "UPDATE admin_user SET name = $2, role = $3, account_id = $4, employee = $5, templates = $6, schedules = $7,"
        " is_on = $8, counters = $9, changed_at = now() WHERE login = $1",
        login,
        name,
        role,
        bound.account_id,
        bound.employee,
        list(bound.templates),
        list(bound.schedules),
        is_on,
        list(bound.counters),
    )
    return done != "UPDATE 0"


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


def _user(row: asyncpg.Record) -> AdminUser:
    return AdminUser(
        login=row["login"],
        name=row["name"],
        role=row["role"],
        bound=bindings_of(row),
        is_on=row["is_on"],
        created_at=row["created_at"],
        has_second_factor=row["has_second_factor"],
    )
