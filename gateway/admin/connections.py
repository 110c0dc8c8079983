"""PBX connections as a person orders them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from gateway.admin.accounts import is_time_zone
from gateway.pbx.capabilities import SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.connection_settings import COMMON_SETTINGS
from gateway.pbx.dialects import DIALECTS, NUMBER_SPELLINGS
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts as rows
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class ConnectionRefused(Exception):
    """What was ordered is not what a connection can be. field: which part of it; remedy: what to write instead."""

    code = "invalid-input"

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field, self.message, self.remedy = field, message, remedy


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
    kinds: Mapping[str, PbxKind] = KINDS,
) -> Connection:
    """Raise ConnectionRefused, AlreadyExists, NoSuchAccount; nothing is stored then."""
    policy = await _policy(conn, account_id, order.region)
    lines = checked(order, policy, kinds)
    return await rows.add_connection(
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


async def change_connection(
    conn: Conn,
    account_id: str,
    order: ConnectionOrder,
    changes: Mapping[str, Any],
    kinds: Mapping[str, PbxKind] = KINDS,
) -> Connection:
    """order: how it shall be; changes: the columns to write, lines as spelled. Raise ConnectionRefused."""
    policy = await _policy(conn, account_id, order.region)
    lines = checked(order, policy, kinds)
    return await rows.change_connection(
        conn, order.name, **{**changes, **({"lines": lines} if "lines" in changes else {})}
    )


def checked(
    order: ConnectionOrder, policy: NumberPolicy, kinds: Mapping[str, PbxKind] = KINDS
) -> tuple[str, ...]:
    """The order's lines as E.164. Raise ConnectionRefused for whatever a connection cannot be."""
    if not _NAME.fullmatch(order.name):
        remedy = "write up to 63 small letters, digits, - and _, with a letter or digit first"
        raise ConnectionRefused("name", f"'{order.name}' is no name of a connection", remedy)
    if order.region is not None and order.region not in SUPPORTED_REGIONS:
        raise ConnectionRefused(
            "region", f"'{order.region}' is no region", "write a country's two letters, e.g. RU"
        )
    refuse_unknown(order.kind, dialect=order.dialect, keys=order.keys, settings=order.settings, kinds=kinds)
    refuse_bad_values(order.settings, {**COMMON_SETTINGS, **kinds[order.kind].settings})
    return lines_of(order.lines, policy)


async def _policy(conn: Conn, account_id: str, region: str | None) -> NumberPolicy:
    account = await rows.account(conn, account_id)
    return account.settings.numbers.model_copy(update={"region": region or account.region})


def refuse_unknown(
    kind: str,
    *,
    dialect: str | None = None,
    keys: Iterable[str] = (),
    settings: Iterable[str] = (),
    kinds: Mapping[str, PbxKind] = KINDS,
) -> None:
    """Raise ConnectionRefused for names that nothing would ever read."""
    _refuse("kind", [kind], kinds)
    _refuse("dialect", [] if dialect is None else [dialect], DIALECTS)
    _refuse("keys", keys, kinds[kind].keys)
    _refuse("settings", settings, {**COMMON_SETTINGS, **kinds[kind].settings})


def _refuse(field: str, names: Iterable[str], known: Iterable[str]) -> None:
    choices = sorted(known)
    for name in names:
        if name not in choices:
            raise ConnectionRefused(
                field, f"'{name}' is not known here", f"known: {', '.join(choices) or 'none'}"
            )


def refuse_bad_values(settings: Mapping[str, Any], types: Mapping[str, SettingType]) -> None:
    """Raise ConnectionRefused for the first value that its setting cannot have."""
    for name, value in settings.items():
        is_fitting, remedy = _VALUES[types[name]]
        if not is_fitting(value):
            raise ConnectionRefused("settings", f"'{value}' is no value of {name}", remedy)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    text = str(value).strip()
    return text.isascii() and text.isdigit() and len(text) <= 6


def _is_port(value: Any) -> bool:
    return _is_whole(value) and 1 <= int(value) <= 65535


def _is_switch(value: Any) -> bool:
    return str(value).strip().lower() in _SWITCHES


def _is_list(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _is_zone(value: Any) -> bool:
    return isinstance(value, str) and is_time_zone(value)


_SWITCHES = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off"})
_VALUES: Mapping[SettingType, tuple[Callable[[Any], bool], str]] = {
    "text": (_is_text, "write a text"),
    "whole": (_is_whole, "write a whole number from 0, e.g. 4"),
    "port": (_is_port, "write a port from 1 to 65535"),
    "switch": (_is_switch, "write true or false"),
    "list": (_is_list, "write a text, several with commas between them"),
    "time zone": (_is_zone, "write its IANA name, e.g. Europe/Moscow"),
    "number spelling": (lambda value: value in NUMBER_SPELLINGS, f"one of: {', '.join(NUMBER_SPELLINGS)}"),
}


def lines_of(raw: Iterable[str], policy: NumberPolicy) -> tuple[str, ...]:
    """Our numbers as E.164, each once. Raise ConnectionRefused for what is no phone number."""
    lines: list[str] = []
    for text in raw:
        number = normalise(text, policy)
        if not isinstance(number, PublicNumber):
            raise ConnectionRefused("lines", f"'{text}' is not a phone number", "write it as +74951234567")
        lines.append(number.e164)
    return tuple(dict.fromkeys(lines))


def pbx_instructions(
    kind: str, name: str, secret: str, base_url: str, kinds: Mapping[str, PbxKind] = KINDS
) -> str:
    """base_url: how the PBX reaches the gateway. The secret stands in the text: show it once, never log it."""
    return kinds[kind].instructions(name, secret, f"{base_url.rstrip('/')}/pbx/{name}")
