"""Wazzup's JSON ↔ our values. Pure.

One body may hold messages and statuses. Statuses name no channel. A chat of several people is `<kind>:<id>` with us, since both
kinds of chats of one messenger may have the same id; the way into a chat is its kind. Not tried against the live vendor: see the
guide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import orjson

from runtime.vendors.http import HttpAnswer
from sms.channels.errors import ChannelTrouble
from sms.channels.model import (
    AuthorKind,
    AuthorTold,
    ChannelNews,
    ChannelStateTold,
    ChannelUpdate,
    ChatKind,
    ChatTold,
    DeletedTold,
    EditTold,
    FileTold,
    MessageDirection,
    MessageStatus,
    MessageTold,
    PartKind,
    PartTold,
    StatusTold,
    UnreadTold,
)
from sms.channels.reasons import ChannelReason, ChannelState, MessageDoubt
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    MessageUnknown,
    OutgoingMessage,
    SendOutcome,
)
from sms.channels.wazzup.codes import (
    CHAT_OF_TRANSPORT,
    DOUBTFUL,
    GROUPS,
    NUMBERED,
    PARTS,
    REPEATED,
    plain,
    reason_of,
    state_of,
)
from sms.errors import SmsWireInvalid
from sms.providers.reading import json_of, needed_text, object_in, text_in, time_in, with_plus

# {"messages": [{"messageId": "6a20…", "channelId": "b96a…", "chatType": "whatsapp", "chatId": "79161234567", "text": "Hello", …}],
#  "statuses": [{"messageId": "be3d…", "status": "read", "timestamp": "2026-03-02T07:01:07.499Z"}]}

WazzupObject = Mapping[str, object]

SPEAKING = frozenset({200, 201, 400, 401, 403, 404, 413, 422, 429})
"""Statuses of HTTP whose bodies hold Wazzup's own words."""
LONGEST_ADDRESS = 200
_WINDOW_SECONDS = 5.0
"""500 requests are granted in so many; the counter begins anew then."""
_SHORTEST_NUMBER, _LONGEST_NUMBER = 10, 14  # of 15 digits are ids of WhatsApp's own
_SUBSCRIPTIONS = {
    "messagesAndStatuses": True,
    "contactsAndDealsCreation": False,  # contacts and deals are made by the program itself
    "channelsUpdates": True,
    "templateStatus": False,
}
_STATUSES: Mapping[str, MessageStatus] = {
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.READ,
    "error": MessageStatus.REFUSED,
}
_SAYS_NOTHING = frozenset({"edited"})
"""A status that tells no more than the message, which comes as edited itself."""


def parse_news(body: bytes) -> ChannelNews:
    """Read what a webhook told: messages, statuses and states, each for itself. The test of an address, wishes that a contact or
    deal be made, and the moderation of templates say nothing. Raises SmsWireInvalid."""
    told = json_of(body)
    updates = [
        *_each(told, "messages", _message),
        *_each(told, "statuses", _status),
        *_each(told, "channelsUpdates", _state),
    ]
    return ChannelNews(updates=tuple(updates))


def _each(
    body: WazzupObject, name: str, read: Callable[[WazzupObject], Iterator[ChannelUpdate]]
) -> Iterator[ChannelUpdate]:
    """Read a list; what cannot be read costs none of its neighbours."""
    listed = body.get(name)
    for told in listed if isinstance(listed, list) else [] if listed is None else [listed]:
        try:
            if not isinstance(told, dict):
                raise SmsWireInvalid("body", "must hold objects")
            yield from list(read(told))
        except SmsWireInvalid as err:
            yield UnreadTold(raw=orjson.dumps({name: [told]}), field=err.field, why=str(err))


def _message(told: WazzupObject) -> Iterator[ChannelUpdate]:
    id, channel, at = needed_text(told, "messageId"), needed_text(told, "channelId"), _time(told, "dateTime")
    chat = _chat(told)
    if told.get("isDeleted") is True:
        yield DeletedTold(ids=(id,), chat_id=chat.id, at=at, channel=channel)
        return
    is_ours, quoted = _is_ours(told), object_in(told, "quotedMessage")
    status = _STATUSES.get(text_in(told, "status")) if is_ours else None
    yield MessageTold(
        chat=chat,
        id=id,
        channel=channel,
        direction=MessageDirection.OUT if is_ours else MessageDirection.IN,
        author=_author(told, chat, is_ours=is_ours),
        parts=_parts(told),
        at=at,
        own_key=text_in(told, "crmMessageId"),
        quoted_id=text_in(quoted, "messageId") or text_in(quoted, "id"),
        quoted_text=text_in(quoted, "text"),
        status=status,
        edit=EditTold(at=at) if told.get("isEdited") is True else None,
    )
    if status is MessageStatus.REFUSED:
        yield _refused(told, id, chat.id, at, channel)


