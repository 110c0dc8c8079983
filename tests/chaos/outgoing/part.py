"""What goes out, as a part of a run: the doubles, the deals that move, and what must have come of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import aiohttp

from tests.chaos.checker import Violation
from tests.chaos.outgoing import office
from tests.chaos.outgoing.calling_pbx import CallingPbx
from tests.chaos.outgoing.checker import (
    CRM_ROWS,
    LATE_SECONDS,
    OUR_ROWS,
    OutgoingChecker,
    SeenOutgoing,
    reached,
)
from tests.chaos.outgoing.door import listening
from tests.chaos.outgoing.held import HELD_POINTS, HOLD
from tests.chaos.outgoing.kill_points import KillPoints
from tests.chaos.outgoing.killing import Killing
from tests.chaos.outgoing.settling import let_minutes_pass
from tests.chaos.outgoing.teller import Teller
from tests.chaos.outgoing.texting_provider import TextingProvider
from tests.chaos.site import TROUBLE, HarnessFailed, Site
from tests.chaos.tenants import OUTGOING_RATE, Tenant
from tests.chaos.turns import Turn

_EVERY_SECONDS = 1.1
_TOO_MANY = frozenset({25})
_MONEY_ENDS = 5
_PASS_SECONDS = 3.0
_POINT_SECONDS, _POINT_TURN_SECONDS = 150.0, 20.0
_MOST_WAITING = 60
"""So that a run on a busy machine has no more to finish than one on an idle machine."""


class Outgoing:
    """may_kill: whether a worker may be killed now, by whoever plans the other faults."""

    def __init__(self, site: Site, tenant: Tenant, session: aiohttp.ClientSession, seed: int) -> None:
        self._site, self.tenant = site, tenant
        self.may_kill: Callable[[], bool] = lambda: True
        self.points = KillPoints(self._workers, site.kill, lambda: self.may_kill())
        self.teller = Teller(site.urls, session, seed)
        self.pbx = CallingPbx(seed, office.PBX, self.teller, self.points, _TOO_MANY)
        self.provider = TextingProvider(
            seed,
            office.report_path(tenant.account),
            self.teller,
            self.points,
            office.SIGNED_WITH,
            _MONEY_ENDS,
        )
        self.deals = office.Deals(seed, lambda body: site.crm(tenant, "act", body))
        self._passed_at = 0.0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, site: Site, session: aiohttp.ClientSession, seed: int) -> AsyncIterator[Outgoing]:
        """Set up at its account; the doubles listen until the end."""
        part = cls(site, next(tenant for tenant in site.tenants if tenant.is_outgoing), session, seed)
        async with (
            listening(part.pbx.app()) as pbx_url,
            listening(part.provider.app()) as provider_url,
        ):
            async with site.connection() as conn:
                await conn.execute(HOLD)
                await office.set_up(conn, part.tenant.account, pbx_url, provider_url)
            person = asyncio.create_task(part._look_after())
            try:
                yield part
            finally:
                person.cancel()
                part.pbx.stop()
                part.provider.stop()

    def _workers(self) -> Mapping[str, int]:
        pids = {}
        for name in ("worker0", "worker1"):
            process = self._site.process(name)
            if process.is_running and process.popen is not None:
                pids[name] = process.popen.pid
        return pids

    async def _look_after(self) -> None:
        """What a person does where the provider stopped: they have paid, and let it be tried again."""
        while True:
            await asyncio.sleep(2)
            with contextlib.suppress(*TROUBLE, HarnessFailed):
                async with self._site.connection() as conn:
                    await conn.execute(
                        "UPDATE sms_connection SET try_at = now() WHERE stop_reason IS NOT NULL"
                    )

    async def play(self, is_enough: Callable[[], bool]) -> None:
        most = self.tenant.contacts // 3 - 10
        await self.deals.keep_moving(_EVERY_SECONDS, most, is_enough, lambda: self._waiting > _MOST_WAITING)

    @property
    def _waiting(self) -> int:
        """Deals that were moved and of which no double has heard yet."""
        return self.deals.moved - reached(self.pbx, self.provider)

    async def kill_at(self, point: str, database: Turn) -> bool | str | None:
        """Again and again, so that who waits for the database has a turn in between. None: nobody came there in all that time."""
        killing = Killing(self.points, self.pbx, self.deals, self._site.connection)
        deadline, trouble = time.monotonic() + _POINT_SECONDS, None
        while time.monotonic() < deadline:
            try:
                async with database.of(point) if point in HELD_POINTS else contextlib.nullcontext():
                    if fired := await killing.at(point, _POINT_TURN_SECONDS):
                        return fired
            except TROUBLE as err:
                trouble = err
                await asyncio.sleep(1)
        if trouble is not None:
            raise trouble
        return None

    async def hurry(self) -> None:
        """Once all is told and understood, minutes pass for what nothing will be told of any more."""
        is_quiet = self.pbx.is_quiet and self.provider.is_quiet
        if not is_quiet or time.monotonic() - self._passed_at < _PASS_SECONDS:
            return
        self._passed_at = time.monotonic()

        async def pass_time() -> None:
            async with self._site.connection() as conn:
                await let_minutes_pass(conn)

        await self._site.insist("letting minutes pass", pass_time)

    async def check(self) -> OutgoingChecker:
        ours = {
            name: [dict(row) for row in await self._site.fetch(sql, self.tenant.account)]
            for name, sql in OUR_ROWS.items()
        }
        crm = {
            name: (await self._site.crm(self.tenant, f"state?kind={kind}"))["rows"]
            for name, kind in CRM_ROWS.items()
        }
        seen = SeenOutgoing(**ours, **crm)
        return OutgoingChecker(self.pbx, self.provider, self.deals, OUTGOING_RATE, LATE_SECONDS, seen)

    def violations(self, checker: OutgoingChecker) -> Iterator[Violation]:
        account = self.tenant.account
        for kind, what in checker.faults():
            yield Violation(kind, what, account=account)
        for what in self.teller.refused:
            yield Violation("refused", what, account=account)
        for fault in (*self.pbx.missing, *self.provider.missing):
            yield Violation("not-fired", f"'{fault}' of what goes out", account=account)

    def figures(self, checker: OutgoingChecker) -> dict[str, Any]:
        return {**checker.figures(), "workers killed at": dict(sorted(self.points.fired.items()))}
