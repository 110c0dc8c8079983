"""The way in: a PBX's message is acknowledged only once it is committed.

Messages that arrive together share a transaction and are written with one statement (runtime/database/group_commit.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from gateway.intake.plausible import plausible
from gateway.pbx.connection import Connection
from gateway.pbx.port import InboxUnavailable, MessageUnstorable, Parsed
from gateway.store.intake import inbox as store
from gateway.store.intake.inbox import InboxMessage
from routing.calls.generations import without_mark
from routing.calls.model import CallEvent
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.errors import DATABASE_AWAY, DATABASE_ERRORS, may_pass
from runtime.database.group_commit import GroupClosed, GroupCommit, GroupFull
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

# While the database hangs, messages of the largest size allowed must not fill the memory.
_MOST_BYTES = 64 * 1024 * 1024

# A PBX that repeats a message, because it heard no answer or to be sure, does so within this time.
_REPEATED_WITHIN = timedelta(minutes=10)

# Of spoilt fields: so many are named, each so long.
_MOST_NAMES, _MOST_NAME = 20, 64


class InboxFull(InboxUnavailable):
    """More messages wait than the inbox holds: the database is too slow or away."""

    code = "inbox-full"


_Ids = dict[tuple[str, str, bytes], int]
_Messages = tuple[InboxMessage, ...]
"""The rows of one message, never none."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """duplicate: the same message was accepted earlier. event_id: None when there was nothing to store (a ping).
    spoilt: names of the fields that could not be taken as they stood."""

    duplicate: bool
    event_id: int | None
    spoilt: tuple[str, ...] = ()


@dataclass(slots=True)
class InboxStatus:
    """For the metrics: since the start of this process."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    batches: int = 0


class Inbox:
    """Stores messages of PBXs. `start` before the first `accept`, `stop` at the end.

    limit: so many may wait, most_bytes: of so many bytes. batch: so many share a transaction at most. seconds: how long
    one may take.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        limit: int = 10_000,
        most_bytes: int = _MOST_BYTES,
        batch: int = 256,
        seconds: float = 5.0,
    ) -> None:
        self._limit, self._batch, self._seconds = limit, batch, seconds
        self._most_bytes, self._bytes = most_bytes, 0
        self.status = InboxStatus()
        self._link = _Link(pool, seconds, self.status)
        self._group: GroupCommit[_Messages, Accepted] | None = None
        self._trouble = Trouble("inbox")

    def start(self) -> None:
        if self._group is None:
            # One transaction at a time: more of them overlap statement and commit, but gather less each.
            self._group = GroupCommit("inbox", self._store, most=self._batch, limit=self._limit)

    async def stop(self) -> None:
        """Write what waits, then end."""
        group, self._group = self._group, None
        if group is not None:
            await group.close(self._seconds)
            await self._link.let_go()

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
        """Return after the commit. raw: the payload as received, kept for the desk
        (where it came in the URL and raw is empty, the canonical form is kept).

        Raises InboxUnavailable (nothing pretends to be accepted; the same message may come again), MessageUnstorable.
        """
        if not parsed.events:
            return Accepted(False, None, parsed.spoilt)
        parsed = plausible(parsed, received_at, connection.words("recording_hosts"))
        try:
            messages = messages_of(connection, parsed, raw, received_at, policy)
        except ValueError as err:
            raise MessageUnstorable(f"the message cannot be written down: {err}") from err
        accepted = await self._stored(messages)
        if accepted.duplicate:
            self.status.duplicates += 1
        else:
            self.status.accepted += 1
        return replace(accepted, spoilt=parsed.spoilt)

    async def _stored(self, messages: _Messages) -> Accepted:
        if self._group is None:
            raise InboxUnavailable("the inbox is not running")
        size = sum(len(m.raw) + len(m.events) for m in messages)
        if self._bytes and self._bytes + size > self._most_bytes:
            self.status.refused += 1
            raise InboxFull(f"{self._bytes} bytes wait already")
        self._bytes += size
        try:
            return await self._group.add(messages)
        except GroupClosed as err:
            raise InboxUnavailable("the gateway is stopping") from err
        except GroupFull as err:
            self.status.refused += 1
            raise InboxFull(f"{self._limit} messages wait already") from err
        except Exception as err:
            kind = type(err).__name__
            if may_pass(err):
                self.status.refused += 1
                raise InboxUnavailable(f"the database did not take it: {kind}") from err
            log.error("message-unstorable", error=str(err), error_type=kind)
            raise MessageUnstorable(f"the database refuses this message: {kind}") from err
        finally:
            self._bytes -= size

    async def _store(self, group: Sequence[_Messages]) -> list[Accepted]:
        try:
            answers = await self._link.store(group)
        except Exception as err:
            if may_pass(err):
                await self._link.let_go()
                self._trouble.failed(err)
            raise
        self._trouble.recovered(refused=self.status.refused)
        return answers


class _Link:
    """The inbox's connection, kept between batches: the pool's reset after each would be one more round trip."""

    def __init__(self, pool: asyncpg.Pool, seconds: float, status: InboxStatus) -> None:
        self._pool = pool
        self._seconds = seconds
        self._status = status
        self._conn: PoolConnectionProxy | None = None

    async def store(self, batch: Sequence[_Messages]) -> list[Accepted]:
        messages = [m for each in batch for m in each]
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
        if repeated:
            fresh = fresh | await self._stored_anew([m for m in messages if m.identity in repeated])
        repeated -= fresh.keys()
        return fresh, await store.known(self._conn, sorted(repeated)) if repeated else {}

    async def _stored_anew(self, messages: Sequence[InboxMessage]) -> _Ids:
        """Store what is no repetition though it reads the same: it says no time, and that of its receipt is another."""
        assert self._conn is not None
        timeless = list({m.identity: m for m in messages if m.is_timeless}.values())
        anew = await store.told_anew(self._conn, timeless, within=_REPEATED_WITHIN)
        if not anew:
            return {}
        as_new = {m.identity: replace(m, dedupe_key=_anew(m, number)) for m, number in anew}
        ids = await store.store(self._conn, list(as_new.values()))
        return {old: ids[new.identity] for old, new in as_new.items() if new.identity in ids}

    async def let_go(self) -> None:
        """Give the connection back; one in doubt is closed by that."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(*DATABASE_ERRORS):
                await self._pool.release(conn, timeout=1)


