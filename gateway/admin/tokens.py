"""Tokens of the admin API as a person orders them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.admin.accounts import refuse_unknown_account
from gateway.admin.input_words import refuse_odd_name
from gateway.admin.protection.grants import (
    refuse_freer,
    refuse_freer_for_longer,
    refuse_longer,
    refuse_other_self,
)
from gateway.admin.refused import InputRefused, NameTaken, NothingOfThatName
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, current_actor, record
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES, Role
from gateway.store.admin.schedules import schedule_names
from gateway.store.admin.staff import stored_employees
from gateway.store.distribution.templates import template_names
from runtime.database.pool import Conn

_LONGEST_NAME = 100
_MOST_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOrder:
    """account_id: None = every account. employee, templates, schedules, counters: what it is bound to besides. days: how
    long it is valid, None = for ever."""

    name: str
    role: str
    account_id: str | None = None
    employee: str | None = None
    templates: Sequence[str] = ()
    schedules: Sequence[str] = ()
    counters: Sequence[str] = ()
    days: int | None = None

    @property
    def bound(self) -> Bindings:
        return Bindings(
            account_id=self.account_id,
            employee=self.employee,
            templates=tuple(self.templates),
            schedules=tuple(self.schedules),
            counters=tuple(self.counters),
        )


class LastAdminToken(InputRefused):
    """With it the one who asks would shut themselves out."""

    code = "last-admin"

    def __init__(self, name: str) -> None:
        super().__init__(
            "name",
            f"'{name}' is the last token that may do everything",
            "make another one first, and ask with that",
        )


async def add_token(conn: Conn, order: TokenOrder) -> str:
    """Return the token, shown once. Raise InputRefused; nothing is stored then."""
    refuse_odd_name("token", order.name)
    role = role_named(order.role)
    if order.days is not None and not 1 <= order.days <= _MOST_DAYS:
        raise InputRefused(
            "days",
            f"must be from 1 to {_MOST_DAYS} days",
            "give a number in this range, or leave it out for a token that never expires",
        )
    expires = datetime.now(UTC) + timedelta(days=order.days) if order.days else None
    async with conn.transaction():
        await rows.lock_api_tokens(conn)
        await refuse_unknown_account(conn, order.account_id)
        await refuse_bad_bindings(conn, order.bound)
        refuse_freer(role, order.bound)
        await refuse_unknown_bindings(conn, order.bound)
        refuse_longer(expires, "days")
        if order.name in {t.name for t in await rows.api_tokens(conn)}:
            raise NameTaken("token", order.name)
        token = await rows.add_api_token(
            conn, name=order.name, role=role, bound=order.bound, expires_at=expires
        )
        seen = {"role": role, "expires_at": expires, **order.bound.as_said()}
        await _tell(conn, order.name, order.account_id, "added", None, seen)
        return token


async def remove_token(conn: Conn, name: str, of_account: str | None = None) -> None:
    """of_account: only one that is for this account. Raise NothingOfThatName."""
    async with conn.transaction():
        await rows.lock_api_tokens(conn)
        gone = await token_of(conn, name, of_account)
        refuse_freer(gone.role, gone.bound)
        await _refuse_own_end(conn, gone, None)
        await rows.remove_api_token(conn, name, gone.token_hash)
        await _tell(conn, name, gone.account_id, "removed", _seen(gone), None)


async def change_token(
    conn: Conn, name: str, changes: Mapping[str, Any], of_account: str | None = None
) -> rows.ApiToken:
    """Change a token. changes: of role, account_id, employee, templates, schedules, counters; what is absent stays.

    of_account: only one that is for this account. Raise InputRefused; nothing is stored then.
    """
    async with conn.transaction():
        await rows.lock_api_tokens(conn)
        now = await token_of(conn, name, of_account)
        bound = replace(now.bound, **{n: changes[n] for n in asdict(now.bound) if n in changes})
        role = role_named(changes.get("role", now.role))
        after = replace(now, role=role, account_id=bound.account_id, bound=bound)
        await refuse_unknown_account(conn, bound.account_id)
        await refuse_bad_bindings(conn, bound)
        refuse_freer(now.role, now.bound)
        refuse_freer(role, bound)
        await refuse_unknown_bindings(conn, bound, now.bound)
        refuse_freer_for_longer(now.expires_at, (now.role, now.bound), (role, bound))
        refuse_other_self("token", name, bound)
        await _refuse_own_end(conn, now, after)
        await rows.change_api_token(conn, now.token_hash, role=role, bound=bound)
        await _tell(conn, name, bound.account_id, "changed", _seen(now), _seen(after))
        return after


async def withdraw_tokens_of(conn: Conn, account_id: str, employees: Collection[str]) -> None:
    """Withdraw the tokens that are one of these people, and take these people's counters from the others. Raise GrantsMore."""
    await rows.lock_api_tokens(conn)
    for token in await rows.api_tokens(conn):
        left = token.bound.without(employees)
        if token.account_id != account_id or left == token.bound:
            continue
        refuse_freer(token.role, token.bound)
        if token.bound.is_narrower_than(left):
            await rows.remove_api_token(conn, token.name, token.token_hash)
            await _tell(conn, token.name, account_id, "removed", _seen(token), None)
        else:
            await rows.change_api_token(conn, token.token_hash, role=token.role, bound=left)
            await _tell(
                conn, token.name, account_id, "changed", _seen(token), _seen(replace(token, bound=left))
            )


