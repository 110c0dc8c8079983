"""How the writer brings the directory up to date before it creates something."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest

from crm.effects.writer import Writer, WriterSettings
from crm.lane import Lane
from crm.port import CrmEntity
from routing.client import EntityKind
from tests.fakes.crm import FakeCrm
from tests.fakes.effects import FakeEffects
from tests.fakes.lease import FakeLease
from tests.unit.crm.effects.test_writer_simulation import START, call_effects


@pytest.mark.parametrize(
    ("lane", "asked_in"),
    [(Lane.REALTIME, Lane.REALTIME), (Lane.EVENTS, Lane.EVENTS), (Lane.BACKFILL, Lane.EVENTS)],
)
async def test_it_never_waits_behind_a_long_sync(lane: Lane, asked_in: Lane) -> None:
    lanes: list[Lane] = []

    async def catch_up(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        lanes.append(lane)
        return False

    effects = FakeEffects()
    effects.order("+79160000001", lane, START, *call_effects("c1", "+79160000001", START))
    await Writer(FakeCrm(), effects, "a", FakeLease(), catch_up, now=lambda: START).drain()
    assert set(lanes) == {asked_in}


async def test_deals_are_read_only_where_a_deal_is_created_for_a_client_who_is_there() -> None:
    asked: list[tuple[EntityKind, ...]] = []

    async def catch_up(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        asked.append(tuple(kinds))
        return False

    number = "+79160000001"
    effects = FakeEffects()
    effects.order(number, Lane.BACKFILL, START, *call_effects("c1", number, START))
    crm = FakeCrm()
    await Writer(crm, effects, "a", FakeLease(), catch_up, now=lambda: START).drain()
    assert asked == [("contact", "company")]
    assert len(crm.all("deal")) == 1

    there = "+79160000002"
    asked.clear()
    contact = CrmEntity(kind="contact", id="900", numbers=(there,), owner_id="11", created_at=START)
    crm.seed(contact)
    effects.learn([contact])
    effects.order(there, Lane.BACKFILL, START, *call_effects("c2", there, START))
    await Writer(crm, effects, "a", FakeLease(), catch_up, now=lambda: START).drain()
    assert [kind for kinds in asked for kind in kinds].count("deal") == 1


@pytest.mark.parametrize(("is_told", "asked_at"), [(False, [0, 11, 22]), (True, [0, 22])])
async def test_while_webhooks_keep_up_a_backfill_asks_less_often(is_told: bool, asked_at: list[int]) -> None:
    asked: list[int] = []
    second = 0

    async def catch_up(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        assert tuple(kinds) == ("contact", "company")
        asked.append(second)
        return is_told

    effects = FakeEffects()
    settings = WriterSettings(backfill_catch_up_seconds=10, told_catch_up_seconds=20)
    now = START
    writer = Writer(FakeCrm(), effects, "a", FakeLease(), catch_up, settings=settings, now=lambda: now)
    for second in (0, 9, 11, 20, 22):
        now = START + timedelta(seconds=second)
        number = f"+791600000{second:02}"
        effects.order(number, Lane.BACKFILL, now, *call_effects(f"c{second}", number, now))
        await writer.drain()
    assert asked == asked_at
