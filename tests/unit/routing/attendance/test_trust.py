"""When a silence says nothing: a late feed, a start, lost heartbeats."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from routing.attendance.trust import begun, doubt, is_stale, looked
from routing.settings import PresencePolicy

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = PresencePolicy(is_on=True)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_after_a_start_and_after_a_gap_a_period_passes_first() -> None:
    watch = begun(NOW)
    fresh = replace(watch, feed_read_at=at(80), feed_heard_at=at(80))
    assert doubt(fresh, POLICY, at(89), is_working_time=True) == "just_started"
    assert doubt(fresh, POLICY, at(90), is_working_time=True) == ""
    assert looked(watch, at(50)) == (at(90), at(50))
    assert looked(watch, at(61)) == (at(151), at(61))


def test_lost_heartbeats_are_a_gap() -> None:
    watch = replace(begun(NOW), feed_read_at=at(500), feed_heard_at=at(500))
    assert looked(watch, at(10), are_beats_lost=True)[0] == at(100)
    assert doubt(replace(watch, are_beats_lost=True), POLICY, at(500), is_working_time=True) == "beats_lost"


def test_a_feed_that_cannot_be_read_is_in_doubt_at_any_hour() -> None:
    watch = replace(begun(at(-3600)), feed_read_at=at(-181), feed_heard_at=NOW)
    assert doubt(watch, POLICY, NOW, is_working_time=False) == "feed_unread"
    assert doubt(replace(watch, feed_read_at=None), POLICY, NOW, is_working_time=False) == "feed_unread"


def test_ten_minutes_without_anybody_in_working_time_are_a_late_feed() -> None:
    watch = replace(begun(at(-3600)), feed_read_at=NOW, feed_heard_at=at(-601))
    assert doubt(watch, POLICY, NOW, is_working_time=True) == "feed_silent"
    assert doubt(watch, POLICY, NOW, is_working_time=False) == ""
    assert doubt(replace(watch, feed_heard_at=at(-600)), POLICY, NOW, is_working_time=True) == ""
    silence_is_silence = PresencePolicy(is_on=True, feed_late_minutes=None)
    assert doubt(watch, silence_is_silence, NOW, is_working_time=True) == ""


def test_where_the_crm_does_not_count_its_feed_is_in_nobodys_way() -> None:
    watch = begun(at(-3600))
    assert doubt(watch, PresencePolicy(is_on=True, sources=("page",)), NOW, is_working_time=True) == ""


def test_what_nobody_watched_for_long_says_nothing_of_now() -> None:
    assert not is_stale(begun(NOW), at(299))
    assert is_stale(begun(NOW), at(301))
