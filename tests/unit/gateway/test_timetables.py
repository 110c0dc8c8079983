"""Whose shift the schedules of an account know of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.timetables import Timetables
from routing.schedules.model import Leave, Schedule, WorkPlan
from routing.schedules.timetable import Timetable

MONDAY = date(2027, 3, 1)
DAY, NIGHT = WorkPlan(hours={"mon-fri": "09:00-18:00"}), WorkPlan(hours={"mon-fri": "22:00-06:00"})
GROUPS = {"anna": "hall", "boris": None, "clara": None}


def known(**schedules: Schedule) -> Timetables:
    made = {name: Timetable(one, ZoneInfo("UTC"), groups=GROUPS) for name, one in schedules.items()}
    return Timetables(Timetable(Schedule(everybody=DAY), ZoneInfo("UTC")), made, None)


def at(hour: int) -> datetime:
    return datetime(2027, 3, 1, hour, tzinfo=UTC)


def test_hours_of_their_own_or_of_their_group_are_somebodys_shift() -> None:
    people = known(shifts=Schedule(groups={"hall": DAY}, people={"boris": NIGHT}))
    assert [people.is_on_shift(who, at(12)) for who in ("anna", "boris", "clara")] == [True, False, None]
    assert [people.is_on_shift(who, at(23)) for who in ("anna", "boris", "clara")] == [False, True, None]


def test_hours_of_everybody_and_the_accounts_own_are_nobodys_shift() -> None:
    people = known(hotline=Schedule(everybody=NIGHT))
    assert [people.is_on_shift(who, at(12)) for who in GROUPS] == [None, None, None]


def test_who_is_on_in_any_of_their_schedules_is_on_shift() -> None:
    people = known(day=Schedule(people={"boris": DAY}), night=Schedule(people={"boris": NIGHT}))
    assert [people.is_on_shift("boris", at(hour)) for hour in (12, 20, 23)] == [True, False, True]


@pytest.mark.parametrize("named", [False, True])
def test_who_is_on_leave_is_on_no_shift_and_their_substitute_is(named: bool) -> None:
    away = (Leave(first=MONDAY, last=MONDAY, substitute="boris"),)
    anna = WorkPlan(hours=DAY.hours if named else None, leave=away)
    people = known(shifts=Schedule(everybody=None if named else DAY, people={"anna": anna, "boris": NIGHT}))
    assert people.is_on_shift("anna", at(12)) is False
    assert people.is_on_shift("boris", at(12)) is True
