"""The way in: a PBX's message is acknowledged only once it is committed.

Messages that arrive together share a transaction: a writer takes what is queued, writes it with one statement, and then
answers all who wait. While it writes, the next batch gathers.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from gateway.pbx.connection import Connection
from gateway.pbx.port import InboxUnavailable, MessageUnstorable, Parsed
from gateway.store.intake import inbox as store
from gateway.store.intake.inbox import InboxMessage
from routing.calls.model import CallEvent
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.cancellation import raise_if_cancelled
from runtime.database.errors import DATABASE_AWAY, DATABASE_ERRORS, may_pass
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

# More writers overlap statement and commit but make smaller batches: where processors are scarce, one does more.
_WRITERS = 1


class InboxFull(InboxUnavailable):
    """More messages wait than the inbox holds: the database is too slow or away."""

    code = "inbox-full"


_Ids = dict[tuple[str, str, bytes], int]


@dataclass(frozen=True, slots=True)
class Accepted:
    """duplicate: the same message was accepted earlier. event_id: None when there was nothing to store (a ping)."""

    duplicate: bool
    event_id: int | None


@dataclass(slots=True)
class InboxStatus:
    """For the metrics: since the start of this process."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    messages: tuple[InboxMessage, ...]
    done: asyncio.Future[Accepted]


