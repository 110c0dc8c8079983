"""What somebody may write with into a dialogue, or why they may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from gateway.channels.limits import largest_file, standing_refusal, window_of
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.listing import message_in
from gateway.store.channels.messages import ChatMessage
from gateway.web.dialogs.parts import in_one_line
from gateway.web.frame import AnyPageCall
from routing.dialogues.access import Onlooker
from routing.dialogues.sending import SendRefusal
from runtime.database.pool import Conn
from runtime.tokens import new_secret
from sms.channels.kinds import CHANNEL_KINDS

_KEY_BITS = 144


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBox:
    """What somebody may write with. is_open: whether anything can be written now; else `why` says what stands against it.
    largest: MiB of a file. until: to when the messenger lets us. key: of the next message. typed, error: what was refused, and why. taken: whose dialogue it
    is, where that is the question. lost_file: name of the file that came with it, which must be chosen again. is_again: the key was that of a message that is sent already."""

    is_open: bool
    why: str
    longest: int
    unit: str
    largest: int
    until: datetime | None
    key: str
    quote: ChatMessage | None = None
    quoted: str = ""
    typed: str = ""
    error: str = ""
    taken: str = ""
    lost_file: str = ""
    is_again: bool = False


async def answer_box(
    call: AnyPageCall, conn: Conn, who: Onlooker, row: asyncpg.Record, saved: SavedChannel, quote: int | None
) -> AnswerBox:
    of = _Row(row)
    refusal = standing_refusal(saved, of, who, call.now)
    can, window = CHANNEL_KINDS[saved.channel.kind].capabilities, window_of(saved, of)
    quoted = await _quoted(call, conn, row, quote) if quote and refusal is None else None
    return AnswerBox(
        is_open=refusal is None,
        why=_said(call, who, refusal) if refusal else "",
        longest=can.longest_text,
        unit=can.text_unit,
        largest=largest_file(saved) // 2**20,
        until=of.last_in_at + window if window and of.last_in_at else None,
        key=new_secret(_KEY_BITS),
        quote=quoted,
        quoted=in_one_line(quoted.parts, call.words) if quoted else "",
    )


def _said(call: AnyPageCall, who: Onlooker, refusal: SendRefusal) -> str:
    if refusal == "no-right" and not who.employee_id:
        return call.texts.say("dialogs.read_only.nobody")
    if refusal == "observer":
        return call.texts.say("dialogs.read_only.observer")
    return call.texts.say(
        "dialogs.read_only.channel" if refusal == "no-right" else f"dialogue.refusal.{refusal}"
    )


async def _quoted(call: AnyPageCall, conn: Conn, row: asyncpg.Record, id: int) -> ChatMessage | None:
    """Return the message that is answered, if it stands in this dialogue."""
    near = await message_in(conn, call.account.id, row["dialogue_id"], id)
    return near if near and near.outside_id else None


class _Row:
    """A row of a dialogue as what limits its messages."""

    def __init__(self, row: asyncpg.Record) -> None:
        self.owner: str | None = row["owner"]
        self.way: str = row["way"]
        self.can_write: bool = row["can_write"]
        self.last_in_at: datetime | None = row["last_in_at"]
