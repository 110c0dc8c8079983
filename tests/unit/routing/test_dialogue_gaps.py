"""What is lost of a time in which nobody listened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from routing.dialogues.gaps import GapState, ListeningGap, gap_since

NOW = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTHING, DAY = timedelta(0), timedelta(hours=24)


def gap(from_hours_ago: float, to_hours_ago: float, state: GapState) -> ListeningGap:
    return ListeningGap(from_at=NOW - from_hours_ago * HOUR, to_at=NOW - to_hours_ago * HOUR, state=state)


@pytest.mark.parametrize(
    ("hours", "has_history", "keeps", "missed"),
    [
        (0.08, False, NOTHING, None),  # a restart
        (0.08, True, NOTHING, None),
        (1, False, NOTHING, gap(1, 0, "open")),
        (1, True, NOTHING, gap(1, 0, "repairing")),
        (24, False, DAY, None),  # the messenger has kept it
        (72, False, DAY, gap(72, 24, "open")),
        (72, True, DAY, gap(72, 0, "repairing")),
    ],
)
def test_what_was_missed_follows_from_what_the_messenger_keeps(
    hours: float, has_history: bool, keeps: timedelta, missed: ListeningGap | None
) -> None:
    assert gap_since(NOW - hours * HOUR, NOW, has_history=has_history, keeps=keeps) == missed
