"""What amoCRM tells of its chats by itself (hooks of version 2): bytes -> values, no I/O. One attempt is all that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from crm.amocrm.chats.errors import CrmChatHookInvalid
from crm.amocrm.chats.model import HookMessage

_LONGEST_ID = 200
_LONGEST_TEXT = 100_000


def read_hook(body: bytes) -> HookMessage | None:
    """Return the message that was written in the card; None: it tells of something else (typing, a reaction). Raises
    CrmChatHookInvalid naming the field."""
    try:
        told = orjson.loads(body)
    except ValueError as err:
        raise CrmChatHookInvalid("body", "no JSON") from err
    if not isinstance(told, dict):
        raise CrmChatHookInvalid("body", "no object")
    if "message" not in told:
        return None
    outer = _object(told, "message")
    inner, chat = _object(outer, "message"), _object(outer, "conversation")
    receiver = _object(outer, "receiver")
    return HookMessage(
        id=_id(inner, "id"),
        chat_ref=_id(chat, "id"),
        chat=_id(chat, "client_id", is_needed=False),
        sender=_id(_object(outer, "sender"), "id"),
        receiver=_id(receiver, "id"),
        phone=_text(receiver, "phone"),
        at=_time(outer),
        kind=_text(inner, "type"),
        text=_text(inner, "text"),
        media=_text(inner, "media"),
        file_name=_text(inner, "file_name"),
        album=_text(inner, "media_group_id"),
    )


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    if not isinstance(value, dict):
        raise CrmChatHookInvalid(name, "an object was expected")
    return value


def _id(told: Mapping[str, Any], name: str, *, is_needed: bool = True) -> str:
    value = told.get(name)
    if value is None and not is_needed:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_ID or (is_needed and not value):
        raise CrmChatHookInvalid(name, "an id was expected")
    return _clean(value)


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return _clean(value[:_LONGEST_TEXT]) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """Without what no row can hold."""
    return text.replace("\x00", "")


def _time(outer: Mapping[str, Any]) -> datetime | None:
    value = outer.get("msec_timestamp")
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
