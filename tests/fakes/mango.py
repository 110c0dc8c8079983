"""MANGO's VPBX API as a local server: signatures, limits per product, statistics that are not ready at once, commands."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from tests.fakes.mango_contact_centre import FakeContactCentre

_LIMITS = (1, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000)
_THROTTLED = {"name": "Service Unavailable", "message": "Rate limit exceeded.", "code": 0, "status": 429}
_LIMITED = ("stats/calls/request", "config/users/request", "commands/route")


@dataclass
class FakeMango:
    """calls: entries of the extended statistics, in any order. interval: seconds in which one limited request of each
    kind is allowed (the vendor's 2). order_says: the answer to an order to call or hang up: a result code, an HTTP status below
    1000, "taken" (an empty answer), "throttled" (with HTTP 503), "silent" (taken, and never answered), or "cut". orders: those that came, in order. topics: answers to cc/call by entry_id, one after the other. not_ready: so often a result is answered as not ready. forgets: so many keys are
    forgotten before they are asked for. down: HTTP status of every answer, 0 = it works."""

    api_key: str = "demo"
    salt: str = "demo"
    interval: float = 0.1
    not_ready: int = 0
    forgets: int = 0
    down: int = 0
    order_says: int | str = "taken"
    calls: list[dict[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    accepted: dict[str, list[float]] = field(default_factory=dict)
    throttled: int = 0
    refused: int = 0
    commands: list[dict[str, Any]] = field(default_factory=list)
    orders: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    command_came: asyncio.Event = field(default_factory=asyncio.Event)
    contact_centre: FakeContactCentre = field(default_factory=FakeContactCentre)
    topics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pages: list[tuple[int, int]] = field(default_factory=list)  # offset, entries given
    _asked: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)

    def call(
        self,
        key: str,
        at: datetime,
        *,
        caller: str = "79161234567",
        line: str = "74951230000",
        talk: int = 0,
        seconds: int = 20,
        context: int = 1,
        extension: str = "101",
    ) -> dict[str, Any]:
        """Adds one call. at: aware. context: 1 inbound, 2 outbound."""
        start = int(at.timestamp())
        leg = {
            "call_type": "user",
            "call_abonent_number": extension,
            "call_start_time": start + 2,
            "call_answer_time": start + 5 if talk else 0,
            "call_end_time": start + 5 + talk,
            "talk_duration": talk,
            "recording_id": [],
            "external_call_id": f"{key}-leg",
        }
        entry = {
            "entry_id": key,
            "context_type": context,
            "caller_id": extension if context == 2 else "",
            "caller_number": caller if context == 1 else line,
            "called_number": line if context == 1 else caller,
            "context_start_time": start,
            "duration": 5 + talk if talk else seconds,
            "talk_duration": talk,
            "context_calls": [leg],
        }
        self.calls.append(entry)
        return entry

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if self.down:
            return web.Response(status=self.down, text="<html>trouble</html>")
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        expected = hashlib.sha256((self.api_key + form["json"] + self.salt).encode()).hexdigest()
        if form["vpbx_api_key"] != self.api_key or form["sign"] != expected:
            self.refused += 1
            return web.json_response({"result": 3102}, status=401)
        if path in _LIMITED and not self._is_allowed(path):
            self.throttled += 1
            return web.json_response(_THROTTLED, status=429)
        told = json.loads(form["json"])
        match path:
            case "stats/calls/request":
                return self._start(told)
            case "stats/calls/result":
                return self._result(told)
            case "config/users/request":
                return web.json_response({"result": 1000, "users": self.users})
            case "commands/route":
                self.commands.append(told)
                self.command_came.set()
                return web.Response(status=200)
            case "commands/callback" | "commands/callback_group" | "commands/call/hangup":
                self.orders.append((path, told))
                return await self._ordered(request)
            case "cc/call/":
                return web.json_response(self._topics(told["entry_id"]))
            case "cc/tags/":
                return web.json_response(
                    {"result": 1000, "tags": [{"id": 5, "name": "Цена"}, {"id": 6, "name": "Срок"}]}
                )
        return await self._contact_centre(request, path, told)

    async def _contact_centre(self, request: web.Request, path: str, told: dict[str, Any]) -> web.Response:
        said = self.contact_centre.answer(path, told)
        if said is None:
            return web.json_response({"result": 4001}, status=404)
        if said == "cut" and request.transport is not None:
            request.transport.close()
        return web.json_response(_THROTTLED, status=429) if said == "throttled" else web.json_response(said)

    def _topics(self, entry_id: str) -> dict[str, Any]:
        """Answer one after the other; the last one for ever."""
        answers = self.topics.get(entry_id, [])
        if not answers:
            return {"result": 3300}
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def _ordered(self, request: web.Request) -> web.Response:
        if self.order_says == "silent":
            await asyncio.sleep(60)
        if self.order_says == "cut" and request.transport is not None:
            request.transport.close()
        if self.order_says == "throttled":
            return web.json_response(_THROTTLED, status=503)
        if isinstance(self.order_says, int) and self.order_says < 1000:
            return web.Response(status=self.order_says, text="<html>trouble</html>")
        return (
            web.json_response({"result": self.order_says}) if self.order_says != "taken" else web.Response()
        )

    def _is_allowed(self, path: str) -> bool:
        now = time.monotonic()
        times = self.accepted.setdefault(path, [])
        if times and now - times[-1] < self.interval:
            return False
        times.append(now)
        return True

    def _start(self, told: dict[str, Any]) -> web.Response:
        assert int(told["limit"]) in _LIMITS
        assert {"start_date", "end_date", "limit", "offset"} <= told.keys()
        key = f"key{len(self.pages)}-{len(self._asked)}"
        self._asked[key] = (told, self.not_ready)
        return web.json_response({"key": key})

    def _result(self, told: dict[str, Any]) -> web.Response:
        if self.forgets:
            self.forgets -= 1
            self._asked.pop(told["key"], None)
        if told["key"] not in self._asked:
            return web.json_response({"result": 1000, "status": "not-found"})
        asked, left = self._asked[told["key"]]
        if left:
            self._asked[told["key"]] = (asked, left - 1)
            return (
                web.Response(status=204)
                if left % 2
                else web.json_response({"result": 1000, "status": "work"})
            )
        since, until = (_seconds(asked[name]) for name in ("start_date", "end_date"))
        found = sorted(
            (c for c in self.calls if since <= c["context_start_time"] <= until),
            key=lambda c: c["context_start_time"],
        )
        offset, limit = int(asked["offset"]), int(asked["limit"])
        part = found[offset : offset + limit]
        self.pages.append((offset, len(part)))
        return web.json_response(
            {"result": 1000, "status": "complete", "data": [{"period": {}, "totals": {}, "list": part}]}
        )


def _seconds(text: str) -> float:
    return datetime.strptime(text, "%d.%m.%Y %H:%M:%S").replace(tzinfo=UTC).timestamp()


@asynccontextmanager
async def serving(fake: FakeMango) -> AsyncIterator[FakeMango]:
    app = web.Application()
    app.router.add_post("/vpbx/{path:.+}", fake._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/vpbx"
    try:
        yield fake
    finally:
        await runner.cleanup()
