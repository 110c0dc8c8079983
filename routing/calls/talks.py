"""Who talked with the client, and when: out of the answers that were told and of who reports name besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from routing.calls.model import CallEvent, Direction, Disposition, EventKind, Talk

_T = TypeVar("_T")

Stretch = tuple[str | None, str | None, datetime]
"""Who talked, with which leg, since when."""

_SECOND = timedelta(seconds=1)

_CLOCKS = timedelta(seconds=3)
"""A report has the PBX's whole seconds. A time with a fraction is from another clock, mostly that of receipt: what is nearer
than this may be one moment."""


def claims_answer(event: CallEvent) -> bool | None:
    """Say whether this report tells that somebody talked; None = it does not say."""
    if event.cause is Disposition.ANSWERED or event.answered_at is not None:
        return True
    if event.talk_seconds is not None and event.cause is None:
        return event.talk_seconds > 0
    return None if event.cause is None else False


def first(events: Iterable[CallEvent], pick: Callable[[CallEvent], _T | None]) -> _T | None:
    return next((value for event in events if (value := pick(event)) is not None and value != ""), None)


class TalksTold:
    """What the distinct events of one call, in their order, tell of talks."""

    def __init__(self, told: Sequence[CallEvent]) -> None:
        self.told = told
        self.summaries = self.of(EventKind.SUMMARY)
        self.ends = self.of(EventKind.ENDED)
        self.answers = self.of(EventKind.ANSWERED)
        self.parts = self._parts()
        self.unheard = self._unheard()
        self.lost_first = self._lost_first()

    def of(self, kind: EventKind) -> list[CallEvent]:
        return [event for event in self.told if event.kind is kind]

    def talks(
        self, direction: Direction, answered_at: datetime, ended_at: datetime | None
    ) -> tuple[Talk, ...]:
        """Return the talks of a call that was answered, in order. ended_at None: it goes on."""
        parts = self.parts
        reporter = self.summaries or [e for e in self.ends if claims_answer(e)]
        reported = first([e for e in reporter if claims_answer(e) is not False], lambda e: e.party)
        fallback = reported or (
            first(self.of(EventKind.STARTED), lambda e: e.party) if direction == "outbound" else None
        )
        if not parts:
            return (Talk(party=fallback, started_at=answered_at, ended_at=ended_at),)
        if (lost := self.lost_first) is not None:
            parts = [(lost.party, None, answered_at), *parts]
        elif (lost := next((e for e in self.unheard if e.leg is None), None)) is not None:
            parts = [*parts, (lost.party, None, self._lost_since(lost, parts[-1], ended_at))]
        talks = []
        for place, (party, leg, at) in enumerate(parts):
            begins = answered_at if place == 0 else max(at, answered_at)
            following = parts[place + 1][2] if place + 1 < len(parts) else None
            ends = self._talk_end(party, leg, begins) or following or ended_at
            talks.append(
                Talk(
                    party=party or fallback,
                    started_at=min(begins, ended_at) if ended_at else begins,
                    ended_at=_within(ends, begins, ended_at),
                )
            )
        return tuple(talks)

    def talked(self, answered_at: datetime, ended_at: datetime) -> timedelta:
        """Return the time in which anybody may have talked: until the end, where it was not told that they left before."""
        if not self.parts or self.unheard:
            return ended_at - answered_at
        total, until = timedelta(), answered_at
        for place, (party, leg, at) in enumerate(self.parts):
            begins = max(answered_at if place == 0 else at, until)
            ends = min(self._talk_end(party, leg, at) or ended_at, ended_at)
            total += max(timedelta(), ends - begins)
            until = max(ends, until)
        return total

    def is_left_waiting(self, ended_at: datetime) -> bool:
        """Was the client passed on, to a phone, queue or mailbox, and did nobody take over until the end?"""
        ends = [end for stretch in self.parts if (end := self._talk_end(*stretch)) is not None]
        if not ends or len(ends) < len(self.parts) or self.unheard or ended_at - max(ends) < _SECOND:
            return False
        return any(self._rings_after(event, max(ends)) for event in self.of(EventKind.RANG))

    def _rings_after(self, rang: CallEvent, left: datetime) -> bool:
        """Also a phone that rang already while the last talk went on: a consultation before the transfer."""
        if rang.at >= left - _SECOND:
            return True
        gone = self._talk_end(rang.party, rang.leg, rang.at)
        return rang.at > self.parts[-1][2] and gone is not None and gone - left >= _SECOND

    def _unheard(self) -> list[CallEvent]:
        """Return reports that name a talker of whom no answer was told, where every answer told whose it was."""
        parties = [party for party, _, _ in self.parts]
        if not parties or None in parties:
            return []
        reports = self.summaries or self.ends
        return [e for e in reports if claims_answer(e) and e.party and e.party not in parties]

    def _lost_first(self) -> CallEvent | None:
        """Return the report or hangup that names a first talker whose own answer was lost: talk began clearly before any
        that we heard of."""
        if not self.unheard:
            return None
        heard = self.parts[0][2]
        latest = heard - (_CLOCKS if heard.microsecond else timedelta())
        return next((e for e in self.unheard if talked_since(e) < latest), None)

    def _lost_since(self, lost: CallEvent, last: Stretch, ended_at: datetime | None) -> datetime:
        """Since when who took over unheard may have talked: since their phone rang, the one before had left, or the end."""
        party, leg, since = last
        rang = [e.at for e in self.of(EventKind.RANG) if e.party == lost.party and e.at > since]
        told = [*rang, self._talk_end(party, leg, since), ended_at, lost.at]
        return next(at for at in told if at is not None)

    def _parts(self) -> list[Stretch]:
        """Who talked, one entry per stretch: (party, leg, since). Hold and its end are one stretch, so are repetitions."""
        parts: list[Stretch] = []
        for event in self.answers:
            at = event.answered_at or event.at
            of_leg = [n for n, part in enumerate(parts) if event.leg and part[1] == event.leg]
            same = of_leg[-1] if of_leg else None
            if same is None and parts and _is_same_party(parts[-1], event):
                same = len(parts) - 1
            if same is not None and self._has_left(parts[same], at):
                same = None
            if same is None:
                parts.append((event.party, event.leg, at))
            else:
                party, leg, since = parts[same]
                parts[same] = (party or event.party, leg or event.leg, min(since, at))
        return parts

    def _has_left(self, part: Stretch, at: datetime) -> bool:
        """Did this talk end before then? Who is back afterwards begins another."""
        left = self._talk_end(*part)
        return left is not None and part[2] < left <= at

    def _talk_end(self, party: str | None, leg: str | None, begins: datetime) -> datetime | None:
        ends = [
            event.at
            for event in self.of(EventKind.LEG_ENDED)
            if event.at >= begins
            and (event.leg == leg if leg and event.leg else party is not None and event.party == party)
        ]
        return min(ends, default=None)


def talked_since(report: CallEvent) -> datetime:
    return report.answered_at or report.at - timedelta(seconds=report.talk_seconds or 0)


def _is_same_party(part: Stretch, event: CallEvent) -> bool:
    party, leg, _ = part
    if leg and event.leg and leg != event.leg:
        return False
    return party == event.party or party is None or event.party is None


def _within(at: datetime | None, not_before: datetime, not_after: datetime | None) -> datetime | None:
    if at is None:
        return None
    if not_after is not None:
        at = min(at, not_after)
    return max(at, min(not_before, not_after) if not_after else not_before)
