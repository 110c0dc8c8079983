"""Calls and texts of an account with two workers, which are killed where it hurts most."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.demo import data
from gateway.store.admin import accounts
from routing.settings import CallPolicy
from tests.chaos.outgoing import office
from tests.chaos.outgoing.calling_pbx import LINE, CallingPbx
from tests.chaos.outgoing.checker import CRM_ROWS, OUR_ROWS, OutgoingChecker, SeenOutgoing, reached
from tests.chaos.outgoing.door import listening
from tests.chaos.outgoing.held import HOLD
from tests.chaos.outgoing.kill_points import KillPoints
from tests.chaos.outgoing.killing import Killing
from tests.chaos.outgoing.settling import let_minutes_pass, what_is_left
from tests.chaos.outgoing.teller import Teller
from tests.chaos.outgoing.texting_provider import TextingProvider
from tests.e2e.stack import ACCOUNT, Stack
from tests.waiting import until

_POINT_SECONDS = 90.0
_MOST_WAITING = 60


@dataclass(kw_only=True)
class Scene:
    """deals: so many are moved at least, two of three to be rung, and more until the last worker was killed. every: seconds
    between two. is_killed: the last one was."""

    stack: Stack
    pbx: CallingPbx
    provider: TextingProvider
    points: KillPoints
    moved: office.Deals
    deals: int
    every: float
    rate: int
    is_killed: bool = False

    async def play(self, kills: Sequence[str]) -> OutgoingChecker:
        """kills: the points at which a worker is killed, one after the other. Everything has ended when it returns."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                self.moved.keep_moving(self.every, 2 * self.deals, self._is_enough, self._is_too_much)
            )
            group.create_task(self._kill(kills))
        await self._settle()
        return OutgoingChecker(self.pbx, self.provider, self.moved, self.rate, seen=await self._gather())

    def _is_enough(self) -> bool:
        return self.is_killed and self.moved.moved >= self.deals

    def _is_too_much(self) -> bool:
        return self.moved.moved - reached(self.pbx, self.provider) > _MOST_WAITING

    async def _kill(self, kills: Sequence[str]) -> None:
        await until(lambda: _truly(len(self.pbx.orders) > 3), "calls go out", seconds=60)
        killing = Killing(self.points, self.pbx, self.moved, self.stack.pool.acquire)
        for point in kills:
            assert await killing.at(point, _POINT_SECONDS), f"nobody came to {point}"
            await asyncio.sleep(0.5)
        self.is_killed = True

    async def _settle(self, seconds: float = 240.0) -> None:
        deadline, calm = time.monotonic() + seconds, 0
        while calm < 3:
            async with self.stack.pool.acquire() as conn:
                left = await what_is_left(conn)
            calm = calm + 1 if not left else 0
            assert time.monotonic() < deadline, f"not settled: {left}"
            if self.pbx.is_quiet and self.provider.is_quiet and left:
                await self._pass_time()
            await asyncio.sleep(0.5)
        await self.stack.until_idle(60)

    async def _pass_time(self) -> None:
        async with self.stack.pool.acquire() as conn:
            if await conn.fetchval(
                "SELECT NOT EXISTS (SELECT FROM inbox WHERE state = 'pending') AND NOT EXISTS (SELECT FROM call WHERE NOT is_over)"
            ):
                await let_minutes_pass(conn)

    async def _gather(self) -> SeenOutgoing:
        ours = {
            name: [dict(row) for row in await self.stack.pool.fetch(sql, ACCOUNT)]
            for name, sql in OUR_ROWS.items()
        }
        crm = {name: await self.stack.rows(kind) for name, kind in CRM_ROWS.items()}
        return SeenOutgoing(**ours, **crm)


@contextlib.asynccontextmanager
async def running_scene(
    folder: Path, database_url: str, *, seed: int, deals: int, every: float, rate: int
) -> AsyncIterator[Scene]:
    """Two workers, one gateway, the CRM, the telephone system and the provider."""
    stack = Stack(
        folder, database_url, contacts=3 * (2 * deals + 10), workers=2, env={"CALLMATRIX_POLL_SECONDS": "2"},
        settings=office.account_settings(rate, CallPolicy(settle_seconds=1, lost_hangup_minutes=1)),
    )  # fmt: skip
    async with contextlib.AsyncExitStack() as undo:
        undo.push_async_callback(stack.stop)
        await stack.start()
        points = KillPoints(lambda: _pids(stack), lambda name: _killed(stack, name))
        teller = Teller(stack.urls, stack.http, seed)

        pbx = CallingPbx(seed, office.PBX, teller, points)
        provider = TextingProvider(seed, office.report_path(ACCOUNT), teller, points, office.SIGNED_WITH)
        pbx_url = await undo.enter_async_context(listening(pbx.app()))
        provider_url = await undo.enter_async_context(listening(provider.app()))
        async with stack.pool.acquire() as conn:
            await conn.execute(HOLD)
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name=office.PBX, kind="generic", secret=data.SECRET, lines=(LINE,)
            )
            await office.set_up(conn, ACCOUNT, pbx_url, provider_url)
        await stack.register_webhook()
        await _until_known(stack, 2 * deals)
        moved = office.Deals(seed, lambda body: stack.act("act", body))
        yield Scene(
            stack=stack, pbx=pbx, provider=provider, points=points, moved=moved, deals=deals, every=every, rate=rate,
        )  # fmt: skip


async def _until_known(stack: Stack, deals: int) -> None:
    """The directory has the deals, with the contacts that they are of."""
    sql = (
        "SELECT count(*) >= $1 FROM directory_entity d JOIN directory_link l ON l.account_id = d.account_id"
        " AND l.deal_id = d.entity_id WHERE d.kind = 'deal' AND d.is_open"
    )
    await until(lambda: stack.pool.fetchval(sql, deals), "the deals are known", seconds=60)


async def _truly(what: bool) -> bool:
    return what


def _pids(stack: Stack) -> dict[str, int]:
    return {
        process.name: process.popen.pid
        for process in stack.processes
        if process.name.startswith("worker") and process.is_running and process.popen is not None
    }


def _killed(stack: Stack, name: str) -> bool:
    """kill -9, and started again at once, as a supervisor would."""
    process = stack.process(name)
    if not process.is_running:
        return False
    process.kill()
    process.start()
    return True