async def refuse_bad_bindings(conn: Conn, bound: Bindings) -> None:
    """Raise InputRefused for an employee whom the account does not have, and for what can be no name."""
    await _refuse_strangers(conn, bound, "employee", [bound.employee] if bound.employee is not None else [])
    await _refuse_strangers(conn, bound, "counters", bound.counters)
    for field in ("templates", "schedules", "counters"):
        names: tuple[str, ...] = getattr(bound, field)
        for name in names:
            if not name.strip() or len(name) > _LONGEST_NAME or names.count(name) > 1:
                remedy = f"name each once, in 1 to {_LONGEST_NAME} characters"
                raise InputRefused(field, f"'{name}' is no name here, or stands here twice", remedy)


async def refuse_unknown_bindings(conn: Conn, bound: Bindings, before: Bindings | None = None) -> None:
    """Raise InputRefused for a template or schedule that is not there: a typing error would bind to nothing. before: what was
    named already is not judged again."""
    named = set(bound.templates) - set(before.templates if before else ())
    if named:
        whose = [bound.account_id] if bound.account_id else [a.id for a in await rows.accounts(conn)]
        _refuse_unknown("templates", "template", named, set(await template_names(conn, whose)))
    named = set(bound.schedules) - set(before.schedules if before else ())
    if named:
        found = await schedule_names(conn, [bound.account_id] if bound.account_id else None)
        _refuse_unknown("schedules", "schedule", named, found)


def _refuse_unknown(field: str, what: str, named: Collection[str], known: Collection[str]) -> None:
    for name in sorted(named):
        if name not in known:
            remedy = f"one of: {', '.join(sorted(known))}" if known else f"make the {what} first"
            raise InputRefused(field, f"there is no {what} '{name}'", remedy)


async def _refuse_strangers(conn: Conn, bound: Bindings, field: str, named: Sequence[str]) -> None:
    if not named:
        return
    if bound.account_id is None:
        raise InputRefused(field, "an employee belongs to one account", "name the account too")
    people = {p.id for p in await stored_employees(conn, bound.account_id)}
    for one in named:
        if one not in people:
            raise InputRefused(field, f"'{one}' is no employee", "name an employee of this account, or none")


async def token_of(conn: Conn, name: str, of_account: str | None = None) -> rows.ApiToken:
    """of_account: only one that is bound to this account. Raise NothingOfThatName."""
    for token in await rows.api_tokens(conn):
        if token.name == name and of_account in (None, token.account_id):
            return token
    raise NothingOfThatName("token", name)


async def _refuse_own_end(conn: Conn, before: rows.ApiToken, after: rows.ApiToken | None) -> None:
    """Raise LastAdminToken. From the command line there is always a way back in."""
    actor = current_actor()
    if actor.kind != "token" or actor.name != before.name or (after and _rules_all(after)):
        return
    others = [t for t in await rows.api_tokens(conn) if t.name != before.name]
    if _rules_all(before) and not any(map(_rules_all, others)):
        raise LastAdminToken(before.name)


def _rules_all(token: rows.ApiToken) -> bool:
    return token.role == "admin" and token.account_id is None


def _seen(token: rows.ApiToken) -> dict[str, Any]:
    return {
        "role": token.role,
        "account": token.account_id,
        "expires_at": token.expires_at,
        **token.bound.as_said(),
    }


async def _tell(
    conn: Conn,
    name: str,
    account_id: str | None,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    change = AuditChange(
        what="token", object=name, action=action, account_id=account_id, before=before, after=after
    )
    await record(conn, change)


def role_named(text: str) -> Role:
    """Of a token or a person. Raise InputRefused."""
    for role in ROLES:
        if role == text:
            return role
    raise InputRefused("role", f"there is no role '{text}'", f"one of: {', '.join(ROLES)}")
