from __future__ import annotations

from structlog.testing import capture_logs

from runtime.doors.seldom import SeldomTold


def test_a_source_is_told_at_once_and_then_once_a_minute_with_its_count() -> None:
    now = [0.0]
    told = SeldomTold("knocked", clock=lambda: now[0])
    with capture_logs() as lines:
        for _ in range(500):
            told.note("192.0.2.1", error="X")
        now[0] = 61.0
        told.note("192.0.2.1", error="X")
    assert [(line["address"], line["count"]) for line in lines] == [("192.0.2.1", 1), ("192.0.2.1", 500)]
    assert told.total == 501


def test_many_sources_make_few_lines_and_are_all_counted() -> None:
    now = [0.0]
    told = SeldomTold("knocked", clock=lambda: now[0])
    with capture_logs() as lines:
        for number in range(20_000):
            now[0] += 0.01
            told.note(f"2001:db8::{number:x}")
        now[0] += 61.0
        told.note("2001:db8::ffff:ffff")
    assert len(lines) < 5 * 32
    assert told.total == 20_001
    assert sum(line["count"] for line in lines) >= 20_001 * 0.7
