"""The short form of the chaos over channels as a test: `pytest -m chaos tests/chaos/test_channels.py`. No part of `make test`."""

from __future__ import annotations

import pytest

from tests.chaos.__main__ import show_channels
from tests.chaos.channels.harm import KILLABLE, MOODS
from tests.chaos.channels.run import SHORT_SECONDS, ChannelsPlan, run_channels
from tests.chaos.channels.sends import POINTS


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_nothing_is_lost_doubled_or_out_of_order_in_channels_under_every_fault() -> None:
    result = await run_channels(ChannelsPlan(seed=1, seconds=SHORT_SECONDS, is_short=True))
    show_channels(result)
    assert result.violations == []
    fired = result.figures["faults of channels by kind"]
    assert {f"kill-9-{name}" for name in KILLABLE} <= fired.keys()
    assert {f"kill-9-{point}" for point in POINTS} & fired.keys()
    assert {f"crm-{kind}" for kind in MOODS} & fired.keys()
    assert {"connections-cut", "postgresql-immediate"} <= fired.keys()