def _is_ours(told: WazzupObject) -> bool:
    """Whether it went out, by whichever way; where it is not said, its status says it."""
    is_echo = told.get("isEcho")
    return is_echo if isinstance(is_echo, bool) else text_in(told, "status") in _STATUSES


def _chat(told: WazzupObject) -> ChatTold:
    kind, id = needed_text(told, "chatType"), needed_text(told, "chatId")
    contact = object_in(told, "contact")
    phone = with_plus(text_in(contact, "phone"))
    if kind in NUMBERED and _is_number(id):
        phone = f"+{id}"
    name = text_in(contact, "name")
    return ChatTold(
        id=f"{kind}:{id}" if kind in GROUPS else id,
        kind=ChatKind.GROUP if kind in GROUPS else ChatKind.PRIVATE,
        phone="" if kind in GROUPS else phone,
        name="" if name == id else name,  # the number stands there for want of a name
        username=text_in(contact, "username"),
        way=kind,
    )


def _is_number(id: str) -> bool:
    """Whether an id looks like a number. WhatsApp's chats may bear other ids too."""
    is_long_enough = _SHORTEST_NUMBER <= len(id) <= _LONGEST_NUMBER
    return id.isascii() and id.isdigit() and is_long_enough and not id.startswith("0")


def _author(told: WazzupObject, chat: ChatTold, *, is_ours: bool) -> AuthorTold:
    """Return who wrote it. Of somebody who typed it on the phone Wazzup tells at most a name: by that they are known."""
    if not is_ours:
        id = "" if chat.kind is ChatKind.GROUP else chat.id
        return AuthorTold(kind=AuthorKind.CLIENT, id=id, name=chat.name)
    id, name = text_in(told, "authorId"), text_in(told, "authorName")
    if text_in(told, "type") == "wapi_template":
        kind = AuthorKind.TEMPLATE
    elif id or told.get("sentFromApp") is True:
        kind = AuthorKind.EMPLOYEE
    else:
        kind = AuthorKind.ROBOT if told.get("interactive") else AuthorKind.PHONE
    return AuthorTold(kind=kind, id=id or name, name=name)


def _parts(told: WazzupObject) -> tuple[PartTold, ...]:
    """Return the message itself, and to what of a shop it was written: a post, an advert."""
    word = needed_text(told, "type")
    kind, text, url = PARTS.get(word, PartKind.OTHER), _text(told), text_in(told, "contentUri")
    file = FileTold(url=url, name=_file_name(url)) if url else None
    first = PartTold(kind=kind, text=text, file=file, vendor_kind=word if kind is PartKind.OTHER else "")
    return (first, *_written_to(told))


def _text(told: WazzupObject) -> str:
    text = told.get("text")
    return text if isinstance(text, str) else ""


def _written_to(told: WazzupObject) -> Iterator[PartTold]:
    for name in ("instPost", "advert"):
        if of := object_in(told, name):
            said = (
                text_in(of, "src") or text_in(of, "url"),
                text_in(of, "description") or text_in(of, "title"),
            )
            yield PartTold(kind=PartKind.OTHER, text="\n".join(filter(None, said)), vendor_kind=name)


def _file_name(url: str) -> str:
    """Return the name of a file: it stands in the query of its address."""
    try:
        return parse_qs(urlsplit(url).query).get("filename", [""])[0]
    except ValueError:
        return ""


def _status(told: WazzupObject) -> Iterator[ChannelUpdate]:
    id, word, at = needed_text(told, "messageId"), needed_text(told, "status"), _time(told, "timestamp")
    if word in _SAYS_NOTHING:
        return
    if word not in _STATUSES:
        raise SmsWireInvalid("status", "is none of the vendor's")
    if _STATUSES[word] is MessageStatus.REFUSED:
        yield _refused(told, id, "", at, "")
    else:
        yield StatusTold(id=id, status=_STATUSES[word], at=at)


def _refused(told: WazzupObject, id: str, chat_id: str, at: datetime | None, channel: str) -> StatusTold:
    error = object_in(told, "error")
    code, words = text_in(error, "error"), text_in(error, "description")
    return StatusTold(
        id=id,
        chat_id=chat_id,
        channel=channel,
        status=MessageStatus.REFUSED,
        at=at,
        reason=reason_of(code, words) or ChannelReason.UNDELIVERABLE,
        vendor_code=code,
        words=words,
    )


