"""What changed, by topic, for everybody who looks on: told inside the transaction that changes it, heard in every process.

A message is a hint: "something of this topic changed in this account". Who shows it reads the tables. PostgreSQL sends
equal texts of one transaction once; a reader that is slow finds one message for many. Tables tell by themselves
(0140_changes.sql, 0830_more_changes.sql, 0915_dialogues_read.sql), `publish` tells of presence and findings. Where nobody looks on, nothing is
listened to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from runtime.database import channels
from runtime.database.listen import Listener, Subscription
from runtime.database.pool import Conn
from runtime.metrics import Sample

Topic = Literal[
    "calls",
    "cases",
    "work",
    "effects",
    "presence",
    "findings",
    "distribution",
    "outbound",
    "people",
    "tasks",
    "matrix",
    "dialogues",
    "answering",
    "reading",
]


class Change(NamedTuple):
    """account_id: "" = something of the whole installation. id: of the one thing that changed, "" = any of the topic; of dialogues
    and answering "<dialogue> <channel> <owner>", of reading the reader (0915_dialogues_read.sql)."""

    account_id: str
    topic: str
    id: str = ""


EVERYTHING = Change("", "")
"""Anything may have changed: something was missed, or too much changed to tell it apart."""


async def publish(conn: Conn, account_id: str, topic: Topic, id: str = "") -> None:
    """Heard after the commit of the transaction that `conn` is in."""
    text = f"{account_id} {topic} {id}".rstrip()
    await conn.execute("SELECT pg_notify($1, $2)", channels.CHANGES, text)


class Reader:
    """The changes of one onlooker, each once until it is taken. `async for` gives them as they come."""

    def __init__(self, account_id: str | None, topics: frozenset[str] | None, limit: int) -> None:
        self._account_id, self._topics, self._limit = account_id, topics, limit
        self._waiting: dict[Change, None] = {}
        self._woken = asyncio.Event()

    def add(self, change: Change) -> None:
        if change is not EVERYTHING and not self._wants(change):
            return
        if change is EVERYTHING or len(self._waiting) >= self._limit or EVERYTHING in self._waiting:
            self._waiting = {EVERYTHING: None}
        else:
            self._waiting[change] = None
        self._woken.set()

    def _wants(self, change: Change) -> bool:
        is_ours = self._account_id in (None, change.account_id) or change.account_id == ""
        return is_ours and (self._topics is None or change.topic in self._topics)

    async def __aiter__(self) -> AsyncIterator[Change]:
        while True:
            await self._woken.wait()
            self._woken.clear()
            waiting, self._waiting = self._waiting, {}
            for change in waiting:
                yield change


class Changes:
    """The hub of one process: listens while somebody reads. A reader hears EVERYTHING as soon as it is listened to, and
    after every lost connection.

    limit: different changes that wait for one reader; beyond it they become EVERYTHING.
    """

    def __init__(self, listener: Listener, *, limit: int = 200) -> None:
        self._listener = listener
        self._limit = limit
        self._readers: set[Reader] = set()
        self._subscription: Subscription | None = None
        self._heard_count = 0

    @contextmanager
    def reader(self, account_id: str | None = None, topics: frozenset[str] | None = None) -> Iterator[Reader]:
        """account_id, topics: only these, None = all."""
        reader = Reader(account_id, topics, self._limit)
        self._readers.add(reader)
        if self._subscription is None:
            self._subscription = self._listener.subscribe([channels.CHANGES], self._heard, self._connected)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            if not self._readers and self._subscription is not None:
                self._subscription.close()
                self._subscription = None

    def samples(self) -> Iterator[Sample]:
        yield "gauge", "changes_readers", "Who looks on and is told of changes", {}, len(self._readers)
        yield (
            "counter",
            "changes_heard",
            "Changes told by the database while somebody looks on",
            {},
            self._heard_count,
        )

    def _heard(self, _channel: str, text: str) -> None:
        self._heard_count += 1
        account_id, _, rest = text.partition(" ")
        topic, _, id = rest.partition(" ")
        self._tell(Change(account_id, topic, id))

    def _connected(self) -> None:
        self._tell(EVERYTHING)

    def _tell(self, change: Change) -> None:
        for reader in tuple(self._readers):
            reader.add(change)
