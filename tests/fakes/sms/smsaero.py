"""SMS Aero, API v2, as a local server."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.sms.server import FakeProvider, SentSms


@dataclass
class FakeSmsAero(FakeProvider):
    """Its list of messages is an object with numbers for names, as PHP writes one."""

    email: str = "office@example.com"
    api_key: str = "hush"
    sign: str = "Office"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/sms/send", self._send),
            web.get("/v2/sms/status", self._status),
            web.get("/v2/sms/list", self._list),
            web.get("/v2/balance", self._balance),
        ]

    def throttled(self) -> web.Response:
        return _refused(429, "Too many requests")

    def troubled(self) -> web.Response:
        return _refused(500, "Internal error")

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()
        return await self.faulty(request, lambda: self._take(request, told))

    async def _take(self, request: web.Request, told: Mapping[str, Any]) -> web.Response:
        if not self._knows(request):
            return _refused(401, "Your request was made with invalid credentials.")
        if told["sign"] != self.sign:
            return _refused(400, "Incorrect sign.")
        if not self.pays():
            return _refused(200, "No credits")
        id = str(1000 + len(self.taken))
        self.taken.append(
            SentSms(id, told["number"], told["text"], told["sign"], report_url=told.get("callbackUrl", ""))
        )
        self.states[id] = 0
        return _good({"id": int(id), "status": 0, "extendStatus": "queue", "cost": float(self.price)})

    async def _status(self, request: web.Request) -> web.Response:
        id = request.query["id"]
        if not self._knows(request) or id not in self.states:
            return _refused(401 if not self._knows(request) else 404, "Not found")
        return _good({"id": int(id), "status": self.states[id]})

    async def _list(self, request: web.Request) -> web.Response:
        found = [sms for sms in self.taken if sms.number == request.query["number"]]
        rows = {str(at): self._row(sms) for at, sms in enumerate(found)}
        return _good({**rows, "links": {}}) if self._knows(request) else _refused(401, "credentials")

    def _row(self, sms: SentSms) -> dict[str, Any]:
        return {
            "id": int(sms.id),
            "number": int(sms.number),
            "text": sms.text,
            "dateCreate": int(time.time()),
        }

    async def _balance(self, request: web.Request) -> web.Response:
        return (
            _good({"balance": float(self.money or 0)})
            if self._knows(request)
            else _refused(401, "credentials")
        )

    def _knows(self, request: web.Request) -> bool:
        pair = base64.b64encode(f"{self.email}:{self.api_key}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {pair}"


def _good(data: Mapping[str, Any]) -> web.Response:
    return web.json_response({"success": True, "data": data, "message": None})


def _refused(status: int, words: str) -> web.Response:
    return web.json_response({"success": False, "data": None, "message": words}, status=status)