def _answers(
    batch: Iterable[_Messages],
    fresh: _Ids,
    earlier: _Ids,
) -> list[Accepted]:
    """Answer each message: the first of two equal ones in one batch is new, the second its duplicate."""
    told: set[tuple[str, str, bytes]] = set()
    answers = []
    for messages in batch:
        identity = messages[0].identity
        is_new = any(m.identity in fresh and m.identity not in told for m in messages)
        told.update(m.identity for m in messages)
        answers.append(Accepted(not is_new, fresh.get(identity) or earlier.get(identity)))
    return answers


def messages_of(
    connection: Connection, parsed: Parsed, raw: bytes, received_at: datetime, policy: NumberPolicy
) -> tuple[InboxMessage, ...]:
    """Return the rows of one message: one for each call that it speaks of."""
    calls: dict[str, list[CallEvent]] = {}
    for event in parsed.events:
        key = without_mark(event.call_key)
        told = event if key == event.call_key else event.model_copy(update={"call_key": key})
        calls.setdefault(key, []).append(told)
    spoilt = "\n".join(_storable(" ".join(name.split()))[:_MOST_NAME] for name in parsed.spoilt[:_MOST_NAMES])
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
            spoilt=spoilt or None,
            is_timeless=all(_is_timeless(event, received_at) for event in events),
        )
        for i, (call_key, events) in enumerate(calls.items())
    )


def client_number(events: Iterable[CallEvent], policy: NumberPolicy) -> str | None:
    """Return the outside party as E.164; None when no event tells one, or when the call is internal."""
    for event in events:
        if event.client and event.direction != "internal":
            number = normalise(event.client, policy)
            if isinstance(number, PublicNumber) and not number.is_own:
                return number.e164
    return None


def _anew(message: InboxMessage, number: int) -> bytes:
    return hashlib.sha256(message.dedupe_key + str(number).encode()).digest()


def _is_timeless(event: CallEvent, received_at: datetime) -> bool:
    return event.at == received_at and event.started_at is None and event.answered_at is None


def _digest(canonical: str) -> bytes:
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()


def _storable(text: str) -> str:
    """PostgreSQL's text and jsonb hold no NUL and no half surrogates; neither means anything in a PBX's message."""
    if "\0" in text or "\\u0000" in text:
        text = _ESCAPED_NUL.sub(r"\1�", text.replace("\0", "�"))
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
