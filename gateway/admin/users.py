"""People who sign in to the pages, as a person orders them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher

from gateway.admin.accounts import refuse_unknown_account
from gateway.admin.refused import InputRefused, NameTaken, NothingOfThatName
from gateway.admin.tokens import role_named
from gateway.store.admin import users as store
from gateway.store.admin.accounts import AlreadyExists
from runtime.database.pool import Conn

_LEAST_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOrder:
    """account_id: None = every account. password: None = one is made up."""

    login: str
    role: str
    name: str | None = None
    account_id: str | None = None
    password: str | None = None


async def add_user(conn: Conn, order: UserOrder) -> str | None:
    """Return the password where one was made up, to be shown once. Raise InputRefused; nothing is stored then."""
    if not store.is_login(order.login):
        remedy = "write small letters, digits and . _ @ + -, with a letter or digit first"
        raise InputRefused("login", f"'{order.login}' is no login", remedy)
    role = role_named(order.role)
    hashed, made = _hashed(order.password)
    async with conn.transaction():
        await refuse_unknown_account(conn, order.account_id)
        try:
            await store.add_user(
                conn,
                login=order.login,
                name=order.name or order.login,
                role=role,
                account_id=order.account_id,
                password_hash=hashed,
            )
        except AlreadyExists as err:
            raise NameTaken("user", order.login, "login") from err
    return made


async def set_password(conn: Conn, login: str, password: str | None) -> str | None:
    """Return the password where one was made up. Raise InputRefused."""
    hashed, made = _hashed(password)
    if not await store.set_password(conn, login, hashed):
        raise NothingOfThatName("user", login, "users")
    return made


async def remove_user(conn: Conn, login: str) -> None:
    """Raise InputRefused."""
    if not await store.remove_user(conn, login):
        raise NothingOfThatName("user", login, "users")


def _hashed(password: str | None) -> tuple[str, str | None]:
    """(its hash, the password itself where it was made up)."""
    if password is None:
        made = secrets.token_urlsafe(15)
        return PasswordHasher().hash(made), made
    if len(password) < _LEAST_LENGTH:
        raise InputRefused(
            "password", "the password is too short", f"take {_LEAST_LENGTH} characters or more"
        )
    return PasswordHasher().hash(password), None
