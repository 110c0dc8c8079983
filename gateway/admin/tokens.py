"""Tokens of the admin API as a person orders them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.admin.accounts import refuse_unknown_account
from gateway.admin.refused import InputRefused, NameTaken, NothingOfThatName
from gateway.store.admin import accounts as rows
from gateway.store.admin.roles import ROLES, Role
from runtime.database.pool import Conn

_LONGEST_NAME = 100
_MOST_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOrder:
    """account_id: None = every account. days: how long it is valid, None = for ever."""

    name: str
    role: str
    account_id: str | None = None
    days: int | None = None


async def add_token(conn: Conn, order: TokenOrder) -> str:
    """Return the token, shown once. Raise InputRefused; nothing is stored then."""
    if not order.name.strip() or len(order.name) > _LONGEST_NAME:
        raise InputRefused("name", "the name is empty or too long", f"write 1 to {_LONGEST_NAME} characters")
    role = role_named(order.role)
    if order.days is not None and not 1 <= order.days <= _MOST_DAYS:
        raise InputRefused(
            "days",
            f"must be from 1 to {_MOST_DAYS} days",
            "give a number in this range, or leave it out for a token that never expires",
        )
    expires = datetime.now(UTC) + timedelta(days=order.days) if order.days else None
    async with conn.transaction():
        await refuse_unknown_account(conn, order.account_id)
        await rows.lock_api_tokens(conn)
        if order.name in {t.name for t in await rows.api_tokens(conn)}:
            raise NameTaken("token", order.name)
        return await rows.add_api_token(
            conn, name=order.name, role=role, account_id=order.account_id, expires_at=expires
        )


async def remove_token(conn: Conn, name: str, of_account: str | None = None) -> None:
    """of_account: only one that is for this account. Raise NothingOfThatName."""
    async with conn.transaction():
        known = {t.name: t for t in await rows.api_tokens(conn)}
        if name not in known or of_account not in (None, known[name].account_id):
            raise NothingOfThatName("token", name)
        await rows.remove_api_token(conn, name)


def role_named(text: str) -> Role:
    """Of a token or a person. Raise InputRefused."""
    for role in ROLES:
        if role == text:
            return role
    raise InputRefused("role", f"there is no role '{text}'", f"one of: {', '.join(ROLES)}")
