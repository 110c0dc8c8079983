"""What all doubles of SMS providers share: an address, money, faults in the order in which they are to come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeVar

from aiohttp import web

Fault = Literal["silent", "hang up", "throttle", "trouble", "bad gateway", "busy", "page"]
"""silent: takes the message and never answers. hang up: takes it and closes the connection. throttle, trouble: the vendor's
own refusals. bad gateway, busy: HTTP 502 and 503 before the message is read. page: a page of HTML with status 200."""


@dataclass
class SentSms:
    """One message that the double has taken."""

    id: str
    number: str
    text: str
    sender: str = ""
    own_id: str = ""
    report_url: str = ""


@dataclass
class FakeProvider:
    """money: None = it never ends. faults: one is used up by each sending, None is none. asked: how many sendings came. connections: by which."""

    money: Decimal | None = None
    price: Decimal = Decimal("2.50")
    faults: deque[Fault | None] = field(default_factory=deque)
    taken: list[SentSms] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    url: str = ""
    connections: list[object] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def throttled(self) -> web.Response:
        raise NotImplementedError

    def troubled(self) -> web.Response:
        raise NotImplementedError

    async def faulty(
        self, request: web.Request, take: Callable[[], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        """Take one sending, as the next fault wants it."""
        self.asked += 1
        self.connections.append(request.get_extra_info("peername"))
        fault = self.faults.popleft() if self.faults else None
        match fault:
            case "throttle":
                return self.throttled()
            case "trouble":
                return self.troubled()
            case "bad gateway" | "busy":
                return web.Response(
                    status=502 if fault == "bad gateway" else 503, headers={"Retry-After": "7"}
                )
            case "page":
                return web.Response(text="<html>Welcome</html>", content_type="text/html")
        answer = await take()
        if fault == "silent":
            await asyncio.sleep(30)
        if fault == "hang up" and request.transport is not None:
            request.transport.abort()
        return answer

    def pays(self) -> bool:
        if self.money is None:
            return True
        if self.money < self.price:
            return False
        self.money -= self.price
        return True


Fake = TypeVar("Fake", bound=FakeProvider)


@asynccontextmanager
async def serving(fake: Fake) -> AsyncIterator[Fake]:
    app = web.Application()
    app.add_routes(fake.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
