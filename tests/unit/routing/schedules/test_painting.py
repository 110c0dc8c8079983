"""Days painted in a schedule: what they become, what stays as it was, and what two people painted."""

from __future__ import annotations

from datetime import date

import pytest

from routing.schedules.edits import Whose, as_written
from routing.schedules.model import Leave, NamedShift, Period, Schedule, WorkPlan
from routing.schedules.painting import (
    AWAY,
    OFF,
    USUAL,
    Paint,
    PaintedDay,
    own_plan,
    painted,
    painted_twice,
    with_away,
    with_dates,
)

DAY, NIGHT = (("09:00", "18:00"),), (("21:00", "09:00"),)
ANNA = Whose(person="anna")
DAY_PAINT, NIGHT_PAINT = Paint("hours", DAY), Paint("hours", NIGHT)


def at(day: int, month: int = 12) -> date:
    return date(2026, month, day)


def period(first: date, last: date, hours: tuple[tuple[str, str], ...] = DAY) -> Period:
    return Period(first=first, last=last, hours=hours)


def by_day(*periods: Period, leave: tuple[Leave, ...] = ()) -> Schedule:
    return Schedule(kind="by_day", people={"anna": WorkPlan(periods=periods, leave=leave)})


def test_a_day_in_the_middle_is_painted_and_other_months_stay() -> None:
    schedule = by_day(period(at(28, 11), at(3)), period(at(20), at(22)))
    done = painted(schedule, {ANNA: {at(2): NIGHT_PAINT, at(21): OFF}}, {})
    assert done.people["anna"].periods == (
        period(at(28, 11), at(30, 11)),
        period(at(1), at(1)),
        period(at(2), at(2), NIGHT),
        period(at(3), at(3)),
        period(at(20), at(20)),
        period(at(22), at(22)),
    )


def test_what_is_painted_back_is_as_it_was() -> None:
    schedule = by_day(period(at(1), at(5)))
    there = painted(schedule, {ANNA: {at(3): OFF}}, {})
    assert len(there.people["anna"].periods or ()) == 2
    assert painted(there, {ANNA: {at(3): DAY_PAINT}}, {}) == schedule


def test_periods_of_weekdays_stay_what_they_are_outside_of_the_painted_month() -> None:
    weekdays = Period(first=at(1, 11), last=date(2027, 1, 31), weekdays=(1,), hours=DAY)
    plan = with_dates(WorkPlan(periods=(weekdays,)), {at(8): NIGHT})
    outside = [one for one in plan.periods or () if one.weekdays]
    assert [(one.first, one.last) for one in outside] == [
        (at(1, 11), at(30, 11)),
        (date(2027, 1, 1), date(2027, 1, 31)),
    ]
    inside = [one.first.day for one in plan.periods or () if not one.weekdays]
    assert inside == [7, 8, 14, 21, 28]


def test_leave_is_painted_and_keeps_its_substitute_where_it_stays() -> None:
    plan = WorkPlan(periods=(), leave=(Leave(first=at(1), last=at(10), substitute="boris"),))
    done = with_away(plan, {at(5): False, at(6): True, at(12): True, at(13): True})
    assert done.leave == (
        Leave(first=at(1), last=at(4), substitute="boris"),
        Leave(first=at(6), last=at(10), substitute="boris"),
        Leave(first=at(12), last=at(13)),
    )


def test_hours_beneath_leave_stay_for_the_substitute() -> None:
    done = painted(by_day(period(at(1), at(5))), {ANNA: {at(3): AWAY}}, {})
    assert done.people["anna"].periods == (period(at(1), at(5)),)
    assert done.people["anna"].leave == (Leave(first=at(3), last=at(3)),)
    back = painted(done, {ANNA: {at(3): NIGHT_PAINT}}, {})
    assert back.people["anna"].leave == ()


def test_a_weekday_of_who_had_the_hours_of_everybody_makes_the_week_theirs() -> None:
    schedule = Schedule(
        everybody=WorkPlan(hours={1: DAY, 2: DAY}),
        people={"anna": WorkPlan(leave=(Leave(first=at(1), last=at(2)),))},
    )
    done = painted(schedule, {ANNA: {2: NIGHT_PAINT}}, {})
    assert done.people["anna"].hours == {1: DAY, 2: NIGHT}
    assert done.people["anna"].leave, "leave stays"
    assert done.everybody == schedule.everybody


def test_dates_of_a_weekly_schedule_are_exceptions_that_can_be_taken_back() -> None:
    schedule = Schedule(people={"anna": WorkPlan(hours={1: DAY})})
    there = painted(schedule, {ANNA: {at(7): OFF, at(8): NIGHT_PAINT}}, {})
    assert there.people["anna"].periods == (period(at(7), at(7), ()), period(at(8), at(8), NIGHT))
    assert there.people["anna"].hours == {1: DAY}
    back = painted(there, {ANNA: {at(7): USUAL, at(8): USUAL}}, {})
    assert back.people["anna"].periods == ()


def test_who_worked_by_the_days_of_their_group_has_all_of_them_as_their_own() -> None:
    of_group = WorkPlan(periods=(period(at(1, 11), at(2, 11)), period(at(1), at(2))))
    schedule = Schedule(kind="by_day", groups={"sales": of_group}, people={"anna": WorkPlan()})
    done = painted(schedule, {ANNA: {at(9): DAY_PAINT}}, {"anna": "sales"})
    assert len(done.people["anna"].periods or ()) == 3
    assert own_plan(schedule, ANNA, {"anna": "sales"}).periods == of_group.periods


@pytest.mark.parametrize(
    ("theirs", "mine", "twice"),
    [
        (NIGHT_PAINT, DAY_PAINT, 1),
        (NIGHT_PAINT, NIGHT_PAINT, 0),
        (OFF, DAY_PAINT, 0),
        (AWAY, DAY_PAINT, 1),
    ],
)
def test_a_day_counts_as_painted_twice_where_both_made_something_else_of_it(
    theirs: Paint, mine: Paint, twice: int
) -> None:
    seen = by_day(period(at(1), at(2)))
    other: dict[PaintedDay, Paint] = {at(9): theirs, at(10): NIGHT_PAINT}
    now = painted(seen, {ANNA: other}, {})
    found = painted_twice(seen, now, {ANNA: {at(9): mine, at(11): DAY_PAINT}}, {})
    assert [one.day for one in found] == [at(9)] * twice


def test_named_shifts_are_written_as_people_write_hours() -> None:
    shift = NamedShift(letter="Н", name="Ночь", colour="violet", hours=NIGHT)
    written = as_written(Schedule(shifts=(shift,)))
    assert written["shifts"] == [{"letter": "Н", "name": "Ночь", "colour": "violet", "hours": "21:00-09:00"}]
    assert Schedule.model_validate(written).shifts == (shift,)
