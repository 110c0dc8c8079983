"""The named cases of days, zones and calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from routing.schedules.calendar import Calendar, OwnDay, WorkingDay
from routing.schedules.checks import ScheduleStaff, can_be_saved, schedule_problems
from routing.schedules.clock import first_instant, local_date
from routing.schedules.edits import as_written
from routing.schedules.model import Schedule, WorkPlan
from routing.schedules.timetable import Timetable

MOSCOW, KYIV, CAIRO, BEIRUT = (
    ZoneInfo(name) for name in ("Europe/Moscow", "Europe/Kyiv", "Africa/Cairo", "Asia/Beirut")
)
OFFICE = WorkPlan.model_validate({"hours": {"mon-fri": "09:00-18:00"}})


def at(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def schedule(kind: str = "weekly", **people: object) -> Schedule:
    return Schedule.model_validate({"kind": kind, "people": people})


class TestCase22TheDayOfAnAccountBeginsAtItsFirstInstant:
    @pytest.mark.parametrize(
        ("day", "zone", "begins", "hours"),
        [
            ("2026-03-02", MOSCOW, "2026-03-01T21:00+00:00", 24),  # the server's date is another
            ("2026-04-24", CAIRO, "2026-04-23T22:00+00:00", 23),  # its midnight does not exist: 01:00 there
            ("2026-03-29", BEIRUT, "2026-03-28T22:00+00:00", 23),
            ("2026-03-29", KYIV, "2026-03-28T22:00+00:00", 23),
            ("2026-10-25", KYIV, "2026-10-24T21:00+00:00", 25),
            ("2026-10-29", CAIRO, "2026-10-28T21:00+00:00", 25),
        ],
    )
    def test_whatever_the_server_and_the_clock_say(
        self, day: str, zone: ZoneInfo, begins: str, hours: int
    ) -> None:
        date_ = date.fromisoformat(day)
        first = first_instant(date_, zone)
        assert first == datetime.fromisoformat(begins)
        assert first_instant(date_ + timedelta(days=1), zone) - first == timedelta(hours=hours)
        assert local_date(first, zone) == date_
        assert local_date(first - timedelta(microseconds=1), zone) < date_

    def test_when_the_account_moves_to_another_zone_its_shifts_move_with_it(self) -> None:
        office = schedule(ann=OFFICE)
        moment = at("2026-03-02T09:30", MOSCOW)
        assert Timetable(office, MOSCOW).is_on("ann", moment)
        assert not Timetable(office, KYIV).is_on("ann", moment)  # 08:30 there
        own = Schedule.model_validate({**office.model_dump(), "zone": "Europe/Moscow"})
        assert Timetable(own, KYIV).is_on("ann", moment)


class TestCase23AWeeklyScheduleGoesByTheCalendar:
    CALENDAR = Calendar(
        free={date(2025, 11, 3): "moved", date(2025, 11, 4): "Unity Day"},
        working={date(2025, 11, 1): WorkingDay(like=1)},
        known_years=frozenset({2025}),
    )

    def test_over_a_moved_saturday(self) -> None:
        timetable = Timetable(schedule(ann=OFFICE), MOSCOW, self.CALENDAR)
        assert timetable.is_on("ann", at("2025-11-01T10:00", MOSCOW))
        assert timetable.shift("ann", at("2025-11-03T10:00", MOSCOW)).reason == "holiday"
        assert timetable.next_start("ann", at("2025-11-01T18:00", MOSCOW)) == at("2025-11-05T09:00", MOSCOW)

    def test_and_by_the_days_of_the_account_above_it(self) -> None:
        own = {
            date(2025, 11, 4): OwnDay(kind="working", hours=(("09:00", "12:00"),)),
            date(2025, 11, 1): OwnDay(kind="free"),
        }
        timetable = Timetable(schedule(ann=OFFICE), MOSCOW, self.CALENDAR.with_own(own))
        assert timetable.shift("ann", at("2025-11-04T10:00", MOSCOW)).until == at("2025-11-04T12:00", MOSCOW)
        assert not timetable.is_on("ann", at("2025-11-01T10:00", MOSCOW))

    def test_unless_the_schedule_goes_by_no_calendar(self) -> None:
        hotline = Schedule.model_validate({"holidays": False, "people": {"ann": OFFICE}})
        timetable = Timetable(hotline, MOSCOW, self.CALENDAR)
        assert timetable.is_on("ann", at("2025-11-03T10:00", MOSCOW))
        assert not timetable.is_on("ann", at("2025-11-01T10:00", MOSCOW))


class TestCase24NightsOnWhichTheClockChanges:
    NIGHTS = Timetable(schedule(ann={"hours": {"mon-sun": "22:00-06:00"}}), KYIV)

    @pytest.mark.parametrize(("evening", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-01", 8)])
    def test_have_the_length_that_they_have(self, evening: str, hours: int) -> None:
        begins = at(f"{evening}T22:00", KYIV)
        [span] = self.NIGHTS.spans("ann", begins, begins + timedelta(hours=14))
        assert span.ends - span.begins == timedelta(hours=hours)

    def test_both_half_hours_that_come_twice_belong_to_the_night(self) -> None:
        assert all(self.NIGHTS.is_on("ann", at("2026-10-25T03:30", KYIV, fold)) for fold in (0, 1))

    def test_a_moment_at_the_very_end_is_outside(self) -> None:
        end = at("2026-03-29T06:00", KYIV)
        assert not self.NIGHTS.is_on("ann", end)
        assert self.NIGHTS.is_on("ann", end - timedelta(microseconds=1))


def test_a_schedule_that_keeps_holidays_is_warned_of_years_whose_moved_days_are_unknown() -> None:
    known = ScheduleStaff(employees=["ann"], unknown_years=(2027,))
    found = schedule_problems(schedule(ann=OFFICE), known)
    assert [(p.severity, p.code, p.where) for p in found] == [("warning", "moved-days-unknown", "holidays")]
    assert "2027" in found[0].message_en
    assert can_be_saved(found)
    by_day = schedule("by_day", ann={"months": {"2027-12": {"1": "09:00-18:00"}}})
    assert schedule_problems(by_day, known) == []


@pytest.mark.parametrize("hours", ["09:00-09:00", "00:00-00:00", "22:00-06:00, 12:00-12:00"])
def test_hours_that_end_when_they_begin_are_refused_and_a_whole_day_is_written_as_one(hours: str) -> None:
    """As a clock reads them they are nothing; taken for a whole day they would be 24 hours by a slip of the hand."""
    known = ScheduleStaff(employees=["ann"])
    for plan in ({"hours": {"mon": hours}}, {"months": {"2026-12": {"1": hours}}}):
        [problem] = schedule_problems(schedule("by_day" if "months" in plan else "weekly", ann=plan), known)
        assert (problem.severity, problem.code) == ("error", "hours-whole-day")
        assert "00:00-24:00" in problem.remedy_en
    assert schedule_problems(schedule(ann={"hours": {"mon": "00:00-24:00"}}), known) == []


@pytest.mark.parametrize(
    ("kind", "plan"),
    [
        ("weekly", {"hours": {"mon": "off"}}),
        ("weekly", {"hours": {}}),
        ("weekly", {"periods": [{"first": "2026-12-01", "last": "2026-12-31"}]}),
        ("by_day", {"periods": []}),
    ],
)
def test_hours_without_work_on_any_day_are_warned_of(kind: str, plan: dict[str, object]) -> None:
    found = schedule_problems(schedule(kind, ann=plan), ScheduleStaff(employees=["ann"]))
    assert [(p.severity, p.code, p.where) for p in found] == [("warning", "hours-nowhere", "people.ann")]
    assert can_be_saved(found)


def test_a_day_that_is_off_in_a_month_is_free_whatever_its_weekday_says() -> None:
    month = {"2026-12": {"1-31": "09:00-18:00", "10": "off"}}
    weekly = schedule(ann={"hours": {"mon-sun": "00:00-24:00"}, "months": month})
    timetable = Timetable(weekly, MOSCOW)
    assert not timetable.is_on("ann", at("2026-12-10T10:00", MOSCOW))
    assert timetable.is_on("ann", at("2026-12-11T10:00", MOSCOW))
    assert Schedule.model_validate(as_written(weekly)) == weekly
    assert as_written(weekly)["people"]["ann"]["months"] == {
        "2026-12": {"1-9": "09:00-18:00", "10": "off", "11-31": "09:00-18:00"}
    }


def test_a_free_day_beside_days_of_work_is_no_matter() -> None:
    plan = {"hours": {"mon-fri": "09:00-18:00", "sat": "off"}}
    assert schedule_problems(schedule(ann=plan), ScheduleStaff(employees=["ann"])) == []


class TestCase25ASchedulByDay:
    def test_has_holes_touching_and_overlapping_hours_and_the_29th_of_february(self) -> None:
        month = {"2028-02": {"28": "09:00-13:00, 13:00-18:00", "29": "09:00-14:00, 13:00-18:00"}}
        by_day = schedule("by_day", ann={"months": month})
        timetable = Timetable(by_day, MOSCOW)
        for day in ("2028-02-28", "2028-02-29"):
            assert timetable.shift("ann", at(f"{day}T10:00", MOSCOW)).until == at(f"{day}T18:00", MOSCOW)
        assert timetable.next_start("ann", at("2028-02-29T18:00", MOSCOW)) is None
        found = schedule_problems(by_day, ScheduleStaff(employees=["ann"]))
        assert [(p.severity, p.code) for p in found] == [("warning", "hours-overlap")]
        assert can_be_saved(found)

    def test_a_hole_is_off_shift_until_the_next_date(self) -> None:
        timetable = Timetable(
            schedule("by_day", ann={"months": {"2026-12": {"1, 20": "09:00-18:00"}}}), MOSCOW
        )
        hole = timetable.shift("ann", at("2026-12-10T10:00", MOSCOW))
        assert (hole.reason, hole.next_start) == ("off_shift", at("2026-12-20T09:00", MOSCOW))

    @pytest.mark.parametrize(
        ("month", "said"),
        [
            ({"2026-02": {"29": "9-18"}}, "'29' are no days of 2026-02"),
            ({"2026-12": {"1-15": "9-18", "15-20": "10-19"}}, "day 15 of 2026-12 stands twice"),
            ({"2026-13": {"1": "9-18"}}, "'2026-13' is no month"),
            ({"2026-12": {"1": "morning"}}, "'morning' are no hours"),
            ({"2026-12": {"15-1": "9-18"}}, "'15-1' are no days of 2026-12"),
        ],
    )
    def test_what_cannot_be_is_refused_with_the_day_it_stands_on(self, month: object, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            schedule("by_day", ann={"months": month})


class TestCase26WhoIsInTheTemplateButNotInTheSchedule:
    def test_is_told_apart_and_never_on(self) -> None:
        timetable = Timetable(schedule(ann=OFFICE), MOSCOW)
        assert (timetable.has("ann"), timetable.has("bob")) == (True, False)
        assert timetable.shift("bob", at("2026-03-02T10:00", MOSCOW)).reason == "not_in_schedule"


def test_two_hundred_people_are_asked_within_a_millisecond() -> None:
    people = {f"p{n}": {"hours": {"mon-sun": f"{n % 12:02}:00-{n % 12 + 9:02}:30"}} for n in range(200)}
    timetable = Timetable(Schedule.model_validate({"people": people}), MOSCOW)
    moment = at("2026-03-02T10:00", MOSCOW)
    for _ in timetable.prepare(people, moment):
        pass

    def seconds() -> float:
        begun = process_time()
        for who in people:
            timetable.shift(who, moment)
        return process_time() - begun

    assert min(seconds() for _ in range(20)) < 0.001
