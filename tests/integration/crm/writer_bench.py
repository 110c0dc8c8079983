"""One account with a writer, its effects in PostgreSQL and a CRM in memory, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.effects import order
from crm.effects.store.work import PgEffects
from crm.effects.writer import Writer, WriterSettings
from crm.lane import Lane
from crm.store.directory import apply_entities
from routing.client import EntityKind, Ref
from routing.effects import AttachCall, CreateContact, CreateDeal, CreateTask, Effect
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.fakes.lease import FakeLease

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class WriterBench:
    """now: the virtual time; `pass_time` moves it. A new effect's created_at is the virtual time too."""

    def __init__(self, pool: asyncpg.Pool, crm: FakeCrm, settings: WriterSettings | None = None) -> None:
        self.pool, self.crm, self.lease = pool, crm, FakeLease()
        self.now = START
        self.catch_ups = self.kinds_caught_up = 0
        self.settings = settings
        self.writer = self.new_writer()

    def new_writer(self, **more: Any) -> Writer:
        return Writer(
            self.crm,
            PgEffects(self.pool, "a", NumberPolicy),
            "a",
            self.lease,
            self.catch_up,
            settings=self.settings,
            now=lambda: self.now,
            random=lambda: 0.5,
            **more,
        )

    async def catch_up(self, lane: Lane, kinds: Collection[EntityKind]) -> bool:
        self.catch_ups += 1
        self.kinds_caught_up += len(kinds)
        found = [e for kind in kinds for e in self.crm.all(kind)]
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, "a", found, NumberPolicy())
        return False

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def order(
        self, *wanted: Effect, client: str = "+79161234567", lane: Lane = Lane.EVENTS, held: bool = False
    ) -> None:
        """Of the call that stands before the first colon of a key; `chat` is none."""
        call_id = wanted[0].key.partition(":")[0]
        async with self.pool.acquire() as conn, conn.transaction():
            await order.order(
                conn,
                account_id="a",
                decision_id="d",
                call_id=None if call_id == "chat" else call_id,
                client=client,
                lane=lane,
                effects=wanted,
                held=held,
            )
            await conn.execute(
                "UPDATE effect SET created_at = $1 WHERE effect_key = ANY($2)",
                self.now,
                [e.key for e in wanted],
            )

    async def settle(self, hours: float = 3) -> None:
        """Let virtual time pass until nothing is left to do."""
        end = self.now + timedelta(hours=hours)
        while self.now < end:
            await self.writer.drain()
            if not await self.pool.fetchval(
                "SELECT count(*) FROM effect WHERE state IN ('waiting', 'sending', 'unknown')"
            ):
                return
            self.pass_time(15)

    async def states(self) -> dict[str, str]:
        return {
            r["effect_key"]: r["state"] for r in await self.pool.fetch("SELECT effect_key, state FROM effect")
        }

    async def row(self, key: str) -> Mapping[str, Any]:
        found = await self.pool.fetchrow("SELECT * FROM effect WHERE effect_key = $1", key)
        assert found is not None
        return dict(found)


def new_call(call: str, number: str, at: datetime = START) -> tuple[Effect, ...]:
    """What a missed call of a new client orders: contact, deal, call note, task."""
    contact = Ref(kind="contact", effect=f"{call}:contact")
    deal = Ref(kind="deal", effect=f"{call}:deal")
    return (
        Effect(key=f"{call}:contact", order=CreateContact(name=number, number=number, owner_id="11")),
        Effect(key=f"{call}:deal", order=CreateDeal(name=f"Call {number}", contact=contact, owner_id="11")),
        Effect(key=f"{call}:note", order=a_note(call, number, deal, at)),
        Effect(
            key=f"{call}:task",
            order=CreateTask(target=deal, owner_id="11", text="Call back", due_at=at + timedelta(minutes=15)),
        ),
    )


def a_note(call: str, number: str, target: Ref | None, at: datetime = START) -> AttachCall:
    return AttachCall(
        target=target,
        uniq=call,
        direction="inbound",
        number=number,
        at=at,
        talk_seconds=0,
        status="no_answer",
        owner_id="11",
    )
