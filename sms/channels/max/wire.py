"""MAX's JSON ↔ our values: updates, subscriptions, lists of messages. Pure.

Times are milliseconds since 1970. A message's `mid` is unique everywhere. An update bears no number of its own and does not say to which
bot it is told; a list of them bears a `marker`, which is where the next list begins.
Sources: schema.yaml, model/ and stabs/ of github.com/max-messenger/max-bot-api-client-go; dev.max.ru/docs-api/objects/Update; payloads
recorded in docs of github.com/love-apples/maxapi. Not tried against the live API: see the guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import orjson

from sms.channels.errors import ChannelTrouble
from sms.channels.max.content import MaxObject, button_of, name_of, own_number, parts_in, text_of
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
    PartKind,
    PartTold,
    UnreadTold,
)
from sms.channels.reasons import ChannelState
from sms.channels.sending import MessageAccepted
from sms.errors import SmsWireInvalid
from sms.providers.reading import json_of, needed_text, object_in, text_in, whole_in

# {"update_type": "message_created", "timestamp": 1772434800123, "message": {"sender": {"user_id": 7, …},
#     "recipient": {"chat_id": 71, "chat_type": "dialog", "user_id": 9}, "timestamp": …, "body": {"mid": "mid.1", "text": "Hello"}}}

UPDATES = (
    "message_created",
    "message_edited",
    "message_removed",
    "message_callback",
    "bot_started",
    "bot_stopped",
    "bot_added",
    "bot_removed",
    "dialog_removed",
    "chat_title_changed",
)
"""What we ask for; whatever else may come is passed over."""
SPEAKING = frozenset({200, 400, 401, 403, 404, 405, 413, 415, 422, 429})
"""Statuses of HTTP whose bodies hold MAX's own words, {"code": …, "message": …}."""
NO_SUCH_BOT = "verify.token"
_STATE_BY_CODE: Mapping[str, ChannelState] = {
    NO_SUCH_BOT: ChannelState.UNAUTHORISED,
    "method.not.allowed": ChannelState.CONFLICT,  # a list is asked for while a subscription stands
    "not.allowed": ChannelState.CONFLICT,
}
_MAY_WRITE: Mapping[str, bool] = {
    "bot_started": True,
    "bot_stopped": False,
    "bot_added": True,
    "bot_removed": False,
    "dialog_removed": False,
}
_LATEST = 32503680000000  # the year 3000
_FILMS = ("mp4_720", "mp4_480", "mp4_1080", "mp4_360", "mp4_240", "mp4_144")
"""In which order sizes of a film are tried: well enough to be seen, then smaller ones."""


def parse_update(body: bytes, token: str = "") -> ChannelNews:
    """Read what a webhook was told. token: with which cards are signed. Raises SmsWireInvalid."""
    told = json_of(body)
    needed_text(told, "update_type")
    return ChannelNews(updates=tuple(_read(told, token)))


def parse_updates(body: bytes, token: str = "") -> ChannelNews:
    """Read the answer to GET /updates. Raises SmsWireInvalid, ChannelTrouble."""
    told = answer_of(body)
    listed = told.get("updates")
    if not isinstance(listed, list):
        raise SmsWireInvalid("updates", "must be a list")
    updates: list[ChannelUpdate] = []
    for one in listed:
        updates += _read(one if isinstance(one, dict) else {"update_type": "", "body": one}, token)
    return ChannelNews(updates=tuple(updates), cursor=text_in(told, "marker") or None)


def answer_of(body: bytes) -> MaxObject:
    """Return an answer that is no refusal. Raises SmsWireInvalid; ChannelTrouble with what it says of the channel."""
    told = json_of(body)
    code, words = told.get("code"), told.get("message")
    if isinstance(code, str) or told.get("success") is False:
        code, words = (said if isinstance(said, str) else "" for said in (code, words))
        raise ChannelTrouble(
            f"MAX says: {words or 'no'} ({code or 'no code'})", state=_STATE_BY_CODE.get(code)
        )
    return told


