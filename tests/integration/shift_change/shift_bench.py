"""Runs of shift change and the account's writer against a CRM in memory, in virtual time: nothing runs by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from crm.effects.sender import WriterSettings
from crm.port import CrmEntity, CrmEvent, CrmTask
from crm.store.directory import apply_entities, remove_entities
from crm.store.news import record_news
from gateway.shift_change.work import AccountMoves
from gateway.store.distribution.templates import save_template
from gateway.store.shift_change.policies import save_policy
from routing.client import EntityKind
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.settings import NumberPolicy
from routing.shift_change.policy import ShiftPolicy
from routing.shift_change.turns import OnShift
from runtime.database.pool import Conn
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import START, WriterBench

NAMES = ("anna", "boris", "clara")
USERS: Mapping[str, str] = {name: str(11 + n) for n, name in enumerate(NAMES)}
POLICY = ShiftPolicy(is_on=True, pipelines=("10",), template="всем", wait_seconds=120)


class ShiftBench(WriterBench):
    """CRM users are called by their names here."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        crm = FakeCrm(clock=lambda: self.now)
        super().__init__(pool, crm, WriterSettings(quiet_seconds=1, catch_up_seconds=0))
        self.people = {name: OnShift(True, False, START - timedelta(hours=1)) for name in NAMES}
        self.moves = self.new_moves()

    def new_moves(self) -> AccountMoves:
        return AccountMoves(
            self.pool, "a", self.crm, self.presences, ZoneInfo("Europe/Moscow"), now=lambda: self.now
        )

    async def presences(self, _conn: Conn, _account_id: str) -> Mapping[str, OnShift]:
        return self.people

    async def open(self, policy: ShiftPolicy = POLICY) -> ShiftBench:
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('a', 'A', 'http://crm', 's')"
            )
            for name, user in USERS.items():
                await conn.execute(
                    "INSERT INTO employee (account_id, employee_id, name, crm_user_id) VALUES ('a', $1, $1, $2)",
                    name,
                    user,
                )
            people = tuple(TemplateMember(employee_id=name) for name in NAMES)
            await save_template(conn, "a", DistributionTemplate(name="всем", employees=people), "test")
        await self.set(policy)
        return self

    async def set(self, policy: ShiftPolicy) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await save_policy(conn, "a", policy, "test")

    # --- what there is -----------------------------------------------------------------------------------------

    async def add(self, kind: EntityKind, id: str, owner: str, **more: Any) -> CrmEntity:
        placed = {"pipeline_id": "10", "stage_id": "20"} if kind == "deal" else {}
        told = {"name": id, "created_at": START, "updated_at": self.now, **placed, **more}
        made = CrmEntity(kind=kind, id=id, owner_id=USERS.get(owner, owner), **told)
        self.crm.seed(made)
        await self.tell(made)
        return made

    async def add_deals(self, count: int, owner: str, first: int = 100, **more: Any) -> list[str]:
        ids = [str(first + n) for n in range(count)]
        made = [
            CrmEntity(
                kind="deal",
                id=id,
                name=id,
                owner_id=USERS[owner],
                pipeline_id="10",
                stage_id="20",
                created_at=self.now,
                updated_at=self.now,
                **more,
            )
            for id in ids
        ]
        self.crm.seed(*made)
        await self.tell(*made)
        return ids

    async def tell(self, *entities: CrmEntity) -> None:
        """Let our directory know."""
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, "a", entities, NumberPolicy())

    async def forget(self, id: str) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await remove_entities(conn, "a", [("deal", id)])

    def add_task(self, id: str, owner: str, target: tuple[EntityKind, str], hours: int = 24) -> None:
        self.crm.seed_task(
            CrmTask(
                id=id,
                target_kind=target[0],
                target_id=target[1],
                owner_id=USERS[owner],
                text=id,
                due_at=self.now + timedelta(hours=hours),
                is_completed=False,
                created_at=self.now,
            )
        )

    # --- what people do ----------------------------------------------------------------------------------------

    def leave(self, name: str) -> None:
        self.people[name] = OnShift(False, True, self.now)

    def come(self, name: str) -> None:
        self.people[name] = OnShift(True, False, self.now)

    async def by_hand(self, id: str, *, is_told: bool = True, **changes: Any) -> None:
        """Somebody changes a deal in the CRM a second from now."""
        self.pass_time(1)
        [before] = [e for e in self.crm.all("deal") if e.id == id]
        after = replace(before, updated_at=self.now, **changes)
        self.crm.seed(after)
        if not is_told:
            return
        if "owner_id" in changes:
            await self._heard(id, before.owner_id, after.owner_id)
        await self.tell(after)

    async def _heard(self, id: str, before: str | None, after: str | None) -> None:
        event = CrmEvent(
            id=f"by-hand-{id}-{self.now.timestamp()}",
            kind="owner_changed",
            at=self.now,
            entity_kind="deal",
            entity_id=id,
            by_user="99",
            before=before,
            after=after,
        )
        async with self.pool.acquire() as conn, conn.transaction():
            await record_news(conn, "a", told_by="feed", heard=[event])

    # --- what goes on ------------------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Look once, and send what is ordered."""
        await self.moves.turn()
        await self.writer.drain()

    async def work(self, seconds: float = 0) -> None:
        """Pass so many seconds, and do all that is to be done."""
        self.pass_time(seconds)
        for _ in range(60):
            is_going = await self.moves.turn()
            sent = await self.writer.drain()
            if not is_going and not sent:
                return
            if not sent:
                self.pass_time(1)
        raise AssertionError("it does not come to an end")

    # --- what is seen ------------------------------------------------------------------------------------------

    def owners(self, kind: EntityKind = "deal") -> dict[str, str]:
        names = {user: name for name, user in USERS.items()}
        return {e.id: names.get(e.owner_id or "", e.owner_id or "") for e in self.crm.all(kind)}

    def count(self) -> Counter[str]:
        return Counter(self.owners().values())

    def sent(self, method: str = "update_entities") -> int:
        return sum(asked.method == method for asked in self.crm.requests)

    async def journal(self, run_kind: str = "away", kind: str = "deal") -> dict[str, tuple[str, str]]:
        """id -> (state, reason), of the latest run of that kind."""
        rows = await self.pool.fetch(
            "SELECT entity_id, state, reason FROM shift_move WHERE kind = $2 AND run_id ="
            " (SELECT max(run_id) FROM shift_run WHERE kind = $1)",
            run_kind,
            kind,
        )
        return {row["entity_id"]: (row["state"], row["reason"]) for row in rows}

    async def runs(self) -> list[tuple[str, str, str, str]]:
        rows = await self.pool.fetch("SELECT kind, employee_id, state, reason FROM shift_run ORDER BY run_id")
        return [(row["kind"], row["employee_id"], row["state"], row["reason"]) for row in rows]
