"""What a channel told, made rows of the inbox: each update once, under the client whose job is to work on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import structlog

from gateway.channels.numbers import client_number, number_policy_of
from gateway.store.channels.channels import SavedChannel, change_state, keep_cursor
from gateway.store.channels.updates import NewUpdate, keys_of_chats, keys_of_messages, store_updates
from routing.dialogues.plain_line import plain_line
from routing.settings import NumberPolicy
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import (
    ChannelNews,
    ChannelStateTold,
    ChannelUpdate,
    ChatChanged,
    ChatTold,
    DeletedTold,
    MessageTold,
    StatusTold,
    UnreadTold,
)
from sms.channels.stored import key_of, update_as_json
from sms.model import is_e164

log = structlog.get_logger(__name__)

_CLOCKS_APART = timedelta(minutes=5)
"""A vendor's time that is further ahead is not believed."""
_LONGEST_NAME = 200
NOBODYS = "?"
"""In place of a chat, of what is said of a message that nobody has told yet."""

_Of = dict[tuple[str, str], str]
_Told = tuple[SavedChannel | None, ChannelUpdate]
"""(of which channel, None = of none of ours; what was told)"""


async def take_channel_news(
    conn: Conn,
    saved: SavedChannel,
    siblings: Iterable[SavedChannel],
    news: ChannelNews,
    received_at: datetime,
) -> int:
    """Store all of it in the caller's transaction. siblings: channels of the account that may share the address. How many updates
    are new."""
    alike = _alike(saved, siblings)
    by_outside = {CHANNEL_KINDS[s.channel.kind].outside_id(s.channel): s for s in alike}
    told = await _with_numbers(
        conn, [(by_outside.get(u.channel) if u.channel else saved, u) for u in _each(news.updates)]
    )
    chats = await keys_of_chats(conn, {(s.id, c.id) for s, u in told if s for c in _chats(u)})
    shared = alike if CHANNEL_KINDS[saved.channel.kind].shares_address else []
    messages = await keys_of_messages(
        conn, {(of.id, id) for s, u in told if s for id in _about(u) for of in (s, *shared)}
    )
    told = [(_whose(of, update, shared, messages), update) for of, update in told]
    rows: list[NewUpdate] = []
    for of, update in told:
        if isinstance(update, ChannelStateTold):
            if of is not None and await change_state(conn, of.account_id, of.id, update):
                log.warning("channel-state", account=of.account_id, channel=of.name, state=update.state)
        elif of is None:
            row = _row(saved, update, {}, {}, received_at)
            rows.append(replace(row, error=f"unknown-channel: none is connected as {update.channel}"))
        else:
            rows.append(_row(of, update, chats, messages, received_at))
    new = await store_updates(conn, saved.account_id, rows, received_at) if rows else 0
    if news.cursor is not None:
        await keep_cursor(conn, saved.account_id, saved.id, news.cursor)
    return new


async def keep_unreadable(
    conn: Conn, saved: SavedChannel, raw: bytes, error: str, received_at: datetime
) -> None:
    """Keep a body that says nothing that could be read, for a person to look at."""
    told = UnreadTold(raw=raw, field="body", why=error)
    await store_updates(conn, saved.account_id, [_row(saved, told, {}, {}, received_at)], received_at)


def client_key_of(channel_id: str, chat: ChatTold) -> str:
    """Return under which name work on the client of a new chat goes: the number where it is told, else the chat itself."""
    return chat.phone if is_e164(chat.phone) else f"chat:{channel_id}:{chat.id}"


async def _with_numbers(conn: Conn, told: list[_Told]) -> list[_Told]:
    """Return them with the numbers of chats in E.164, what is no number of the public network being left out, with those of
    contact cards where they are some, and with names of one line."""
    policies: dict[str, NumberPolicy] = {}
    found: list[_Told] = []
    for of, update in told:
        match update:
            case MessageTold(chat=chat, author=author):
                named = replace(author, name=plain_line(author.name, _LONGEST_NAME))
                update = replace(update, chat=_plain(chat), author=named)
            case ChatChanged(chat=chat):
                update = replace(update, chat=_plain(chat))
        if of is not None and _has_number(update):
            if of.id not in policies:
                policies[of.id] = await number_policy_of(conn, of)
            update = _with_number(update, policies[of.id])
        found.append((of, update))
    return found


