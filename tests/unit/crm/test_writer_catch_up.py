"""How the writer brings the directory up to date before it creates something."""

from __future__ import annotations

import pytest

from crm.port import Lane
from crm.writer import Writer
from tests.fakes.crm import FakeCrm
from tests.fakes.effects import FakeEffects
from tests.fakes.lease import FakeLease
from tests.unit.crm.test_writer_simulation import START, call_effects


@pytest.mark.parametrize(
    ("lane", "asked_in"),
    [(Lane.REALTIME, Lane.REALTIME), (Lane.EVENTS, Lane.EVENTS), (Lane.BACKFILL, Lane.EVENTS)],
)
async def test_it_never_waits_behind_a_long_sync(lane: Lane, asked_in: Lane) -> None:
    lanes: list[Lane] = []

    async def catch_up(lane: Lane) -> None:
        lanes.append(lane)

    effects = FakeEffects()
    effects.order("+79160000001", lane, START, *call_effects("c1", "+79160000001", START))
    await Writer(FakeCrm(), effects, "a", FakeLease(), catch_up, now=lambda: START).drain()
    assert set(lanes) == {asked_in}
