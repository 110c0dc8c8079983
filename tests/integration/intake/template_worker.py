"""A worker process that gives calls by the template "sales", to be killed. Arguments: the DSN, and the time that it is."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs
from runtime.database.pool import open_pool
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.test_turns_of_calls import by_template


async def main(dsn: str, at: datetime) -> None:
    pool = await open_pool(dsn)

    def clock() -> datetime:
        return at

    job = ClientJob(pool, PublishedMatrix(by_template()), now=clock)
    await Jobs(dsn, pool, job, stalled_seconds=2, now=clock).run()


asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
