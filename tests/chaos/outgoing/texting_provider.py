"""A provider of texts, SMSC.ru's double, with faults dealt by a seed and a memory of all that it has taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Mapping
from decimal import Decimal
from typing import Any, Literal

from aiohttp import web

from tests.chaos.outgoing.deck import Deck
from tests.chaos.outgoing.kill_points import KillPoints
from tests.chaos.outgoing.records import SeenText
from tests.chaos.outgoing.teller import Teller
from tests.fakes.sms.smsc import FakeSmsc

SendFault = Literal["none", "silent", "hang up", "throttle", "bad gateway", "busy", "swallowed"]
"""As tests.fakes.sms.server.Fault has them; swallowed: not taken, and never answered."""
_FAULTS: Mapping[SendFault, int] = {
    "none": 9, "silent": 1, "hang up": 1, "throttle": 1, "bad gateway": 1, "busy": 1, "swallowed": 1,
}  # fmt: skip

Reporting = Literal["once", "twice", "early", "late", "forged", "never"]
_REPORTS: Mapping[Reporting, int] = {"once": 5, "twice": 2, "early": 2, "late": 1, "forged": 1, "never": 1}
_FINAL = (1, 1, 1, 1, 20, 3)  # delivered, not delivered, expired
_NEVER_SECONDS = 8.0
"""Longer than the connection waits for an answer."""
ANSWER_SECONDS = 3


class TextingProvider(FakeSmsc):
    """broke_at: the money ends with so many texts, once, until somebody pays."""

    def __init__(
        self,
        seed: int,
        report_path: str,
        teller: Teller,
        points: KillPoints,
        secret: str,
        broke_at: int | None = None,
    ) -> None:
        super().__init__(secret=secret, money=Decimal(1_000_000))
        self._random = random.Random(f"texting provider {seed}")
        self._path, self._teller, self._points, self._broke_at = report_path, teller, points, broke_at
        self.sends: Deck[SendFault] = Deck(f"sends {seed}", _FAULTS)
        self.reports: Deck[Reporting] = Deck(f"reports {seed}", _REPORTS)
        self.texts: list[SeenText] = []
        self.repeated: list[str] = []
        self.forged_taken = 0
        self.times_broke = 0
        self._at_work: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(self.routes())
        return app

    def stop(self) -> None:
        for task in self._at_work:
            task.cancel()

    @property
    def is_quiet(self) -> bool:
        return not self._at_work

    @property
    def missing(self) -> list[str]:
        money = ["money gone"] if self._broke_at is not None and not self.times_broke else []
        return [*self.sends.missing, *self.reports.missing, *money]

    async def _send(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self._points.kill_sender("text-before-request", request):
            return web.Response(status=503)  # to nobody
        if form["id"] in self.seen:
            self.repeated.append(f"message {form['id']} to {form['phones']} was sent again")
        self._maybe_broke()
        fault = self.sends.deal()
        if fault == "swallowed":
            await asyncio.sleep(_NEVER_SECONDS)
            return web.Response(status=504)
        self.faults.append(None if fault == "none" else fault)
        return await self.faulty(request, lambda: self._taken(request, form))

    def _maybe_broke(self) -> None:
        if self._broke_at is not None and len(self.texts) >= self._broke_at and not self.times_broke:
            self.times_broke += 1
            self.money = Decimal(0)
            self._soon(self._somebody_pays())

    async def _somebody_pays(self) -> None:
        await asyncio.sleep(4)
        self.money = Decimal(1_000_000)

    async def _taken(self, request: web.Request, form: Mapping[str, str]) -> web.Response:
        """Take it, and report on it afterwards; the worker that waits for the answer may be killed."""
        before = len(self.taken)
        answer = await self._take(form)
        if len(self.taken) == before:
            return answer
        self.texts.append(SeenText(form["id"], form["phones"], form["mes"]))
        self._points.kill_sender("text-after-request", request)
        reporting = self.reports.deal()
        status = self._random.choice(_FINAL)
        if reporting == "early":
            await self._report(form["id"], status, reporting)
        else:
            self._soon(self._reported(form["id"], status, reporting))
        return answer

    async def _reported(self, own_id: str, status: int, reporting: Reporting) -> None:
        await asyncio.sleep(
            self._random.uniform(5, 9) if reporting == "late" else self._random.uniform(0.2, 2)
        )
        self.states[own_id] = status
        if reporting == "never":
            return
        if reporting == "forged":
            said = await self._teller.once(self._path, data=self.report(own_id, 3, secret="a guess"))
            self.forged_taken += said == 200
        for _ in range(2 if reporting == "twice" else 1):
            await self._report(own_id, status, reporting)

    async def _report(self, own_id: str, status: int, reporting: Reporting) -> None:
        self.states[own_id] = status
        await self._teller.tell(self._path, data=self.report(own_id, status))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