class Inbox:
    """Stores messages of PBXs. `start` before the first `accept`, `stop` at the end.

    limit: so many messages may wait. batch: so many share a transaction at most. seconds: how long one may take.
    """

    def __init__(
        self, pool: asyncpg.Pool, *, limit: int = 10_000, batch: int = 256, seconds: float = 5.0
    ) -> None:
        self._pool = pool
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(limit)
        self._batch = batch
        self._seconds = seconds
        self._writers: list[asyncio.Task[None]] = []
        self._idle = 0
        self.status = InboxStatus()
        self._trouble = Trouble("inbox")

    def start(self) -> None:
        if not self._writers:
            self._writers = [
                asyncio.create_task(self._run_write(), name=f"inbox writer {n}") for n in range(_WRITERS)
            ]

    async def stop(self) -> None:
        """Writes what is queued, then ends."""
        if not self._writers:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await self._queue.join()
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        while not self._queue.empty():
            _fail(self._queue.get_nowait(), InboxUnavailable("the gateway is stopping"))

    async def __aenter__(self) -> Inbox:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def accept(
        self,
        connection: Connection,
        parsed: Parsed,
        raw: bytes,
        received_at: datetime,
        policy: NumberPolicy,
    ) -> Accepted:
        """Returns after the commit. raw: the payload as received, kept for the desk
        (where it came in the URL and raw is empty, the canonical form is kept).

        Raises InboxUnavailable (nothing pretends to be accepted; the same message may come again), MessageUnstorable.
        """
        if not parsed.events:
            return Accepted(False, None)
        try:
            messages = messages_of(connection, parsed, raw, received_at, policy)
        except ValueError as err:
            raise MessageUnstorable(f"the message cannot be written down: {err}") from err
        waiting = _Waiting(messages, asyncio.get_running_loop().create_future())
        if not self._writers or all(writer.done() for writer in self._writers):
            raise InboxUnavailable("the inbox is not running")
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull as err:
            self.status.refused += 1
            raise InboxFull(f"{self._queue.maxsize} messages wait already") from err
        accepted = await waiting.done
        if accepted.duplicate:
            self.status.duplicates += 1
        else:
            self.status.accepted += 1
        return accepted

    async def _run_write(self) -> None:
        link = _Link(self._pool, self._seconds, self.status)
        try:
            while True:
                batch = await self._next_batch()
                try:
                    await self._write(link, [w for w in batch if not w.done.done()])
                finally:
                    for waiting in batch:
                        _fail(waiting, InboxUnavailable("the gateway is stopping"))
                        self._queue.task_done()
        finally:
            await link.let_go()

    async def _next_batch(self) -> list[_Waiting]:
        """At least one message; what is queued is shared with the other writers that have nothing to do."""
        raise_if_cancelled()
        self._idle += 1
        try:
            batch = [await self._queue.get()]
            share = min(self._batch, -(-(self._queue.qsize() + 1) // self._idle))
        finally:
            self._idle -= 1
        while len(batch) < share and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def _write(self, link: _Link, batch: Sequence[_Waiting]) -> None:
        """Answers everyone of the batch. Never raises but for cancellation."""
        if not batch:
            return
        try:
            answers = await link.store(batch)
        except Exception as err:
            if not may_pass(err):
                await self._write_one_by_one(link, batch, err)
                return
            await link.let_go()
            self.status.refused += len(batch)
            self._trouble.failed(err)
            for waiting in batch:
                _fail(waiting, InboxUnavailable(f"the database did not take it: {type(err).__name__}"))
        else:
            self._trouble.recovered(refused=self.status.refused)
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(answer)

    async def _write_one_by_one(self, link: _Link, batch: Sequence[_Waiting], err: Exception) -> None:
        """One message spoiled the batch: find it, so that its neighbours are stored."""
        if len(batch) > 1:
            for waiting in batch:
                await self._write(link, [waiting])
            return
        log.error("message-unstorable", error=str(err), error_type=type(err).__name__)
        _fail(batch[0], MessageUnstorable(f"the database refuses this message: {type(err).__name__}"))


class _Link:
    """A writer's connection, kept between batches: the pool's reset after each would be one more round trip."""

    def __init__(self, pool: asyncpg.Pool, seconds: float, status: InboxStatus) -> None:
        self._pool = pool
        self._seconds = seconds
        self._status = status
        self._conn: PoolConnectionProxy | None = None

    async def store(self, batch: Sequence[_Waiting]) -> list[Accepted]:
        messages = [m for waiting in batch for m in waiting.messages]
        async with asyncio.timeout(self._seconds):
            try:
                fresh, earlier = await self._store_once(messages)
            except DATABASE_AWAY:
                # After a restart of the server every connection of the pool is dead once. Sending again is harmless.
                await self.let_go()
                fresh, earlier = await self._store_once(messages)
        return _answers(batch, fresh, earlier)

    async def _store_once(self, messages: Sequence[InboxMessage]) -> tuple[_Ids, _Ids]:
        if self._conn is None:
            self._conn = await self._pool.acquire()
        fresh = await store.store(self._conn, messages)
        self._status.batches += 1
        repeated = {m.identity for m in messages} - fresh.keys()
        return fresh, await store.known(self._conn, sorted(repeated)) if repeated else {}

    async def let_go(self) -> None:
        """Gives the connection back; one in doubt is closed by that."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(*DATABASE_ERRORS):
                await self._pool.release(conn, timeout=1)


def _answers(
    batch: Iterable[_Waiting],
    fresh: _Ids,
    earlier: _Ids,
) -> list[Accepted]:
    """The first of two equal messages in one batch is the new one, the second its duplicate."""
    told: set[tuple[str, str, bytes]] = set()
    answers = []
    for waiting in batch:
        identity = waiting.messages[0].identity
        is_new = any(m.identity in fresh and m.identity not in told for m in waiting.messages)
        told.update(m.identity for m in waiting.messages)
        answers.append(Accepted(not is_new, fresh.get(identity) or earlier.get(identity)))
    return answers


def _fail(waiting: _Waiting, err: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(err)


def messages_of(
    connection: Connection, parsed: Parsed, raw: bytes, received_at: datetime, policy: NumberPolicy
) -> tuple[InboxMessage, ...]:
    """The rows of one message: one for each call that it speaks of."""
    calls: dict[str, list[CallEvent]] = {}
    for event in parsed.events:
        calls.setdefault(event.call_key, []).append(event)
    return tuple(
        InboxMessage(
            account_id=connection.account_id,
            connection_id=connection.id,
            dedupe_key=_digest(parsed.canonical if i == 0 else f"{parsed.canonical}\0{call_key}"),
            call_key=_storable(call_key),
            client=client_number(events, policy),
            received_at=received_at,
            raw=raw or parsed.canonical.encode("utf-8", "replace"),
            events=_storable("[" + ",".join(e.model_dump_json(exclude_defaults=True) for e in events) + "]"),
        )
        for i, (call_key, events) in enumerate(calls.items())
    )


def client_number(events: Iterable[CallEvent], policy: NumberPolicy) -> str | None:
    """The outside party as E.164; None when no event tells one, or when the call is internal."""
    for event in events:
        if event.client and event.direction != "internal":
            number = normalise(event.client, policy)
            if isinstance(number, PublicNumber) and not number.is_own:
                return number.e164
    return None


def _digest(canonical: str) -> bytes:
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()


def _storable(text: str) -> str:
    """PostgreSQL's text and jsonb hold no NUL and no half surrogates; neither means anything in a PBX's message."""
    if "\0" in text or "\\u0000" in text:
        text = _ESCAPED_NUL.sub(r"\1�", text.replace("\0", "�"))
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
