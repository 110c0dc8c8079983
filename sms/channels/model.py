"""What messengers tell, in our own words: chats, messages and their parts, statuses, states of channels. Pure.

Ids are the vendor's, as text. A message's id is unique in its channel: where a vendor numbers them within a chat, the adapter
puts the chat's id before it (`<chat>:<number>`), and takes it off when it sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import AwareDatetime

from sms.channels.reasons import ChannelReason, ChannelState


class ChatKind(StrEnum):
    """Whether one client is in it, or several people."""

    PRIVATE = "private"
    GROUP = "group"


class MessageDirection(StrEnum):
    """in: a client wrote it. out: somebody or something on our side did, wherever."""

    IN = "in"
    OUT = "out"


class AuthorKind(StrEnum):
    """Who wrote a message.

    employee: through us or the vendor's own window, known by the vendor's id of them. phone: typed on the device that the
    channel hangs on. robot, greeting (also away and scheduled messages), template, campaign: nobody in person.
    """

    CLIENT = "client"
    EMPLOYEE = "employee"
    PHONE = "phone"
    ROBOT = "robot"
    GREETING = "greeting"
    TEMPLATE = "template"
    CAMPAIGN = "campaign"
    UNKNOWN = "unknown"


class PartKind(StrEnum):
    """What a part of a message is; `other` keeps the vendor's word for it."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VOICE = "voice"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    OTHER = "other"


class MessageStatus(StrEnum):
    """Where a message of ours stands. It is never lowered: see `later_status`."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"


_RANK: Mapping[MessageStatus, int] = {
    MessageStatus.WAITING: 0,
    MessageStatus.SENDING: 1,
    MessageStatus.UNKNOWN: 2,
    MessageStatus.SENT: 3,
    MessageStatus.REFUSED: 4,
    MessageStatus.DELIVERED: 5,
    MessageStatus.READ: 6,
}


def later_status(known: MessageStatus, told: MessageStatus) -> MessageStatus:
    """Return which of them holds, in whatever order they were told: what was read was delivered, and what was delivered was
    not refused."""
    return told if _RANK[told] > _RANK[known] else known


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTold:
    """A chat as an update shows it.

    phone: E.164 where the vendor tells the client's number, "" where it does not (a chat's id is never taken for one). way: what
    the adapter needs to write into it besides the id, given back as it was told last. moved_from: the id under which the
    chat was known before.
    """

    id: str
    kind: ChatKind = ChatKind.PRIVATE
    phone: str = ""
    name: str = ""
    username: str = ""
    way: str = ""
    moved_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorTold:
    """id: the vendor's of that person, "" where it tells none."""

    kind: AuthorKind
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTold:
    """A file of a message. id: for `OpenChannel.fetch`. url: from where it may be had, until expires_at; both may be "". size: bytes."""

    id: str = ""
    url: str = field(default="", repr=False)
    name: str = ""
    media_type: str = ""
    size: int | None = None
    expires_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTold:
    """text: of the message, a caption, or what stands on a card. phone: of a contact. latitude, longitude: of a location.
    vendor_kind: the vendor's own word, always of `other`."""

    kind: PartKind
    text: str = ""
    file: FileTold | None = None
    phone: str = ""
    latitude: float | None = None
    longitude: float | None = None
    vendor_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTold:
    """Of a message that is told anew with other parts. id: the edit's own, "" where it has none. at: when it was edited."""

    id: str = ""
    at: AwareDatetime | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTold:
    """What every update has.

    vendor_key: by which the vendor tells this update from others, "" where it has nothing of the kind. channel: the vendor's id of
    the channel where several share an address and a key (`ChannelKind.outside_id`), "" = the one whose address it came to.
    """

    vendor_key: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTold(UpdateTold):
    """A message, new or edited, of a client or of ours (an echo).

    at: by the vendor's clock, None when not told. sequence: in which order the vendor numbers them. own_key: ours, of a message
    that we sent, where the vendor gives it back. quoted_id, quoted_text: of the message that it answers. album_id: the same for
    messages that were sent as one. edit: None for a message that is told as new.
    """

    chat: ChatTold
    id: str
    direction: MessageDirection
    author: AuthorTold
    parts: tuple[PartTold, ...]
    at: AwareDatetime | None = None
    sequence: int = 0
    own_key: str = ""
    quoted_id: str = ""
    quoted_text: str = ""
    album_id: str = ""
    status: MessageStatus | None = None
    edit: EditTold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTold(UpdateTold):
    """Messages of one chat that their author took back. chat_id: "" where the vendor names the messages only."""

    ids: tuple[str, ...]
    chat_id: str = ""
    at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTold(UpdateTold):
    """How a message of ours fares. reason, vendor_code, words: of a refused one."""

    id: str
    status: MessageStatus
    chat_id: str = ""
    own_key: str = ""
    at: AwareDatetime | None = None
    reason: ChannelReason | None = None
    vendor_code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChanged(UpdateTold):
    """What is new of a chat without a message. can_write: whether the client lets us, None = as before."""

    chat: ChatTold
    can_write: bool | None = None
    at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStateTold(UpdateTold):
    """How the channel fares by the vendor's own words."""

    state: ChannelState
    at: AwareDatetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadTold(UpdateTold):
    """One update of several that could not be read; its neighbours could. raw: its
    bytes, as a body that tells nothing else. field, why: as of SmsWireInvalid."""

    raw: bytes = field(repr=False)
    field: str
    why: str


ChannelUpdate = MessageTold | DeletedTold | StatusTold | ChatChanged | ChannelStateTold | UnreadTold


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAnswer:
    """What the vendor wants to hear."""

    body: bytes = b"OK"
    status: int = 200
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelNews:
    """What was told at once: by one request, one list of updates, one page of a history. cursor: where the next list begins, to be
    committed together with the updates; None = as before, of a history: it is over."""

    updates: tuple[ChannelUpdate, ...] = ()
    answer: ChannelAnswer | None = None
    cursor: str | None = None
