"""A telephone system, an inbox and real workers on a real database."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from gateway.calls.client_job import ClientJob
from gateway.calls.context import Matrices
from gateway.calls.queue import Jobs
from gateway.configuration import number_policy
from gateway.intake.inbox import Accepted, Inbox
from gateway.pbx.connection import Connection
from gateway.pbx.port import Parsed
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff, staff_of
from routing.calls.model import CallEvent, Direction, Disposition, EventKind
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.settings import AccountSettings, CallPolicy, CasePolicy
from routing.staff import Employee
from runtime.database import locks
from tests.fakes.matrices import PublishedMatrix

ACCOUNT = "main"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 12:00 in Moscow
CLIENT = "+79161234567"
LINE = "+74951230000"

SENIOR = Employee(id="boss", name="Ольга Старшая", crm_user_id="1", extensions=("100",), is_senior=True)
DEPUTY = Employee(id="second", name="Пётр Второй", crm_user_id="2", extensions=("102",))
ANNA = Employee(id="anna", name="Анна Менеджер", crm_user_id="11", extensions=("101",))
UNMAPPED = Employee(id="nobody", name="Без CRM", extensions=("109",))


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def an_event(kind: EventKind, key: Any = "c1", **fields: Any) -> CallEvent:
    base = {"at": START, "direction": "inbound", "client": CLIENT, "line": LINE}
    return CallEvent(kind=kind, call_key=key, **{**base, **fields})


def a_call(
    key: str = "c1",
    *,
    at: datetime = START,
    client: str | None = CLIENT,
    answered_by: str | None = None,
    direction: Direction = "inbound",
    seconds: int = 20,
) -> list[CallEvent]:
    """The events of one whole call."""
    common = {"key": key, "client": client, "direction": direction}
    events = [an_event(EventKind.STARTED, at=at, **common)]
    if answered_by:
        events.append(
            an_event(EventKind.ANSWERED, at=at + timedelta(seconds=5), party=answered_by, leg="l1", **common)
        )
    cause = Disposition.ANSWERED if answered_by else Disposition.NO_ANSWER
    events.append(an_event(EventKind.ENDED, at=at + timedelta(seconds=seconds), cause=cause, **common))
    return events


@dataclass
class Office:
    """All of one installation in this process. workers share nothing but the database."""

    pool: asyncpg.Pool
    connection: Connection
    inbox: Inbox
    jobs: list[Jobs]
    clock: Clock
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def tell(self, event: CallEvent, *, copy: str = "") -> Accepted:
        """As the PBX would: one message. copy: makes it another message with the same content."""
        canonical = event.model_dump_json() + copy
        parsed = Parsed(canonical=canonical, events=(event,))
        async with self.pool.acquire() as conn:
            account = await accounts.account(conn, ACCOUNT)
            staff = await staff_of(conn, ACCOUNT)
        policy = number_policy(account, self.connection, [self.connection], staff)
        return await self.inbox.accept(self.connection, parsed, canonical.encode(), self.clock(), policy)

    async def tell_all(self, events: Iterable[CallEvent]) -> None:
        for event in events:
            await self.tell(event)

    async def settle(self, seconds: float = 15) -> None:
        """Until nothing is left to do now: the sweep has run and every job is done."""
        await self.idle()
        self.clock.forward(seconds=seconds)
        for _ in range(3):
            await self._sweep_is_over()  # the one that runs just now has the old time, and keeps others out
            await self.jobs[0].sweep()
            await self._sweep_is_over()  # one that kept ours out has the new time
            await self.idle()

    async def _sweep_is_over(self) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await locks.take(conn, locks.CLIENT_SWEEP)

    async def idle(self) -> None:
        assert await self.jobs[0].drain(20), await self.rows("SELECT * FROM procrastinate_jobs")

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        return [dict(r) for r in await self.pool.fetch(sql, *args)]

    async def effects(self, *what: str) -> list[dict[str, Any]]:
        rows = await self.rows('SELECT *, "order" AS ordered FROM effect ORDER BY seq')
        return [r for r in rows if not what or r["what"] in what]

    async def whats(self) -> list[str]:
        return sorted(r["what"] for r in await self.effects())

    async def call(self, key: str = "c1") -> dict[str, Any]:
        rows = await self.rows("SELECT * FROM call WHERE call_key = $1", key)
        assert len(rows) == 1, rows
        return rows[0]

    async def cases(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM missed_case ORDER BY opened_at, case_id")

    async def sent(self, **crm_ids: str) -> None:
        """The writer has carried out what waits, oldest first."""
        await self.pool.execute(
            "UPDATE effect SET state = 'done', done_at = now(), attempts = 1, crm_id = 'crm-' || seq"
            " WHERE state = 'waiting'"
        )

    async def know_client(self, number: str = CLIENT, owner: str = "11", *, with_deal: bool = True) -> None:
        """The directory has a contact with this number, and an open deal of it."""
        await self.pool.execute(
            "INSERT INTO directory_entity (account_id, kind, entity_id, name, owner_id, updated_at)"
            " VALUES ($1, 'contact', '501', 'Клиент', $2, now())",
            ACCOUNT,
            owner,
        )
        await self.pool.execute(
            "INSERT INTO directory_number (account_id, number, kind, entity_id) VALUES ($1, $2, 'contact', '501')",
            ACCOUNT,
            int(number[1:]),
        )
        if with_deal:
            await self.pool.execute(
                "INSERT INTO directory_entity (account_id, kind, entity_id, name, owner_id, updated_at)"
                " VALUES ($1, 'deal', '601', 'Сделка', $2, now())",
                ACCOUNT,
                owner,
            )
            await self.pool.execute(
                "INSERT INTO directory_link (account_id, deal_id, kind, entity_id, is_main)"
                " VALUES ($1, '601', 'contact', '501', true)",
                ACCOUNT,
            )

    async def change_settings(self, **fields: Any) -> None:
        async with self.pool.acquire() as conn:
            now = (await accounts.account(conn, ACCOUNT)).settings
            await accounts.save_settings(conn, ACCOUNT, now.model_copy(update=fields))

    async def start(self) -> None:
        self.tasks = [asyncio.create_task(jobs.run()) for jobs in self.jobs]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.tasks = []


async def an_office(
    pool: asyncpg.Pool,
    dsn: str,
    *,
    workers: int = 2,
    people: Sequence[Employee] = (SENIOR, DEPUTY, ANNA, UNMAPPED),
    matrix: Matrix | None = None,
    matrices: Matrices | None = None,
) -> Office:
    """matrix: everybody works by it; matrices: those that are stored."""
    settings = AccountSettings(
        calls=CallPolicy(settle_seconds=10), cases=CasePolicy(seniors=("boss", "second"))
    )
    async with pool.acquire() as conn, conn.transaction():
        await accounts.add_account(
            conn, account_id=ACCOUNT, name="Проверка", base_url="http://127.0.0.1:1", settings=settings
        )
        connection = await accounts.add_connection(
            conn, account_id=ACCOUNT, name="pbx", kind="generic", secret="demo", lines=(LINE,)
        )
        await replace_staff(conn, ACCOUNT, people)
    clock = Clock()
    job = ClientJob(pool, matrices or PublishedMatrix(matrix or recommended()), now=clock)
    jobs = [Jobs(dsn, pool, job, concurrency=4, now=clock) for _ in range(workers)]
    return Office(pool=pool, connection=connection, inbox=Inbox(pool), jobs=jobs, clock=clock)


def as_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
