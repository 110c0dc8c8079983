"""What the gateway needs of any PBX, in our own words.

The values that go in and out; what a kind is and may be able to do stands in kind.py and capabilities.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from routing.calls.model import CallEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A request of a PBX as it arrived, without any web framework.

    path: what follows `/pbx/{connection}/events` without slashes at the ends, "" for the bare path. query, form: the
    last value of each name (gateway/pbx/query.py), except that form keeps the first of `name[]`; body: the exact bytes. received_at: aware UTC.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class WireInvalid(Exception):
    """What a PBX sent is not what its protocol says. field: the name of the offending field."""

    code = "wire-invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class WireForbidden(Exception):
    """The vendor's signature or secret does not match: answered 401, nothing is kept."""

    code = "wire-forbidden"


class LookupRequest(NamedTuple):
    """Whose client is calling? phone, did: as spelled, a `+` that arrived as a space repaired; None = not sent.

    format: the form of the answer that the request asks for, None = the connection's dialect.
    """

    phone: str | None = None
    did: str | None = None
    call_id: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """canonical: the payload in a form that is the same for every repetition of the same message: what duplicates are
    recognised by. events: what happened, possibly nothing (a ping). answer: the body the vendor expects, None = ours.
    spoilt: names of the fields that could not be read as they stood, and were made legible or left out. signed_at: when
    the PBX signed it, where a signature is all that is shown."""

    canonical: str
    events: tuple[CallEvent, ...]
    answer: tuple[str, bytes] | None = None  # (content type, body)
    asks: LookupRequest | None = (
        None  # the message is a question too: answered with lookup_answer (sipgate's newCall)
    )
    spoilt: tuple[str, ...] = ()
    signed_at: datetime | None = field(default=None, compare=False)


class InboxUnavailable(Exception):
    """The message could not be stored now; nothing was accepted. The sender is to try again: answered 503."""

    code, retryable = "inbox-unavailable", True


class MessageUnstorable(Exception):
    """The database refuses this very message, whenever it is sent. Answered 400; its neighbours are stored."""

    code, retryable = "message-unstorable", False
