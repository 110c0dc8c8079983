"""Parts of messages as people and programs are shown them: a file by our own id of it, never by where the messenger keeps it."""

from __future__ import annotations

from typing import Any

from gateway.store.channels.files import ChatFile, FilesOfMessages, told_hash_of
from gateway.store.channels.messages import ChatMessage
from sms.channels.model import FileTold
from sms.channels.reasons import FileReason
from sms.channels.stored import parts_as_json


def shown_parts(message: ChatMessage, files: FilesOfMessages) -> list[dict[str, Any]]:
    """files: of this message, at least."""
    shown = parts_as_json(message.parts)
    for part, told in zip(shown, (part.file for part in message.parts), strict=True):
        if told is not None:
            part["file"] = _shown(told, files.get((message.message_id, told_hash_of(told))))
    return shown


def _shown(told: FileTold, file: ChatFile | None) -> dict[str, Any]:
    """file: None = it was told before files were fetched, or its days are over."""
    if file is None:
        return {
            "id": None,
            "name": told.name,
            "media_type": "",
            "size": told.size,
            "state": "refused",
            "reason": FileReason.GONE,
        }
    return {
        "id": file.file_id,
        "name": file.name,
        "media_type": file.media_type,
        "size": told.size if file.size is None else file.size,
        "state": file.state,
        "reason": file.reason,
    }
