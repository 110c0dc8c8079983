"""Who is on shift at a moment, from when to when, and why not: half-open spans in aware UTC, ordered and apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from routing.schedules.calendar import NO_CALENDAR, Calendar
from routing.schedules.clock import first_instant, local_date
from routing.schedules.model import Schedule
from routing.schedules.pieces import Piece, PlannedHours, Span, merged

ShiftReason = Literal["", "not_in_schedule", "off_shift", "holiday", "on_leave"]

_DAY = timedelta(days=1)
_AHEAD = (8, 36, 400)
"""Days; farther only where nothing was found nearer."""
_TOLD_KEPT = 24
_NEVER, _ENDLESS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Shift(NamedTuple):
    """Of one person at one moment.

    reason: why they are off, "" when on. until: how long it stays so; None = longer than a month (on) or a year (off).
    next_start: when they come on next, None = not within a year. substitute_id: who works their hours meanwhile.
    """

    is_on: bool
    reason: ShiftReason = ""
    until: datetime | None = None
    next_start: datetime | None = None
    substitute_id: str | None = None


class WorkDay(NamedTuple):
    """A local date of one person. spans: that begin on it. reason: why there are none. substitute_id: who works their hours.
    instead_of: whose hours they work besides."""

    day: date
    spans: tuple[Span, ...]
    reason: ShiftReason
    substitute_id: str | None = None
    instead_of: tuple[str, ...] = ()


class _Told(NamedTuple):
    """What holds from since to until."""

    since: datetime
    until: datetime
    shift: Shift


class _Seen(NamedTuple):
    """What was looked through: all that begins before `edge`, the first instant of the date `last`."""

    spans: tuple[Span, ...]
    last: date
    edge: datetime


_NOT_IN_SCHEDULE = Shift(False, "not_in_schedule")


class Timetable:
    """One schedule, for asking again and again: what was found is remembered. zone: the account's. groups: each employee's,
    for the plans of groups."""

    def __init__(
        self,
        schedule: Schedule,
        zone: ZoneInfo,
        calendar: Calendar = NO_CALENDAR,
        groups: Mapping[str, str | None] | None = None,
    ) -> None:
        self.schedule, self.zone, self.calendar = schedule, zone, calendar
        self._hours = PlannedHours(schedule, zone, calendar, groups or {})
        self._told: dict[str, list[_Told]] = {}

    def has(self, employee_id: str) -> bool:
        """Whether they are in the schedule, or work the hours of somebody who is."""
        return self._hours.has(employee_id)

    def names(self, employee_id: str) -> bool:
        """Whether it holds hours of theirs or of their group: a shift, and not only hours that are everybody's."""
        return self._hours.names(employee_id)

    def shift(self, employee_id: str, at: datetime) -> Shift:
        """at: aware."""
        told = self._told.get(employee_id)
        if told is not None:
            for one in told:
                if one.since <= at < one.until:
                    return one.shift
        elif not self._hours.has(employee_id):
            return _NOT_IN_SCHEDULE
        return self._tell(employee_id, at.astimezone(UTC))

    def is_on(self, employee_id: str, at: datetime) -> bool:
        return self.shift(employee_id, at).is_on

    def next_start(self, employee_id: str, at: datetime) -> datetime | None:
        """Return the first moment, `at` or later, at which they are on; None = not within a year."""
        shift = self.shift(employee_id, at)
        return at if shift.is_on else shift.next_start

    def spans(self, employee_id: str, first: datetime, last: datetime) -> tuple[Span, ...]:
        """Return what lies in [first, last)."""
        begins, ends = first.astimezone(UTC), last.astimezone(UTC)
        if begins >= ends:
            return ()
        dates = self._date(employee_id, begins), self._date(employee_id, ends)
        clipped = (
            Span(max(span.begins, begins), min(span.ends, ends))
            for span in merged(self._hours.worked(employee_id, *dates))
        )
        return tuple(span for span in clipped if span.begins < span.ends)

    def after_minutes(self, employee_id: str, start: datetime, minutes: int) -> datetime | None:
        """Return when `minutes` of their working time have passed since `start`; None = not within a year."""
        left, reached = timedelta(minutes=minutes), start.astimezone(UTC)
        end = reached + timedelta(days=_AHEAD[-1])
        while reached < end:
            until = min(reached + timedelta(days=_AHEAD[0]), end)
            for span in self.spans(employee_id, reached, until):
                if left <= span.ends - span.begins:
                    return span.begins + left
                left -= span.ends - span.begins
            reached = until
        return None

    def day(self, employee_id: str, day: date) -> WorkDay:
        """Return a local date of theirs, as a person looks at it."""
        if not self.has(employee_id):
            return WorkDay(day, (), "not_in_schedule")
        pieces = self._hours.pieces(employee_id, day)
        spans = merged(Span(p.begins, p.ends) for p in pieces if not p.reason)
        reason: ShiftReason = "" if spans else self._hours.day(employee_id, day).reason or "off_shift"
        others = self._hours.instead_of(employee_id, day)
        others = tuple(who for who in others if self._hours.day(who, day).hours)
        return WorkDay(day, spans, reason, self._hours.stand_in(employee_id, day), others)

    def zone_of(self, employee_id: str) -> ZoneInfo:
        """Return the zone that their hours are meant in."""
        return self._hours.zone(employee_id)

    def prepare(self, employees: Iterable[str], at: datetime) -> Iterator[None]:
        """Find out beforehand what will be asked within the day from `at`, a person at a step: to look for shifts takes
        up to a millisecond, to remember them nothing."""
        moment = at.astimezone(UTC)
        for person in employees:
            if self.has(person) and moment + _DAY // 2 >= self._told_until(person):
                self._tell(person, moment)
            yield

    def _told_until(self, employee_id: str) -> datetime:
        return max((told.until for told in self._told.get(employee_id, ())), default=_NEVER)

    def _date(self, employee_id: str, at: datetime) -> date:
        return local_date(at, self._hours.zone(employee_id))

    def _tell(self, employee_id: str, at: datetime) -> Shift:
        """Return the shift of this moment, and remember those of the day that follows: nothing changes but where planned hours
        begin or end, and with the date."""
        today, zone = self._date(employee_id, at), self._hours.zone(employee_id)
        days = [today + offset * _DAY for offset in range(-3, 5)]
        pieces = [piece for day in days for piece in self._hours.pieces(employee_id, day)]
        edges = {edge for piece in pieces for edge in (piece.begins, piece.ends)}
        edges |= {first_instant(day, zone) for day in days[3:6]}
        since = max((edge for edge in edges if edge <= at), default=at)
        later = sorted(edge for edge in edges if at < edge <= at + _DAY) or [at + _DAY // 1440]
        seen = self._seen(employee_id, today, _AHEAD[0])
        told = [
            _Told(begins, ends, self._shift(employee_id, begins, pieces, seen))
            for begins, ends in pairwise((since, *later))
        ]
        self._told[employee_id] = [*self._told.get(employee_id, ()), *told][-_TOLD_KEPT:]
        return told[0].shift

    def _shift(self, employee_id: str, at: datetime, pieces: Sequence[Piece], seen: _Seen) -> Shift:
        now, following = self._now_and_next(employee_id, at, seen)
        if now is not None:
            return Shift(True, "", None if now.ends == _ENDLESS else now.ends, following)
        cancelled = next((p.begins for p in pieces if p.reason and p.begins <= at < p.ends), at)
        day = self._date(employee_id, cancelled)
        reason = self._hours.day(employee_id, day).reason or "off_shift"
        return Shift(False, reason, following, following, self._hours.stand_in(employee_id, day))

    def _seen(self, employee_id: str, today: date, days: int) -> _Seen:
        last = today + days * _DAY
        edge = first_instant(last, self._hours.zone(employee_id))
        return _Seen(merged(self._hours.worked(employee_id, today, last)), last, edge)

    def _now_and_next(
        self, employee_id: str, at: datetime, seen: _Seen
    ) -> tuple[Span | None, datetime | None]:
        """Return the span of this moment, and the beginning of the next one: looking as far ahead as is needed."""
        today, last = self._date(employee_id, at), self._hours.last(employee_id)
        for days in _AHEAD[1:]:
            now = next((s for s in seen.spans if s.begins <= at < s.ends), None)
            following = next((s.begins for s in seen.spans if at < s.begins < seen.edge), None)
            if following is not None or (last is not None and last < seen.last):
                return now, following
            if now is not None and now.ends >= seen.edge and days == _AHEAD[-1]:
                return Span(now.begins, _ENDLESS), None
            seen = self._seen(employee_id, today, days)
        now = next((s for s in seen.spans if s.begins <= at < s.ends), None)
        return now, next((s.begins for s in seen.spans if at < s.begins < seen.edge), None)


def shift_of(
    schedule: Schedule,
    employee_id: str,
    at: datetime,
    zone: ZoneInfo,
    calendar: Calendar = NO_CALENDAR,
    groups: Mapping[str, str | None] | None = None,
) -> Shift:
    """Ask once; whoever asks often keeps a Timetable. zone: the account's."""
    return Timetable(schedule, zone, calendar, groups).shift(employee_id, at)
