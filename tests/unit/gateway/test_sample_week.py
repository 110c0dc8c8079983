"""The demo's week of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.demo.sample_week import going_on, latest_hour, sample_week

_MOSCOW = ZoneInfo("Europe/Moscow")


def test_the_week_is_past_and_of_working_hours() -> None:
    now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    calls = sample_week(now, _MOSCOW)
    assert 50 < len(calls) < 120
    assert {call.outcome for call in calls} == {"answered", "missed", "busy", "called"}
    assert len({call.id for call in calls}) == len(calls)
    for call in calls:
        assert now - timedelta(days=7) < call.at < now
        assert 9 <= call.at.astimezone(_MOSCOW).hour < 20
        times = [datetime.fromisoformat(event["at"]) for event in call.events()]
        assert times == sorted(times)
        assert times[-1] < now


def test_it_is_always_the_same() -> None:
    now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    assert sample_week(now, _MOSCOW) == sample_week(now, _MOSCOW)


def test_most_of_the_missed_are_called_back_and_some_wait() -> None:
    now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    calls = sample_week(now, _MOSCOW)
    missed = {call.id for call in calls if call.outcome in ("missed", "busy")}
    returned = {call.id.removesuffix("-back") for call in calls if call.returns_missed}
    assert returned < missed
    assert len(returned) > len(missed) / 2


def test_the_latest_hour_has_calls_at_any_hour_and_some_go_on() -> None:
    now = datetime(2026, 11, 29, 0, 30, tzinfo=UTC)
    for call in latest_hour(now):
        times = [datetime.fromisoformat(event["at"]) for event in call.events()]
        assert now - timedelta(hours=1) < times[0] <= times[-1] < now
    assert all(event["event"] != "hangup" for call in going_on(now) for event in call.events())
    assert {bool(call.talked) for call in going_on(now)} == {True, False}
