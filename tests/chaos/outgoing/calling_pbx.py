"""A telephone system that calls at our order, by the contract of the generic kind, with faults and a memory of its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from aiohttp import web

from tests.chaos.outgoing.deck import Deck
from tests.chaos.outgoing.kill_points import KillPoints
from tests.chaos.outgoing.records import PlacedCall, SeenOrder
from tests.chaos.outgoing.teller import Teller
from tests.e2e.stack import AUTH

GROUP = "200"
LINE = "+74950000001"

Answer = Literal["taken", "silent", "cut", "502", "swallowed", "refused", "no employee", "429"]
"""silent, cut, 502: the call is made, and the order is never answered, broken off, or answered by a proxy. swallowed: nobody is
rung and nothing is said. refused: this number is not called. no employee: there is none. 429: too many at once."""

ANSWERS: Mapping[Answer, int] = {
    "taken": 18, "silent": 2, "cut": 2, "502": 1, "swallowed": 1, "refused": 1, "no employee": 1,
}  # fmt: skip

Telling = Literal["in time", "late", "twice", "reordered", "never"]
TELLINGS: Mapping[Telling, int] = {"in time": 14, "late": 3, "twice": 3, "reordered": 2, "never": 1}

# How a call ends -> cause and side of the last event; None = they talked.
ENDS: Mapping[str, tuple[str, str] | None] = {
    "talked": None,
    "client busy": ("busy", "client"),
    "client silent": ("noAnswer", "client"),
    "client declines": ("rejected", "client"),
    "no such number": ("badNumber", "client"),
    "machine": ("machine", "client"),
    "employee silent": ("noAnswer", "employee"),
    "employee busy": ("busy", "employee"),
    "employee hangs up": ("cancel", "employee_hung_up"),
}
_ENDS_IN_A_DECK = {end: 8 if end == "talked" else 1 for end in ENDS}

_ANSWERED = {
    "refused": (422, "number_not_called"),
    "no employee": (422, "no_such_employee"),
    "429": (429, "too_many"),
}


class _ToldEvent(NamedTuple):
    """after: seconds since the call began."""

    after: float
    fields: Mapping[str, Any]


class CallingPbx:
    """connection: where its events go. slow_answers: orders that are to be answered by 429, the first, second, … of the run.
    refuses_all: it calls none of the numbers, for the time being."""

    def __init__(
        self,
        seed: int,
        connection: str,
        teller: Teller,
        points: KillPoints,
        slow_answers: frozenset[int] = frozenset(),
    ) -> None:
        self._path, self._teller, self._points = f"/pbx/{connection}/events", teller, points
        self._random = random.Random(f"calling pbx {seed}")
        self._slow_answers = slow_answers
        self.answers: Deck[Answer] = Deck(f"answers {seed}", ANSWERS)
        self.tellings: Deck[Telling] = Deck(f"tellings {seed}", TELLINGS)
        self.ends: Deck[str] = Deck(f"ends {seed}", _ENDS_IN_A_DECK)
        self.orders: list[SeenOrder] = []
        self.calls: dict[str, PlacedCall] = {}
        self.too_many = 0
        self.refuses_all = False
        self._at_work: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/calls", self._ordered), web.get("/calls/{attempt}", self._asked)])
        return app

    def stop(self) -> None:
        for task in self._at_work:
            task.cancel()

    @property
    def is_quiet(self) -> bool:
        """Whether nobody talks and nothing is still to be told."""
        return not self._at_work

    @property
    def missing(self) -> list[str]:
        """Faults that have not come yet."""
        return [*self.answers.missing, *self.tellings.missing, *self.ends.missing]

    async def _ordered(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if self._points.kill_sender("call-before-request", request):
            return web.Response(status=503)  # to nobody
        answer = self._next_answer()
        order = SeenOrder(body["attempt_id"], body["client"], body["employee"] or "", time.time())
        self.orders.append(order)
        if answer in _ANSWERED:
            return self._refused(order, answer)
        if answer != "swallowed":
            self._begin(order, body)
            self._points.kill_sender("call-after-request", request)
        return await self._answered(request, answer)

    def _next_answer(self) -> Answer:
        if self.refuses_all:
            return "refused"
        return "429" if len(self.orders) in self._slow_answers else self.answers.deal()

    def _refused(self, order: SeenOrder, answer: Answer) -> web.Response:
        order.is_refused = True
        self.too_many += answer == "429"
        status, reason = _ANSWERED[answer]
        return web.json_response({"reason": reason}, status=status)

    async def _answered(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if answer in ("silent", "swallowed"):
            await asyncio.sleep(12)  # longer than anybody waits for it
        if answer == "cut" and request.transport is not None:
            request.transport.abort()
        return web.json_response({}, status=502 if answer == "502" else 202)

    async def _asked(self, request: web.Request) -> web.Response:
        """It knows the calls that go on, and forgets them when they end."""
        call = self.calls.get(request.match_info["attempt"])
        if call is None or call.ended_at is not None:
            return web.json_response({}, status=404)
        return web.json_response({"state": "operator_ringing"})

    # --- calls --------------------------------------------------------------------------------------------------

    def _begin(self, order: SeenOrder, body: Mapping[str, Any]) -> None:
        end = self.ends.deal()
        call = PlacedCall(order.attempt_id, order.client, order.employee, time.time(), end)
        self.calls[order.attempt_id] = call
        task = asyncio.create_task(self._played(order, call, str(body["employee"] or body["group"])))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _played(self, order: SeenOrder, call: PlacedCall, extension: str) -> None:
        events = self._events(call, extension)
        telling = self.tellings.deal()
        lasts = events[-1].after
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lasts(call, lasts))
            if telling != "never":
                for n, event in enumerate(events):
                    group.create_task(self._told(order, event, lasts, telling, n == len(events) - 1))

    async def _lasts(self, call: PlacedCall, seconds: float) -> None:
        await asyncio.sleep(seconds)
        call.ended_at = time.time()

    async def _told(
        self, order: SeenOrder, event: _ToldEvent, lasts: float, telling: Telling, is_last: bool
    ) -> None:
        await asyncio.sleep(self._when(event, lasts, telling, is_last))
        for _ in range(2 if telling == "twice" else 1):
            await self._teller.tell(self._path, json=event.fields, headers=AUTH)
        if is_last:
            order.end_told_at = time.time()

    def _when(self, event: _ToldEvent, lasts: float, telling: Telling, is_last: bool) -> float:
        if telling == "late":
            return event.after + self._random.uniform(1, 6)
        if telling == "reordered" and not is_last:
            return lasts + self._random.uniform(0, 0.8)
        return event.after

    def _events(self, call: PlacedCall, extension: str) -> list[_ToldEvent]:
        base = {
            "callId": f"pbx-{call.attempt_id}", "attempt_id": call.attempt_id, "direction": "out", "callback": "1",
            "from": extension, "to": call.client, "line": LINE,
        }  # fmt: skip
        rings, talks = self._random.uniform(0.3, 1.0), self._random.uniform(0.3, 1.5)
        events = [_ToldEvent(0.0, {**base, "event": "newCall"})]
        failed = ENDS[call.outcome]
        if failed is None:
            events.append(_ToldEvent(rings, {**base, "event": "answer", "extension": extension}))
            over = {"event": "hangup", "cause": "normalClearing", "billsec": max(1, int(talks))}
            return [*events, _ToldEvent(rings + talks, {**base, **over})]
        cause, side = failed
        return [*events, _ToldEvent(rings, {**base, "event": "hangup", "cause": cause, "side": side})]
