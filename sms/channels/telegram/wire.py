"""Telegram's JSON ↔ our values. Pure.

A message's number counts in its chat only, so its id with us is `<chat>:<number>`. Chats of the business account are apart from
those with the bot that have the same number: theirs begin with `business:`, and the way into them is the connection's id, which
changes whenever its owner changes anything of it. Not tried against the live API: see the guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from runtime.vendors.http import HttpAnswer
from sms.channels.errors import ChannelTrouble
from sms.channels.model import (
    AuthorKind,
    AuthorTold,
    ChannelNews,
    ChannelStateTold,
    ChannelUpdate,
    ChatChanged,
    ChatKind,
    ChatTold,
    DeletedTold,
    EditTold,
    MessageDirection,
    MessageTold,
    UnreadTold,
)
from sms.channels.reasons import ChannelState
from sms.channels.telegram.content import TelegramObject, parts_in, text_of
from sms.errors import SmsWireInvalid
from sms.providers.reading import json_of, needed_text, object_in, text_in, time_in, whole_in

# {"update_id": 10, "message": {"message_id": 5, "date": 1772434800, "chat": {"id": 7, "type": "private",
#     "first_name": "Oleg"}, "from": {"id": 7, "first_name": "Oleg"}, "text": "Hello"}}

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "my_chat_member",
)
"""What we ask for; whatever else may come is passed over."""
BUSINESS = "business:"
SPEAKING = frozenset({200, 400, 401, 403, 404, 409, 413, 429})
"""Statuses of HTTP whose bodies hold Telegram's own words."""
_GONE = frozenset({"left", "kicked"})
_MOVED = {"migrate_to_chat_id", "migrate_from_chat_id"}


def parse_update(body: bytes, connection: str = "") -> ChannelNews:
    """Read what a webhook was told. connection: the one of the business account, "" = any. Raises SmsWireInvalid."""
    told = json_of(body)
    needed_text(told, "update_id")
    return ChannelNews(updates=tuple(_read(told, connection)))


def parse_updates(body: bytes, connection: str = "") -> ChannelNews:
    """Read the answer to getUpdates. Raises SmsWireInvalid, ChannelTrouble."""
    result = result_of(body)
    if not isinstance(result, list):
        raise SmsWireInvalid("result", "must be a list")
    updates: list[ChannelUpdate] = []
    numbers = []
    for told in result:
        fields = told if isinstance(told, dict) else {}
        numbers.append(fields.get("update_id"))
        updates += _read(fields, connection)
    known = [number for number in numbers if isinstance(number, int)]
    if result and not known:
        raise SmsWireInvalid("update_id", "is missing")
    return ChannelNews(updates=tuple(updates), cursor=str(max(known) + 1) if known else None)


def result_of(body: bytes) -> object:
    """Return `result` of an answer. Raises SmsWireInvalid; ChannelTrouble for a refusal, with what it says of the channel."""
    told = json_of(body)
    if told.get("ok") is True:
        return told.get("result")
    code, words = whole_in(told, "error_code"), text_in(told, "description")
    after = whole_in(object_in(told, "parameters"), "retry_after")
    raise ChannelTrouble(
        f"Telegram says: {words or 'no'} ({code})",
        state=_STATE_BY_CODE.get(code or 0),
        retry_after=float(after) if after else None,
    )


_STATE_BY_CODE: Mapping[int, ChannelState] = {
    401: ChannelState.UNAUTHORISED,
    404: ChannelState.UNAUTHORISED,  # a token of another form
    409: ChannelState.CONFLICT,  # a webhook is set, or another program polls; the words say which
}


def parse_state(body: bytes) -> ChannelStateTold:
    """Read the answer to getMe. Raises SmsWireInvalid, ChannelTrouble."""
    bot = result_of(body)
    if not (isinstance(bot, dict) and bot.get("is_bot") is True):
        raise SmsWireInvalid("result", "must be a bot")
    return ChannelStateTold(state=ChannelState.ACTIVE, words=f"@{text_in(bot, 'username')}")


def parse_file_path(body: bytes) -> tuple[str, int | None]:
    """Read the answer to getFile: where the file is, and its size. Raises SmsWireInvalid, ChannelTrouble."""
    file = result_of(body)
    if not isinstance(file, dict):
        raise SmsWireInvalid("result", "must be a file")
    return needed_text(file, "file_path"), whole_in(file, "file_size")


def is_business(chat_id: str) -> bool:
    return chat_id.startswith(BUSINESS)


def _read(told: TelegramObject, connection: str) -> Iterator[ChannelUpdate]:
    """Yield what one update tells; what cannot be read costs none of its neighbours."""
    try:
        yield from _updates(told, connection)
    except SmsWireInvalid as err:
        yield UnreadTold(raw=orjson.dumps(told), field=err.field, why=str(err))


def _updates(told: TelegramObject, connection: str) -> Iterator[ChannelUpdate]:
    number = whole_in(told, "update_id") or 0
    for name in ("message", "edited_message", "business_message", "edited_business_message"):
        if message := object_in(told, name):
            _ours(message, "business_connection_id", connection)
            yield _message(message, number, is_edit=name.startswith("edited"))
    if deleted := object_in(told, "deleted_business_messages"):
        _ours(deleted, "business_connection_id", connection)
        yield _deleted(deleted)
    if member := object_in(told, "my_chat_member"):
        yield _membership(member, number)
    linked = object_in(told, "business_connection")
    if linked and connection and text_in(linked, "id") == connection:
        yield _linked(linked, number)


