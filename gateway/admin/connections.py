"""PBX connections as a person orders them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from gateway.admin.accounts import refuse_bad_region
from gateway.admin.employees import line_of_somebody
from gateway.admin.input_words import SHORT_NAME
from gateway.admin.protection.allowed import NOTHING_MORE, Allowed, refuse_bad_places
from gateway.admin.protection.setting_values import (
    keys_needed_again,
    refuse_bad_keys,
    refuse_bad_values,
    refuse_names,
)
from gateway.admin.protection.shown_settings import shown_settings, told_settings
from gateway.admin.refused import ConnectionInUse, InputRefused, NameTaken, NothingOfThatName
from gateway.pbx.connection import Connection
from gateway.pbx.connection_settings import settings_of
from gateway.pbx.dialects import DIALECTS
from gateway.pbx.kind import PbxKind
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, record, secrets_said
from gateway.store.admin.staff import stored_employees
from gateway.store.outbound.connections import forget_connection
from gateway.store.outbound.uses import uses_of_connection
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

_MOST_LINES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOrder:
    """A connection as a person asks for it, on the command line, by API or in a file. lines: in any spelling."""

    name: str
    kind: str
    dialect: str | None = None
    region: str | None = None
    lines: Sequence[str] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


async def add_connection(
    conn: Conn,
    account_id: str,
    order: ConnectionOrder,
    secret: str,
    kinds: Mapping[str, PbxKind],
    allowed: Allowed = NOTHING_MORE,
    *,
    people_follow: bool = False,
) -> Connection:
    """people_follow: the account's staff is replaced next, and judged then. Raise InputRefused, NoSuchAccount; nothing is
    stored then."""
    order = replace(order, settings=told_settings(order.settings, {}))
    policy = await _policy(conn, account_id, order.region)
    lines = judged(order, policy, kinds, order.dialect)
    refuse_bad_places(order.settings, kinds[order.kind].vendor_hosts, allowed)
    try:
        async with conn.transaction():
            await _refuse_own_numbers(conn, account_id, lines, people_follow=people_follow)
            added = await rows.add_connection(
                conn,
                account_id=account_id,
                name=order.name,
                kind=order.kind,
                secret=secret,
                keys=order.keys,
                dialect=order.dialect or kinds[order.kind].default_dialect,
                region=order.region,
                lines=lines,
                settings=order.settings,
            )
            await record(conn, _change(added, "added", None, _seen(added, None)))
            return added
    except rows.AlreadyExists as err:
        raise NameTaken("connection", order.name) from err


_ADDRESSES = (
    "ami_host",
    "ami_port",
    "ami_tls",
    "base_url",
    "esl_host",
    "esl_port",
    "host",
    "originate_url",
    "port",
    "tls",
)


class HoldsKeys(Protocol):
    """A connection to a PBX or to an SMS provider."""

    @property
    def keys(self) -> Mapping[str, str]: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...


def sends_keys_elsewhere(now: HoldsKeys, settings: Mapping[str, Any]) -> bool:
    """Whether the stored keys, which nobody is shown, would go to an address that they were not given for."""
    return bool(now.keys) and any(
        settings.get(name) not in (None, "", now.settings.get(name)) for name in _ADDRESSES
    )


async def change_connection(
    conn: Conn,
    account_id: str,
    name: str,
    changes: Mapping[str, Any],
    kinds: Mapping[str, PbxKind],
    allowed: Allowed = NOTHING_MORE,
    *,
    people_follow: bool = False,
) -> Connection:
    """Change a connection. changes: of kind, dialect, region, lines (in any spelling), keys, settings, is_on, secret; what is absent stays, None takes away.

    What stands there already may be older than what is known of its kind today: judged is what differs from it, and all
    of it where the kind changes. Of another kind are the dialect, if none is given, and the keys that it knows.
    people_follow: the account's staff is replaced next, and judged then. Raise InputRefused; nothing is stored then.
    """
    async with conn.transaction():
        now = await connection_of(conn, account_id, name)
        are_told = "keys" in changes
        changes = _whole(now, changes, kinds)
        if "settings" in changes:
            changes["settings"] = told_settings(changes["settings"], now.settings)
        kept = {} if are_told else changes.get("keys", now.keys)
        if kept and sends_keys_elsewhere(now, changes.get("settings", now.settings)):
            raise keys_needed_again(kept)
        differing = _differing(now, changes)
        lines = judged(
            differing,
            await _policy(conn, account_id, changes.get("region", now.region)),
            kinds,
            changes.get("dialect", now.dialect),
        )
        refuse_bad_places(differing.settings, kinds[differing.kind].vendor_hosts, allowed)
        added = [line for line in lines if line not in now.lines]
        await _refuse_own_numbers(conn, account_id, added, people_follow=people_follow)
        written = dict(changes)
        if "lines" in changes:
            written["lines"] = lines or now.lines if changes["lines"] else ()
        changed = await rows.change_connection(conn, name, **written)
        before = _seen(now, None) | ({"secret": "set"} if "secret" in changes else {})
        after = _seen(changed, now) | ({"secret": "changed"} if "secret" in changes else {})
        await record(conn, _change(changed, "changed", before, after))
        return changed


def _seen(connection: Connection, before: Connection | None) -> dict[str, Any]:
    """Return what the record of changes tells of a connection; of its keys only that they are there, or are others."""
    told = {n: getattr(connection, n) for n in ("kind", "dialect", "region", "lines", "settings", "is_on")}
    keys = secrets_said(before.keys if before else None, connection.keys)
    settings = shown_settings(connection.settings)
    return {**told, "settings": settings, "lines": list(connection.lines), "keys": keys}


def _change(
    connection: Connection, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> AuditChange:
    return AuditChange(
        what="connection",
        object=connection.name,
        action=action,
        account_id=connection.account_id,
        before=before,
        after=after,
    )


def _whole(now: Connection, changes: Mapping[str, Any], kinds: Mapping[str, PbxKind]) -> dict[str, Any]:
    """Return the changes with what follows from them: of None, and of another kind."""
    whole = {n: _EMPTY.get(n, v) if v is None else v for n, v in changes.items()}
    kind = kinds.get(whole.get("kind", now.kind))
    if kind is not None and kind.kind != now.kind:
        known = {name: key for name, key in now.keys.items() if name in kind.keys}
        whole = {"dialect": None, "keys": known, **whole}
    if "dialect" in whole and whole["dialect"] is None and kind is not None:
        whole["dialect"] = kind.default_dialect
    return whole


_EMPTY: Mapping[str, Any] = {"lines": (), "keys": {}, "settings": {}}


async def _refuse_own_numbers(
    conn: Conn, account_id: str, lines: Sequence[str], *, people_follow: bool
) -> None:
    """Raise InputRefused for a line (E.164) at which an employee is rung: it would be asked who is responsible there."""
    await rows.lock_account(conn, account_id)
    if people_follow or not lines:
        return
    if found := line_of_somebody(lines, await stored_employees(conn, account_id)):
        line, person = found
        remedy = "write the company's own number, or take it from the employee first"
        raise InputRefused("lines", f"'{line}' is a number of {person.name}", remedy)


def _differing(now: Connection, changes: Mapping[str, Any]) -> ConnectionOrder:
    """Of a changed connection what is to be judged."""
    kind = changes.get("kind", now.kind)
    wanted = {n: changes.get(n, getattr(now, n)) for n in ("dialect", "region", "keys", "settings")}
    lines = tuple(changes.get("lines", ()))
    if kind != now.kind:
        return ConnectionOrder(name=now.name, kind=kind, lines=lines, **wanted)
    return ConnectionOrder(
        name=now.name,
        kind=kind,
        dialect=wanted["dialect"] if wanted["dialect"] != now.dialect else None,
        region=wanted["region"] if wanted["region"] != now.region else None,
        lines=lines if lines != now.lines else (),
        keys={k: v for k, v in wanted["keys"].items() if now.keys.get(k) != v},
        settings={
            k: v for k, v in wanted["settings"].items() if k not in now.settings or now.settings[k] != v
        },
    )


async def connection_of(conn: Conn, account_id: str | None, name: str) -> Connection:
    """Raise NothingOfThatName. account_id None: of any account."""
    found = {c.name: c for c in await rows.connections(conn, account_id)}
    if name not in found:
        raise NothingOfThatName("connection", name)
    return found[name]


async def remove_connection(
    conn: Conn, account_id: str | None, name: str, *, even_if_used: bool = False
) -> Connection:
    """Return the one that was removed. Its calls and decisions stay. Raise NothingOfThatName, ConnectionInUse."""
    async with conn.transaction():
        removed = await connection_of(conn, account_id, name)
        uses = await uses_of_connection(conn, removed.account_id, name)
        if uses and not even_if_used:
            raise ConnectionInUse(name, uses)
        await rows.remove_connection(conn, name)
        await forget_connection(conn, removed.account_id, name)
        await record(conn, _change(removed, "removed", _seen(removed, None), None))
        return removed


def judged(
    order: ConnectionOrder, policy: NumberPolicy, kinds: Mapping[str, PbxKind], dialect: str | None
) -> tuple[str, ...]:
    """Return the order's lines as E.164. dialect: that the connection will speak, None = the kind's own. Raise InputRefused
    for whatever a connection cannot be."""
    refuse_bad_connection_name(order.name)
    if order.region is not None:
        refuse_bad_region(order.region)
    refuse_unknown_kind(order.kind, kinds)
    kind = kinds[order.kind]
    refuse_names("dialect", [] if order.dialect is None else [order.dialect], {*DIALECTS, *kind.own_dialects})
    refuse_names("keys", order.keys, kind.keys)
    known = settings_of(kind, dialect)
    refuse_names("settings", order.settings, known)
    refuse_bad_values(order.settings, known)
    refuse_bad_keys(order.keys)
    if len(order.lines) > _MOST_LINES:
        raise InputRefused("lines", f"{len(order.lines)} lines are too many", f"write {_MOST_LINES} or fewer")
    return lines_of(order.lines, policy)


def refuse_bad_connection_name(name: str) -> None:
    """Raise InputRefused where no connection can be called so."""
    if not re.fullmatch(SHORT_NAME, name):
        remedy = "write up to 63 small letters, digits, - and _, with a letter or digit first"
        raise InputRefused("name", f"'{name}' is no name of a connection", remedy)


def refuse_unknown_kind(kind: str, kinds: Mapping[str, PbxKind]) -> None:
    refuse_names("kind", [kind], kinds)


async def _policy(conn: Conn, account_id: str, region: str | None) -> NumberPolicy:
    account = await rows.account(conn, account_id)
    return account.settings.numbers.model_copy(update={"region": region or account.region})


def lines_of(raw: Iterable[str], policy: NumberPolicy) -> tuple[str, ...]:
    """Our numbers as E.164, each once. Raise InputRefused for what is no phone number."""
    lines: list[str] = []
    for text in raw:
        number = normalise(text, policy)
        if not isinstance(number, PublicNumber):
            raise InputRefused("lines", f"'{text}' is not a phone number", "write it as +74951234567")
        lines.append(number.e164)
    return tuple(dict.fromkeys(lines))


def pbx_instructions(kind: str, name: str, secret: str, base_url: str, kinds: Mapping[str, PbxKind]) -> str:
    """base_url: how the PBX reaches the gateway. The secret stands in the text: show it once, never log it."""
    return kinds[kind].instructions(name, secret, f"{base_url.rstrip('/')}/pbx/{name}")