def parse_state(body: bytes) -> ChannelStateTold:
    """Read the answer to GET /me. Raises SmsWireInvalid, ChannelTrouble."""
    bot = answer_of(body)
    needed_text(bot, "user_id")
    username = text_in(bot, "username")
    return ChannelStateTold(
        state=ChannelState.ACTIVE, words=f"@{username}" if username else text_in(bot, "name")
    )


def parse_subscriptions(body: bytes) -> tuple[str, ...]:
    """Read the answer to GET /subscriptions: the addresses that are told. Raises SmsWireInvalid, ChannelTrouble."""
    listed = answer_of(body).get("subscriptions")
    if not isinstance(listed, list):
        raise SmsWireInvalid("subscriptions", "must be a list")
    return tuple(needed_text(one, "url") for one in listed if isinstance(one, dict))


def parse_films(body: bytes) -> tuple[str, ...]:
    """Read the answer to GET /videos/…: addresses of a film, in the order in which they are to be tried. Raises SmsWireInvalid,
    ChannelTrouble."""
    urls = object_in(answer_of(body), "urls")
    return tuple(url for name in _FILMS if (url := text_in(urls, name)))


def parse_sent_like(body: bytes, text: str, since: datetime) -> tuple[MessageAccepted, ...]:
    """Find in the answer to GET /messages what a bot has written with this text since then, the oldest first. Raises SmsWireInvalid,
    ChannelTrouble."""
    listed = answer_of(body).get("messages")
    found = []
    for message in listed if isinstance(listed, list) else []:
        if not isinstance(message, dict) or object_in(message, "sender").get("is_bot") is not True:
            continue
        inside, at = object_in(message, "body"), _time(message, "timestamp")
        mid = text_in(inside, "mid")
        if mid and text_in(inside, "text") == text.strip() and at is not None and at >= since:
            chat = text_in(object_in(message, "recipient"), "chat_id")
            found.append((at, MessageAccepted(id=mid, chat_id=chat)))
    return tuple(accepted for _, accepted in sorted(found, key=lambda one: one[0]))


def is_same_channel(address: str, other: str) -> bool:
    """Whether another address is one that this channel had before: the same but for the secret at its end."""
    here, there = urlsplit(address), urlsplit(other)
    return (here.netloc, here.path.rpartition("/")[0]) == (there.netloc, there.path.rpartition("/")[0])


def _read(told: MaxObject, token: str) -> Iterator[ChannelUpdate]:
    """Yield what one update tells; what cannot be read costs none of its neighbours."""
    try:
        yield from list(_updates(told, token))
    except SmsWireInvalid as err:
        yield UnreadTold(raw=orjson.dumps(told), field=err.field, why=str(err))


def _updates(told: MaxObject, token: str) -> Iterator[ChannelUpdate]:
    name = needed_text(told, "update_type")
    if name in ("message_created", "message_edited"):
        yield from _message(told, token, is_edit=name == "message_edited")
    elif name == "message_callback":
        yield from _pressed(told)
    elif name == "message_removed":
        yield DeletedTold(
            ids=(needed_text(told, "message_id"),),
            chat_id=text_in(told, "chat_id"),
            at=_time(told, "timestamp"),
        )
    elif name in _MAY_WRITE and told.get("is_channel") is not True:
        yield _changed(told, name, _MAY_WRITE[name])
    elif name == "chat_title_changed" and told.get("is_channel") is not True:
        yield _changed(told, name, None)


def _message(told: MaxObject, token: str, *, is_edit: bool) -> Iterator[ChannelUpdate]:
    message = object_in(told, "message")
    if text_in(object_in(message, "recipient"), "chat_type") == "channel":  # posts, which are said to nobody
        return
    body, link = object_in(message, "body"), object_in(message, "link")
    chat = _chat(message, own_number(body, token))
    is_ours, quoted = _is_ours(message, chat), _quoted(link)
    yield MessageTold(
        chat=chat,
        id=text_in(body, "mid") or _id_of_forwarding(message, chat),
        direction=MessageDirection.OUT if is_ours else MessageDirection.IN,
        author=_author(object_in(message, "sender"), is_ours=is_ours),
        parts=parts_in(message),
        at=_time(message, "timestamp"),
        sequence=whole_in(body, "seq") or 0,
        quoted_id=text_in(quoted, "mid"),
        quoted_text=text_of(quoted),
        edit=_edit(told) if is_edit else None,
    )


