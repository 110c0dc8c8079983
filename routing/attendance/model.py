"""What is known of one employee's attendance, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from routing.presence import PresenceState

Mark = Literal["unknown", "on", "asked", "off"]
"""asked: the question is open; whoever is asked is still at work."""

SignSource = Literal["button", "crm", "calls", "page"]
MarkSource = Literal["none", "button", "schedule", "crm", "calls", "page", "idle"]
Hold = Literal["button", "schedule"]
Dnd = Literal["no", "yes", "overruled"]
"""overruled: the phone still says it, but its owner has pressed the button since."""


class AttendanceReason(StrEnum):
    """Why somebody counts as at work or not. A closed set: sentences in routing/texts, a table in the documentation."""

    NOT_SEEN_YET = "not_seen_yet"
    SWITCHED_ON = "switched_on"
    SWITCHED_OFF = "switched_off"
    ANSWERED = "answered"
    SAID_NO = "said_no"
    NO_ANSWER = "no_answer"
    SILENT = "silent"
    PAGE_GONE = "page_gone"
    CRM_ACTIVITY = "crm_activity"
    CALL = "call"
    PAGE_INPUT = "page_input"
    SHIFT_ENDED = "shift_ended"
    OFF_SHIFT = "off_shift"


REASON_OF_SIGN: Mapping[SignSource, AttendanceReason] = {
    "button": AttendanceReason.SWITCHED_ON,
    "crm": AttendanceReason.CRM_ACTIVITY,
    "calls": AttendanceReason.CALL,
    "page": AttendanceReason.PAGE_INPUT,
}


class Sign(NamedTuple):
    """Something that only who is there does. at: when it was done, by our clock."""

    source: SignSource
    at: datetime


class PresenceQuestion(NamedTuple):
    """Are you there? asked_at names it; without an answer by `answer_by` the employee is off."""

    asked_at: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """since: of the mark and its reason. by: whoever switched, "" = nobody did. signs: the latest of each source.

    question: the open one, or the one that was not answered. hold: what keeps somebody off, whatever they do; only the same
    rank lifts it. deaf_until: signs up to then prove nothing. has_page_gone: their pages fell silent. on_shift: as the
    schedule last said, None = nothing.
    """

    mark: Mark = "unknown"
    since: datetime
    source: MarkSource = "none"
    reason: AttendanceReason = AttendanceReason.NOT_SEEN_YET
    by: str = ""
    signs: Mapping[SignSource, datetime] = field(default_factory=dict)
    question: PresenceQuestion | None = None
    hold: Hold | None = None
    deaf_until: datetime | None = None
    dnd: Dnd = "no"
    is_in_call: bool = False
    has_page_gone: bool = False
    on_shift: bool | None = None

    @property
    def is_here(self) -> bool:
        """Whoever is asked still is."""
        return self.mark in ("on", "asked")

    @property
    def last_sign_at(self) -> datetime | None:
        return max(self.signs.values(), default=None)


_OFF_SHIFT = frozenset({AttendanceReason.SHIFT_ENDED, AttendanceReason.OFF_SHIFT})


def state_of(attendance: Attendance) -> PresenceState:
    """Return what a lookup or a distribution sees of it. A decision not to work goes before what the phone says."""
    if attendance.mark == "off":
        is_over = attendance.reason in _OFF_SHIFT
        return PresenceState.OFF_SHIFT if is_over else PresenceState.OFFLINE
    if attendance.dnd == "yes":
        return PresenceState.DND
    if attendance.is_in_call:
        return PresenceState.BUSY
    return PresenceState.UNKNOWN if attendance.mark == "unknown" else PresenceState.AVAILABLE


MarkSaid = Literal["unknown", "available", "asked", "offline", "dnd"]
_SAID: Mapping[str, MarkSaid] = {
    "unknown": "unknown",
    "on": "available",
    "asked": "asked",
    "off": "offline",
    "dnd": "dnd",
}


def mark_said(mark: str) -> MarkSaid:
    """Return how people are told of a mark, or of an interval's state: in the words of `PresenceState`."""
    return _SAID[mark]


def shown(attendance: Attendance) -> tuple[object, ...]:
    """Return what history tells of: a difference is a transition."""
    return attendance.mark, attendance.reason, attendance.by, attendance.dnd == "yes"


def marked(
    attendance: Attendance,
    mark: Mark,
    source: MarkSource,
    reason: AttendanceReason,
    at: datetime,
    by: str = "",
) -> Attendance:
    """Return it with another mark; what belonged to the former one (question, hold) is gone."""
    return replace(
        attendance, mark=mark, source=source, reason=reason, since=at, by=by, question=None, hold=None
    )
