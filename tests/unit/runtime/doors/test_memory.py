from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from runtime.doors.memory import MemoryKeeper

_MIB = 1024 * 1024


class _Ring:
    """Refers to itself: only the garbage collector lets go of it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(
    ("grown", "is_quiet", "is_given_back"),
    [(10, True, False), (30, True, True), (30, False, False), (70, False, True)],
)
async def test_what_a_rush_left_is_given_back_when_nobody_asks_or_when_it_is_much(
    grown: int, is_quiet: bool, is_given_back: bool
) -> None:
    sizes = [100 * _MIB]
    keeper = MemoryKeeper(lambda: is_quiet, resident=lambda: sizes[0], looks_seconds=0.01)
    gc.disable()
    try:
        work = asyncio.create_task(keeper.run())
        await asyncio.sleep(0.03)
        left = weakref.ref(_Ring())
        sizes[0] += grown * _MIB
        await asyncio.sleep(0.1)
        work.cancel()
        assert (left() is None) is is_given_back
        assert (keeper.given_back > 0) is is_given_back
    finally:
        gc.enable()


async def test_what_has_come_to_stay_is_not_collected_for_again_and_again() -> None:
    sizes = [100 * _MIB]
    keeper = MemoryKeeper(lambda: True, resident=lambda: sizes[0], looks_seconds=0.01)
    work = asyncio.create_task(keeper.run())
    await asyncio.sleep(0.03)
    sizes[0] += 500 * _MIB
    await asyncio.sleep(0.2)
    work.cancel()
    assert keeper.given_back == 1
