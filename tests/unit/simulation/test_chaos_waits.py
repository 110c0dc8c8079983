"""The chaos suite's own waiting: who waits says what for, and a telephone system never has more under way than it may."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web

from tests.chaos.pbx import AT_ONCE, Pbx
from tests.chaos.tenants import TENANTS
from tests.chaos.traffic import PlannedCall, PlannedEvent
from tests.chaos.turns import Turn


async def test_who_waits_says_what_for() -> None:
    turn = Turn("database")
    assert turn.told() == ""
    async with turn.of("a restart"):
        waiting = asyncio.create_task(_take(turn, "a lock"))
        await asyncio.sleep(0)
        assert turn.told() == "database: a restart for 0 s, a lock wait"
    await waiting
    assert turn.told() == ""


async def _take(turn: Turn, who: str) -> None:
    async with turn.of(who):
        assert turn.told() == f"database: {who} for 0 s"


async def test_what_was_not_taken_is_told_again_a_few_at_a_time() -> None:
    under_way = most = refused = 0

    async def take(_request: web.Request) -> web.Response:
        nonlocal under_way, most, refused
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        if refused < 2 * AT_ONCE:
            refused += 1
            return web.Response(status=503)
        return web.json_response({"accepted": True, "duplicate": False})

    app = web.Application()
    app.router.add_post("/pbx/{connection}/events", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            pbx = Pbx([url, url], session, seed=1)
            async with asyncio.timeout(20):
                await pbx.play([_call(number) for number in range(5 * AT_ONCE)])
    finally:
        await runner.cleanup()
    assert most == AT_ONCE
    assert (len(pbx.accepted), pbx.under_way) == (5 * AT_ONCE, 0)


def _call(number: int) -> PlannedCall:
    event = PlannedEvent(0.0, 0.0, {"event": "newCall"})
    return PlannedCall(
        TENANTS[0].account, f"c{number}", 0.0, "generic", "missed", "in", "+79161234567", (event,)
    )
