"""Why an SMS was not sent, not delivered, or nobody knows: closed sets of codes, and what each asks of the queue. Pure.

What a code means to a person stands in sms/texts; vendors' own numbers in the table of each vendor's wire.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class FailureClass(StrEnum):
    """Whom a refusal concerns.

    message: this one only, for good. account: every message of the connection, so its queue stops until somebody has acted;
    messages wait until they expire. later: nobody's fault, the same message again after a while.
    """

    MESSAGE = "message"
    ACCOUNT = "account"
    LATER = "later"


class SmsReason(StrEnum):
    """Why a message was refused or did not arrive."""

    BAD_NUMBER = "bad-number"
    BLOCKED_NUMBER = "blocked-number"
    FORBIDDEN_TEXT = "forbidden-text"
    SENDER_NOT_REGISTERED = "sender-not-registered"
    TOO_LONG = "too-long"
    EMPTY_TEXT = "empty-text"
    NO_ROUTE = "no-route"
    DUPLICATE = "duplicate"
    NUMBER_LIMIT = "number-limit"
    BAD_REQUEST = "bad-request"
    EXTENSION_MISSING = "extension-missing"
    NOT_POSSIBLE = "not-possible"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"
    HANDSET = "handset"
    UNDELIVERABLE = "undeliverable"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    LOST = "lost"
    BAD_KEY = "bad-key"
    NO_MONEY = "no-money"
    ADDRESS_BLOCKED = "address-blocked"
    SENDER_NOT_APPROVED = "sender-not-approved"
    DAY_LIMIT = "day-limit"
    SERVICE_OFF = "service-off"
    BAD_ADDRESS = "bad-address"
    NOT_REACHED = "not-reached"
    NOT_CONNECTED = "not-connected"
    THROTTLED = "throttled"
    QUEUE_FULL = "queue-full"
    PROVIDER_TROUBLE = "provider-trouble"


class SmsDoubt(StrEnum):
    """Why nobody knows what became of a message."""

    NO_ANSWER = "no-answer"
    SERVER_ERROR = "server-error"
    UNREADABLE_ANSWER = "unreadable-answer"
    LINK_LOST = "link-lost"
    PART_MISSING = "part-missing"
    NO_REPORT = "no-report"


_ACCOUNT = (
    SmsReason.BAD_KEY,
    SmsReason.NO_MONEY,
    SmsReason.ADDRESS_BLOCKED,
    SmsReason.SENDER_NOT_APPROVED,
    SmsReason.DAY_LIMIT,
    SmsReason.SERVICE_OFF,
    SmsReason.BAD_ADDRESS,
)
_LATER = (
    SmsReason.NOT_REACHED,
    SmsReason.NOT_CONNECTED,
    SmsReason.THROTTLED,
    SmsReason.QUEUE_FULL,
    SmsReason.PROVIDER_TROUBLE,
)

CLASS_OF: Mapping[SmsReason, FailureClass] = MappingProxyType(
    dict.fromkeys(SmsReason, FailureClass.MESSAGE)
    | dict.fromkeys(_ACCOUNT, FailureClass.ACCOUNT)
    | dict.fromkeys(_LATER, FailureClass.LATER)
)

RETRY_SECONDS = (5, 15, 45, 120)
"""Pauses before the same message goes out again after a refusal of the class `later`; the last one for all that follow."""


def retry_pause(tries: int, asked_for: float | None = None) -> float:
    """Seconds to wait after so many refusals in a row. asked_for: by the provider; it is never undercut."""
    planned = RETRY_SECONDS[min(max(tries, 1), len(RETRY_SECONDS)) - 1]
    return max(float(planned), asked_for or 0.0)
