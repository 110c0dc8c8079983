"""What reconciliation needs of a PBX that can be asked what calls there were."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.pbx.port import Parsed
from gateway.pbx.reading.payload import canonical
from routing.calls.model import CallEvent, EventKind


class PbxError(Exception):
    """Asking a PBX failed. Nothing else depends on it; it is asked again later."""

    code, retryable = "pbx-error", True


class PbxUnreachable(PbxError):
    """The PBX did not answer, or said that it cannot now."""

    code = "pbx-unreachable"


class PbxThrottled(PbxError):
    """The PBX was asked more often than it allows. retry_after: seconds, None when not told."""

    code = "pbx-throttled"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PbxRefused(PbxError):
    """The PBX does not take our key. Put the right one into the connection."""

    code, retryable = "pbx-refused", False


class NoContactCentre(PbxRefused):
    """The contract with the PBX has no contact centre. Order it there, or let the gateway dial by itself."""

    code = "edition"


class PbxAnswerInvalid(PbxError):
    """The PBX answered something else than its documentation says."""

    code = "pbx-answer-invalid"


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call as the PBX remembers it: its final report, and whatever else the log tells of it."""

    call_key: str
    events: tuple[CallEvent, ...]

    @property
    def began_at(self) -> datetime:
        return min(e.started_at or e.at for e in self.events)

    @property
    def ended_at(self) -> datetime:
        return max(e.at for e in self.reports)

    @property
    def reports(self) -> tuple[CallEvent, ...]:
        return tuple(e for e in self.events if e.kind is EventKind.SUMMARY) or self.events

    @property
    def legs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(e.leg for e in self.events if e.leg))

    def parsed(self) -> Parsed:
        """As a message for the inbox; the same call gives the same one whenever it is read."""
        told = [e.model_dump(mode="json", exclude_defaults=True) for e in self.events]
        return Parsed(canonical=canonical({"call_log": self.call_key, "events": told}), events=self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A part of the log. whole_until: everything that began before this has been given now; None: more follows.
    refused: one line for each entry that could not be read."""

    calls: tuple[LoggedCall, ...]
    refused: tuple[str, ...] = ()
    whole_until: datetime | None = None


class CallLog(Protocol):
    """A PBX's own list of calls. knows_ends: its word on how a call ended beats what we heard at the time."""

    knows_ends: bool

    def read(self, since: datetime, until: datetime) -> AsyncIterator[LogPage]:
        """Return the calls that began in since ≤ t < until, oldest part first. Raises PbxError."""
        ...


def by_call(events: Iterable[CallEvent]) -> tuple[LoggedCall, ...]:
    """Entries of one call put together, in the order in which calls first appear."""
    calls: dict[str, list[CallEvent]] = {}
    for event in events:
        calls.setdefault(event.call_key, []).append(event)
    return tuple(LoggedCall(key, tuple(told)) for key, told in calls.items())


@dataclass(frozen=True, slots=True)
class Window:
    """since ≤ call < until, aware."""

    since: datetime
    until: datetime


def windows(since: datetime, until: datetime, length: timedelta = timedelta(hours=24)) -> tuple[Window, ...]:
    """Return the range in pieces of this length, oldest first."""
    pieces = []
    while since < until:
        pieces.append(Window(since, min(since + length, until)))
        since += length
    return tuple(pieces)
