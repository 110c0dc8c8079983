"""Messenger channels as a person connects, renames, ticks and removes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from gateway.admin.channels.rules import changed_rules, refuse_misfits, rules_of
from gateway.admin.connections import sends_keys_elsewhere
from gateway.admin.input_words import is_one_line
from gateway.admin.protection.allowed import NOTHING_MORE, Allowed, refuse_bad_places
from gateway.admin.protection.setting_values import (
    keys_needed_again,
    refuse_bad_keys,
    refuse_bad_values,
    refuse_names,
    refuse_other_choices,
)
from gateway.admin.protection.shown_settings import shown_settings, told_settings
from gateway.admin.refused import InputRefused, InUse, NameTaken, NothingOfThatName
from gateway.pbx.capabilities import SettingType
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.audit import AuditChange, record, secrets_said
from gateway.store.channels import channels as store
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import count_of_channel
from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from runtime.tokens import new_secret
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.port import ChannelKind, MessengerChannel

LONGEST_CHANNEL_NAME = 60
_ID_BITS = 72
_MORE_TRIES = 3

_OF_EACH: Mapping[str, SettingType] = {"base_url": "text", "answer_seconds": "count"}
_TYPES: Mapping[str, SettingType] = {"poll_seconds": "count", "window_hours": "whole", "webhook": "switch"}
"""Of settings that are no free text."""


class ChannelInUse(InUse):
    """Clients have written in it: their dialogues go with it."""

    code = "channel-in-use"

    def __init__(self, name: str, dialogues: int, messages: int) -> None:
        uses = [f"{dialogues} dialogues", f"{messages} messages"]
        super().__init__(
            "channel", f"with '{name}' would go", uses, "switch it off, or say that it goes all the same"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOrder:
    """A channel as a person asks for it, on the command line or by API."""

    name: str
    kind: str
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)


async def add_channel(
    conn: Conn, account_id: str, order: ChannelOrder, allowed: Allowed = NOTHING_MORE
) -> SavedChannel:
    """Raise InputRefused; nothing is stored then."""
    _refuse_bad_name(order.name)
    refuse_names("kind", [order.kind], CHANNEL_KINDS)
    wanted = MessengerChannel(
        account_id=account_id,
        id=new_secret(_ID_BITS).replace("-", "0").replace("_", "1"),
        name=order.name,
        kind=order.kind,
        keys=order.keys,
        settings=told_settings(order.settings, {}),
    )
    _refuse_bad(wanted, CHANNEL_KINDS[order.kind], allowed)
    rules = rules_of(order.rules)
    async with conn.transaction():
        await refuse_misfits(conn, account_id, rules)
        added = await store.add_channel(conn, wanted, rules, secret=new_secret())
        if added is None:
            raise NameTaken("channel", order.name)
        await record(conn, _change(added, "added", None, _seen(added, None)))
        return added


async def change_channel(
    conn: Conn,
    account_id: str,
    channel: str,
    changes: Mapping[str, Any],
    allowed: Allowed = NOTHING_MORE,
) -> SavedChannel:
    """Change name, keys, settings, rules or is_on; what is absent stays, None takes away. keys, settings: all of them,
    as they are to be; of rules only those that are named change, None = the default. channel: its id or name. Raise
    InputRefused, NothingOfThatName; nothing is stored then."""
    try:
        async with conn.transaction():
            await lock_account(conn, account_id)
            now = await channel_of(conn, account_id, channel)
            written = _written(now, changes)
            if "rules" in written:
                await refuse_misfits(conn, account_id, written["rules"], now.rules)
            _refuse_bad(
                now.channel.differing(written.get("keys", {}), written.get("settings", {})),
                CHANNEL_KINDS[now.channel.kind],
                allowed,
            )
            changed = await store.change_channel(conn, now, written)
            await record(conn, _change(changed, "changed", _seen(now, None), _seen(changed, now)))
            return changed
    except asyncpg.UniqueViolationError as err:
        raise NameTaken("channel", str(changes.get("name"))) from err


async def remove_channel(
    conn: Conn, account_id: str, channel: str, *, even_if_used: bool = False
) -> SavedChannel:
    """Remove it with its dialogues, which must be said where there are some. Raise NothingOfThatName, ChannelInUse."""
    for _ in range(_MORE_TRIES):
        try:
            return await _removed(conn, account_id, channel, even_if_used=even_if_used)
        except Exception as err:  # a deadlock, where somebody works on its clients just now
            if not may_pass(err):
                raise
    return await _removed(conn, account_id, channel, even_if_used=even_if_used)


async def _removed(conn: Conn, account_id: str, channel: str, *, even_if_used: bool) -> SavedChannel:
    async with conn.transaction():
        removed = await channel_of(conn, account_id, channel)
        dialogues, messages = await count_of_channel(conn, account_id, removed.id)
        if dialogues and not even_if_used:
            raise ChannelInUse(removed.name, dialogues, messages)
        await store.remove_channel(conn, account_id, removed.id)
        await record(conn, _change(removed, "removed", _seen(removed, None), None))
        return removed


async def channel_of(conn: Conn, account_id: str, channel: str) -> SavedChannel:
    """Return the one of this id or name. Raise NothingOfThatName."""
    found = [s for s in await store.saved_channels(conn, account_id) if channel in (s.id, s.name)]
    if not found:
        raise NothingOfThatName("channel", channel)
    return found[0]


def _written(now: SavedChannel, changes: Mapping[str, Any]) -> dict[str, Any]:
    written = {n: {} if v is None and n in ("keys", "settings") else v for n, v in changes.items()}
    if "name" in written:
        _refuse_bad_name(written["name"])
    if "settings" in written:
        written["settings"] = told_settings(written["settings"], now.channel.settings)
    if "rules" in written:
        written["rules"] = changed_rules(now.rules, written["rules"])
    settings = written.get("settings", now.channel.settings)
    if "keys" not in changes and sends_keys_elsewhere(now.channel, settings):
        raise keys_needed_again(now.channel.keys)
    return written


def _refuse_bad(wanted: MessengerChannel, kind: ChannelKind, allowed: Allowed) -> None:
    refuse_names("keys", wanted.keys, (*kind.keys, *kind.more_keys))
    refuse_bad_keys(wanted.keys)
    types = {**{name: _TYPES.get(name, "text") for name in kind.settings}, **_OF_EACH}
    refuse_names("settings", wanted.settings, types)
    refuse_bad_values(wanted.settings, types)
    refuse_other_choices(wanted.settings, kind.choices)
    refuse_bad_places(wanted.settings, kind.vendor_hosts, allowed)


def _refuse_bad_name(name: str) -> None:
    if name.strip() != name or not 1 <= len(name) <= LONGEST_CHANNEL_NAME or not is_one_line(name):
        remedy = f"write 1 to {LONGEST_CHANNEL_NAME} characters on one line, without spaces around them"
        raise InputRefused("name", f"'{name}' is no name of a channel", remedy)


def _seen(saved: SavedChannel, before: SavedChannel | None) -> dict[str, Any]:
    """Return what the record of changes tells; of keys only that they are there, or are others."""
    return {
        "name": saved.name,
        "kind": saved.channel.kind,
        "settings": shown_settings(saved.channel.settings),
        "rules": saved.rules.model_dump(mode="json", exclude_defaults=True),
        "is_on": saved.is_on,
        "keys": secrets_said(before.channel.keys if before else None, saved.channel.keys),
    }


def _change(
    saved: SavedChannel, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> AuditChange:
    return AuditChange(
        what="channel",
        object=saved.name,
        action=action,
        account_id=saved.account_id,
        before=before,
        after=after,
    )