def _plain(chat: ChatTold) -> ChatTold:
    """Whatever a client calls themselves, it is a name in lists, in the CRM and in logs."""
    name, username = (plain_line(told, _LONGEST_NAME) for told in (chat.name, chat.username))
    return replace(chat, name=name, username=username)


def _has_number(update: ChannelUpdate) -> bool:
    match update:
        case MessageTold(chat=chat, parts=parts):
            return bool(chat.phone) or any(part.phone for part in parts)
        case ChatChanged(chat=chat):
            return bool(chat.phone)
    return False


def _with_number(update: ChannelUpdate, policy: NumberPolicy) -> ChannelUpdate:
    match update:
        case MessageTold(chat=chat, parts=parts):
            shown = tuple(
                replace(part, phone=client_number(part.phone, policy) or part.phone) if part.phone else part
                for part in parts
            )
            return replace(update, chat=_with_own_number(chat, policy), parts=shown)
        case ChatChanged(chat=chat):
            return replace(update, chat=_with_own_number(chat, policy))
    return update


def _with_own_number(chat: ChatTold, policy: NumberPolicy) -> ChatTold:
    return replace(chat, phone=client_number(chat.phone, policy)) if chat.phone else chat


def _alike(saved: SavedChannel, siblings: Iterable[SavedChannel]) -> list[SavedChannel]:
    return [s for s in siblings if (s.account_id, s.channel.kind) == (saved.account_id, saved.channel.kind)]


def _whose(
    of: SavedChannel | None, update: ChannelUpdate, shared: Sequence[SavedChannel], messages: _Of
) -> SavedChannel | None:
    """Return the channel in which the message is known of which something is said, where it is not said which channel it is."""
    if update.channel:
        return of
    return next((s for s in shared for id in _about(update) if (s.id, id) in messages), of)


def _each(updates: Sequence[ChannelUpdate]) -> list[ChannelUpdate]:
    """Messages that were taken back together may be known each at another time."""
    found: list[ChannelUpdate] = []
    for update in updates:
        if isinstance(update, DeletedTold) and len(update.ids) > 1:
            keyed = update.vendor_key
            found += [
                replace(update, ids=(id,), vendor_key=f"{keyed}:{id}" if keyed else "") for id in update.ids
            ]
        else:
            found.append(update)
    return found


def _chats(update: ChannelUpdate) -> list[ChatTold]:
    match update:
        case MessageTold(chat=chat) | ChatChanged(chat=chat):
            return [chat, *([ChatTold(id=chat.moved_from)] if chat.moved_from else [])]
        case DeletedTold(chat_id=id) | StatusTold(chat_id=id) if id:
            return [ChatTold(id=id)]
    return []


def _about(update: ChannelUpdate) -> list[str]:
    match update:
        case DeletedTold(ids=ids):
            return list(ids)
        case StatusTold(id=id, own_key=own_key):
            return [told for told in (id, own_key) if told]
    return []


def _row(
    of: SavedChannel, update: ChannelUpdate, chats: _Of, messages: _Of, received_at: datetime
) -> NewUpdate:
    at = update.edit.at if isinstance(update, MessageTold) and update.edit else getattr(update, "at", None)
    is_believed = at is not None and at <= received_at + _CLOCKS_APART
    about = _about(update)
    is_unread = isinstance(update, UnreadTold)
    return NewUpdate(
        channel_id=of.id,
        dedupe_key=key_of(update),
        client_key=_client_key(of, update, chats, messages),
        told_at=at if is_believed and at is not None else received_at,
        sequence=getattr(update, "sequence", 0),
        about=about[0] if about else None,
        told=None if is_unread else orjson.dumps(update_as_json(update)).decode(),
        raw=update.raw if isinstance(update, UnreadTold) else None,
        error=f"sms-wire-invalid: {update.why}" if isinstance(update, UnreadTold) else None,
    )


def _client_key(of: SavedChannel, update: ChannelUpdate, chats: _Of, messages: _Of) -> str:
    known = [chats[of.id, c.id] for c in _chats(update) if (of.id, c.id) in chats]
    known += [messages[of.id, id] for id in _about(update) if (of.id, id) in messages]
    if known:
        return known[0]
    match update:
        case MessageTold(chat=chat) | ChatChanged(chat=chat):
            return client_key_of(of.id, chat)
    return f"chat:{of.id}:{NOBODYS}"
