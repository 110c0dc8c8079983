"""Messages of one dialogue, with what they said before and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.files import FilesOfMessages, files_of, told_hash_of
from gateway.store.channels.gaps import gaps_in_dialogue
from gateway.store.channels.listing import former_parts, listed_messages, quoted_messages
from gateway.store.channels.messages import ChatMessage
from gateway.web.dialogs.parts import ShownPart, in_one_line, shown_part
from gateway.web.dialogs.query import DialogsQuery, dialogue_address
from gateway.web.frame import AnyPageCall
from routing.dialogues.access import Onlooker
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import MessageStatus, PartTold

_MESSAGES = 50
_TONES: Mapping[MessageStatus, str] = {
    MessageStatus.UNKNOWN: "warn",
    MessageStatus.REFUSED: "bad",
}
_SIGNS: Mapping[MessageStatus, str] = {
    MessageStatus.WAITING: "clock",
    MessageStatus.SENDING: "clock",
    MessageStatus.UNKNOWN: "alert-triangle",
    MessageStatus.REFUSED: "alert-circle",
    MessageStatus.SENT: "check",
    MessageStatus.DELIVERED: "checks",
    MessageStatus.READ: "checks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """new_day: whether it is the first of its day here. status: of ours, in words; why: of a refused or unknown one; words: the
    messenger's. former: what it said before, the oldest first. reply: where it is answered, "" = nowhere."""

    id: int
    is_out: bool
    author: str
    at: datetime
    parts: tuple[ShownPart, ...]
    new_day: bool
    quoted: str
    former: tuple[str, ...]
    edited_at: datetime | None
    deleted_at: datetime | None
    status: str
    sign: str
    tone: str
    why: str
    words: str
    reply: str


async def thread_values(
    call: AnyPageCall,
    conn: Conn,
    who: Onlooker,
    row: asyncpg.Record,
    saved: SavedChannel,
    query: DialogsQuery,
) -> dict[str, Any]:
    """Return what the messages are drawn from, the oldest first."""
    found = await listed_messages(
        conn, call.account.id, row["dialogue_id"], before=query.before, limit=_MESSAGES + 1
    )
    shown = list(reversed(found[:_MESSAGES]))
    edited = [message.message_id for message in shown if message.revision or message.edited_at]
    former = await former_parts(conn, call.account.id, edited)
    files = await files_of(conn, call.account.id, [message.message_id for message in shown])
    quoted = await quoted_messages(conn, call.account.id, shown)
    gaps = [] if query.before else await gaps_in_dialogue(conn, call.account.id, row["dialogue_id"])
    earlier = shown[0].message_id if len(found) > _MESSAGES else None
    id = row["dialogue_id"]
    return {
        "messages": _messages(call, shown, former, files, quoted, row, may_quote=_may_quote(who, row, saved)),
        "gaps": [(gap.from_at, gap.to_at, gap.state) for gap in reversed(gaps)],
        "earlier": dialogue_address(call, query, id, before=earlier) if earlier else "",
        "latest": dialogue_address(call, query, id) + "#end" if query.before else "",
        "thread_href": dialogue_address(call, query, id, part="thread", before=query.before),
    }


def _may_quote(who: Onlooker, row: asyncpg.Record, saved: SavedChannel) -> bool:
    return CHANNEL_KINDS[saved.channel.kind].capabilities.has_quotes and who.right_in(saved.id) == "send"


def _messages(
    call: AnyPageCall,
    messages: Sequence[ChatMessage],
    former: Mapping[int, Sequence[tuple[PartTold, ...]]],
    files: FilesOfMessages,
    quoted: Mapping[tuple[int, str], ChatMessage],
    row: asyncpg.Record,
    *,
    may_quote: bool,
) -> list[ShownMessage]:
    days = [message.at.astimezone(call.zone).date() for message in messages]
    return [
        _shown(
            call,
            message,
            former.get(message.message_id, ()),
            files,
            quoted=_quoted(call, message, quoted.get((message.dialogue_id, message.quoted_id))),
            is_group=row["kind"] == "group",
            new_day=number == 0 or days[number] != days[number - 1],
            may_quote=may_quote,
        )
        for number, message in enumerate(messages)
    ]


def _shown(
    call: AnyPageCall,
    message: ChatMessage,
    former: Sequence[tuple[PartTold, ...]],
    files: FilesOfMessages,
    *,
    quoted: str,
    is_group: bool,
    new_day: bool,
    may_quote: bool,
) -> ShownMessage:
    is_out, words = message.direction == "out", call.words
    has_reply = may_quote and not is_out and message.outside_id is not None and not message.deleted_at
    return ShownMessage(
        id=message.message_id,
        is_out=is_out,
        author=_author(call, message) if is_out or is_group else "",
        at=message.at,
        parts=tuple(_part(call, message, part, files) for part in message.parts),
        new_day=new_day,
        quoted=quoted,
        former=tuple(in_one_line(parts, words) for parts in former),
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
        status=call.texts.say(f"channel.status.{message.status}") if is_out else "",
        sign=_SIGNS[message.status] if is_out else "",
        tone=_TONES.get(message.status, "") if is_out else "",
        why=_why(call, message),
        words=words.text(message.words) if message.status is MessageStatus.REFUSED else "",
        reply=call.here(f"/dialogs/{message.dialogue_id}", quote=message.message_id) + "#answer"
        if has_reply
        else "",
    )


def _quoted(call: AnyPageCall, message: ChatMessage, known: ChatMessage | None) -> str:
    """Return what is answered: as the messenger told it, else as it stands in this dialogue, else why that is not to be seen."""
    if known is not None and known.deleted_at:
        return call.texts.say("dialogs.quoted_deleted")
    said = call.words.text(message.quoted_text) or (in_one_line(known.parts, call.words) if known else "")
    return said or (call.texts.say("dialogs.quoted_gone") if message.quoted_id else "")


def _part(call: AnyPageCall, message: ChatMessage, part: PartTold, files: FilesOfMessages) -> ShownPart:
    file = files.get((message.message_id, told_hash_of(part.file))) if part.file else None
    href = call.here(f"/dialogs/{message.dialogue_id}/files/{file.file_id}") if file else ""
    return shown_part(part, call.words, file, href)


def _author(call: AnyPageCall, message: ChatMessage) -> str:
    staff = call.services.configuration.now.staff[call.account.id].by_id
    known = staff.get(message.employee_id or "")
    name = known.name if known else call.words.text(message.author_name)
    kind = message.author_kind
    said = call.texts.say(f"dialogs.author.{kind}") if kind not in ("employee", "client") else ""
    return ", ".join(filter(None, (name, said)))


def _why(call: AnyPageCall, message: ChatMessage) -> str:
    if not message.reason or message.status not in (MessageStatus.REFUSED, MessageStatus.UNKNOWN):
        return ""
    keys = (f"channel.{kind}.{message.reason}" for kind in ("reason", "doubt"))
    key = next((key for key in keys if key in call.texts.sentences), None)
    return call.texts.say(key) if key else message.reason
