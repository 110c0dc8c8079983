"""The demo's made-up PBX: it takes orders to call by the generic contract, rings nobody, and tells how such a call goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import structlog
from aiohttp import web

from gateway.demo.data import SECRET

log = structlog.get_logger(__name__)

# By the client's last digit; every other one picks up.
ENDINGS: Mapping[str, Mapping[str, str]] = {
    "7": {"cause": "busy", "side": "client"},
    "8": {"cause": "noAnswer", "side": "client"},
    "9": {"cause": "noAnswer", "side": "employee"},
}
_AUTH = {"Authorization": f"Bearer {SECRET}"}


@dataclass
class DemoPbx:
    """events_url: where the gateway hears of calls. pace: seconds between two things that happen."""

    session: aiohttp.ClientSession
    events_url: str
    pace: float = 1.5
    url: str = ""
    _calls: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)

    async def order(self, request: web.Request) -> web.Response:
        """Take an order; one that is known already is no second call."""
        if request.headers.get("Authorization") != _AUTH["Authorization"]:
            return web.json_response({"reason": "wrong_key"}, status=401)
        told = await request.json()
        attempt, client = str(told["attempt_id"]), str(told["client"])
        if attempt not in self._calls:
            rung = str(told.get("employee") or told.get("group"))
            self._calls[attempt] = asyncio.create_task(self._call(attempt, rung, client))
        return web.json_response({}, status=202)

    async def how_far(self, request: web.Request) -> web.Response:
        return web.json_response({"state": self._states.get(request.match_info["attempt"], "gone")})

    async def hang_up(self, request: web.Request) -> web.Response:
        if request.match_info["attempt"] not in self._states:
            return web.json_response({"state": "gone"}, status=404)
        self._calls[request.match_info["attempt"]].cancel()
        return web.json_response({})

    async def _call(self, attempt: str, employee: str, client: str) -> None:
        about = {"callId": attempt, "attempt_id": attempt, "direction": "out", "callback": "1"}
        about |= {"from": employee, "to": client}
        ending = ENDINGS.get(client[-1:], {"cause": "normalClearing"})
        try:
            await self._tell(attempt, "operator_ringing", {**about, "event": "newCall"})
            if ending.get("side") != "employee":
                await self._tell(attempt, "client_ringing")
            if "side" not in ending:
                await self._tell(attempt, "talking", {**about, "event": "answer", "extension": employee})
        except asyncio.CancelledError:
            ending = {"cause": "cancel", "side": "employee_hung_up"}
        finally:
            self._states.pop(attempt, None)
        await self._send({**about, "event": "hangup", **ending})

    async def _tell(self, attempt: str, state: str, event: Mapping[str, str] | None = None) -> None:
        self._states[attempt] = state
        if event is not None:
            await self._send(event)
        await asyncio.sleep(self.pace)

    async def _send(self, event: Mapping[str, str]) -> None:
        try:
            async with self.session.post(self.events_url, json=event, headers=_AUTH) as response:
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as err:
            log.warning("demo-call-not-told", error=str(err))

    async def close(self) -> None:
        for call in self._calls.values():
            call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._calls.values(), return_exceptions=True)


@asynccontextmanager
async def serving(pbx: DemoPbx) -> AsyncIterator[DemoPbx]:
    """On a port of this machine that is free."""
    app = web.Application()
    app.router.add_post("/calls", pbx.order)
    app.router.add_get("/calls/{attempt}", pbx.how_far)
    app.router.add_delete("/calls/{attempt}", pbx.hang_up)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pbx.url = f"http://127.0.0.1:{runner.addresses[0][1]}/calls"
    try:
        yield pbx
    finally:
        await pbx.close()
        await runner.cleanup()
