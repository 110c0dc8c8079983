"""The worker's loop of calls that go out: what is due is claimed and placed, what is under way is followed to its end.

Any number of workers may run it for the same accounts: rows say who may do what.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import asyncpg
import structlog

from gateway.at_work import AtWork
from gateway.configuration import Snapshot
from gateway.outbound.around import CallingAccount, calling_account
from gateway.outbound.claim import ClaimedCall, claim, prepare
from gateway.outbound.following import Follower
from gateway.outbound.placing import DialClock, Placer
from gateway.outbound.withdrawing import withdraw_pointless
from gateway.pbx.kind import PbxKind
from gateway.store.outbound.claiming import busy_accounts
from gateway.store.outbound.pace import pace_of
from routing.settings import AccountSettings
from runtime.database.errors import may_pass
from runtime.database.pool import database_now
from runtime.loops import Loop
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.5
_NEAR = timedelta(seconds=EVERY_SECONDS)
_TURN_SECONDS = 1.0
"""Then what is under way is looked at again."""
_LAST_ORDERS_SECONDS = 5.0


@dataclass(slots=True)
class DiallerStatus:
    """Since the start of this process. placed: given to a PBX, whatever it said. ended: attempts whose end it found."""

    placed: int = 0
    ended: int = 0


class Dialler:
    """`loop` until cancelled, then `close`."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        snapshot: Callable[[], Snapshot],
        kinds: Mapping[str, PbxKind],
        at_work: AtWork,
        *,
        now: DialClock = database_now,
    ) -> None:
        self._pool, self._session, self._snapshot = pool, session, snapshot
        self._kinds, self._at_work = kinds, at_work
        self._now = now
        self._placer = Placer(pool, session, now)
        self._follower = Follower(pool, session, now)
        self._turns: dict[str, asyncio.Task[None]] = {}
        self._placing: set[asyncio.Task[None]] = set()
        self._troubles: dict[str, Trouble] = {}
        self.status = DiallerStatus()
        self.loop = Loop("outbound", self.look, EVERY_SECONDS)

    async def look(self) -> None:
        """Begin a turn of each account that wants one and has none running."""
        known = self._snapshot().accounts
        if not known:
            return
        async with self._pool.acquire() as conn:
            busy = await busy_accounts(conn, list(known), await self._now(conn))
        for account_id in busy:
            task = self._turns.get(account_id)
            if task is None or task.done():
                self._turns[account_id] = asyncio.create_task(self.turn(account_id))

    async def close(self) -> None:
        """Let orders that are under way be answered for a moment; whose answer is lost is looked for later."""
        for task in self._turns.values():
            task.cancel()
        if self._placing:
            _, late = await asyncio.wait(self._placing, timeout=_LAST_ORDERS_SECONDS)
            for task in late:
                task.cancel()

    async def turn(self, account_id: str) -> None:
        """Follow, prepare and place what can be. What goes wrong costs this account's turn only."""
        trouble = self._troubles.setdefault(account_id, Trouble("outbound", account=account_id))
        try:
            around = calling_account(self._snapshot(), account_id, self._kinds, self._at_work)
            if around is not None:
                await self._turn(around)
        except Exception as err:
            trouble.failed(err, is_mistake=not may_pass(err))
            return
        trouble.recovered()

    async def _turn(self, around: CallingAccount) -> None:
        async with self._pool.acquire() as conn:
            pace = await pace_of(conn, around.id)
        if pace is None:
            return
        settings = pace.settings
        self.status.ended += await self._follower.follow(
            around, settings.outbound, settings.calls.settle_seconds
        )
        async with self._pool.acquire() as conn:
            now = await self._now(conn)
        await withdraw_pointless(self._pool, self._session, around, now)
        if not pace.is_on:
            return
        async with self._pool.acquire() as conn:
            await prepare(conn, around, await self._now(conn))
        await self._place(around, settings)

    async def _place(self, around: CallingAccount, settings: AccountSettings) -> None:
        """Place what can be. Where calls go out faster than accounts are looked at, the pace of the next one is waited for."""
        clock = asyncio.get_running_loop().time
        ends, is_placed = clock() + _TURN_SECONDS, False
        while clock() < ends:
            claimed = await self._next(around, settings)
            if not claimed.is_more:
                if not is_placed or claimed.wait is None or claimed.wait > _NEAR:
                    return
                await asyncio.sleep(claimed.wait.total_seconds())
            is_placed = claimed.attempt is not None

    async def _next(self, around: CallingAccount, settings: AccountSettings) -> ClaimedCall:
        """Claim one and begin to place it."""
        async with self._pool.acquire() as conn:
            claimed = await claim(conn, around, await self._now(conn))
        if claimed.attempt is not None:
            self.status.placed += 1
            self._begin(self._placer.place(around, claimed.attempt, settings.outbound))
        return claimed

    def _begin(self, placing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(placing)
        self._placing.add(task)
        task.add_done_callback(self._placed)

    def _placed(self, task: asyncio.Task[None]) -> None:
        self._placing.discard(task)
        if not task.cancelled() and (err := task.exception()) is not None:
            log.error("outbound-placing-failed", exc_info=err)
