"""SMS providers as a person connects them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.admin.connections import refuse_bad_connection_name, sends_keys_elsewhere
from gateway.admin.input_words import is_one_line
from gateway.admin.protection.allowed import NOTHING_MORE, Allowed, refuse_bad_places
from gateway.admin.protection.setting_values import (
    keys_needed_again,
    refuse_bad_keys,
    refuse_bad_values,
    refuse_names,
)
from gateway.admin.protection.shown_settings import shown_settings, told_settings
from gateway.admin.refused import ConnectionInUse, InputRefused, NameTaken, NothingOfThatName
from gateway.pbx.capabilities import SettingType
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.audit import AuditChange, record, secrets_said
from gateway.store.outbound.uses import uses_of_sms_connection
from gateway.store.sms import connections as store
from gateway.store.sms import turns
from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.links import forget_link
from runtime.database.pool import Conn, database_now
from runtime.tokens import new_secret
from sms.kinds import SMS_KINDS
from sms.port import SmsConnection, SmsKind

LONGEST_SENDER = 40

_OF_HTTP: Mapping[str, SettingType] = {"base_url": "text", "answer_seconds": "whole"}
_TYPES: Mapping[str, SettingType] = {
    "port": "port",
    "window": "count",
    "tls": "switch",
    "is_test": "switch",
    "delivered_after_seconds": "whole",
}
"""Of settings that are no free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsConnectionOrder:
    """A provider as a person asks for it, on the command line, by API or in a file."""

    name: str
    kind: str
    sender: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def sms_settings_of(kind: SmsKind) -> Mapping[str, SettingType]:
    """Return all that a connection of this kind reads."""
    own = {name: _TYPES.get(name, "text") for name in kind.settings}
    return {**own, **_OF_HTTP} if kind.vendor_hosts else own


async def add_sms_connection(
    conn: Conn,
    account_id: str,
    order: SmsConnectionOrder,
    allowed: Allowed = NOTHING_MORE,
    kinds: Mapping[str, SmsKind] = SMS_KINDS,
) -> SavedSmsConnection:
    """Raise InputRefused; nothing is stored then."""
    refuse_bad_connection_name(order.name)
    refuse_names("kind", [order.kind], kinds)
    wanted = SmsConnection(
        account_id=account_id,
        id=order.name,
        name=order.name,
        kind=order.kind,
        keys=order.keys,
        settings=told_settings(order.settings, {}),
    )
    _refuse_bad(wanted, kinds[order.kind], allowed)
    refuse_bad_sender(order.sender)
    async with conn.transaction():
        added = await store.add_sms_connection(conn, wanted, sender=order.sender, report_secret=new_secret())
        if added is None:
            raise NameTaken("SMS connection", order.name)
        await record(conn, _change(added, "added", None, _seen(added, None)))
        return added


async def change_sms_connection(
    conn: Conn,
    account_id: str,
    name: str,
    changes: Mapping[str, Any],
    allowed: Allowed = NOTHING_MORE,
    kinds: Mapping[str, SmsKind] = SMS_KINDS,
) -> SavedSmsConnection:
    """Change a provider. changes: of sender, keys, settings, is_on; what is absent stays, None takes away. A provider that stopped is tried again.
    Raise InputRefused, NothingOfThatName; nothing is stored then."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        now = await sms_connection_of(conn, account_id, name)
        written = {n: {} if v is None and n in ("keys", "settings") else v for n, v in changes.items()}
        held = now.connection
        if "settings" in written:
            written["settings"] = told_settings(written["settings"], held.settings)
        settings = written.get("settings", held.settings)
        if "keys" not in changes and sends_keys_elsewhere(held, settings):
            raise keys_needed_again(held.keys)
        _refuse_bad(
            held.differing(written.get("keys", {}), written.get("settings", {})), kinds[held.kind], allowed
        )
        refuse_bad_sender(written.get("sender"))
        is_as_before = written.get("keys", held.keys) == held.keys and settings == held.settings
        if not (is_as_before and written.get("is_on", now.is_on)):  # the link is opened anew
            await forget_link(conn, account_id, name)
        changed = await store.change_sms_connection(conn, now, written)
        await record(conn, _change(changed, "changed", _seen(now, None), _seen(changed, now)))
        return changed


async def remove_sms_connection(
    conn: Conn, account_id: str, name: str, *, even_if_used: bool = False
) -> SavedSmsConnection:
    """Return the one that was removed; its messages stay told. Raise NothingOfThatName, ConnectionInUse."""
    async with conn.transaction():
        removed = await sms_connection_of(conn, account_id, name)
        uses = await uses_of_sms_connection(conn, account_id, name)
        if uses and not even_if_used:
            raise ConnectionInUse(name, uses)
        await store.remove_sms_connection(conn, account_id, name)
        await record(conn, _change(removed, "removed", _seen(removed, None), None))
        return removed


async def look_again(conn: Conn, account_id: str, name: str) -> SavedSmsConnection:
    """Have a worker ask it for its money now, and where it is stopped try one message. Raise NothingOfThatName."""
    async with conn.transaction():
        found = await sms_connection_of(conn, account_id, name)
        await turns.look_again(conn, account_id, name, await database_now(conn))
        change = AuditChange(what="sms", object=name, action="checked", account_id=account_id)
        await record(conn, change)
    return found


async def sms_connection_of(conn: Conn, account_id: str, name: str) -> SavedSmsConnection:
    """Raise NothingOfThatName."""
    found = await store.sms_connection(conn, account_id, name)
    if found is None:
        raise NothingOfThatName("SMS connection", name, "sms list")
    return found


def _refuse_bad(wanted: SmsConnection, kind: SmsKind, allowed: Allowed) -> None:
    refuse_names("keys", wanted.keys, (*kind.keys, *kind.more_keys))
    refuse_bad_keys(wanted.keys)
    types = sms_settings_of(kind)
    refuse_names("settings", wanted.settings, types)
    refuse_bad_values(wanted.settings, types)
    refuse_bad_places(wanted.settings, kind.vendor_hosts, allowed)


def refuse_bad_sender(sender: str | None) -> None:
    """Raise InputRefused where no provider could have approved it."""
    if sender is None:
        return
    if sender.strip() != sender or not 1 <= len(sender) <= LONGEST_SENDER or not is_one_line(sender):
        remedy = f"write 1 to {LONGEST_SENDER} characters as the provider has approved them"
        raise InputRefused("sender", f"'{sender}' is no sender's name", remedy)


def _seen(saved: SavedSmsConnection, before: SavedSmsConnection | None) -> dict[str, Any]:
    """Return what the record of changes tells; of keys only that they are there, or are others."""
    keys = secrets_said(before.connection.keys if before else None, saved.connection.keys)
    return {
        "kind": saved.connection.kind,
        "sender": saved.sender,
        "settings": shown_settings(saved.connection.settings),
        "is_on": saved.is_on,
        "keys": keys,
    }


def _change(
    saved: SavedSmsConnection, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> AuditChange:
    return AuditChange(
        what="sms",
        object=saved.name,
        action=action,
        account_id=saved.account_id,
        before=before,
        after=after,
    )