def _ours(told: TelegramObject, name: str, connection: str) -> None:
    """Refuse what is of another business account: whoever likes may connect a bot to theirs."""
    of = text_in(told, name)
    if of and connection and of != connection:
        raise SmsWireInvalid(name, "is of a business connection that is not the channel's")


def _message(message: TelegramObject, number: int, *, is_edit: bool) -> ChannelUpdate:
    chat = _chat(message)
    if name := next(iter(_MOVED & message.keys()), None):
        return _moved(message, chat, name, number)
    sent_by_us = _is_ours(message)
    quoted = object_in(message, "reply_to_message")
    return MessageTold(
        chat=chat,
        id=_id(chat.id, message),
        direction=MessageDirection.OUT if sent_by_us else MessageDirection.IN,
        author=_author(message, sent_by_us=sent_by_us),
        parts=parts_in(message),
        at=time_in(message, "date"),
        sequence=whole_in(message, "message_id") or 0,
        quoted_id=_id(chat.id, quoted) if quoted else "",
        quoted_text=text_in(object_in(message, "quote"), "text") or text_of(quoted),
        album_id=text_in(message, "media_group_id"),
        edit=EditTold(at=time_in(message, "edit_date"), sequence=number) if is_edit else None,
    )


def _id(chat_id: str, message: TelegramObject) -> str:
    return f"{chat_id}:{needed_text(message, 'message_id')}"


def _chat(message: TelegramObject) -> ChatTold:
    told, way = object_in(message, "chat"), text_in(message, "business_connection_id")
    id = needed_text(told, "id")
    named = (text_in(told, "first_name"), text_in(told, "last_name"))
    return ChatTold(
        id=f"{BUSINESS}{id}" if way else id,
        kind=ChatKind.PRIVATE if text_in(told, "type") == "private" else ChatKind.GROUP,
        name=text_in(told, "title") or " ".join(filter(None, named)),
        username=text_in(told, "username"),
        way=way,
    )


def _is_ours(message: TelegramObject) -> bool:
    """Whether it was written for the business account: whoever does not bear the chat's own number is its owner."""
    if not text_in(message, "business_connection_id"):
        return False
    by_bot = bool(object_in(message, "sender_business_bot"))
    return by_bot or text_in(object_in(message, "from"), "id") != text_in(object_in(message, "chat"), "id")


def _author(message: TelegramObject, *, sent_by_us: bool) -> AuthorTold:
    told = object_in(message, "sender_chat") or object_in(message, "from")
    named = (text_in(told, "first_name"), text_in(told, "last_name"))
    return AuthorTold(
        kind=_author_kind(message) if sent_by_us else AuthorKind.CLIENT,
        id=text_in(told, "id"),
        name=text_in(told, "title") or " ".join(filter(None, named)),
    )


def _author_kind(message: TelegramObject) -> AuthorKind:
    if message.get("is_from_offline") is True:
        return AuthorKind.GREETING
    return AuthorKind.ROBOT if object_in(message, "sender_business_bot") else AuthorKind.PHONE


def _moved(message: TelegramObject, chat: ChatTold, name: str, number: int) -> ChatChanged:
    """Return that a group has another number from now on: both of them are told of it."""
    other = needed_text(message, name)
    id, former = (other, chat.id) if name == "migrate_to_chat_id" else (chat.id, other)
    moved = ChatTold(id=id, kind=ChatKind.GROUP, name=chat.name, username=chat.username, moved_from=former)
    return ChatChanged(chat=moved, at=time_in(message, "date"), vendor_key=str(number))


def _deleted(told: TelegramObject) -> DeletedTold:
    """Return which messages were taken back. When, Telegram does not say."""
    chat = _chat(told)
    numbers = told.get("message_ids")
    if not isinstance(numbers, list) or not all(isinstance(n, int) for n in numbers):
        raise SmsWireInvalid("message_ids", "must be a list of numbers")
    return DeletedTold(ids=tuple(f"{chat.id}:{n}" for n in numbers), chat_id=chat.id)


def _membership(told: TelegramObject, number: int) -> ChatChanged:
    """Return whether we may write: a client blocks and unblocks the bot, a group takes it in, mutes it and puts it out."""
    member = object_in(told, "new_chat_member")
    status = needed_text(member, "status")
    is_mute = status == "restricted" and member.get("can_send_messages") is not True
    return ChatChanged(
        chat=_chat(told),
        can_write=status not in _GONE and not is_mute,
        at=time_in(told, "date"),
        vendor_key=str(number),
    )


def _linked(told: TelegramObject, number: int) -> ChannelStateTold:
    """Return whether the business account lets the bot answer."""
    rights = object_in(told, "rights")
    may = rights.get("can_reply") is True or told.get("can_reply") is True
    is_on = told.get("is_enabled") is True and may
    return ChannelStateTold(
        state=ChannelState.ACTIVE if is_on else ChannelState.DISABLED,
        at=time_in(told, "date"),
        words="" if is_on else "can_reply",
        vendor_key=str(number),
    )


def said_by(answer: HttpAnswer) -> tuple[int, str, TelegramObject]:
    """Return code, words and parameters of a refusal. Raises SmsWireInvalid for what is none of Telegram's."""
    told = json_of(answer.body)
    code = whole_in(told, "error_code")
    if told.get("ok") is not False or code is None:
        raise SmsWireInvalid("ok", "must be true or false")
    return code, text_in(told, "description"), object_in(told, "parameters")
