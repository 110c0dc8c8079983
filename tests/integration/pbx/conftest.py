"""Fixtures; what they are made of stands in site.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs
from gateway.configuration import Configuration
from gateway.intake.inbox import Inbox
from routing.matrix.presets import recommended
from runtime.database.listen import Listener
from tests.fakes.mango import FakeMango
from tests.fakes.mango import serving as serving_mango
from tests.fakes.matrices import PublishedMatrix
from tests.fakes.ringostat import FakeRingostat
from tests.fakes.ringostat import serving as serving_ringostat
from tests.integration.pbx.site import Clock, Site, _prepare


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Site]:
    async with (
        aiohttp.ClientSession() as http,
        serving_ringostat(FakeRingostat()) as ringostat,
        serving_mango(FakeMango()) as mango,
        Inbox(pool) as inbox,
    ):
        await _prepare(pool, ringostat, mango)
        configuration = Configuration(pool, Listener(database_url))
        await configuration.reload()
        clock = Clock()
        jobs = Jobs(database_url, pool, ClientJob(pool, PublishedMatrix(recommended()), now=clock), now=clock)
        made = Site(pool, database_url, http, configuration, inbox, jobs, clock, ringostat, mango)
        try:
            yield made
        finally:
            for task in made.tasks:
                task.cancel()
            await asyncio.gather(*made.tasks, return_exceptions=True)
