"""Dialogues in the CRM's own chats as a person sets them up: what its support gave, the switch, and how it fares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.accounts import lock_account, save_settings
from gateway.store.admin.audit import AuditChange, record
from gateway.store.crm_chats import channels as store
from gateway.store.crm_chats.channels import CrmChatChannel
from gateway.store.crm_chats.hooks import crm_hook_counts
from gateway.store.crm_chats.messages import crm_chat_counts, try_dead_again
from runtime.database.pool import Conn

CrmChatsState = Literal["not-set-up", "off", "connecting", "connected", "trouble"]
_ID = re.compile(r"[A-Za-z0-9.-]{4,100}")
_SECRET = re.compile(r"[\x21-\x7e]{8,200}")
_GIVEN = ("channel_id", "secret", "bot_id", "amojo_id")
_NEEDED = ("channel_id", "secret", "bot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmChatsView:
    """As a person sees it. hook_url: what the CRM's support is told, with `:scope_id` as it stands. error: `code: words`, "" = none.
    waiting, dead: messages that are not shown yet, and that could not be. refused: messages of cards that were not sent."""

    state: CrmChatsState
    is_on: bool
    hook_url: str
    channel_id: str = ""
    bot_id: str = ""
    amojo_id: str = ""
    has_secret: bool = False
    connected_at: datetime | None = None
    error: str = ""
    error_at: datetime | None = None
    waiting: int = 0
    dead: int = 0
    refused: int = 0


async def crm_chats_view(conn: Conn, account_id: str, public_url: str) -> CrmChatsView:
    is_on = (await account_of(conn, account_id)).settings.dialogues.in_crm
    held = await store.crm_chat_channel(conn, account_id)
    hook_url = f"{public_url.rstrip('/')}/crm/chats/:scope_id"
    if held is None:
        return CrmChatsView(state="not-set-up", is_on=is_on, hook_url=hook_url)
    return CrmChatsView(
        state=_state(held),
        is_on=is_on,
        hook_url=hook_url,
        channel_id=held.channel_id,
        bot_id=held.bot_id,
        amojo_id=held.amojo_id,
        has_secret=bool(held.secret),
        connected_at=held.connected_at if held.scope_id else None,
        error=held.error,
        error_at=held.error_at,
        refused=await crm_hook_counts(conn, account_id),
        **await crm_chat_counts(conn, account_id),
    )


async def change_crm_chats(conn: Conn, account_id: str, changes: Mapping[str, Any]) -> None:
    """Change channel_id, secret, bot_id, amojo_id or is_on; what is absent stays. Raise InputRefused; nothing is changed then."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        held = await store.crm_chat_channel(conn, account_id)
        before = _shown(held)
        given = {name: str(changes[name]).strip() for name in _GIVEN if changes.get(name) is not None}
        if given:
            await _keep(conn, account_id, held, given)
            after = {**_shown(await store.crm_chat_channel(conn, account_id))}
            if "secret" in given and held is not None and given["secret"] != held.secret:
                after["secret"] = "changed"  # noqa: S105
            await record(conn, _change(account_id, "changed" if held else "set up", before, after))
        if changes.get("is_on") is not None:
            await _switch(conn, account_id, is_on=bool(changes["is_on"]))


async def remove_crm_chats(conn: Conn, account_id: str) -> None:
    """Forget what the CRM's support gave. Raise InputRefused while it is in use, NothingOfThatName where there is nothing."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        held = await store.crm_chat_channel(conn, account_id)
        if held is None:
            raise NothingOfThatName("connection with the CRM's chats", account_id, "crm-chats show")
        if held.is_wanted or held.scope_id is not None:
            raise InputRefused(
                "account",
                "dialogues are shown in the CRM's chats, or were a moment ago",
                "switch it off first, and wait until its state is 'off'",
            )
        await store.remove_crm_chat_channel(conn, account_id)
        await record(conn, _change(account_id, "removed", _shown(held), None))


async def retry_crm_chats(conn: Conn, account_id: str) -> int:
    """Have what could not be shown tried again. How many."""
    async with conn.transaction():
        count = await try_dead_again(conn, account_id)
        if count:
            await record(conn, _change(account_id, "tried again", None, {"messages": count}))
        return count


async def _keep(conn: Conn, account_id: str, held: CrmChatChannel | None, given: Mapping[str, str]) -> None:
    wanted = {name: given.get(name, getattr(held, name, "")) for name in _GIVEN}
    for name in _NEEDED:
        if not wanted[name]:
            raise InputRefused(
                name, f"{name} is not said", "the CRM's support tells it when it registers the channel"
            )
    for name in given:
        pattern = _SECRET if name == "secret" else _ID
        if given[name] == "" and name == "amojo_id":
            continue
        if not pattern.fullmatch(given[name]):
            shown = "" if name == "secret" else f" '{given[name][:60]}'"
            raise InputRefused(
                name,
                f"{name}{shown} is none that the CRM gives",
                "copy it from the letter of the CRM's support",
            )
    if held is not None and all(getattr(held, name) == wanted[name] for name in _GIVEN):
        return
    await store.keep_crm_chat_channel(conn, account_id, **wanted)


async def _switch(conn: Conn, account_id: str, *, is_on: bool) -> None:
    settings = (await account_of(conn, account_id)).settings
    if is_on and await store.crm_chat_channel(conn, account_id) is None:
        raise InputRefused(
            "is_on",
            "it is not said how the CRM's chats are reached",
            "give channel_id, secret and bot_id first, or with it",
        )
    if settings.dialogues.in_crm == is_on:
        return
    dialogues = settings.dialogues.model_copy(update={"in_crm": is_on})
    await save_settings(conn, account_id, settings.model_copy(update={"dialogues": dialogues}))
    before, after = {"is_on": not is_on}, {"is_on": is_on}
    await record(conn, _change(account_id, "switched", before, after))


def _state(held: CrmChatChannel) -> CrmChatsState:
    if held.error:
        return "trouble"
    if held.scope_id is not None:
        return "connected"
    return "connecting" if held.is_wanted else "off"


def _shown(held: CrmChatChannel | None) -> dict[str, Any]:
    if held is None:
        return {}
    return {
        "channel_id": held.channel_id,
        "bot_id": held.bot_id,
        "amojo_id": held.amojo_id,
        "secret": "set",
    }


def _change(
    account_id: str, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> AuditChange:
    return AuditChange(
        what="crm_chats",
        object=account_id,
        action=action,
        account_id=account_id,
        before=before or None,
        after=after or None,
    )
