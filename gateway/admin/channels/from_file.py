"""Messenger channels as a configuration file brings them: without keys, which nobody writes into a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.admin.channels.access import share_out
from gateway.admin.channels.channels import ChannelOrder, add_channel, change_channel
from gateway.admin.config_document import (
    ChannelPart,
    ConfigDocument,
    ConfigRefused,
    DocumentProblem,
    refuse_twice,
)
from gateway.admin.connections import sends_keys_elsewhere
from gateway.admin.distribution.from_file import Warn
from gateway.admin.protection.allowed import Allowed
from gateway.admin.protection.shown_settings import told_settings
from gateway.admin.refused import InputRefused
from gateway.store.admin.accounts import account
from gateway.store.admin.matrix_catalogue import template_people
from gateway.store.admin.staff import staff_of
from gateway.store.channels.access import rights_in_channels
from gateway.store.channels.channels import ChannelInFile, SavedChannel, saved_channels
from routing.dialogues.rule_problems import right_problems
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS


async def channels_in_file(conn: Conn, account_id: str) -> list[ChannelInFile]:
    """Return the channels of an account with who may do what in each."""
    rights = await rights_in_channels(conn, account_id)
    return [
        ChannelInFile(saved, {who: of[saved.id] for who, of in sorted(rights.items()) if saved.id in of})
        for saved in await saved_channels(conn, account_id)
    ]


async def take_channels(
    conn: Conn, account_id: str, document: ConfigDocument, allowed: Allowed, warn: Warn
) -> None:
    """Add and change as the API would, in the caller's transaction; what the file does not name stays, and is told of. Raises
    ConfigRefused."""
    if document.channels is None:
        return
    refuse_twice("channels", [part.name for part in document.channels])
    stored = {one.saved.name: one for one in await channels_in_file(conn, account_id)}
    taken: list[SavedChannel] = []
    for position, part in enumerate(document.channels):
        try:
            taken.append(saved := await _take(conn, account_id, part, stored.pop(part.name, None), allowed))
        except InputRefused as err:
            where = f"channels.{position} «{part.name}».{err.field}"
            raise ConfigRefused([DocumentProblem(where, err.message, err.remedy, err.code)]) from err
        if lacks := CHANNEL_KINDS[part.kind].missing(saved.channel):
            warn("channel-lacks", name=part.name, names=", ".join(lacks))
    await _warn_of_rights(conn, account_id, taken, warn)
    for name in stored:
        warn("channel-stays", name=name)


async def _warn_of_rights(conn: Conn, account_id: str, taken: Sequence[SavedChannel], warn: Warn) -> None:
    """Tell of whom a template hands deals to and who may not write in the channel, by the rights as they are now."""
    staff = await staff_of(conn, account_id)
    templates = await template_people(conn, account_id, staff)
    rights = await rights_in_channels(conn, account_id)
    observers = (await account(conn, account_id)).settings.dialogues.observers
    for saved in taken:
        for told in right_problems(saved.id, saved.rules, templates, rights, observers, staff):
            warn(f"channel-{told.code}", name=saved.name, names=told.value)


async def _take(
    conn: Conn, account_id: str, part: ChannelPart, now: ChannelInFile | None, allowed: Allowed
) -> SavedChannel:
    saved = await _added(conn, account_id, part, allowed) if now is None else now.saved
    if saved.channel.kind != part.kind:
        raise InputRefused(
            "kind",
            f"the channel is of the kind '{saved.channel.kind}', and its dialogues would go with it",
            "give the other one another name, or remove this one first",
        )
    settings = told_settings(part.settings, saved.channel.settings)
    if (saved.channel.settings, saved.rules, saved.is_on) != (settings, part.rules, part.is_on):
        changes: dict[str, Any] = {
            "settings": part.settings,
            "rules": part.rules.model_dump(mode="json"),  # exactly these
            "is_on": part.is_on,
        }
        if sends_keys_elsewhere(saved.channel, settings):
            changes["keys"] = {}  # a file holds none: they are given anew for the new address
        saved = await change_channel(conn, account_id, saved.id, changes, allowed)
    if part.rights is not None:
        there = now.rights if now else {}
        if changed := {
            who: part.rights.get(who)
            for who in {*there, *part.rights}
            if there.get(who) != part.rights.get(who)
        }:
            await share_out(conn, account_id, saved.id, changed)
    return saved


async def _added(conn: Conn, account_id: str, part: ChannelPart, allowed: Allowed) -> SavedChannel:
    rules = part.rules.model_dump(mode="json", exclude_defaults=True)
    order = ChannelOrder(name=part.name, kind=part.kind, settings=part.settings, rules=rules)
    return await add_channel(conn, account_id, order, allowed)