def _state(told: WazzupObject) -> Iterator[ChannelUpdate]:
    word = needed_text(told, "state")
    yield ChannelStateTold(
        channel=needed_text(told, "channelId"),
        state=state_of(word),
        at=_milliseconds(told.get("timestamp")),
        words="" if plain(word) == "active" else word,
    )


def _milliseconds(told: object) -> datetime | None:
    return time_in({"at": told // 1000}, "at") if isinstance(told, int) else None


def _time(told: WazzupObject, name: str) -> datetime | None:
    """Return a time in ISO 8601, which is UTC where no zone stands; None for what is none."""
    try:
        at = datetime.fromisoformat(text_in(told, name))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def subscription(address: str) -> dict[str, object]:
    return {"webhooksUri": address, "subscriptions": _SUBSCRIPTIONS}


def message_json(message: OutgoingMessage, channel_id: str, transport: str) -> dict[str, object]:
    """Return the body that sends it. Raises SmsWireInvalid where no chat can be opened by a number."""
    told: dict[str, object] = {"channelId": channel_id, "crmMessageId": message.key}
    told |= _into_chat(message, transport) if message.chat_id else _to_number(message, transport)
    told |= {"contentUri": message.file.url} if message.file else {"text": message.text}
    return {**told, "refMessageId": message.quoted_id} if message.quoted_id else told


def _into_chat(message: OutgoingMessage, transport: str) -> dict[str, object]:
    """Of a chat that we began nobody has told the kind: it is that of the channel."""
    kind = message.way or CHAT_OF_TRANSPORT.get(transport, transport)
    return {"chatType": kind, "chatId": message.chat_id.removeprefix(f"{kind}:")}


def _to_number(message: OutgoingMessage, transport: str) -> dict[str, object]:
    kind, digits = CHAT_OF_TRANSPORT.get(transport, ""), message.phone.removeprefix("+")
    if not kind:
        raise SmsWireInvalid("transport", "this messenger opens no chat by a number")
    return {"chatType": kind, "chatId" if kind in NUMBERED else "phone": digits}


def parse_sent(answer: HttpAnswer, chat_id: str = "") -> SendOutcome:
    """Read what became of a message. chat_id: where it was sent to, "" = to a number. Raises SmsWireInvalid."""
    if answer.status == 429:
        return MessageThrottled(retry_after=answer.retry_after or _WINDOW_SECONDS, words="HTTP 429")
    told = json_of(answer.body)
    if answer.status in (200, 201):
        return MessageAccepted(id=needed_text(told, "messageId"), chat_id=chat_id or text_in(told, "chatId"))
    code, words = needed_text(told, "error"), text_in(told, "description")
    if plain(code) == REPEATED:
        return MessageAccepted(id="")  # the first of them was taken, and its id is not told again
    if plain(code) in DOUBTFUL:
        return MessageUnknown(why=MessageDoubt.SERVER_ERROR, words=f"{code} {words}".strip())
    by_http = ChannelReason.BAD_KEY if answer.status == 401 else ChannelReason.BAD_REQUEST
    return MessageRefused(reason=reason_of(code, words) or by_http, vendor_code=code, words=words)


def parse_order(body: bytes) -> None:
    """Read the answer to an order. Raises ChannelTrouble with Wazzup's words."""
    if body.strip() and (told := _object(body)).get("error"):
        raise _trouble(told)


def parse_state(body: bytes, channel_id: str) -> ChannelStateTold:
    """Find our channel among those of the key. Raises SmsWireInvalid, ChannelTrouble."""
    try:
        listed = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise SmsWireInvalid("body", "is not JSON") from err
    if not isinstance(listed, list):
        raise _trouble(_object(body))
    for told in listed:
        if isinstance(told, dict) and told.get("channelId") == channel_id:
            word = needed_text(told, "state")
            said = f"{text_in(told, 'transport')}: {word}"
            return ChannelStateTold(channel=channel_id, state=state_of(word), words=said)
    return ChannelStateTold(channel=channel_id, state=ChannelState.DISABLED, words="channel-not-found")


def _object(body: bytes) -> WazzupObject:
    try:
        return json_of(body)
    except SmsWireInvalid:
        return {}


def _trouble(told: WazzupObject) -> ChannelTrouble:
    code, words = text_in(told, "error"), text_in(told, "description")
    is_key = reason_of(code) is ChannelReason.BAD_KEY
    return ChannelTrouble(
        f"Wazzup says: {words or 'no'} ({code or 'no code'})",
        state=ChannelState.UNAUTHORISED if is_key else None,
    )
