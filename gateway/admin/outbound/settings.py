"""How clients are called and written to, as a person sets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from crm.store.metadata import fields_of
from gateway.admin.accounts import save_settings as save_all_settings
from gateway.admin.input_words import problems_of, validated
from gateway.admin.refused import InputRefused
from gateway.store.admin.accounts import account, lock_account
from routing.outbound.pace import RateRefused, rate_from
from routing.outbound.settings import OutboundSettings
from runtime.database.pool import Conn

_NO_TEXT = frozenset(("zone_field",))
"""Settings that may be taken away: an empty text stands for nothing."""


def rate_said(said: str | float) -> int:
    """Read calls a minute as a person said them. Raise InputRefused."""
    try:
        return rate_from(str(said))
    except RateRefused as err:
        raise InputRefused("rate", f"'{said}' is no number of calls a minute", str(err)) from err


async def show_settings(conn: Conn, account_id: str) -> OutboundSettings:
    return (await account(conn, account_id)).settings.outbound


async def save_settings(conn: Conn, account_id: str, wanted: OutboundSettings) -> OutboundSettings:
    """They hold at once. Raise InputRefused; nothing is stored then."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        await _store(conn, account_id, wanted)
    return wanted


async def change_settings(conn: Conn, account_id: str, changes: Mapping[str, Any]) -> OutboundSettings:
    """Change what is named and leave the rest. changes: by name, of parts of parts with dots ("hours.opens"); texts are read as a
    person types them. Raise InputRefused."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        now = await show_settings(conn, account_id)
        body = now.model_dump(mode="json")
        for name, value in changes.items():
            _put(body, name, value)
        try:
            wanted = validated(OutboundSettings, body)
        except ValidationError as err:
            field, message = problems_of(err, "settings")[0]
            raise InputRefused(field, message, "see 'callmatrix outbound settings' for how each is") from err
        await _store(conn, account_id, wanted)
    return wanted


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    part, *rest = name.split(".")
    held = body
    while rest and isinstance(held.get(part), dict):
        held, (part, *rest) = held[part], rest
    if rest or part not in held or isinstance(held[part], dict):
        raise InputRefused(name, "there is no such setting", "see 'callmatrix outbound settings'")
    held[part] = rate_said(value) if name == "rate" else _read(name, value, held[part])


def _read(name: str, value: Any, before: Any) -> Any:
    """Read what was typed as what stands there is: a number, a switch, a list of numbers, or a text."""
    if not isinstance(value, str):
        return value
    if isinstance(before, bool):
        return _switch(name, value)
    if isinstance(before, int):
        return _whole(name, value)
    if isinstance(before, (list, tuple)):
        return [_whole(name, part) for part in value.split(",") if part.strip()]
    return None if name in _NO_TEXT and not value else value


def _whole(name: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise InputRefused(name, f"'{text}' is no whole number", "write it in the digits 0 to 9")
    return int(text)


def _switch(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise InputRefused(name, f"'{text}' is neither true nor false", "write true or false")
    return text == "true"


async def _store(conn: Conn, account_id: str, wanted: OutboundSettings) -> None:
    whose = await account(conn, account_id)
    field = wanted.zone_field
    if field not in (None, whose.settings.outbound.zone_field):
        await _refuse_unknown_field(conn, account_id, str(field))
    await save_all_settings(conn, account_id, whose.settings.model_copy(update={"outbound": wanted}))


async def _refuse_unknown_field(conn: Conn, account_id: str, name: str) -> None:
    """Fields that were never read are not judged."""
    kind, _, id = name.partition(".cf_")
    known = {found.id for found in await fields_of(conn, account_id, "deal" if kind == "deal" else "contact")}
    if known and id not in known:
        remedy = "write contact.cf_ or deal.cf_ and the number of a field, or nothing"
        raise InputRefused("zone_field", f"the CRM has no field {name}", remedy)
