"""Clients are called by their own clock: in the window, over clock changes, and not at all where it cannot be known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from routing.outbound.client_zones import ClientZone, client_zone
from routing.outbound.windows import CallingHours, end_of_next_window, is_open, next_opening

MOSCOW, NOVOSIBIRSK, VLADIVOSTOK = (
    ZoneInfo(name) for name in ("Europe/Moscow", "Asia/Novosibirsk", "Asia/Vladivostok")
)
BERLIN = ZoneInfo("Europe/Berlin")
HOURS = CallingHours()
RINGS = timedelta(seconds=55)
ZONES = st.sampled_from([MOSCOW, NOVOSIBIRSK, VLADIVOSTOK, BERLIN, ZoneInfo("Africa/Cairo"), ZoneInfo("UTC")])
MOMENTS = st.integers(0, 2 * 365 * 86400).map(
    lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)


def _in(zone: ZoneInfo) -> ClientZone:
    return ClientZone(zone, "field", (zone,))


def _local(zone: ZoneInfo, *when: int) -> datetime:
    return datetime(*when, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("number", "field", "zone", "source"),
    [
        ("+74951234567", None, "Europe/Moscow", "landline"),
        ("+73832345678", None, "Asia/Novosibirsk", "landline"),
        ("+74232345678", None, "Asia/Vladivostok", "landline"),
        ("+74951234567", "Asia/Omsk", "Asia/Omsk", "field"),
        ("+79161234567", None, "Europe/Samara", "account"),
        ("+78001234567", None, "Europe/Samara", "account"),
        ("+77011234567", None, "Asia/Almaty", "country"),
        ("+375291234567", None, "Europe/Moscow", "country"),
        ("+79161234567", "нет такого", "Europe/Samara", "account"),
        ("+79161234567", "../etc/passwd", "Europe/Samara", "account"),
        ("nonsense", "", "Europe/Samara", "account"),
    ],
)
def test_whose_clock_counts_and_how_that_is_known(
    number: str, field: str | None, zone: str, source: str
) -> None:
    found = client_zone(number, field, ZoneInfo("Europe/Samara"))
    assert (found.zone.key, found.source) == (zone, source)


@pytest.mark.parametrize(
    ("number", "own", "source"),
    [
        ("+61412345678", "Europe/Moscow", "several"),
        ("+61412345678", "Australia/Melbourne", "account"),
        ("+97699112233", "Europe/Moscow", "several"),
        ("+34612345678", "Europe/Moscow", "several"),
        ("+34612345678", "Europe/Madrid", "account"),
        ("+17095550100", "America/Toronto", "several"),
        ("+18005550100", "America/New_York", "account"),
        ("+79161234567", "Europe/Saratov", "account"),
        ("+79161234567", "Asia/Almaty", "several"),
        ("+79161234567", "Europe/Berlin", "several"),
        ("+77011234567", "Europe/Moscow", "country"),
        ("+74012345678", "Europe/Moscow", "landline"),
    ],
)
def test_the_own_zone_is_taken_only_for_whom_it_is_possible(number: str, own: str, source: str) -> None:
    assert client_zone(number, None, ZoneInfo(own)).source == source


def test_a_mobile_from_sydney_is_called_when_it_is_day_in_all_of_australia() -> None:
    client = client_zone("+61412345678", None, MOSCOW)
    afternoon = _local(MOSCOW, 2026, 3, 4, 14)
    assert not is_open(HOURS, client, afternoon), "it is 22:00 in Sydney"
    opens = next_opening(HOURS, client, afternoon)
    assert opens is not None
    assert all(9 <= opens.astimezone(zone).hour < 21 for zone in client.candidates)


def test_the_clock_of_kaliningrad_has_no_summer_time() -> None:
    assert client_zone("+74012345678", None, MOSCOW).zone.key == "Europe/Kaliningrad"


def test_of_a_russian_mobile_nobody_knows_where_it_is() -> None:
    found = client_zone("+79161234567", None, MOSCOW)
    assert not found.is_certain
    assert {"Europe/Moscow", "Asia/Vladivostok"} <= {zone.key for zone in found.candidates}


def test_case_23_strict_hours_of_a_mobile_are_those_of_every_zone_in_which_it_may_be() -> None:
    mobile, strict = client_zone("+79161234567", None, MOSCOW), CallingHours(is_strict=True)
    noon, ten = _local(MOSCOW, 2026, 3, 4, 12), _local(MOSCOW, 2026, 3, 4, 10)
    assert is_open(HOURS, mobile, noon)
    assert not is_open(strict, mobile, noon), "it is 21:00 in Kamchatka"
    opens = next_opening(strict, mobile, ten)
    assert opens is not None
    assert all(9 <= opens.astimezone(zone).hour < 21 for zone in mobile.candidates)


def test_case_22_a_call_that_would_ring_beyond_the_edge_is_not_begun() -> None:
    late = datetime(2026, 3, 4, 20, 59, 50, tzinfo=NOVOSIBIRSK)
    assert is_open(HOURS, _in(NOVOSIBIRSK), late)
    assert not is_open(HOURS, _in(NOVOSIBIRSK), late, RINGS)
    assert next_opening(HOURS, _in(NOVOSIBIRSK), late, RINGS) == _local(NOVOSIBIRSK, 2026, 3, 5, 9)
    assert end_of_next_window(HOURS, _in(NOVOSIBIRSK), late) == _local(NOVOSIBIRSK, 2026, 3, 4, 21)


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": "9:00"},
        {"opens": "21:00", "closes": "09:00"},
        {"opens": "09:00", "closes": "09:00"},
        {"opens": "24:00"},
        {"days": ()},
        {"days": (0,)},
        {"days": (8,)},
        {"opens": "сначала"},
        {"until": "21:00"},
    ],
)
def test_a_window_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CallingHours.model_validate(wrong)


def test_a_week_over_the_clock_change_opens_each_local_morning_at_nine() -> None:
    """Case 19: the night on which the clock changes."""
    opened: list[datetime] = []
    at = datetime(2026, 10, 22, 0, tzinfo=UTC)  # the clock goes back on the 25th in Berlin
    while len(opened) < 7:
        opens = next_opening(CallingHours(days=(1, 2, 3, 4, 5, 6, 7)), _in(BERLIN), at)
        assert opens is not None
        opened.append(opens)
        closes = end_of_next_window(HOURS, _in(BERLIN), opens)
        assert closes is not None
        assert closes - opens == timedelta(hours=12)
        at = closes
    assert {o.astimezone(BERLIN).strftime("%H:%M") for o in opened} == {"09:00"}
    assert [b - a for a, b in pairwise(opened)].count(timedelta(hours=25)) == 1


def test_days_of_rest_are_skipped() -> None:
    friday = _local(MOSCOW, 2026, 3, 6, 22)
    assert next_opening(CallingHours(days=(1, 2, 3, 4, 5)), _in(MOSCOW), friday) == _local(
        MOSCOW, 2026, 3, 9, 9
    )


@given(MOMENTS, ZONES, st.sets(st.integers(1, 7), min_size=1), st.integers(0, 3600))
def test_what_opens_is_open_and_nothing_opened_before(
    now: datetime, zone: ZoneInfo, days: set[int], seconds: int
) -> None:
    hours, needed = CallingHours(days=tuple(days)), timedelta(seconds=seconds)
    opens = next_opening(hours, _in(zone), now, needed)
    assert opens is not None
    assert opens >= now
    assert is_open(hours, _in(zone), opens, needed)
    for part in (0.2, 0.5, 0.9):
        between = now + (opens - now) * part
        assert between == opens or not is_open(hours, _in(zone), between, needed) or opens == now


@given(MOMENTS)
def test_strict_never_opens_where_the_ordinary_is_closed_for_any_candidate(now: datetime) -> None:
    mobile = client_zone("+79161234567", None, MOSCOW)
    if is_open(CallingHours(is_strict=True), mobile, now):
        assert all(is_open(HOURS, _in(zone), now) for zone in mobile.candidates)
