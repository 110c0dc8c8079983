"""What a message into a dialogue is judged by before it goes out, and whether one may be written there at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from gateway.channels.files.fetching import LARGEST_FILE
from gateway.store.channels.channels import SavedChannel
from routing.dialogues.access import Onlooker, is_of_another, may_write
from routing.dialogues.sending import MessageToSend, SendRefusal, refusal_of
from sms.channels.kinds import CHANNEL_KINDS


class OpenDialogue(Protocol):
    """What of a dialogue limits its messages."""

    @property
    def owner(self) -> str | None: ...
    @property
    def way(self) -> str: ...
    @property
    def can_write(self) -> bool: ...
    @property
    def last_in_at(self) -> datetime | None: ...


def message_to_send(
    saved: SavedChannel,
    of: OpenDialogue,
    who: Onlooker,
    text: str,
    now: datetime,
    *,
    file_bytes: int | None = None,
    is_taken: bool = False,
) -> MessageToSend:
    """file_bytes: None = no file. is_taken: it is somebody else's dialogue, and the sender has not said that it goes out all the same."""
    can = CHANNEL_KINDS[saved.channel.kind].capabilities
    return MessageToSend(
        now=now,
        may_write=may_write(who, saved.id, of.owner),
        is_of_another=is_of_another(who, saved.id, of.owner),
        is_on=saved.is_on,
        state=saved.state,
        can_write=of.can_write,
        can_write_first=can.can_write_first,
        last_in_at=of.last_in_at,
        window=window_of(saved, of),
        length=can.text_unit.length(text.strip()),
        longest=can.longest_text,
        file_bytes=file_bytes,
        largest_file=largest_file(saved),
        is_taken=is_taken,
    )


def largest_file(saved: SavedChannel) -> int:
    """Return how many bytes a file may have at most."""
    return min(CHANNEL_KINDS[saved.channel.kind].capabilities.largest_file, LARGEST_FILE)


def window_of(saved: SavedChannel, of: OpenDialogue) -> timedelta | None:
    """Return how long after their last message the client may be written to, None = for ever."""
    return CHANNEL_KINDS[saved.channel.kind].window(saved.channel, of.way)


def standing_refusal(
    saved: SavedChannel, of: OpenDialogue, who: Onlooker, now: datetime
) -> SendRefusal | None:
    """Return why nothing can be written there now, whatever it is; None: something can."""
    return refusal_of(message_to_send(saved, of, who, "?", now))
