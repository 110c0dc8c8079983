"""A message of ours in Telegram's words, and how it was answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from runtime.vendors.http import HttpAnswer
from sms.channels.model import ChatKind
from sms.channels.multipart import form_with_file
from sms.channels.reasons import ChannelReason
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    OutgoingFile,
    OutgoingMessage,
    SendOutcome,
)
from sms.channels.telegram.wire import BUSINESS, is_business, said_by
from sms.errors import SmsWireInvalid
from sms.providers.reading import json_of, needed_text, object_in, text_in, whole_in

LARGEST_PHOTO = 10 * 1024 * 1024
_PHOTOS = frozenset({"image/jpeg", "image/png"})
_THROTTLED_SECONDS = 1.0

_BY_CODE: Mapping[int, ChannelReason] = {
    401: ChannelReason.BAD_KEY,
    403: ChannelReason.FORBIDDEN,
    404: ChannelReason.BAD_KEY,  # a token of another form
    413: ChannelReason.FILE_TOO_LARGE,
}
# Codes are those of HTTP and say little; the words say it. In the order in which they are looked for, in small letters.
_BY_WORDS: tuple[tuple[str, ChannelReason], ...] = (
    ("blocked by the user", ChannelReason.BLOCKED),
    ("user is deactivated", ChannelReason.NO_SUCH_CHAT),
    ("can't initiate conversation", ChannelReason.NOT_WRITTEN_FIRST),
    ("bot was kicked", ChannelReason.BLOCKED),
    ("bot is not a member", ChannelReason.BLOCKED),
    ("have no rights to send", ChannelReason.BLOCKED),
    ("not enough rights", ChannelReason.BLOCKED),
    ("chat_write_forbidden", ChannelReason.BLOCKED),
    ("business_peer_usage_missing", ChannelReason.WINDOW_CLOSED),
    ("business_connection", ChannelReason.FORBIDDEN),
    ("business connection", ChannelReason.FORBIDDEN),
    ("chat not found", ChannelReason.NO_SUCH_CHAT),
    ("peer_id_invalid", ChannelReason.NO_SUCH_CHAT),
    ("upgraded to a supergroup", ChannelReason.NO_SUCH_CHAT),
    ("is too long", ChannelReason.TOO_LONG),
    ("too big", ChannelReason.FILE_TOO_LARGE),
    ("too large", ChannelReason.FILE_TOO_LARGE),
    ("text is empty", ChannelReason.EMPTY),
    ("text must be non-empty", ChannelReason.EMPTY),
    ("be replied not found", ChannelReason.QUOTED_UNKNOWN),
    ("replied message not found", ChannelReason.QUOTED_UNKNOWN),
    ("reply message not found", ChannelReason.QUOTED_UNKNOWN),
    ("http url", ChannelReason.FILE_UNREADABLE),
    ("web page content", ChannelReason.FILE_UNREADABLE),
    ("webpage_", ChannelReason.FILE_UNREADABLE),
    ("photo_", ChannelReason.FILE_KIND),
    ("image_process_failed", ChannelReason.FILE_KIND),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotCall:
    """method: of the Bot API. fields: of its JSON, or beside the file. file: to upload, under the name of `upload`."""

    method: str
    fields: Mapping[str, object]
    upload: str = ""
    file: OutgoingFile | None = field(default=None, repr=False)


def call_of(message: OutgoingMessage, chat_id: str = "") -> BotCall:
    """Return the call that sends it. chat_id: where to, if not where the message says. Raises SmsWireInvalid for a chat or a
    quoted message that is none of Telegram's."""
    fields: dict[str, object] = {"chat_id": _number(chat_id or message.chat_id.removeprefix(BUSINESS))}
    if is_business(message.chat_id):
        fields["business_connection_id"] = message.way
    if message.quoted_id:
        fields["reply_parameters"] = {"message_id": _number(message.quoted_id.rpartition(":")[2])}
    if message.file is None:
        return BotCall(method="sendMessage", fields={**fields, "text": message.text})
    if message.text:
        fields["caption"] = message.text
    is_photo = _is_photo(message.file)
    method, name = ("sendPhoto", "photo") if is_photo else ("sendDocument", "document")
    if message.file.content is None:
        return BotCall(method=method, fields={**fields, name: message.file.url})
    return BotCall(method=method, fields=fields, upload=name, file=message.file)


def _is_photo(file: OutgoingFile) -> bool:
    """Whether it is shown as a picture: one that is larger goes as it is."""
    return file.media_type in _PHOTOS and len(file.content or b"") <= LARGEST_PHOTO


def _number(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        raise SmsWireInvalid("chat_id", "is none of Telegram's")
    return int(text)


def form_of_call(call: BotCall, boundary: str) -> tuple[bytes, str]:
    """Return the body with a file in it, and its type."""
    assert call.file is not None
    fields = {name: _written(value) for name, value in call.fields.items()}
    return form_with_file(fields, call.upload, call.file, boundary)


def _written(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def parse_sent(answer: HttpAnswer, message: OutgoingMessage) -> SendOutcome:
    """Read what became of a message. Raises SmsWireInvalid."""
    told = json_of(answer.body)
    if told.get("ok") is not True:
        return _refusal(answer, message)
    sent = object_in(told, "result")
    chat = needed_text(object_in(sent, "chat"), "id")
    id = f"{BUSINESS}{chat}" if is_business(message.chat_id) else chat
    return MessageAccepted(id=f"{id}:{needed_text(sent, 'message_id')}", chat_id=id)


def moved_to(answer: HttpAnswer) -> str:
    """Return the number that a group has now, where that is why it was refused; else ""."""
    return text_in(object_in(json_of(answer.body), "parameters"), "migrate_to_chat_id")


def _refusal(answer: HttpAnswer, message: OutgoingMessage) -> SendOutcome:
    code, words, parameters = said_by(answer)
    if code == 429:
        after = whole_in(parameters, "retry_after") or answer.retry_after or _THROTTLED_SECONDS
        is_group = message.chat_kind is ChatKind.GROUP
        return MessageThrottled(retry_after=float(after), of_chat=is_group, words=words)
    by_words = next((reason for part, reason in _BY_WORDS if part in words.lower()), None)
    reason = by_words or _BY_CODE.get(code) or ChannelReason.BAD_REQUEST
    return MessageRefused(reason=reason, vendor_code=str(code), words=words)
