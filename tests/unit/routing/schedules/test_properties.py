"""What holds for any schedule, zone and moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.schedules.calendar import Calendar, WorkingDay
from routing.schedules.edits import as_written
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from routing.schedules.timetable import Timetable

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Kyiv",
        "Europe/Moscow",
        "Africa/Cairo",
        "Asia/Beirut",
        "America/St_Johns",
        "Pacific/Apia",
        "America/Havana",
    )
]
FIRST, DAYS = date(2026, 3, 1), 60
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))
HOURS = st.lists(st.tuples(CLOCKS, st.one_of(CLOCKS, st.just("24:00"))), max_size=3).map(tuple)
DATES = st.integers(-3, DAYS).map(lambda n: FIRST + timedelta(days=n))


@st.composite
def leaves(draw: st.DrawFn, substitutes: tuple[str | None, ...]) -> tuple[Leave, ...]:
    first = draw(DATES)
    last = first + timedelta(days=draw(st.integers(0, 9)))
    substitute = draw(st.sampled_from(substitutes))
    return draw(st.sampled_from(((), (Leave(first=first, last=last, substitute=substitute),))))


@st.composite
def weekly_plans(draw: st.DrawFn, substitutes: tuple[str | None, ...]) -> WorkPlan:
    zone = draw(st.sampled_from((None, "Asia/Vladivostok", "Africa/Cairo")))
    hours = draw(st.dictionaries(st.integers(1, 7), HOURS, max_size=7))
    day = draw(DATES)
    periods = draw(st.sampled_from((None, (Period(first=day, last=day, hours=draw(HOURS)),))))
    return WorkPlan(hours=hours, periods=periods, zone=zone, leave=draw(leaves(substitutes)))


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    people = {
        "ann": draw(weekly_plans(("bob", "eve", None))),
        "bob": draw(weekly_plans(("eve", None))),
    }
    free = draw(st.frozensets(DATES, max_size=5))
    worked = draw(st.frozensets(DATES, max_size=5)) - free
    calendar = Calendar(free=dict.fromkeys(free, "free"), working=dict.fromkeys(worked, WorkingDay()))
    return Timetable(Schedule(people=people), draw(st.sampled_from(ZONES)), calendar)


MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 30)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
WHO = st.sampled_from(("ann", "bob", "eve"))
BEGIN, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)


@settings(max_examples=25, deadline=None)
@given(timetables(), WHO)
def test_spans_are_in_order_apart_and_never_empty(timetable: Timetable, who: str) -> None:
    spans = timetable.spans(who, BEGIN, END)
    assert all(span.begins < span.ends for span in spans)
    assert all(earlier.ends < later.begins for earlier, later in pairwise(spans))


@settings(max_examples=25, deadline=None)
@given(timetables(), WHO, st.lists(MOMENTS, min_size=1, max_size=8))
def test_who_is_on_at_a_moment_is_who_has_a_span_over_it(
    timetable: Timetable, who: str, moments: list[datetime]
) -> None:
    spans = timetable.spans(who, BEGIN - timedelta(days=3), END + timedelta(days=3))
    edges = [edge for span in spans for edge in span if BEGIN < edge < END]
    for at in (*moments, *edges[:6], *(edge - timedelta(microseconds=1) for edge in edges[:6])):
        assert timetable.is_on(who, at) == any(span.begins <= at < span.ends for span in spans)


@settings(max_examples=25, deadline=None)
@given(timetables(), WHO, MOMENTS)
def test_the_next_start_is_the_first_moment_on_and_until_the_first_that_differs(
    timetable: Timetable, who: str, at: datetime
) -> None:
    shift = timetable.shift(who, at)
    later = [span for span in timetable.spans(who, at, at + timedelta(days=500)) if span.begins > at]
    within = [span for span in later if span.begins < at + timedelta(days=390)]
    if within:
        assert shift.next_start == within[0].begins
    starts = timetable.next_start(who, at)
    assert starts == at if shift.is_on else starts == shift.next_start
    if shift.until is not None:
        assert timetable.is_on(who, shift.until) != shift.is_on
        assert timetable.is_on(who, shift.until - timedelta(microseconds=1)) == shift.is_on


@settings(max_examples=20, deadline=None)
@given(timetables(), WHO, st.lists(MOMENTS, min_size=2, max_size=12))
def test_what_is_remembered_is_what_is_found_anew(
    timetable: Timetable, who: str, moments: list[datetime]
) -> None:
    for at in moments:
        fresh = Timetable(timetable.schedule, timetable.zone, timetable.calendar)
        assert timetable.shift(who, at) == fresh.shift(who, at)


@settings(max_examples=20, deadline=None)
@given(timetables(), WHO, MOMENTS, st.integers(0, 3000))
def test_minutes_that_have_passed_can_be_counted(
    timetable: Timetable, who: str, at: datetime, minutes: int
) -> None:
    end = timetable.after_minutes(who, at, minutes)
    if end is not None:
        assert end >= at
        worked = sum((span.ends - span.begins for span in timetable.spans(who, at, end)), timedelta())
        assert worked == timedelta(minutes=minutes)


@settings(max_examples=25, deadline=None)
@given(timetables())
def test_what_is_written_for_a_file_reads_as_the_same_schedule(timetable: Timetable) -> None:
    assert Schedule.model_validate(as_written(timetable.schedule)) == timetable.schedule
