"""An account that watches presence, looked at as the worker does, at moments that the test names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.doings import DoingFeed
from gateway.configuration import Configuration
from gateway.presence.board import PresenceBoard
from gateway.presence.crm_activity import CrmActivity
from gateway.presence.heartbeats import Heartbeats, StoredHeartbeats
from gateway.presence.watch import PresenceWatch
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.presence.attendance import attendances, history
from routing.attendance.model import Attendance
from routing.presence import PresenceState
from routing.settings import AccountSettings, PresencePolicy, WorkingTime
from routing.staff import Employee
from runtime.database.listen import Listener

ACCOUNT = "main"
ALL_DAY: dict[int, tuple[tuple[str, str], ...]] = dict.fromkeys(range(1, 8), (("00:00", "24:00"),))
STEP = timedelta(seconds=55)
"""A longer one would be a gap in the watching."""


def people(users: Mapping[str, str]) -> list[Employee]:
    """By name, with their CRM users; each has an extension of their own."""
    return [
        Employee(id=name, name=name.title(), crm_user_id=user, extensions=(str(201 + place),))
        for place, (name, user) in enumerate(users.items())
    ]


def policy(**more: Any) -> PresencePolicy:
    return PresencePolicy(is_on=True, **more)


@dataclass
class PresenceSite:
    """began: the moment that minutes are counted from. shifts: by employee, as a schedule would say."""

    pool: asyncpg.Pool
    database_url: str
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    shifts: dict[str, bool] = field(default_factory=dict)
    heartbeats: Heartbeats | None = None
    crm: DoingFeed | None = None
    offset: float | None = None

    def __post_init__(self) -> None:
        self.configuration = Configuration(self.pool, Listener(self.database_url))
        self.heartbeats = self.heartbeats or StoredHeartbeats(self.pool)
        self.watch = self.new_watch()
        self.activity = CrmActivity(self.pool, self.configuration)
        self.board = PresenceBoard(self.pool, self.configuration)
        self.now = self.began

    def new_watch(self) -> PresenceWatch:
        """As of a process that has just started."""
        assert self.heartbeats is not None
        return PresenceWatch(
            self.pool, self.configuration, self.heartbeats, lambda _account, who, _at: self.shifts.get(who)
        )

    async def open(
        self, presence: PresencePolicy, staff: list[Employee], base_url: str = "http://crm"
    ) -> None:
        settings = AccountSettings(presence=presence, working_time=WorkingTime(hours=ALL_DAY))
        async with self.pool.acquire() as conn, conn.transaction():
            await accounts.add_account(
                conn, account_id=ACCOUNT, name="Main", base_url=base_url, settings=settings
            )
            await replace_staff(conn, ACCOUNT, staff)
        await self.configuration.reload()
        await self.watch.turn(self.now, timedelta())

    async def set(self, presence: PresencePolicy) -> None:
        account = self.configuration.now.accounts[ACCOUNT]
        async with self.pool.acquire() as conn:
            await accounts.save_settings(
                conn, ACCOUNT, account.settings.model_copy(update={"presence": presence})
            )
        await self.configuration.reload()

    async def look(self, *, reads: bool = True) -> None:
        """At this very moment. reads: the CRM's feed too."""
        if reads and self.crm is not None:
            await self.activity.read(ACCOUNT, self.crm, lambda: self.offset, self.now)
        await self.watch.turn(self.now, timedelta())

    async def until(self, minutes: float, *, reads: bool = True) -> None:
        """Look every minute or so up to that moment, which included."""
        end = self.at(minutes)
        while self.now < end:
            self.now = min(self.now + STEP, end)
            await self.look(reads=reads)

    def at(self, minutes: float) -> datetime:
        return self.began + timedelta(minutes=minutes)

    async def of(self, employee: str) -> Attendance:
        async with self.pool.acquire() as conn:
            return (await attendances(conn, ACCOUNT))[employee]

    async def mark(self, employee: str) -> str:
        return (await self.of(employee)).mark

    async def on_board(self, employee: str) -> PresenceState:
        await self.board.refresh(now=self.now)
        return self.board.state_of(ACCOUNT, employee)

    async def told(self, employee: str) -> list[tuple[str, str]]:
        """What history tells, oldest first: (state, reason)."""
        async with self.pool.acquire() as conn:
            rows = await history(conn, ACCOUNT, employee, self.at(-600), self.at(6000))
        return [(one.state, one.reason) for one in reversed(rows)]
