"""A worker process that takes a client's job, writes half of it, says so and never ends. Argument: the DSN."""

from __future__ import annotations

import asyncio
import sys

from gateway.calls.client_job import ClientJob, JobResult
from gateway.calls.queue import Jobs
from gateway.store.calls import calls
from routing.matrix.presets import recommended
from runtime.database.pool import open_pool
from tests.fakes.matrices import PublishedMatrix


class HangingJob(ClientJob):
    async def run(self, account_id: str, client_key: str) -> JobResult:
        async with self._pool.acquire() as conn, conn.transaction():
            await calls.lock_client(conn, account_id, client_key)
            await conn.execute("UPDATE inbox SET state = 'applied'")
            print("taken", flush=True)
            await asyncio.Event().wait()
        raise AssertionError


async def main(dsn: str) -> None:
    pool = await open_pool(dsn)
    await Jobs(dsn, pool, HangingJob(pool, PublishedMatrix(recommended())), stalled_seconds=2).run()


asyncio.run(main(sys.argv[1]))
