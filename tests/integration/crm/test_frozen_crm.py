"""A CRM that stands still has requests in its hands that nobody waits for any more, and counts them when it goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.amocrm.client import AmoClient
from crm.amocrm.transport import Transport
from crm.amocrm.wire import Request
from crm.budget import Budget
from crm.errors import CrmUnavailable
from crm.lane import Lane
from runtime.lifecycle import background
from tests.fakes.tokens import FixedToken
from tests.waiting import until

RATE = 7
FROZEN_SECONDS, PATIENCE_SECONDS = 3.0, 0.4


@dataclass
class FreezingCrm:
    """Takes every request at once, and does nothing with it while it is frozen. counted: when each of the API was."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    counted: list[float] = field(default_factory=list)
    held: set[asyncio.Future[None]] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.Response:
        """Whoever hangs up meanwhile is counted all the same."""
        taken = asyncio.ensure_future(self._take(request.path.startswith("/api/")))
        self.held.add(taken)
        await asyncio.shield(taken)
        return web.json_response({})

    async def _take(self, is_counted: bool) -> None:
        await self.goes_on.wait()
        if is_counted:
            self.counted.append(asyncio.get_running_loop().time())

    @property
    def most_in_a_second(self) -> int:
        return max(sum(at <= other < at + 1.0 for other in self.counted) for at in self.counted)


@asynccontextmanager
async def asking(crm: FreezingCrm) -> AsyncIterator[AmoClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", crm.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        transport = Transport(session, read_seconds=PATIENCE_SECONDS)
        url = str(server.make_url("/"))
        client = AmoClient(transport, FixedToken(url, "t"), Budget(RATE), attempts=1)
        async with background(*(_ask_on_and_on(client) for _ in range(2 * RATE))):
            yield client


async def _ask_on_and_on(client: AmoClient) -> None:
    """Half of those who ask give up before the client does."""
    while True:
        for patience in (PATIENCE_SECONDS / 2, 60.0):
            with contextlib.suppress(CrmUnavailable, TimeoutError):
                async with asyncio.timeout(patience):
                    await client.reply_to(Request(method="GET", path="/api/v4/leads"), Lane.SYNC)
        await asyncio.sleep(0)


async def test_what_a_frozen_crm_holds_and_what_is_sent_afterwards_stay_within_the_limit_together() -> None:
    crm = FreezingCrm()
    async with asking(crm) as client:
        begun = datetime.now(UTC)
        await asyncio.sleep(FROZEN_SECONDS)
        assert client.silent_since is not None, "it is known, whoever asked"
        assert abs((client.silent_since - begun).total_seconds()) < FROZEN_SECONDS / 2, "and since when"
        crm.goes_on.set()
        await until(lambda: len(crm.counted) >= 3 * RATE, "it is asked again")
        await until(lambda: client.silent_since is None, "it answers again")
    assert crm.most_in_a_second <= RATE
    assert client.budget.use().in_flight <= RATE
