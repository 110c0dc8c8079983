"""A message on its way into a chat, and how the vendor answered. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sms.channels.model import ChatKind
from sms.channels.reasons import FAILURE_OF, ChannelFailure, ChannelReason, MessageDoubt

MOST_KEY_CHARACTERS = 64
_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{MOST_KEY_CHARACTERS}}}", re.ASCII)


def is_key(text: str) -> bool:
    """Whether messengers take it as the key of a message."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file to be sent. content: its bytes; url: where the vendor may fetch it instead, "" where it may not. media_type: as image/png."""

    name: str
    media_type: str
    content: bytes | None = field(default=None, repr=False)
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message to one chat, with a text, a file, or both where the kind has captions.

    key: ours, the same whenever the same message is sent; vendors that want one get it. way: as the chat told it. phone: E.164,
    of a chat that is still to be opened by a number (chat_id is "" then).
    """

    key: str
    chat_id: str
    text: str = ""
    file: OutgoingFile | None = None
    chat_kind: ChatKind = ChatKind.PRIVATE
    phone: str = ""
    way: str = ""
    quoted_id: str = ""

    def __post_init__(self) -> None:
        if not is_key(self.key):
            raise ValueError(f"a key has 1 to {MOST_KEY_CHARACTERS} of A-Z, a-z, 0-9, _ and -")
        if not (self.chat_id or self.phone):
            raise ValueError("a message goes into a chat or to a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAccepted:
    """The vendor has it. id: as echoes and statuses name it; "" where it is told later, with our key. chat_id: where it went, ""
    = where it was sent to."""

    id: str
    chat_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRefused:
    """It was certainly not sent. vendor_code, words: what the vendor said."""

    reason: ChannelReason
    vendor_code: str = ""
    words: str = ""

    @property
    def failure(self) -> ChannelFailure:
        return FAILURE_OF[self.reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageThrottled:
    """It was not sent: too many at once. retry_after: seconds. of_chat: only this chat is held back, not the channel."""

    retry_after: float
    of_chat: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnknown:
    """It may have been sent: never send it again by itself."""

    why: MessageDoubt
    words: str = ""


SendOutcome = MessageAccepted | MessageRefused | MessageThrottled | MessageUnknown
