"""An account whose subscription has ended, and is paid for again while the same process runs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import pairwise

from crm.effects.writer import Writer
from crm.errors import CrmUnpaid
from crm.lane import Lane
from routing.client import EntityKind
from tests.fakes.crm import FakeCrm
from tests.fakes.effects import FakeEffects
from tests.fakes.lease import FakeLease
from tests.unit.crm.effects.test_writer_simulation import START, call_effects


async def test_what_waited_for_payment_is_written_by_the_same_process_once_it_is_paid() -> None:
    """Asked ever more rarely meanwhile, and everything is there once."""
    now = START

    def clock() -> datetime:
        return now

    async def catch_up(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        return True

    crm, effects = FakeCrm(clock=clock), FakeEffects()
    for i in range(3):
        number = f"+7916000000{i}"
        effects.order(number, Lane.EVENTS, START, *call_effects(f"c{i}", number, START))
    crm.fail("create_deals_with_contacts", CrmUnpaid("the trial has ended"), times=5)
    writer = Writer(crm, effects, "a", FakeLease(), catch_up, now=clock, random=lambda: 0.5)
    alarms: list[bool] = []
    asked: list[datetime] = []
    while not effects.is_settled:
        if await writer.drain():
            asked.append(now)
        alarms.append(writer.status().is_alarm)
        now += timedelta(seconds=15)
        assert now < START + timedelta(hours=6)
    assert alarms[0]
    assert not writer.status().is_alarm
    pauses = [(b - a).total_seconds() for a, b in pairwise(asked[:5])]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 60
    assert {row.state for row in effects.rows.values()} == {"done"}
    assert (len(crm.all("contact")), len(crm.all("deal")), len(crm.all_tasks())) == (3, 3, 3)
