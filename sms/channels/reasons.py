"""Why a message was not sent into a chat or did not arrive, and in what state a channel is: closed sets. Pure.

What a code means to a person stands in sms/texts; vendors' own codes in the table of each vendor's wire.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ChannelState(StrEnum):
    """How a channel fares, told by the vendor or by how it treats us.

    waiting: it is being set up, or the phone behind it cannot be reached just now. conflict: somebody else reads it in our place.
    """

    ACTIVE = "active"
    WAITING = "waiting"
    UNAUTHORISED = "unauthorised"
    NO_MONEY = "no_money"
    DISABLED = "disabled"
    CONFLICT = "conflict"


class ChannelFailure(StrEnum):
    """Whom a refusal concerns.

    passing: nobody's fault, the same message again after a while. lasting: this message, for good. ours: every message of the
    channel, until somebody of ours has acted. client: this chat, until the client does something.
    """

    PASSING = "passing"
    LASTING = "lasting"
    OURS = "ours"
    CLIENT = "client"


class ChannelReason(StrEnum):
    """Why a message was refused, before it was sent or by the vendor."""

    NOT_REACHED = "not-reached"
    THROTTLED = "throttled"
    VENDOR_TROUBLE = "vendor-trouble"
    EMPTY = "empty"
    TOO_LONG = "too-long"
    FILE_TOO_LARGE = "file-too-large"
    FILE_UNREADABLE = "file-unreadable"
    FILE_KIND = "file-kind"
    FORBIDDEN = "forbidden"
    BAD_REQUEST = "bad-request"
    QUOTED_UNKNOWN = "quoted-unknown"
    UNDELIVERABLE = "undeliverable"
    BAD_KEY = "bad-key"
    NO_MONEY = "no-money"
    CHANNEL_OFF = "channel-off"
    BAD_ADDRESS = "bad-address"
    WINDOW_CLOSED = "window-closed"
    BLOCKED = "blocked"
    NOT_WRITTEN_FIRST = "not-written-first"
    NO_SUCH_CHAT = "no-such-chat"


_PASSING = (ChannelReason.NOT_REACHED, ChannelReason.THROTTLED, ChannelReason.VENDOR_TROUBLE)
_OURS = (
    ChannelReason.BAD_KEY,
    ChannelReason.NO_MONEY,
    ChannelReason.CHANNEL_OFF,
    ChannelReason.BAD_ADDRESS,
)
_CLIENT = (
    ChannelReason.WINDOW_CLOSED,
    ChannelReason.BLOCKED,
    ChannelReason.NOT_WRITTEN_FIRST,
    ChannelReason.NO_SUCH_CHAT,
)

FAILURE_OF: Mapping[ChannelReason, ChannelFailure] = MappingProxyType(
    dict.fromkeys(ChannelReason, ChannelFailure.LASTING)
    | dict.fromkeys(_PASSING, ChannelFailure.PASSING)
    | dict.fromkeys(_OURS, ChannelFailure.OURS)
    | dict.fromkeys(_CLIENT, ChannelFailure.CLIENT)
)

STATE_SHOWN_BY: Mapping[ChannelReason, ChannelState] = MappingProxyType(
    {
        ChannelReason.BAD_KEY: ChannelState.UNAUTHORISED,
        ChannelReason.NO_MONEY: ChannelState.NO_MONEY,
        ChannelReason.CHANNEL_OFF: ChannelState.DISABLED,
    }
)
"""What a refusal says of the whole channel."""


class MessageDoubt(StrEnum):
    """Why nobody knows whether a message was sent."""

    NO_ANSWER = "no-answer"
    SERVER_ERROR = "server-error"
    UNREADABLE_ANSWER = "unreadable-answer"
    INTERRUPTED = "interrupted"


class FileReason(StrEnum):
    """Why a file that a client has sent is not here. not-reached, vendor-trouble: it is tried again by itself."""

    NOT_REACHED = "not-reached"
    VENDOR_TROUBLE = "vendor-trouble"
    GONE = "gone"
    EXPIRED = "expired"
    TOO_LARGE = "too-large"
    EMPTY = "empty"
    OTHER_KIND = "other-kind"
    FORBIDDEN_PLACE = "forbidden-place"
    NOT_OFFERED = "not-offered"