def _edit(told: MaxObject) -> EditTold:
    return EditTold(at=_time(told, "timestamp"), sequence=whole_in(told, "timestamp") or 0)


def _quoted(link: MaxObject) -> MaxObject:
    return object_in(link, "message") if text_in(link, "type") == "reply" else {}


def _id_of_forwarding(message: MaxObject, chat: ChatTold) -> str:
    """Return an id for a message that only forwards another: it may have no body, and so none of its own."""
    forwarded = object_in(object_in(message, "link"), "message")
    return f"forward:{chat.id}:{needed_text(message, 'timestamp')}:{needed_text(forwarded, 'mid')}"


def _chat(message: MaxObject, phone: str = "") -> ChatTold:
    told, sender = object_in(message, "recipient"), object_in(message, "sender")
    id = needed_text(told, "chat_id")
    kind = text_in(told, "chat_type")
    is_private = kind == "dialog" if kind else not id.startswith("-")
    is_client = is_private and sender.get("is_bot") is not True
    return ChatTold(
        id=id,
        kind=ChatKind.PRIVATE if is_private else ChatKind.GROUP,
        phone=phone if is_client else "",
        name=name_of(sender) if is_client else "",
        username=text_in(sender, "username") if is_client else "",
    )


def _is_ours(message: MaxObject, chat: ChatTold) -> bool:
    """Whether the bot itself wrote it: in a group it may be another one."""
    return chat.kind is ChatKind.PRIVATE and object_in(message, "sender").get("is_bot") is True


def _author(sender: MaxObject, *, is_ours: bool) -> AuthorTold:
    kind = AuthorKind.ROBOT if is_ours else AuthorKind.CLIENT
    return AuthorTold(kind=kind, id=text_in(sender, "user_id"), name=name_of(sender))


def _pressed(told: MaxObject) -> Iterator[ChannelUpdate]:
    """Yield what a client says by a button: what stands on it. We send none; another program of the bot may."""
    callback, message = object_in(told, "callback"), object_in(told, "message")
    user = object_in(callback, "user")
    if text_in(object_in(message, "recipient"), "chat_type") == "channel":
        return
    label = button_of(object_in(message, "body"), text_in(callback, "payload"))
    yield MessageTold(
        chat=_chat({**message, "sender": user}),
        id=f"callback:{needed_text(callback, 'callback_id')}",
        direction=MessageDirection.IN,
        author=_author(user, is_ours=False),
        parts=(PartTold(kind=PartKind.OTHER, text=label, vendor_kind="callback"),),
        at=_time(callback, "timestamp") or _time(told, "timestamp"),
        quoted_id=text_in(object_in(message, "body"), "mid"),
    )


def _changed(told: MaxObject, name: str, can_write: bool | None) -> ChatChanged:
    """Return whether we may write: a client stops and starts the bot, a group takes it in and puts it out."""
    id, user = needed_text(told, "chat_id"), object_in(told, "user")
    is_group = name in ("bot_added", "bot_removed", "chat_title_changed")
    return ChatChanged(
        chat=ChatTold(
            id=id,
            kind=ChatKind.GROUP if is_group else ChatKind.PRIVATE,
            name=text_in(told, "title") if is_group else name_of(user),
            username="" if is_group else text_in(user, "username"),
        ),
        can_write=can_write,
        at=_time(told, "timestamp"),
        vendor_key=f"{name}:{id}:{needed_text(told, 'timestamp')}",
    )


def _time(told: MaxObject, name: str) -> datetime | None:
    """Return milliseconds as a time; None when it is not there or no time."""
    try:
        at = whole_in(told, name)
    except SmsWireInvalid:
        return None
    return datetime.fromtimestamp(at / 1000, UTC) if at and 0 < at < _LATEST else None
