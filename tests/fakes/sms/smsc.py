"""SMSC.ru as a local server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.sms.server import FakeProvider, SentSms


@dataclass
class FakeSmsc(FakeProvider):
    """Refuses an id that it has had, as the vendor does a repetition within a minute."""

    login: str = "demo"
    password: str = "hush"
    secret: str = "report-secret"
    seen: set[str] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/send.php", self._send),
            web.post("/status.php", self._status),
            web.post("/balance.php", self._balance),
        ]

    def throttled(self) -> web.Response:
        return _error(9, "too many concurrent requests")

    def troubled(self) -> web.Response:
        return _error(4, "IP is blocked")

    def report(self, id: str, status: int, *, secret: str | None = None) -> dict[str, str]:
        """Return the form of a report, signed."""
        number = next(sms.number for sms in self.taken if sms.own_id == id)
        signed = f"{id}:{number}:{status}:{self.secret if secret is None else secret}".encode()
        sums = {"md5": hashlib.md5(signed).hexdigest(), "sha1": hashlib.sha1(signed).hexdigest()}
        return {"id": id, "phone": number, "status": str(status), "err": "0", "cnt": "1", **sums}

    async def _send(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)
        return await self.faulty(request, lambda: self._take(form))

    async def _take(self, form: Mapping[str, str]) -> web.Response:
        if not self._knows(form):
            return _error(2, "authorise error")
        assert form["charset"] == "utf-8"
        assert form["fmt"] == "3"
        assert 1 <= int(form["id"]) <= 2147483647
        if form["id"] in self.seen:
            return _error(9, "duplicate request, wait a minute")
        if not self.pays():
            return _error(3, "no money")
        self.seen.add(form["id"])
        self.taken.append(
            SentSms(form["id"], form["phones"], form["mes"], form.get("sender", ""), form["id"])
        )
        self.states[form["id"]] = -1
        told = {"id": int(form["id"]), "cnt": 1, "cost": str(self.price)}
        return web.json_response(told if self.money is None else {**told, "balance": str(self.money)})

    async def _status(self, request: web.Request) -> web.Response:
        form = await _form(request)
        if not self._knows(form):
            return _error(2, "authorise error")
        return web.json_response({"status": self.states.get(form["id"], -3), "last_timestamp": 1772435700})

    async def _balance(self, request: web.Request) -> web.Response:
        if not self._knows(await _form(request)):
            return _error(2, "authorise error")
        return web.json_response({"balance": str(self.money), "currency": "RUR"})

    def _knows(self, form: Mapping[str, str]) -> bool:
        by_key = form.get("apikey") == self.password
        return by_key or (form.get("login"), form.get("psw")) == (self.login, self.password)


def _error(code: int, words: str) -> web.Response:
    return web.json_response({"error": words, "error_code": code})


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}
