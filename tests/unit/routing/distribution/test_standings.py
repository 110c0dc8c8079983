"""What a template's schedule and presence say of people, by the template's working time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from routing.distribution.item import Standing
from routing.distribution.standings import next_edge, standings_of
from routing.distribution.template import DistributionTemplate, TemplateHours, WorkingMode
from routing.presence import Presence, PresenceState
from routing.schedules.model import Leave, Schedule, WorkPlan
from routing.schedules.timetable import Timetable

NIGHT = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)  # a Monday, 23:00 in Moscow
DAY = {1: (("09:00", "18:00"),)}
LATE = {1: (("18:00", "24:00"),)}
LEAVE = Leave(first=date(2026, 3, 1), last=date(2026, 3, 8), substitute="boris")
SHIFTS = Timetable(
    Schedule(
        everybody=WorkPlan(hours=DAY),
        people={"late": WorkPlan(hours=LATE), "away": WorkPlan(hours=LATE, leave=(LEAVE,))},
    ),
    ZoneInfo("Europe/Moscow"),
)
PEOPLE = ("anna", "late", "away")


def by(mode: WorkingMode) -> DistributionTemplate:
    return DistributionTemplate(name="t", working_time=TemplateHours(mode=mode))


@pytest.mark.parametrize(
    ("mode", "off"),
    [
        ("always", ("", "", "on_leave")),
        ("online", ("", "", "on_leave")),
        ("common", ("off_shift", "off_shift", "on_leave")),
        ("individual", ("off_shift", "", "on_leave")),
    ],
)
def test_whose_hours_count_is_the_template_s_to_say(mode: WorkingMode, off: tuple[str, ...]) -> None:
    found = standings_of(by(mode), PEOPLE, NIGHT, timetable=SHIFTS)
    assert tuple(found[p].off for p in PEOPLE) == off


def test_who_works_instead_and_when_somebody_is_back_is_told() -> None:
    found = standings_of(by("individual"), PEOPLE, NIGHT, timetable=SHIFTS)
    assert found["away"].substitute_id == "boris"
    assert found["away"].back_at == datetime(2026, 3, 9, 15, 0, tzinfo=UTC)


def test_presence_is_told_in_every_mode() -> None:
    told = Presence({"anna": PresenceState.BUSY})
    assert standings_of(by("always"), PEOPLE, NIGHT, presence=told)["anna"].presence is PresenceState.BUSY


def test_without_a_schedule_of_that_name_nobody_is_off() -> None:
    found = standings_of(by("individual"), PEOPLE, NIGHT)
    assert set(found.values()) == {Standing()}
    assert next_edge(by("individual"), PEOPLE, NIGHT, None) is None


def test_the_next_edge_is_the_first_of_any_of_them() -> None:
    assert next_edge(by("individual"), PEOPLE, NIGHT, SHIFTS) == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
