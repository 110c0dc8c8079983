"""Times and lengths that no call can have are put right and named; all others stay what was told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.intake.plausible import plausible
from gateway.pbx.port import Parsed
from routing.calls.model import CallEvent, EventKind

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _told(**fields: Any) -> tuple[CallEvent, tuple[str, ...]]:
    """The event as it is taken, and what of it was named."""
    event = CallEvent(kind=EventKind.ENDED, call_key="c1", **{"at": NOW, **fields})
    taken = plausible(Parsed(canonical="", events=(event,)), NOW)
    return taken.events[0], taken.spoilt


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), NOW - timedelta(days=31), NOW + timedelta(days=2)]
)
def test_a_time_that_cannot_be_is_that_of_receipt(at: datetime) -> None:
    event, named = _told(at=at)
    assert (event.at, named) == (NOW, ("at",))


@pytest.mark.parametrize("at", [NOW - timedelta(days=29), NOW + timedelta(hours=23)])
def test_a_time_of_an_outage_or_of_a_clock_that_is_wrong_stays(at: datetime) -> None:
    event, named = _told(at=at)
    assert (event.at, named) == (at, ())


@pytest.mark.parametrize("seconds", [-1, 8 * 24 * 3600])
def test_a_length_that_cannot_be_is_not_told(seconds: int) -> None:
    event, named = _told(talk_seconds=seconds)
    assert (event.talk_seconds, named) == (None, ("talk_seconds",))
