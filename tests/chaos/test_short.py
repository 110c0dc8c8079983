"""The short form of the chaos suite as a test: `pytest -m chaos`. No part of `make test`."""

from __future__ import annotations

import pytest

from tests.chaos import freezes, moods
from tests.chaos.__main__ import show
from tests.chaos.faults import KILLABLE
from tests.chaos.run import Plan, run


@pytest.mark.chaos
@pytest.mark.timeout(700)
async def test_nothing_is_lost_and_nothing_doubled_in_a_minute_of_every_fault() -> None:
    result = await run(Plan(seed=1, seconds=75, calls=280, is_short=True, drain_seconds=300))
    show(result)
    assert result.violations == []
    fired = result.figures["fired by kind"]
    assert {f"crm-{kind}" for kind in (*moods.SHORT, *moods.LONG)} <= fired.keys()
    assert set(freezes.KINDS) - {"stop-sandbox"} <= fired.keys()
    assert {"postgresql-immediate", "postgresql-fast"} <= fired.keys()
    assert sum(n for kind, n in fired.items() if kind.removeprefix("kill-9-") in KILLABLE) >= 8
