"""What a message into a dialogue is judged by before it goes out, and whether one may be written there at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from gateway.channels.files.fetching import LARGEST_FILE
from gateway.store.admin.accounts import Account
from gateway.store.channels.access import rights_in_channels
from gateway.store.channels.channels import SavedChannel
from routing.dialogues.access import Onlooker, is_of_another, may_write, owners_of
from routing.dialogues.sending import MessageToSend, SendRefusal, refusal_of
from routing.staff import Staff
from runtime.database.pool import Conn
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


async def onlooker_of(
    conn: Conn, account: Account, staff: Staff, employee_id: str | None, *, sees_all: bool
) -> Onlooker:
    """Return as whom somebody looks on. employee_id: who they are; sees_all: of one who is no employee."""
    policy = account.settings.dialogues
    rights = await rights_in_channels(conn, account.id)
    active = {person.id for person in staff.employees if staff.can_be_given_work(person)}
    owners = owners_of(rights, policy.observers, active)
    if employee_id is None:
        return Onlooker(employee_id=None if sees_all else "", rights={}, owners=owners)
    return Onlooker(
        employee_id=employee_id,
        rights=rights.get(employee_id, {}),
        visibility=policy.visibility,
        is_observer=employee_id in policy.observers,
        owners=owners,
        is_gone=staff.is_gone(staff.by_id.get(employee_id)),
    )


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
        is_gone=who.is_gone,
        is_observer=who.is_observer,
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
