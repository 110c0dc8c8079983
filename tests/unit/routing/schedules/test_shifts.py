"""Who is on shift at a moment, and why somebody is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from routing.schedules.calendar import NO_CALENDAR, Calendar, OwnDay, WorkingDay
from routing.schedules.clock import first_instant
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from routing.schedules.timetable import Shift, Timetable, shift_of

MOSCOW = ZoneInfo("Europe/Moscow")
KYIV = ZoneInfo("Europe/Kyiv")
CAIRO = ZoneInfo("Africa/Cairo")
NINE_TO_SIX = (("09:00", "18:00"),)
NIGHT = (("22:00", "06:00"),)
OFFICE = WorkPlan(hours=dict.fromkeys(range(1, 6), NINE_TO_SIX))


def local(text: str, zone: ZoneInfo = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def weekly(**people: WorkPlan) -> Schedule:
    return Schedule(people=people)


def by_day(*periods: Period, **more: object) -> Schedule:
    return Schedule.model_validate({"kind": "by_day", "people": {"ann": WorkPlan(periods=periods)}, **more})


def day(text: str) -> date:
    return date.fromisoformat(text)


def asked(schedule: Schedule, at: str, who: str = "ann", calendar: Calendar = NO_CALENDAR) -> Shift:
    return shift_of(schedule, who, local(at), MOSCOW, calendar)


def test_a_shift_begins_with_its_first_instant_and_is_over_at_its_last() -> None:
    office = weekly(ann=OFFICE)
    assert not asked(office, "2026-03-02T08:59:59").is_on
    assert asked(office, "2026-03-02T09:00").is_on
    assert asked(office, "2026-03-02T17:59:59").is_on
    assert not asked(office, "2026-03-02T18:00").is_on


def test_who_is_on_is_told_until_when_and_when_they_come_again() -> None:
    friday = asked(weekly(ann=OFFICE), "2026-03-06T10:00")
    assert friday == Shift(True, "", local("2026-03-06T18:00"), local("2026-03-09T09:00"))


def test_who_is_not_in_the_schedule_is_told_apart_from_who_has_gone_home() -> None:
    office = weekly(ann=OFFICE)
    assert asked(office, "2026-03-02T10:00", "bob") == Shift(False, "not_in_schedule")
    evening = local("2026-03-03T09:00")
    assert asked(office, "2026-03-02T20:00") == Shift(False, "off_shift", evening, evening)


def test_a_night_shift_has_its_real_length_when_the_clock_changes() -> None:
    nights = Timetable(weekly(ann=WorkPlan(hours=dict.fromkeys(range(1, 8), NIGHT))), KYIV)
    for begins, hours in (("2026-03-28T22:00", 7), ("2026-10-24T22:00", 9), ("2026-03-10T22:00", 8)):
        shift = nights.shift("ann", local(begins, KYIV))
        assert shift.until == local(begins, KYIV) + timedelta(hours=hours)


def test_where_a_date_has_no_midnight_its_shift_begins_with_its_first_instant() -> None:
    always = weekly(ann=WorkPlan(hours={5: (("00:00", "02:00"),)}))
    begins = first_instant(day("2026-04-24"), CAIRO)
    assert begins.astimezone(CAIRO).isoformat() == "2026-04-24T01:00:00+03:00"
    timetable = Timetable(always, CAIRO)
    assert timetable.is_on("ann", begins)
    assert not timetable.is_on("ann", begins - timedelta(microseconds=1))
    assert timetable.shift("ann", begins).until == begins + timedelta(hours=1)


def test_by_day_only_the_named_dates_are_worked_in_whatever_order_they_stand() -> None:
    schedule = by_day(
        Period(first=day("2028-02-28"), last=day("2028-02-29"), hours=NINE_TO_SIX),
        Period(
            first=day("2028-02-10"), last=day("2028-02-10"), hours=(("10:00", "12:00"), ("12:00", "14:00"))
        ),
    )
    assert asked(schedule, "2028-02-29T10:00").is_on
    assert asked(schedule, "2028-02-29T19:00") == Shift(False, "off_shift", None, None)
    assert asked(schedule, "2028-02-10T11:00").until == local("2028-02-10T14:00")
    assert asked(schedule, "2028-02-11T10:00").next_start == local("2028-02-28T09:00")


def test_a_holiday_is_free_and_the_reason_says_so_all_day() -> None:
    calendar = Calendar(free={day("2026-03-09"): "Women's Day"})
    for hour in ("03:00", "10:00", "23:00"):
        shift = asked(weekly(ann=OFFICE), f"2026-03-09T{hour}", calendar=calendar)
        assert (shift.is_on, shift.reason, shift.next_start) == (False, "holiday", local("2026-03-10T09:00"))
    assert asked(weekly(ann=OFFICE), "2026-03-08T10:00", calendar=calendar).reason == "off_shift"


def test_a_working_saturday_has_the_hours_of_the_day_that_it_stands_for() -> None:
    calendar = Calendar(working={day("2025-11-01"): WorkingDay(like=1)})
    schedule = weekly(
        ann=OFFICE,
        bob=WorkPlan(hours={2: NINE_TO_SIX}),
        eve=WorkPlan(hours={6: (("10:00", "12:00"),), 1: NINE_TO_SIX}),
    )
    on = Timetable(schedule, MOSCOW, calendar)
    assert [who for who in ("ann", "bob", "eve") if on.is_on(who, local("2025-11-01T09:30"))] == ["ann"]
    assert [who for who in ("ann", "bob", "eve") if on.is_on(who, local("2025-11-01T11:00"))] == [
        "ann",
        "eve",
    ]


def test_the_accounts_own_day_stands_above_the_holiday() -> None:
    known = Calendar(free={day("2026-03-09"): "Women's Day"}, working={day("2026-03-14"): WorkingDay()})
    own = {
        day("2026-03-09"): OwnDay(kind="working", hours=(("10:00", "15:00"),)),
        day("2026-03-14"): OwnDay(kind="free"),
    }
    calendar = known.with_own(own)
    assert asked(weekly(ann=OFFICE), "2026-03-09T11:00", calendar=calendar).until == local("2026-03-09T15:00")
    assert asked(weekly(ann=OFFICE), "2026-03-14T11:00", calendar=calendar).reason == "off_shift"


def test_hours_by_date_are_named_one_by_one_so_that_no_holiday_takes_them() -> None:
    calendar = Calendar(free={day("2026-01-01"): "New Year"})
    period = Period(first=day("2026-01-01"), last=day("2026-01-01"), hours=NINE_TO_SIX)
    assert asked(by_day(period), "2026-01-01T10:00", calendar=calendar).is_on
    keeping = by_day(period, holidays=True)
    assert asked(keeping, "2026-01-01T10:00", calendar=calendar).reason == "holiday"


def test_somebody_on_leave_is_replaced_by_who_works_their_hours() -> None:
    leave = Leave(first=day("2026-03-02"), last=day("2026-03-03"), substitute="bob")
    schedule = weekly(ann=OFFICE.model_copy(update={"leave": (leave,)}))
    timetable = Timetable(schedule, MOSCOW)
    away = timetable.shift("ann", local("2026-03-02T10:00"))
    assert (away.is_on, away.reason, away.substitute_id) == (False, "on_leave", "bob")
    assert away.next_start == local("2026-03-04T09:00")
    assert timetable.shift("bob", local("2026-03-03T10:00")).until == local("2026-03-03T18:00")
    assert not timetable.is_on("bob", local("2026-03-04T10:00"))


def test_where_the_substitute_is_away_too_their_substitute_works() -> None:
    def away(instead: str | None) -> WorkPlan:
        leave = Leave(first=day("2026-03-02"), last=day("2026-03-02"), substitute=instead)
        return OFFICE.model_copy(update={"leave": (leave,)})

    timetable = Timetable(weekly(ann=away("bob"), bob=away("eve")), MOSCOW)
    at = local("2026-03-02T10:00")
    assert timetable.shift("ann", at).substitute_id == "eve"
    assert timetable.is_on("eve", at)
    nobody = Timetable(weekly(ann=away("bob"), bob=away(None)), MOSCOW)
    assert nobody.shift("ann", at).substitute_id is None
    circle = Timetable(weekly(ann=away("bob"), bob=away("ann")), MOSCOW)
    assert circle.shift("ann", at) == nobody.shift("ann", at)


def test_a_group_has_its_hours_and_zone_and_a_person_in_it_may_have_their_own() -> None:
    schedule = Schedule(
        everybody=OFFICE,
        groups={"kyiv": OFFICE.model_copy(update={"zone": "Europe/Kyiv"})},
        people={"eve": WorkPlan(hours={1: (("12:00", "13:00"),)})},
    )
    timetable = Timetable(schedule, MOSCOW, groups={"ann": "kyiv", "eve": "kyiv", "bob": None})
    monday = local("2026-01-12T00:00")
    assert timetable.next_start("bob", monday) == local("2026-01-12T09:00")
    assert timetable.next_start("ann", monday) == local("2026-01-12T09:00", KYIV)
    assert timetable.next_start("eve", monday) == local("2026-01-12T12:00", KYIV)


def test_who_works_around_the_clock_has_no_end() -> None:
    always = weekly(ann=WorkPlan(hours=dict.fromkeys(range(1, 8), (("00:00", "24:00"),))))
    assert asked(always, "2026-03-02T10:00") == Shift(True)
