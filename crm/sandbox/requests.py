"""What a request in Unsorted holds that came by mail or by chat, as the vendor words it."""

from __future__ import annotations

import hashlib
from typing import Any


def mail_metadata(email: str, name: str, subject: str, at: int) -> dict[str, Any]:
    """`from` is an object here; with calls and chats it is a text."""
    number = _number(f"{email} {at}")
    return {
        "from": {"email": email, "name": name},
        "received_at": at,
        "subject": subject,
        "thread_id": number,
        "message_id": number + 1,
        "content_summary": subject,
    }


def chat_metadata(name: str, text: str, service: str, at: int) -> dict[str, Any]:
    """service: telegram, whatsapp and the like."""
    chat = hashlib.sha256(f"{service} {name} {at}".encode()).hexdigest()
    return {
        "from": name,
        "to": "sandbox_bot",
        "received_at": at,
        "service": service,
        "client": {"name": name, "avatar": None},
        "origin": {"chat_id": _uuid(chat), "ref": None, "visitor_uid": None},
        "last_message_text": text,
        "source_name": service.capitalize(),
    }


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
