"""How a messenger takes what is sent into it: well, or with one of its faults, dealt by a seed; and what it tells of that afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from aiohttp import web

from tests.chaos.channels.records import (
    STATUS_RANK,
    TAKEN,
    ChannelName,
    MessengerTruth,
    SeenSending,
    SendFault,
    token_of,
)
from tests.chaos.outgoing.deck import Deck
from tests.chaos.outgoing.kill_points import KillPoints

ANSWER_SECONDS = 2
_NEVER_SECONDS = ANSWER_SECONDS + 2.0
BEFORE, AFTER = "message-before-request", "message-after-request"
"""before: it was committed that the message goes out, and the messenger has not read it. after: it has taken it, and not answered."""
POINTS = (BEFORE, AFTER)

_FAULTS: Mapping[SendFault, int] = {
    "none": 6, "silent": 1, "hang up": 1, "broken": 1, "page": 1, "swallowed": 1, "dropped": 1, "bad gateway": 1,
    "busy": 1, "throttle": 1, "refused": 1,
}  # fmt: skip
Take = Callable[[], Awaitable[tuple[str, web.Response]]]
"""Takes it; the messenger's id of it, and the good answer."""


class MessengerSends:
    """afterwards: told of what was taken (token, chat, id), in the messenger's own time."""

    def __init__(
        self,
        channel: ChannelName,
        seed: int,
        truth: MessengerTruth,
        points: KillPoints,
        afterwards: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._channel, self._truth, self._points, self._afterwards = channel, truth, points, afterwards
        self._random = random.Random(f"sends {channel} {seed}")
        self.faults: Deck[SendFault] = Deck(f"sends {channel} {seed}", _FAULTS)
        self._at_work: set[asyncio.Task[None]] = set()

    @property
    def is_quiet(self) -> bool:
        return not self._at_work

    def stop(self) -> None:
        for task in self._at_work:
            task.cancel()

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def sent(
        self,
        request: web.Request,
        chat: str,
        text: str,
        take: Take,
        refuse: Callable[[], web.Response],
        throttle: Callable[[], web.Response],
    ) -> web.StreamResponse:
        if self._points.kill_sender(BEFORE, request):
            self._note(chat, text, "dropped", was_killed=True)
            return web.Response(status=503)  # to nobody
        fault = self.faults.deal()
        if fault in TAKEN:
            id, good = await take()
            was_killed = self._points.kill_sender(AFTER, request)
            self._note(chat, text, fault, was_killed=was_killed, outside_id=id)
            self.soon(self._told(token_of(text), chat, id))
        else:
            self._note(chat, text, fault)
            good = refuse() if fault == "refused" else throttle()
        return await _as(fault, request, good)

    def _note(
        self, chat: str, text: str, fault: SendFault, *, was_killed: bool = False, outside_id: str = ""
    ) -> None:
        seen = SeenSending(self._channel, chat, token_of(text), time.time(), fault, was_killed, outside_id)
        self._truth.sendings.append(seen)

    async def _told(self, token: str, chat: str, id: str) -> None:
        await self._afterwards(token, chat, id)

    def statuses(self, token: str) -> list[str]:
        """What is told of one that was taken, in the order in which it is: now and then nothing, often not in order."""
        told = self._random.choice(
            [[], ["delivered"], ["delivered", "read"], ["read", "delivered"], ["sent", "read"]]
        )
        if told:
            kept = self._truth.statuses.setdefault(token, [])
            kept += sorted(told, key=STATUS_RANK.__getitem__)
        return told

    async def pause(self) -> None:
        """Now and then none: what is told overtakes the answer."""
        await asyncio.sleep(self._random.choice([0.0, 0.0, self._random.uniform(0.2, 3)]))


async def _as(fault: SendFault, request: web.Request, good: web.Response) -> web.StreamResponse:
    match fault:
        case "silent" | "swallowed":
            await asyncio.sleep(_NEVER_SECONDS)
            return web.Response(status=504)
        case "hang up" | "dropped":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=504)  # to nobody
        case "broken" | "bad gateway" | "busy":
            return web.Response(status={"broken": 500, "bad gateway": 502, "busy": 503}[fault])
        case "page":
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
    return good
