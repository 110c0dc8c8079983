"""The demo's week of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.demo.sample_week import sample_week

_MOSCOW = ZoneInfo("Europe/Moscow")


def test_the_week_is_past_and_of_working_hours() -> None:
    now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    calls = sample_week(now, _MOSCOW)
    assert 50 < len(calls) < 100
    assert {call.outcome for call in calls} == {"answered", "missed", "busy", "called"}
    assert len({call.id for call in calls}) == len(calls)
    for call in calls:
        assert now - timedelta(days=7) < call.at < now
        assert 9 <= call.at.astimezone(_MOSCOW).hour < 19
        times = [datetime.fromisoformat(event["at"]) for event in call.events()]
        assert times == sorted(times)
        assert times[-1] < now


def test_it_is_always_the_same() -> None:
    now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    assert sample_week(now, _MOSCOW) == sample_week(now, _MOSCOW)
