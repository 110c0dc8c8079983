"""Whatever goes wrong inside, and however long it takes, a PBX that showed its secret is told to carry on with its scheme."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from crm.directory.memory import Directory
from gateway.lookup.endpoint import Directories, Lookup
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import LookupRequest
from tests.integration.pbx.running_gateway import Running, add_connection, prepare, running_gateway

_QUESTION = {"phone": "+79001234567"}
_SECRET = {"Authorization": "Bearer demo"}


class BrokenDirectories:
    def get(self, account_id: str) -> Directory | None:
        raise RuntimeError(account_id)


@pytest.fixture
async def running(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    await add_connection(pool, "generic", "generic")
    async with running_gateway(pool, database_url) as made:
        yield made


def _lookup(running: Running, directories: Directories, **more: Any) -> Lookup:
    gateway = running.gateway
    return Lookup(
        gateway.configuration, directories, gateway.recorder, url_of=gateway.url_of, kinds=KINDS, **more
    )


@asynccontextmanager
async def _served(lookup: Lookup) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/pbx/{connection}/lookup", lookup.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/pbx/generic/lookup"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_lookup_that_fails_or_is_late_is_answered_with_the_scheme(
    running: Running, is_late: bool
) -> None:
    lookup = (
        _lookup(running, running.gateway, deadline_seconds=0.0)
        if is_late
        else _lookup(running, BrokenDirectories())
    )
    reason = "deadline" if is_late else "failure"
    async with _served(lookup) as address, aiohttp.ClientSession() as http:
        for _ in range(2):  # the second time the connection is known
            async with http.get(address, params=_QUESTION, headers=_SECRET) as response:
                answer = await response.json(content_type=None)
                assert response.status == 200
                assert (answer["outcome"], answer["reason"], answer["targets"]) == ("scheme", reason, [])
    connection = running.gateway.configuration.now.connections["generic"]
    asked = lookup.ask(connection, LookupRequest(phone=_QUESTION["phone"]))
    assert (asked["outcome"], asked["reason"]) == ("scheme", reason)
