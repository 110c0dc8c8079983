"""A source that fails is told once, and once when it works again."""

from __future__ import annotations

from structlog.testing import capture_logs

from runtime.trouble import Trouble


def test_a_source_that_fails_for_a_hundred_turns_is_told_once_and_once_when_it_works_again() -> None:
    now = 0.0
    trouble = Trouble("sweep", clock=lambda: now, account="sales")
    with capture_logs() as lines:
        trouble.recovered()
        for _ in range(100):
            trouble.failed(OSError("away"))
            now += 1.0
        trouble.recovered()
        trouble.recovered()
    assert [line["event"] for line in lines] == ["sweep-failed", "sweep-recovered"]
    failed, recovered = lines
    assert (failed["log_level"], failed["error"], failed["account"]) == ("warning", "OSError: away", "sales")
    assert (recovered["seconds"], recovered["failures"], recovered["account"]) == (100.0, 100, "sales")


def test_trouble_that_comes_back_is_told_again() -> None:
    trouble = Trouble("sweep")
    with capture_logs() as lines:
        for _ in range(2):
            trouble.failed("away")
            trouble.recovered()
    assert [line["event"] for line in lines] == ["sweep-failed", "sweep-recovered"] * 2


def test_a_mistake_of_the_program_is_told_with_its_trace_even_in_the_middle_of_other_trouble() -> None:
    trouble = Trouble("sweep")
    with capture_logs() as lines:
        for _ in range(50):
            trouble.failed(OSError("away"))
            trouble.failed(KeyError("mistake"), is_mistake=True)
    assert [line["log_level"] for line in lines] == ["warning", "error"]
    assert isinstance(lines[1]["exc_info"], KeyError)


def test_trouble_that_needs_a_person_is_told_once_more() -> None:
    trouble = Trouble("crm")
    with capture_logs() as lines:
        for _ in range(10):
            trouble.failed("unavailable")
        for _ in range(10):
            trouble.failed("blocked", is_alarm=True)
    assert [line["log_level"] for line in lines] == ["warning", "error"]
