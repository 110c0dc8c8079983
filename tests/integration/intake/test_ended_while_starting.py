"""A worker that is told to end while it starts leaves nothing behind that would keep its process alive."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.integration.intake.office import an_office


async def test_whenever_the_queue_is_ended_nothing_of_it_goes_on(
    pool: asyncpg.Pool, database_url: str
) -> None:
    jobs = (await an_office(pool, database_url)).jobs[0]
    for seconds in (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15, 0.3):
        before = asyncio.all_tasks()
        running = asyncio.create_task(jobs.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.wait({running}, timeout=10)
        left = asyncio.all_tasks() - before - {running}
        assert [task.get_name() for task in left] == [], f"ended after {seconds} s"
