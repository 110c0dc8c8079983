"""Commands to PBXs that cannot ask: their calls are sent to their manager while they dwell in the voice menu.

A vendor takes few routing commands per product, whichever process sends them. A command that would come
later than a few seconds after its call appeared is dropped: the menu's own way is the reserve, and must be there.
Nothing here delays an event: `note` only puts aside what the loop looks at.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import structlog

from gateway.pbx.call_log import PbxError, PbxThrottled
from gateway.pbx.capabilities import Dwelling, RouteOrder, Router, RouteResult
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Inbound, LookupRequest
from gateway.store.pbx_links.commands import CommandRow, claim_turn, save_command, save_result
from runtime.cancellation import raise_if_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.metrics import Sample
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

AskRoute = Callable[[Connection, LookupRequest], dict[str, Any]]

_ROOM = 1000


@dataclass(slots=True)
class CommandsStatus:
    """Since the start of this process. asked: calls that dwelt in a menu. scheme: of these, without anybody to ring.
    dropped: too late. refused: not taken by the PBX. done, failed: by its results."""

    asked: int = 0
    scheme: int = 0
    sent: int = 0
    dropped: int = 0
    refused: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    connection: Connection
    row: CommandRow
    display_name: str | None
    came_at: float
    router: Router


class PbxCommands:
    """ask: decides as the lookup endpoint does. seconds: after so long a routing command is of no use any more.
    every: in place of the vendor's own pace. `run` until cancelled."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        ask: AskRoute,
        *,
        kinds: Mapping[str, PbxKind],
        seconds: float = 3.0,
        every: timedelta | None = None,
    ) -> None:
        self._pool = pool
        self._session = session
        self._ask = ask
        self.seconds = seconds
        self.every = every
        self._routers = {
            name: router for name, kind in kinds.items() if (router := kind.router()) is not None
        }
        self._queues: dict[str, asyncio.Queue[_Waiting]] = {}
        self._results: asyncio.Queue[tuple[Connection, RouteResult]] = asyncio.Queue(_ROOM)
        self._own_turn: dict[str, float] = {}
        self._group: asyncio.TaskGroup | None = None
        self._count = 0
        self._trouble = Trouble("route-command-record")
        self._process = secrets.token_hex(4)
        self.status = CommandsStatus()

    def on_event(self, connection: Connection, inbound: Inbound) -> None:
        """Look at an authenticated notification. Returns at once, never raises."""
        router = self._routers.get(connection.kind)
        if router is None or self._group is None:
            return
        try:
            if (result := router.result(inbound)) is not None:
                self._results.put_nowait((connection, result))
            elif (call := router.dwelling(inbound, connection)) is not None:
                self.status.asked += 1
                loop = asyncio.get_running_loop()
                loop.call_soon(self._decide, router, connection, call, loop.time(), datetime.now(UTC))
        except asyncio.QueueFull:
            self.status.dropped += 1
        except Exception:
            log.exception("pbx-command-failed", connection=connection.name)

    def _decide(
        self, router: Router, connection: Connection, call: Dwelling, came_at: float, asked_at: datetime
    ) -> None:
        """Whom to ring; only calls that have somebody wait for the product's turn."""
        answer = self._ask(connection, call.asked)
        found = router.destination(answer, connection)
        if found is None:
            self.status.scheme += 1
            return
        row = CommandRow(
            account_id=connection.account_id,
            command_id=self._new_id(),
            connection_id=connection.id,
            call_key=call.call_key,
            leg=call.leg,
            decision_id=answer.get("decision_id"),
            address=found[0],
            state="dropped",
            because="too-late",
            asked_at=asked_at,
            sent_at=None,
        )
        try:
            self._queue(router.product(connection)).put_nowait(
                _Waiting(connection, row, found[1], came_at, router)
            )
        except asyncio.QueueFull:
            self.status.dropped += 1

    def _queue(self, product: str) -> asyncio.Queue[_Waiting]:
        queue = self._queues.get(product)
        if queue is None:
            queue = self._queues[product] = asyncio.Queue(_ROOM)
            if self._group is not None:
                self._group.create_task(self._run_route(product, queue), name="pbx commands")
        return queue

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._record_results(), name="pbx results")
        finally:
            self._group = None
            self._queues.clear()

    async def _run_route(self, product: str, queue: asyncio.Queue[_Waiting]) -> None:
        """One at a time, those that have waited longest first."""
        while True:
            raise_if_cancelled()
            waiting = await queue.get()
            try:
                await self._route(product, waiting)
            except Exception:
                log.exception("pbx-command-failed", connection=waiting.connection.name)

    async def _route(self, product: str, waiting: _Waiting) -> None:
        row = waiting.row
        if await self._turn(product, waiting):
            row = await self._send(waiting)
        else:
            self.status.dropped += 1
        await self._record(row)

    async def _send(self, waiting: _Waiting) -> CommandRow:
        connection, row = waiting.connection, waiting.row
        order = RouteOrder(
            leg=row.leg, address=row.address, command_id=row.command_id, display_name=waiting.display_name
        )
        sent_at = datetime.now(UTC)
        state, because = "sent", ""
        try:
            await waiting.router.send(self._session, connection, order, max(self._left(waiting), 0.1))
            self.status.sent += 1
        except PbxError as err:
            # An answer that did not come may still have been obeyed: its result tells.
            state, because = "refused", f"{err.code}: {err}"[:300]
            self.status.refused += 1
            level = log.info if isinstance(err, PbxThrottled) else log.warning
            level("route-command-refused", connection=connection.name, error=because)
        return replace(row, state=state, because=because, sent_at=sent_at)

    async def _turn(self, product: str, waiting: _Waiting) -> bool:
        """Wait for the product's turn; False when the call cannot wait for it."""
        while True:
            wait = await self._claimed(product, self.every or waiting.router.interval)
            if wait <= 0:
                return self._left(waiting) > 0
            if wait >= self._left(waiting):
                return False
            await asyncio.sleep(wait)

    async def _claimed(self, product: str, every: timedelta) -> float:
        """Seconds until the next turn, 0 when it is now and taken. The database counts for all processes; without it each
        counts for itself, and the vendor refuses what is too much."""
        now = asyncio.get_running_loop().time()
        own = self._own_turn.get(product, 0.0) - now
        if own > 0:
            return own
        wait = 0.0
        with contextlib.suppress(*DATABASE_ERRORS):
            async with asyncio.timeout(0.5), self._pool.acquire() as conn:
                wait = await claim_turn(conn, product, "route", every)
        if wait <= 0:
            self._own_turn[product] = asyncio.get_running_loop().time() + every.total_seconds()
        return wait

    def _left(self, waiting: _Waiting) -> float:
        return waiting.came_at + self.seconds - asyncio.get_running_loop().time()

    def _new_id(self) -> str:
        self._count += 1
        return f"cm-{self._process}-{int(datetime.now(UTC).timestamp())}-{self._count}"

    async def _record(self, row: CommandRow) -> None:
        try:
            async with self._pool.acquire() as conn:
                await save_command(conn, row)
        except DATABASE_ERRORS as err:
            self._trouble.failed(err)
        else:
            self._trouble.recovered()

    async def _record_results(self) -> None:
        while True:
            raise_if_cancelled()
            connection, result = await self._results.get()
            self.status.done += result.is_done
            self.status.failed += not result.is_done
            if not result.is_done:
                log.warning("route-command-failed", connection=connection.name, code=result.code)
            try:
                async with self._pool.acquire() as conn:
                    await save_result(
                        conn,
                        connection.account_id,
                        connection.id,
                        result.command_id,
                        result.code,
                        result.is_done,
                        datetime.now(UTC),
                    )
            except Exception as err:
                self._trouble.failed(err, is_mistake=not isinstance(err, DATABASE_ERRORS))
            else:
                self._trouble.recovered()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        for outcome in ("scheme", "sent", "dropped", "refused", "done", "failed"):
            count = getattr(self.status, outcome)
            yield "counter", "route_commands", "Calls waiting in a voice menu", {"outcome": outcome}, count
