"""MANGO's `commands/sms` as a local server, and its pushes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.fakes.sms.server import FakeProvider, SentSms


@dataclass
class FakeMangoSms(FakeProvider):
    """Answers a command at once with nothing; what became of it is pushed (`push`). It takes the same id twice."""

    api_key: str = "key"
    salt: str = "hush"

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/vpbx/commands/sms", self._send), web.post("/vpbx/account/balance", self._balance)]

    def throttled(self) -> web.Response:
        told = {"name": "Service Unavailable", "message": "Rate limit exceeded.", "code": 0, "status": 429}
        return web.json_response(told, status=429)

    def troubled(self) -> web.Response:
        return web.json_response({"result": 5000})

    def push(self, told: dict[str, Any], *, salt: str | None = None) -> bytes:
        """Return the signed form of a push."""
        text = json.dumps(told)
        signed = self.api_key + text + (self.salt if salt is None else salt)
        sign = hashlib.sha256(signed.encode()).hexdigest()
        return urlencode({"vpbx_api_key": self.api_key, "sign": sign, "json": text}).encode()

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told = await self._told(request)
        if told is None:
            self.asked += 1
            return web.json_response({"result": 3102}, status=401)
        return await self.faulty(request, lambda: self._take(told))

    async def _take(self, told: dict[str, Any]) -> web.Response:
        if not self.pays():
            return web.json_response({"result": 2240})
        assert told["from_extension"] == "100"
        id = told["command_id"]
        self.taken.append(SentSms(id, told["to_number"], told["text"], told.get("sms_sender", ""), id))
        return web.Response(body=b"")

    async def _balance(self, request: web.Request) -> web.Response:
        told = await self._told(request)
        return web.json_response(
            {"result": 1000, "balance": float(self.money or 0)} if told is not None else {"result": 3102}
        )

    async def _told(self, request: web.Request) -> dict[str, Any] | None:
        form = await request.post()
        text = str(form["json"])
        expected = hashlib.sha256((self.api_key + text + self.salt).encode()).hexdigest()
        return dict(json.loads(text)) if form["sign"] == expected else None
