"""A message on its way: what is sent, how the provider answered, what it reported later. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sms.octets import PartHeader
from sms.reasons import CLASS_OF, FailureClass, SmsDoubt, SmsReason
from sms.segments import SmsEncoding, SmsSegments, segmented

LARGEST_OWN_ID = 2**31 - 1
"""SMSC.ru takes ids of ours up to this."""
MOST_PARTS = 4

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def is_e164(number: str) -> bool:
    """Whether it is an international number in the one spelling that is kept."""
    return _E164.fullmatch(number) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSms:
    """One message to one number.

    own_id: 1 to 2147483647, never used twice for a connection. number: E.164. sender: None = the provider's default.
    from_extension: the employee that MANGO charges. lives: how long the provider may try, None = its default.
    report_url: where this message is reported, for providers that want it with each.
    """

    own_id: int
    number: str
    text: str
    sender: str | None = None
    from_extension: str | None = None
    lives: timedelta | None = None
    report_url: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.own_id <= LARGEST_OWN_ID:
            raise ValueError(f"own_id must be 1 to {LARGEST_OWN_ID}, not {self.own_id}")
        if not is_e164(self.number):
            raise ValueError("the number of a message is in E.164, such as +79161234567")

    @property
    def segments(self) -> SmsSegments:
        return segmented(self.text)

    @property
    def digits(self) -> str:
        """The number as vendors spell it: without the plus."""
        return self.number[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsAccepted:
    """The provider has it. ids: as its reports name the message: one, or one for each part. price: in the account's currency."""

    ids: tuple[str, ...]
    price: Decimal | None = None
    balance: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRefused:
    """It was certainly not sent. vendor_code, words: what the provider said, for whoever runs the program."""

    reason: SmsReason
    vendor_code: str = ""
    words: str = ""
    retry_after: float | None = None

    @property
    def failure_class(self) -> FailureClass:
        return CLASS_OF[self.reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsUnknown:
    """It may have been sent: never send it again by itself. ids: of the parts that the provider has, where some are known."""

    why: SmsDoubt
    words: str = ""
    ids: tuple[str, ...] = ()


SmsOutcome = SmsAccepted | SmsRefused | SmsUnknown


class SmsState(StrEnum):
    """Where a message stands. Those from `delivered` on are final; only `unknown` may still become another of them."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    SENT = "sent"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsReport:
    """What a provider says of one id. state: accepted or a later one. other_ids: spellings under which it may have been
    given before. at: aware, by the provider's clock, None when not told."""

    id: str
    state: SmsState
    at: datetime | None = None
    reason: SmsReason | None = None
    vendor_code: str = ""
    price: Decimal | None = None
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingPart:
    """One of several parts of an incoming message. data: its octets, from which all are read together."""

    header: PartHeader
    encoding: SmsEncoding
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingSms:
    """What a client wrote. id: by which the provider tells it from others, "" when it says nothing of the kind. at: as the provider
    says, never when we heard of it. number: as spelled by the provider, with the plus
    where it is clearly international. part: of a message that came in pieces; the text is that of the piece."""

    number: str
    to: str
    text: str
    id: str = ""
    at: datetime | None = None
    part: IncomingPart | None = None


@dataclass(frozen=True, slots=True)
class SmsBalance:
    """Money that is left with a provider. currency: "" when not told."""

    amount: Decimal
    currency: str = ""


def refusal_before_sending(text: str, most_parts: int = MOST_PARTS) -> SmsRefused | None:
    """Refuse what must not go out as it is: an empty text, or one that would be dearer than was allowed. Nothing is cut."""
    segments = segmented(text)
    if not segments.text.strip():
        return SmsRefused(reason=SmsReason.EMPTY_TEXT)
    if len(segments.parts) > most_parts:
        return SmsRefused(reason=SmsReason.TOO_LONG, words=f"{len(segments.parts)} > {most_parts}")
    return None
