"""SMS.RU as a local server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.sms.server import FakeProvider, SentSms


@dataclass
class FakeSmsRu(FakeProvider):
    """no_route: numbers whose message is refused inside of an answer that says OK."""

    api_id: str = "hush"
    no_route: set[str] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sms/send", self._send),
            web.post("/sms/status", self._status),
            web.post("/my/balance", self._balance),
        ]

    def throttled(self) -> web.Response:
        return _error(220)

    def troubled(self) -> web.Response:
        return _error(500)

    def pushed(self, *reports: tuple[str, int], key: str | None = None) -> dict[str, str]:
        """Return the form of a push with these reports, and its hash."""
        entries = [f"sms_status\n{id}\n{status}\n1772435700" for id, status in reports]
        signed = "".join((self.api_id if key is None else key, *entries))
        form = {f"data[{at}]": entry for at, entry in enumerate(entries)}
        return {**form, "hash": hashlib.sha256(signed.encode()).hexdigest()}

    async def _send(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)
        return await self.faulty(request, lambda: self._take(form))

    async def _take(self, form: Mapping[str, str]) -> web.Response:
        if form.get("api_id") != self.api_id:
            return _error(200)
        assert form["json"] == "1"
        return _good({"sms": {form["to"]: self._inner(form)}, "balance": float(self.money or 0)})

    def _inner(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form["to"] in self.no_route:
            return {"status": "ERROR", "status_code": 207, "status_text": "no route"}
        if not self.pays():
            return {"status": "ERROR", "status_code": 201, "status_text": "no money"}
        id = f"000000-{len(self.taken) + 1}"
        self.taken.append(SentSms(id, form["to"], form["msg"], form.get("from", "")))
        self.states[id] = 100
        return {"status": "OK", "status_code": 100, "sms_id": id, "cost": str(self.price)}

    async def _status(self, request: web.Request) -> web.Response:
        form = await _form(request)
        ids = form["sms_id"].split(",")
        if form.get("api_id") != self.api_id or len(ids) > 100:
            return _error(200 if len(ids) <= 100 else 213)
        return _good({"sms": {id: {"status": "OK", "status_code": self.states.get(id, -1)} for id in ids}})

    async def _balance(self, request: web.Request) -> web.Response:
        form = await _form(request)
        return (
            _good({"balance": float(self.money or 0)}) if form.get("api_id") == self.api_id else _error(200)
        )


def _good(told: Mapping[str, Any]) -> web.Response:
    return web.json_response({"status": "OK", "status_code": 100, **told})


def _error(code: int) -> web.Response:
    return web.json_response({"status": "ERROR", "status_code": code, "status_text": f"error {code}"})


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}
