"""Work done over and over: trouble of the database ends a turn, a mistake or a cancellation ends the loop, waking brings a turn sooner."""

from __future__ import annotations

import asyncio

import pytest

from runtime.loops import Loop


async def test_trouble_of_the_database_ends_a_turn_and_is_told_until_one_succeeds() -> None:
    troubles = [OSError("away"), None]
    seen: list[tuple[str | None, bool]] = []
    over = asyncio.Event()

    async def turn() -> None:
        seen.append((loop.last_error, loop.last_success is not None))
        if len(seen) > len(troubles):
            over.set()
        elif trouble := troubles[len(seen) - 1]:
            raise trouble

    loop = Loop("test", turn, 0.001)
    task = asyncio.create_task(loop.run())
    async with asyncio.timeout(5):
        await over.wait()
    task.cancel()
    assert seen[:3] == [(None, False), ("OSError: away", False), (None, True)]


async def test_waking_brings_a_turn_at_once_and_one_for_all_that_wakes_during_a_turn() -> None:
    turns: asyncio.Queue[None] = asyncio.Queue()

    async def turn() -> None:
        turns.put_nowait(None)
        if turns.qsize() == 1:
            loop.wake()
            loop.wake()

    loop = Loop("test", turn, 600)
    task = asyncio.create_task(loop.run())
    async with asyncio.timeout(5):
        while turns.qsize() < 2:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    assert turns.qsize() == 2
    loop.wake()
    async with asyncio.timeout(5):
        while turns.qsize() < 3:
            await asyncio.sleep(0.001)
    task.cancel()


async def test_a_cancellation_that_trouble_took_the_place_of_ends_the_loop() -> None:
    begun = asyncio.Event()

    async def turn() -> None:
        begun.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            raise OSError("the rollback failed: the database is away") from None

    task = asyncio.create_task(Loop("test", turn, 600).run())
    await begun.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def test_a_mistake_ends_the_loop() -> None:
    async def turn() -> None:
        raise KeyError("a mistake")

    with pytest.raises(KeyError):
        await Loop("test", turn, 0.001).run()
