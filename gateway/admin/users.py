"""People who sign in to the pages, as a person orders them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from argon2 import PasswordHasher

from gateway.admin.accounts import refuse_unknown_account
from gateway.admin.input_words import refuse_bad_name
from gateway.admin.protection.grants import (
    refuse_freer,
    refuse_freer_for_longer,
    refuse_longer,
    refuse_other_self,
)
from gateway.admin.protection.passwords import refuse_weak
from gateway.admin.refused import InputRefused, NameTaken, NothingOfThatName
from gateway.admin.tokens import refuse_bad_bindings, refuse_unknown_bindings, role_named
from gateway.store.admin import users as store
from gateway.store.admin.accounts import AlreadyExists
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.bindings import EVERYTHING, Bindings
from gateway.store.admin.users import AdminUser
from runtime.database.pool import Conn

_HASHERS = ThreadPoolExecutor(2, "new-password")
"""A hash takes a tenth of a second on purpose: pages and API go on meanwhile."""


class LastAdmin(InputRefused):
    """Nobody would be left who may let others in."""

    code = "last-admin"

    def __init__(self, login: str) -> None:
        super().__init__(
            "login", f"'{login}' is the last administrator of every account", "let somebody else be one first"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOrder:
    """password: None = one is made up."""

    login: str
    role: str
    name: str | None = None
    bound: Bindings = field(default=EVERYTHING)
    password: str | None = None


async def add_user(conn: Conn, order: UserOrder) -> str | None:
    """Return the password where one was made up, to be shown once. Raise InputRefused; nothing is stored then."""
    if not store.is_login(order.login):
        remedy = "write small letters, digits and . _ @ + -, with a letter or digit first"
        raise InputRefused("login", f"'{order.login}' is no login", remedy)
    refuse_bad_name(order.name or order.login)
    role = role_named(order.role)
    hashed, made = await _hashed(order.password, (order.login, order.name or ""))
    async with conn.transaction():
        await store.lock_users(conn)
        await refuse_unknown_account(conn, order.bound.account_id)
        await refuse_bad_bindings(conn, order.bound)
        refuse_freer(role, order.bound)
        await refuse_unknown_bindings(conn, order.bound)
        refuse_longer(None, "login")
        try:
            await store.add_user(
                conn,
                login=order.login,
                name=order.name or order.login,
                role=role,
                bound=order.bound,
                password_hash=hashed,
            )
        except AlreadyExists as err:
            raise NameTaken("user", order.login, "login") from err
        added = await user_of(conn, order.login, None)
        await _tell(conn, added, "added", None, _seen(added))
    return made


async def change_user(
    conn: Conn, login: str, changes: Mapping[str, Any], of_account: str | None = None
) -> AdminUser:
    """Change a person. changes: of name, role, is_on, account_id, employee, templates, schedules, counters; what is
    absent stays.

    of_account: only one who is bound to this account. Raise InputRefused; nothing is stored then.
    """
    async with conn.transaction():
        await store.lock_users(conn)
        now = await user_of(conn, login, of_account)
        bound = replace(now.bound, **{n: changes[n] for n in asdict(now.bound) if n in changes})
        after = replace(
            now,
            name=changes.get("name", now.name),
            role=role_named(changes.get("role", now.role)),
            is_on=changes.get("is_on", now.is_on),
            bound=bound,
        )
        if after.name != now.name:
            refuse_bad_name(after.name)
        await refuse_unknown_account(conn, bound.account_id)
        await refuse_bad_bindings(conn, bound)
        refuse_freer(now.role, now.bound)
        refuse_freer(after.role, bound)
        await refuse_unknown_bindings(conn, bound, now.bound)
        refuse_freer_for_longer(None, (now.role, now.bound), (after.role, bound))
        if after.is_on and not now.is_on:
            refuse_longer(None, "is_on")
        refuse_other_self("user", login, bound)
        _refuse_no_admin(await store.users(conn), now, after)
        await store.change_user(conn, login, name=after.name, role=after.role, bound=bound, is_on=after.is_on)
        await _tell(conn, after, "changed", _seen(now), _seen(after))
        return after


async def set_password(
    conn: Conn, login: str, password: str | None, of_account: str | None = None
) -> str | None:
    """Return the password where one was made up. Raise InputRefused."""
    async with conn.transaction():
        user = await user_of(conn, login, of_account)
        hashed, made = await _hashed(password, (login, user.name))
        refuse_freer(user.role, user.bound)
        refuse_longer(None, "password")
        await store.set_password(conn, login, hashed)
        await _tell(conn, user, "password set", {"password": "set"}, {"password": "changed"})
    return made


async def remove_user(conn: Conn, login: str, of_account: str | None = None) -> None:
    """of_account: only one who is bound to this account. Raise InputRefused."""
    async with conn.transaction():
        await store.lock_users(conn)
        gone = await user_of(conn, login, of_account)
        refuse_freer(gone.role, gone.bound)
        _refuse_no_admin(await store.users(conn), gone, None)
        await store.remove_user(conn, login)
        await _tell(conn, gone, "removed", _seen(gone), None)


async def shut_out_users_of(conn: Conn, account_id: str, employees: Collection[str]) -> None:
    """Let the users who are one of these people sign in no more, and take these people's counters from the others. They stay
    on record, bound to nobody. Raise GrantsMore."""
    await store.lock_users(conn)
    for user in await store.users(conn, account_id):
        left = user.bound.without(employees)
        if left == user.bound:
            continue
        refuse_freer(user.role, user.bound)
        after = replace(user, bound=left, is_on=user.is_on and not user.bound.is_narrower_than(left))
        await store.change_user(
            conn, user.login, name=user.name, role=user.role, bound=left, is_on=after.is_on
        )
        await _tell(conn, after, "changed", _seen(user), _seen(after))


async def user_of(conn: Conn, login: str, of_account: str | None = None) -> AdminUser:
    """of_account: only one who is bound to this account. Raise NothingOfThatName."""
    found = {user.login: user for user in await store.users(conn, of_account)}
    if login not in found:
        raise NothingOfThatName("user", login, "users list")
    return found[login]


def _refuse_no_admin(people: Sequence[AdminUser], before: AdminUser, after: AdminUser | None) -> None:
    """Raise LastAdmin where this change would leave nobody who may do everything."""
    others = [user for user in people if user.login != before.login]
    if _rules_all(before) and not any(map(_rules_all, others)) and not (after and _rules_all(after)):
        raise LastAdmin(before.login)


def _rules_all(user: AdminUser) -> bool:
    return user.is_on and user.role == "admin" and user.bound.account_id is None


def _seen(user: AdminUser) -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role,
        "is_on": user.is_on,
        "account": user.account_id,
        **user.bound.as_said(),
    }


async def _tell(
    conn: Conn,
    user: AdminUser,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    change = AuditChange(
        what="user",
        object=user.login,
        action=action,
        account_id=user.account_id,
        before=before,
        after=after,
    )
    await record(conn, change)


async def _hashed(password: str | None, names: Sequence[str]) -> tuple[str, str | None]:
    """(its hash, the password itself where it was made up). names: the person's."""
    made = None
    if password is None:
        password = made = secrets.token_urlsafe(15)
    else:
        refuse_weak(password, names)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_HASHERS, PasswordHasher().hash, password), made
