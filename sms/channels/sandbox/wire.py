"""The sandbox's JSON ↔ our values: the very form in which updates are stored. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson

from runtime.vendors.http import HttpAnswer
from sms.channels.model import ChannelNews, ChannelStateTold, ChannelUpdate, FileTold, UnreadTold
from sms.channels.port import FetchedFile
from sms.channels.reasons import ChannelReason
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    OutgoingMessage,
    SendOutcome,
)
from sms.channels.stored import update_of
from sms.errors import SmsWireInvalid
from sms.providers.reading import json_of, needed_text, text_in, whole_in

# {"updates": [{"told": "message", "id": "m1", "chat": {"id": "7", "phone": "+79161234567"}, "direction": "in",
#     "author": {"kind": "client"}, "parts": [{"kind": "text", "text": "Hello"}]}], "cursor": "12"}

OLDEST = timedelta(minutes=15)
"""A signed request that is older is somebody's repetition of it."""
TIME_HEADER, SIGNATURE_HEADER = "x-sandbox-time", "x-sandbox-signature"
SPEAKING = frozenset({200, 400, 402, 403, 404, 409, 413, 422, 429})


def parse_news(body: bytes) -> ChannelNews:
    """Read updates with the cursor behind them."""
    told = json_of(body)
    updates = told.get("updates")
    if not isinstance(updates, list):
        raise SmsWireInvalid("updates", "must be a list")
    return ChannelNews(updates=tuple(map(_update, updates)), cursor=text_in(told, "cursor") or None)


def _update(value: object) -> ChannelUpdate:
    try:
        if not isinstance(value, dict):
            raise SmsWireInvalid("updates", "must hold objects")
        return update_of(value)
    except SmsWireInvalid as err:
        return UnreadTold(raw=orjson.dumps({"updates": [value]}), field=err.field, why=str(err))


def signature(secret: str, at: str, body: bytes) -> str:
    """Return what stands in the header: over the time as it is written, a point, and the exact bytes."""
    made = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256)
    return f"sha256={made.hexdigest()}"


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether it was signed with the secret, and lately."""
    named = {name.lower(): value for name, value in headers.items()}
    at, signed = named.get(TIME_HEADER, ""), named.get(SIGNATURE_HEADER, "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        return False
    is_ours = hmac.compare_digest(signed.encode(), signature(secret, at, body).encode())
    return is_ours and abs(now.timestamp() - int(at)) <= OLDEST.total_seconds()


def message_json(message: OutgoingMessage) -> dict[str, object]:
    file = message.file
    sent_file = file and {
        "name": file.name,
        "media_type": file.media_type,
        "url": file.url,
        "content": base64.b64encode(file.content or b"").decode(),
    }
    named = {
        "key": message.key,
        "chat_id": message.chat_id,
        "phone": message.phone,
        "way": message.way,
        "text": message.text,
        "quoted_id": message.quoted_id,
        "file": sent_file,
    }
    return {name: value for name, value in named.items() if value}


def parse_sent(answer: HttpAnswer) -> SendOutcome:
    """Read what became of a message: its id, or a reason of our own closed set."""
    told = json_of(answer.body)
    words = text_in(told, "words")
    if answer.status == 200:
        return MessageAccepted(id=text_in(told, "id"), chat_id=text_in(told, "chat_id"))
    if answer.status == 429:
        seconds = answer.retry_after or float(whole_in(told, "retry_after") or 1)
        return MessageThrottled(retry_after=seconds, of_chat=told.get("of_chat") is True, words=words)
    try:
        reason = ChannelReason(needed_text(told, "reason"))
    except ValueError as err:
        raise SmsWireInvalid("reason", "is none of ours") from err
    return MessageRefused(reason=reason, vendor_code=text_in(told, "code"), words=words)


def parse_found(body: bytes) -> MessageAccepted | None:
    told = json_of(body)
    id = text_in(told, "id")
    return MessageAccepted(id=id, chat_id=text_in(told, "chat_id")) if id else None


def parse_state(body: bytes) -> ChannelStateTold:
    told = update_of({"told": "channel", **json_of(body)})
    assert isinstance(told, ChannelStateTold)
    return told


def parse_file(body: bytes, file: FileTold) -> FetchedFile:
    return FetchedFile(content=body, name=file.name, media_type=file.media_type)
