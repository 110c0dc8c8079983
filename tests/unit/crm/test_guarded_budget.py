"""The lease is looked at last before a request goes out, and nothing goes out for a while after it was taken."""

from __future__ import annotations

import asyncio

import pytest

from crm.budget import TAKEOVER_SECONDS
from crm.guarded_budget import GuardedBudget
from crm.lane import Lane
from runtime.database.lease import LeaseLost
from tests.fakes.lease import FakeLease
from tests.unit.crm.amocrm.virtual_time import run


def test_a_request_that_waits_for_its_slot_does_not_go_out_once_the_lease_is_lost() -> None:
    async def story() -> None:
        loop, lease = asyncio.get_running_loop(), FakeLease()
        budget = GuardedBudget(lease, 1, clock=loop.time)
        budget.pause(5)
        loop.call_later(3, lease.take_away)
        with pytest.raises(LeaseLost):
            async with budget.slot(Lane.EVENTS):
                pytest.fail("it would be sent")
        assert loop.time() >= 1005, "it was lost while the request waited"
        assert budget.use().in_flight == 0

    run(story())


def test_after_a_takeover_nothing_goes_out_within_the_crms_window() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        budget = GuardedBudget(FakeLease(), clock=loop.time)
        budget.took_over()
        await budget.open_after(_at_once)
        async with budget.slot(Lane.REALTIME):
            assert loop.time() == pytest.approx(1000 + TAKEOVER_SECONDS)

    run(story())


async def _at_once() -> None:
    pass


def test_who_takes_over_from_one_whose_requests_a_frozen_crm_still_holds_waits_for_its_word() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        budget = GuardedBudget(FakeLease(), clock=loop.time)
        budget.took_over()
        opening = asyncio.create_task(budget.open_after(lambda: asyncio.sleep(8)))
        async with budget.slot(Lane.REALTIME):
            assert loop.time() == pytest.approx(1008 + TAKEOVER_SECONDS)
        await opening

    run(story())


def test_a_crm_that_says_nothing_at_all_is_waited_for_half_a_minute() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        budget = GuardedBudget(FakeLease(), clock=loop.time)
        budget.took_over()
        opening = asyncio.create_task(budget.open_after(lambda: asyncio.sleep(3600)))
        async with budget.slot(Lane.REALTIME):
            assert loop.time() == pytest.approx(1030)
        await opening

    run(story())
