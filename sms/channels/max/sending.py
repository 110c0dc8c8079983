"""A message of ours in MAX's words, how it was answered, and what a file goes out as. Pure.

Sources: schema.yaml (NewMessageBody, UploadEndpoint, Error) of github.com/max-messenger/max-bot-api-client-go; dev.max.ru/docs-api,
POST /messages and POST /uploads; codes of refusals as users quote them in public repositories.
"""

from __future__ import annotations

from collections.abc import Mapping

from runtime.vendors.http import HttpAnswer
from sms.channels.max.wire import NO_SUCH_BOT, answer_of
from sms.channels.reasons import ChannelReason
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    OutgoingFile,
    OutgoingMessage,
    SendOutcome,
)
from sms.errors import SmsWireInvalid
from sms.providers.reading import json_of, needed_text, object_in, text_in

_THROTTLED_SECONDS = 1.0
_NOT_READY = "not.ready"
_NOT_PROCESSED = "not.processed"
_TOO_MANY = "too.many.requests"
# The code first: MAX asks to judge by it, and changes the words.
_BY_CODE: Mapping[str, ChannelReason] = {
    NO_SUCH_BOT: ChannelReason.BAD_KEY,
    "chat.denied": ChannelReason.BLOCKED,  # the words say "error.dialog.suspended": the client has stopped the bot
    "error.dialog.suspended": ChannelReason.BLOCKED,
    "dialog.not.found": ChannelReason.NOT_WRITTEN_FIRST,
    "error.dialog.notfound": ChannelReason.NOT_WRITTEN_FIRST,
    "chat.not.found": ChannelReason.NO_SUCH_CHAT,
    "user.not.found": ChannelReason.NO_SUCH_CHAT,
    "message.not.found": ChannelReason.QUOTED_UNKNOWN,
    "service.unavailable": ChannelReason.VENDOR_TROUBLE,
}
_BY_STATUS: Mapping[int, ChannelReason] = {
    401: ChannelReason.BAD_KEY,
    403: ChannelReason.FORBIDDEN,
    404: ChannelReason.NO_SUCH_CHAT,
    413: ChannelReason.FILE_TOO_LARGE,
    415: ChannelReason.FILE_KIND,
}
_SHOWN_AS: Mapping[str, str] = {
    "image/jpeg": "image",
    "image/png": "image",
    "image/gif": "image",
    "video/mp4": "video",
    "video/webm": "video",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
}


def path_to(chat_id: str) -> str:
    """Return the path by which a chat is written to. Raises SmsWireInvalid for one that is none of MAX's."""
    if not chat_id.removeprefix("-").isdecimal() or not chat_id.isascii():
        raise SmsWireInvalid("chat_id", "is none of MAX's")
    return f"messages?chat_id={chat_id}"


def message_json(message: OutgoingMessage, attached: Mapping[str, object] | None) -> dict[str, object]:
    """Return the body that sends it. attached: the file that was uploaded."""
    told: dict[str, object] = {"text": message.text} if message.text else {}
    if attached:
        told["attachments"] = [attached]
    if message.quoted_id:
        told["link"] = {"type": "reply", "mid": message.quoted_id}
    return told


def upload_kind(file: OutgoingFile) -> str:
    """Return as what a file is uploaded: what MAX does not show is sent as it is."""
    return _SHOWN_AS.get(file.media_type, "file")


def parse_upload(body: bytes) -> tuple[str, str]:
    """Read the answer to POST /uploads: where the file is to be put, and the token of a film or sound, which comes with it. Raises
    SmsWireInvalid, ChannelTrouble."""
    told = answer_of(body)
    return needed_text(told, "url"), text_in(told, "token")


def attachment_of(kind: str, body: bytes, given: str) -> dict[str, object]:
    """Return what names an uploaded file in a message. body: the answer to the upload. given: the token that came with its address,
    which is that of films and sounds. Raises SmsWireInvalid."""
    if given:
        return {"type": kind, "payload": {"token": given}}
    told = json_of(body)
    if photos := object_in(told, "photos"):
        return {"type": kind, "payload": {"photos": photos}}
    return {"type": kind, "payload": {"token": needed_text(told, "token")}}


def parse_sent(answer: HttpAnswer, message: OutgoingMessage) -> SendOutcome:
    """Read what became of a message. Raises SmsWireInvalid."""
    told = json_of(answer.body)
    if sent := object_in(told, "message"):
        chat = text_in(object_in(sent, "recipient"), "chat_id")
        return MessageAccepted(
            id=needed_text(object_in(sent, "body"), "mid"), chat_id=chat or message.chat_id
        )
    return _refusal(answer, needed_text(told, "code"), text_in(told, "message"))


def _refusal(answer: HttpAnswer, code: str, words: str) -> SendOutcome:
    if answer.status == 429 or code == _TOO_MANY:
        return MessageThrottled(retry_after=answer.retry_after or _THROTTLED_SECONDS, words=f"{code} {words}")
    reason = _BY_CODE.get(code) or _reason_of_file(code) or _BY_STATUS.get(answer.status)
    return MessageRefused(reason=reason or ChannelReason.BAD_REQUEST, vendor_code=code, words=words)


def _reason_of_file(code: str) -> ChannelReason | None:
    return ChannelReason.FILE_UNREADABLE if is_not_ready(code) else None


def is_not_ready(code: str) -> bool:
    """Whether a file is still being worked on there: the same message may be tried again."""
    return code.endswith((_NOT_READY, _NOT_PROCESSED))
