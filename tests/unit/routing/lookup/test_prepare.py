"""What schedules and presence say, brought together before a phone rings."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from routing.lookup.available import ANYBODY, Ladder
from routing.lookup.prepare import Prepared, prepare
from routing.presence import Presence, PresenceState
from routing.schedules.model import Leave, Schedule, WorkPlan
from routing.schedules.timetable import Timetable
from routing.settings import LookupPolicy
from routing.staff import Employee, Staff

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 12:00 in Moscow
STAFF = Staff.of([Employee(id=id, name=id, crm_user_id=id) for id in ("anna", "boris", "vera", "gleb")])
SKIP = LookupPolicy(availability="skip", schedule="shifts")
MORNING = {1: (("09:00", "12:00"),)}
DAY = {1: (("09:00", "18:00"),)}


def on_leave(substitute: str | None) -> WorkPlan:
    leave = Leave(first=date(2026, 3, 1), last=date(2026, 3, 8), substitute=substitute)
    return WorkPlan(hours=DAY, leave=(leave,))


def prepared(
    presence: dict[str, PresenceState] | None = None, policy: LookupPolicy = SKIP, **people: WorkPlan
) -> Prepared:
    timetable = Timetable(Schedule(people=people), MOSCOW) if people else None
    return prepare(policy, STAFF, NOON, timetable=timetable, presence=Presence(presence or {}))


def test_who_is_off_shift_is_away_until_they_come_on() -> None:
    found = prepared(anna=WorkPlan(hours=MORNING), boris=WorkPlan(hours=DAY))
    assert found.reach.away == {"anna": "off_shift"}
    assert found.reach.back_at == {"anna": "2026-03-09T06:00:00+00:00"}


def test_it_is_prepared_anew_at_the_next_edge_of_a_shift() -> None:
    found = prepared(anna=WorkPlan(hours=MORNING), boris=WorkPlan(hours=DAY))
    assert found.until == datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    assert prepared({"anna": PresenceState.BUSY}).until is None


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (PresenceState.BUSY, "busy"),
        (PresenceState.DND, "dnd"),
        (PresenceState.OFFLINE, "offline"),
        (PresenceState.OFF_SHIFT, "off_shift"),
        (PresenceState.AVAILABLE, None),
        (PresenceState.UNKNOWN, None),
    ],
)
def test_presence_counts_beside_the_schedule(state: PresenceState, why: str | None) -> None:
    found = prepared({"anna": state}, anna=WorkPlan(hours=DAY))
    assert found.reach.away.get("anna") == why


def test_who_stands_in_no_schedule_is_not_known_to_be_away() -> None:
    assert "vera" not in prepared(anna=WorkPlan(hours=MORNING)).reach.away


def test_on_leave_who_works_instead_is_known() -> None:
    found = prepared(anna=on_leave("boris"), boris=WorkPlan(hours=DAY))
    assert found.reach.away == {"anna": "on_leave"}
    assert found.reach.substitutes == {"anna": "boris"}


def test_a_substitute_on_leave_too_is_replaced_by_theirs() -> None:
    found = prepared(anna=on_leave("boris"), boris=on_leave("vera"), vera=WorkPlan(hours=DAY))
    assert found.reach.substitutes["anna"] == "vera"


def test_people_who_replace_each_other_in_a_circle_are_replaced_by_nobody() -> None:
    found = prepared(anna=on_leave("boris"), boris=on_leave("anna"))
    assert found.reach.substitutes == {}


def test_switched_off_nobody_is_away_but_the_template_and_clients_of_one_person_are_known() -> None:
    off = LookupPolicy()
    assert prepare(off, STAFF, NOON, presence=Presence({"anna": PresenceState.DND})) == Prepared(ANYBODY)
    ladder = Ladder("sales", ("anna",))
    found = prepare(off, STAFF, NOON, only={"+79161234567": ""}, ladder=ladder)
    assert (found.reach.away, found.reach.ladder, dict(found.reach.only)) == (
        {},
        ladder,
        {"+79161234567": ""},
    )
