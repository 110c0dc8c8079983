"""What Asterisk told, handed to the inbox: in order, together where it can be, again and again until it is stored."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from gateway.pbx.capabilities import Accept, InboundMessage
from gateway.pbx.port import InboxUnavailable, MessageUnstorable, Parsed
from routing.calls.model import CallEvent
from runtime.backoff import Backoff
from runtime.cancellation import sleep_unless_cancelled
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_BATCH = 100
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0


def as_message(
    events: tuple[CallEvent, ...], raw: bytes, received_at: datetime, spoilt: tuple[str, ...] = ()
) -> InboundMessage:
    """Return the message to store. The canonical form is that of the events: Asterisk's own messages carry no id, but what they tell is stable."""
    canonical = "\n".join(event.model_dump_json(exclude_defaults=True) for event in events)
    return InboundMessage(Parsed(canonical=canonical, events=events, spoilt=spoilt), raw, received_at)


@dataclass
class AmiFeed:
    """`put` waits when the queue is full: the link is then no longer read, which Asterisk bears for a while.

    limit: so many messages may wait in memory while the database is away.
    """

    accept: Accept
    limit: int = 50_000
    stored: int = 0
    refused: int = 0
    last_error: str | None = None
    _queue: asyncio.Queue[InboundMessage] = field(init=False)
    _trouble: Trouble = field(init=False, default_factory=lambda: Trouble("ami-intake"))

    def __post_init__(self) -> None:
        self._queue = asyncio.Queue(self.limit)

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def put(self, item: InboundMessage) -> None:
        await self._queue.put(item)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._store(batch)
            for _ in batch:
                self._queue.task_done()

    async def drain(self, seconds: float) -> int:
        """Wait until all is stored, at most so long; how many are left. `run` must be running."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._queue.join()
        return self.waiting

    async def _store(self, batch: list[InboundMessage]) -> None:
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while batch:
            results = await asyncio.gather(*(self.accept(item) for item in batch), return_exceptions=True)
            again = []
            for item, result in zip(batch, results, strict=True):
                if isinstance(result, InboxUnavailable):
                    again.append(item)
                elif isinstance(result, BaseException):
                    self._refuse(result)
                else:
                    self.stored += 1
            if again:
                self.last_error = "inbox-unavailable"
                self._trouble.failed(self.last_error, messages=len(again) + self.waiting)
                await sleep_unless_cancelled(backoff.failed())
            else:
                self.last_error = None
                self._trouble.recovered()
            batch = again

    def _refuse(self, error: BaseException) -> None:
        """Refuse an event, since sending it again would not help: said and counted, and the others go on."""
        if not isinstance(error, Exception):
            raise error
        self.refused += 1
        code = error.code if isinstance(error, MessageUnstorable) else type(error).__name__
        log.error("ami-event-refused", code=code, error=str(error))
