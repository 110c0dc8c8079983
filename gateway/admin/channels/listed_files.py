"""Files of messages as whoever looks after the installation has them: listed, given out, and fetched again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.admin.refused import InputRefused
from gateway.store.admin.audit import AuditChange, record
from gateway.store.channels.files import ChatFile, file_of_id, latest_files, piece_of, retry_file
from runtime.database.pool import Conn

_WHY_NOT_KEPT = {
    "waiting": ("it is not here yet", "wait until it has been fetched"),
    "refused": ("it could not be had", "have it fetched again with 'callmatrix channel refetch'"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """reason: a code of `FileReason`, "" = none. size: as it is here, else as the messenger told it."""

    file_id: int
    channel_id: str
    channel_name: str
    dialogue_id: int
    message_id: int
    at: datetime
    name: str
    media_type: str
    size: int | None
    state: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.file_id,
            "channel": self.channel_id,
            "dialogue": self.dialogue_id,
            "message": self.message_id,
            "at": self.at,
            "name": self.name,
            "media_type": self.media_type,
            "size": self.size,
            "state": self.state,
            "reason": self.reason,
        }


async def files_listed(
    conn: Conn, account_id: str, *, channel: str | None, dialogue: int | None, state: str | None, limit: int
) -> list[ListedFile]:
    """Return the latest first. channel, dialogue, state: only of these, None = of all."""
    rows = await latest_files(conn, account_id, channel=channel, dialogue=dialogue, state=state, limit=limit)
    return [
        ListedFile(
            file_id=file.file_id,
            channel_id=row["channel_id"],
            channel_name=row["channel_name"],
            dialogue_id=row["dialogue_id"],
            message_id=file.message_id,
            at=row["at"],
            name=file.name,
            media_type=file.media_type,
            size=file.told.size if file.size is None else file.size,
            state=file.state,
            reason=file.reason,
        )
        for file, row in rows
    ]


async def kept_content(conn: Conn, account_id: str, file_id: int) -> bytes:
    """Return what the file holds. Raise InputRefused where it is not here."""
    file = await _file(conn, account_id, file_id)
    if file.state != "kept":
        raise InputRefused("file", *_WHY_NOT_KEPT[file.state])
    return await piece_of(conn, file, 0, file.size or 0)


async def fetch_again(conn: Conn, account_id: str, file_id: int, now: datetime) -> None:
    """Raise InputRefused where there is none, or it is here or on its way."""
    async with conn.transaction():
        file = await _file(conn, account_id, file_id)
        if not await retry_file(conn, account_id, file_id, now):
            raise InputRefused("file", "it is here, or is being fetched", "list those with --state refused")
        change = AuditChange(
            what="message",
            object=str(file.message_id),
            action="refetched",
            account_id=account_id,
            after={"file": file_id},
        )
        await record(conn, change)


async def _file(conn: Conn, account_id: str, file_id: int) -> ChatFile:
    found = await file_of_id(conn, account_id, file_id)
    if found is None:
        raise InputRefused("file", f"there is no file '{file_id}'", "see 'callmatrix channel files'")
    return found
