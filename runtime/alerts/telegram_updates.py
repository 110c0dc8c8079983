"""What people send to a Telegram bot: a text, or the press of a button below one of its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramUpdate:
    """One thing that came. chat_id: "" where it is of no use to us. is_private: a chat with one person. press_id: of a press
    of a button, to answer it; button: what that button bears. language: of the sender's program, "" = not told."""

    update_id: int
    chat_id: str = ""
    is_private: bool = False
    text: str = ""
    press_id: str = ""
    button: str = ""
    language: str = ""


def updates_of(result: Any) -> list[TelegramUpdate]:
    """Return the answer to `getUpdates`, oldest first. What cannot be read stays as its bare number, to be passed over."""
    rows = result if isinstance(result, list) else []
    found = [
        _update(row)
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("update_id"), int) and abs(row["update_id"]) < 2**62
    ]
    return sorted(found, key=lambda update: update.update_id)


def _update(row: Mapping[str, Any]) -> TelegramUpdate:
    press = _part(row, "callback_query")
    message = _part(press, "message") or _part(row, "message")
    chat, sender = _part(message, "chat"), _part(press or message, "from")
    if not isinstance(chat.get("id"), int):
        return TelegramUpdate(update_id=row["update_id"])
    return TelegramUpdate(
        update_id=row["update_id"],
        chat_id=str(chat["id"]),
        is_private=chat.get("type") == "private" and sender.get("id") == chat["id"],
        text="" if press else _text(message, "text"),
        press_id=_text(press, "id"),
        button=_text(press, "data"),
        language=_text(sender, "language_code"),
    )


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    return found.replace("\0", "") if isinstance(found, str) else ""
