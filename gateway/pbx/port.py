"""What the gateway needs of any PBX, in our own words.

A kind is a `PbxKind`: stateless, one instance per kind, handed each connection's own settings. Kinds with a permanent
link (Asterisk's AMI) bring a listener of their own, started by the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.pbx.connection import Connection
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupRequest:
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
    recognised by. events: what happened, possibly nothing (a ping). answer: the body the vendor expects, None = ours."""

    canonical: str
    events: tuple[CallEvent, ...]
    answer: tuple[str, bytes] | None = None  # (content type, body)
    asks: LookupRequest | None = (
        None  # the message is a question too: answered with lookup_answer (sipgate's newCall)
    )


class PbxKind(Protocol):
    """has_plain_lookup: a GET with a Bearer header is read by `dialects.lookup_of` alone and `json` is answered in the
    contract's own form, so that the endpoint may take its short way."""

    kind: str
    has_plain_lookup: bool

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        """Does the request carry the connection's secret? Bearer header, `token`, or the vendor's signature."""
        ...

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        """Raises WireInvalid naming the field; never returns a half-filled event."""
        ...

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        """Read a question. Never raises: what cannot be read counts as not sent, since the phone is ringing."""
        ...

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        """Write the answer for this PBX: (content type, body).

        answer: the contract's JSON object (decision_id, caller, outcome, reason, entity, responsible, targets, …).
        format: json, text, xml or a dialect's name; overrides the connection's dialect; an unknown one is ignored.
        """
        ...


class InboxUnavailable(Exception):
    """The message could not be stored now; nothing was accepted. The sender is to try again: answered 503."""

    code, retryable = "inbox-unavailable", True


class MessageUnstorable(Exception):
    """The database refuses this very message, whenever it is sent. Answered 400; its neighbours are stored."""

    code, retryable = "message-unstorable", False
