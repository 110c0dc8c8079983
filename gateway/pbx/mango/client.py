"""MANGO's API over HTTP: extended statistics, the list of employees, and commands."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import aiohttp
import orjson

from gateway.pbx.asking import ask
from gateway.pbx.call_log import (
    LogPage,
    PbxAnswerInvalid,
    PbxRefused,
    PbxThrottled,
    PbxUnreachable,
    by_call,
    windows,
)
from gateway.pbx.connection import Connection
from gateway.pbx.mango.commands import (
    RESULT_EVERY,
    STATS_EVERY,
    Command,
    calls_request,
    calls_result,
    users_request,
)
from gateway.pbx.mango.links import BASE
from gateway.pbx.mango.reading import CallsAnswer, MangoEmployee, parse_calls, parse_key, parse_users
from gateway.pbx.port import WireInvalid
from runtime.backoff import Backoff
from runtime.vendors.http import NoteExchange, Question

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_RESULT_STATUSES = frozenset({200, 204, 404})
_TRIES = 4
_LONGEST_PAUSE = 60.0

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MangoPauses:
    """Seconds. start: between requests for statistics. result: between questions whether they are ready.
    patience: so long one request may take to become ready. throttled: after a first refusal, then growing."""

    start: float = STATS_EVERY.total_seconds()
    result: float = RESULT_EVERY.total_seconds()
    patience: float = 300.0
    throttled: float = 5.0


class MangoClient:
    """One product's API. Setting `base_url` replaces the vendor's address."""

    knows_ends = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        on_exchange: NoteExchange | None = None,
        *,
        pauses: MangoPauses | None = None,
        page: int = 5000,
    ) -> None:
        self._session = session
        self._connection = connection
        self._on_exchange = on_exchange
        self._pauses = pauses or MangoPauses()
        self._page = page
        self._start_at = 0.0

    async def read(self, since: datetime, until: datetime) -> AsyncIterator[LogPage]:
        """As CallLog: day by day, each in pages."""
        for day in windows(since, until):
            offset, is_last = 0, False
            while not is_last:
                answer = await self._calls(day.since, day.until, offset)
                is_last = answer.calls < self._page
                offset += answer.calls
                yield LogPage(
                    calls=by_call(answer.events),
                    refused=answer.refused,
                    whole_until=day.until if is_last else None,
                )

    async def users(self) -> tuple[MangoEmployee, ...]:
        """Employees with their extensions, numbers and SIP accounts. Raises PbxError."""
        _, body = await self._post(users_request(), "users")
        return _read(lambda: parse_users(body))

    async def command(self, command: Command, seconds: float) -> None:
        """Send an order; its outcome comes later as a result of its own.

        seconds: how long it may take. Raises PbxThrottled, PbxRefused, PbxUnreachable, PbxAnswerInvalid.
        """
        await self._post(command, "commands", seconds=seconds)

    async def _calls(self, since: datetime, until: datetime, offset: int) -> CallsAnswer:
        deadline = time.monotonic() + self._pauses.patience
        key = await self._started(since, until, offset)
        while True:
            answer = await self._result(key)
            if answer.is_complete:
                return answer
            if not answer.is_pending and answer.status != "not-found":
                raise PbxAnswerInvalid(f"the statistics came out as {answer.status}")
            if time.monotonic() > deadline:
                raise PbxUnreachable(f"statistics not ready after {self._pauses.patience:g} s")
            if answer.status == "not-found":  # results are kept for a minute only
                key = await self._started(since, until, offset)
            else:
                await asyncio.sleep(self._pauses.result)

    async def _result(self, key: str) -> CallsAnswer:
        status, body = await self._again(calls_result(key), _RESULT_STATUSES)
        return _read(lambda: parse_calls(status, body, self._connection))

    async def _started(self, since: datetime, until: datetime, offset: int) -> str:
        wait = self._start_at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        try:
            _, body = await self._again(calls_request(since, until, offset, self._page))
        finally:
            self._start_at = time.monotonic() + self._pauses.start
        return _read(lambda: parse_key(body))

    async def _again(
        self, command: Command, statuses: frozenset[int] = frozenset({200})
    ) -> tuple[int, bytes]:
        """As `_post`, retry_until_available: the limit is the product's, and others may use it up."""
        backoff = Backoff(first=self._pauses.throttled, longest=_LONGEST_PAUSE)
        while True:
            try:
                return await self._post(command, "reconciliation", statuses)
            except PbxThrottled as err:
                pause = backoff.failed()
                if backoff.failures == _TRIES:
                    raise
                await asyncio.sleep(err.retry_after or pause)

    async def _post(
        self,
        command: Command,
        lane: str,
        statuses: frozenset[int] = frozenset({200}),
        seconds: float = 30.0,
    ) -> tuple[int, bytes]:
        try:
            question = question_of(command, self._connection, lane, seconds)
        except WireInvalid as err:
            raise PbxRefused(str(err)) from err
        status, body = await ask(self._session, replace(question, statuses=statuses), self._on_exchange)
        if is_throttled(body):
            raise PbxThrottled("asked too often")
        return status, body


def question_of(command: Command, connection: Connection, lane: str, seconds: float) -> Question:
    """Return the signed request. Raises WireInvalid when the connection has no key or salt."""
    base = str(connection.settings.get("base_url") or BASE).rstrip("/")
    return Question(
        method="POST",
        url=f"{base}/{command.path}",
        headers=_FORM,
        body=command.body(connection),
        shown=orjson.dumps(command.payload),
        lane=lane,
        seconds=seconds,
    )


async def answer_of(
    session: aiohttp.ClientSession, connection: Connection, command: Command, what: str, seconds: float
) -> bytes:
    """Ask once. Raise PbxError; PbxRefused for a connection without keys, too."""
    try:
        question = question_of(command, connection, what, seconds)
    except WireInvalid as err:
        raise PbxRefused(str(err)) from err
    _, body = await ask(session, question, None)
    if is_throttled(body):
        raise PbxThrottled("asked too often")
    return body


def product_of(connection: Connection) -> str:
    """Return what the vendor counts requests by, hashed: the key of the connector."""
    return hashlib.sha256(connection.keys.get("api_key", connection.id).encode()).hexdigest()[:32]


def is_throttled(body: bytes) -> bool:
    """`{"name":"Service Unavailable","message":"Rate limit exceeded.","code":0,"status":429}`, whatever the HTTP status."""
    return len(body) < 1000 and b'"status":429' in body.replace(b" ", b"")


def _read(parse: Callable[[], _T]) -> _T:
    try:
        return parse()
    except WireInvalid as err:
        raise PbxAnswerInvalid(str(err)) from err
