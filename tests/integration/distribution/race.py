"""Many workers give deals while people join, leave and flicker and workers are killed: nothing is lost, nothing is double.

`python -m tests.integration.distribution.race --deals 10000 --workers 8` is the whole; the suite runs a slice of it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from crm.amocrm.store import store_long_lived_token
from crm.port import CrmEntity, Observed
from crm.store.directory import apply_entities
from crm.store.news import record_news
from gateway.admin.distribution.templates import save_template
from gateway.store.distribution.ledgers import ledgers_of, replayed
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.settings import NumberPolicy
from routing.staff import Employee
from runtime.database.pool import open_pool
from tests.conftest import database_of_its_own
from tests.database_server import migrated_template, throwaway_server
from tests.e2e.stack import Process
from tests.integration.distribution.shop import ACCOUNT, Shop

PEOPLE = tuple(Employee(id=f"p{n:02}", name=f"P{n}", crm_user_id=str(100 + n)) for n in range(12))
_BATCH = 25


@dataclass(frozen=True, slots=True)
class RaceOutcome:
    deals: int
    given: int
    double: int
    sum_of_credits: int
    is_replayed: bool
    largest_credit: int
    kills: int
    seconds: float

    @property
    def is_right(self) -> bool:
        return self.deals == self.given and not self.double and not self.sum_of_credits and self.is_replayed


def _template(people: Sequence[Employee]) -> DistributionTemplate:
    return DistributionTemplate(name="t", employees=tuple(TemplateMember(employee_id=p.id) for p in people))


class Race:
    """dsn: of an empty, migrated database. seed: of who comes and goes, and of which worker is killed."""

    def __init__(
        self, pool: asyncpg.Pool, dsn: str, *, deals: int, workers: int, kills: int, seed: int = 1
    ) -> None:
        self._shop, self._dsn, self._deals, self._kills = Shop(pool), dsn, deals, kills
        self._pool, self._random = pool, random.Random(seed)
        self._folder = Path(tempfile.mkdtemp(prefix="callmatrix-race-"))
        self._workers = [self._worker(n) for n in range(workers)]

    def _worker(self, n: int) -> Process:
        env = {"CALLMATRIX_DATABASE_URL": self._dsn, "CALLMATRIX_LOG_LEVEL": "warning"}
        return Process(f"worker {n}", ["serve", "--role", "worker"], env, self._folder / f"worker-{n}.log")

    async def run(self, *, seconds: float) -> RaceOutcome:
        began = time.monotonic()
        await self._shop.open(*PEOPLE)
        async with self._pool.acquire() as conn:
            # Nothing listens there: what is ordered waits, and the account stays on.
            await conn.execute("UPDATE account SET base_url = 'http://127.0.0.1:9'")
            await store_long_lived_token(conn, ACCOUNT, "key", None)
        await self._shop.serve(_template(PEOPLE))
        for worker in self._workers:
            worker.start()
        try:
            await asyncio.gather(self._deals_come(), self._people_come_and_go())
            await self._settled(began + seconds)
        finally:
            for worker in self._workers:
                worker.kill()
        return await self._outcome(time.monotonic() - began)

    async def _deals_come(self) -> None:
        """Each is told by a webhook that it came into the stage; now and then a worker is killed."""
        kill_at = set(self._random.sample(range(1, self._deals // _BATCH + 1), self._kills))
        for batch in range(self._deals // _BATCH):
            await self._tell(range(batch * _BATCH, (batch + 1) * _BATCH))
            if batch + 1 in kill_at:
                victim = self._random.choice(self._workers)
                victim.kill()
                victim.start()

    async def _tell(self, numbers: range) -> None:
        now = datetime.now(UTC)
        deals = [
            CrmEntity(
                kind="deal",
                id=str(n),
                owner_id="10",
                pipeline_id="1",
                stage_id="20",
                created_at=now,
                updated_at=now,
            )
            for n in numbers
        ]
        told = [
            Observed(
                kind="deal",
                id=deal.id,
                at=now,
                values={"stage": "1/20"},
                is_changed=frozenset({"stage"}),
                before={"stage": "1/10"},
            )
            for deal in deals
        ]
        async with self._pool.acquire() as conn, conn.transaction():
            await record_news(conn, ACCOUNT, observed=told, told_by="webhook")
            await apply_entities(conn, ACCOUNT, deals, NumberPolicy())

    async def _people_come_and_go(self) -> None:
        for _ in range(max(4, self._deals // 100)):
            there = [p for p in PEOPLE if self._random.random() < 0.6] or list(PEOPLE[:1])
            async with self._pool.acquire() as conn:
                await save_template(conn, ACCOUNT, _template(there), by="race")
            await asyncio.sleep(self._random.random() / 5)

    async def _settled(self, deadline: float) -> None:
        """Every deal has its item, and none waits."""
        while time.monotonic() < deadline:
            done = await self._pool.fetchval("SELECT count(*) FROM distribution_item WHERE state = 'given'")
            if done >= self._deals:
                return
            await asyncio.sleep(0.2)

    async def _outcome(self, seconds: float) -> RaceOutcome:
        async with self._pool.acquire() as conn:
            ledgers, again = await ledgers_of(conn, ACCOUNT, "t"), await replayed(conn, ACCOUNT, "t")
            double = await conn.fetchval(
                "SELECT (SELECT count(*) - count(DISTINCT entity_id) FROM distribution_item)"
                " + (SELECT count(*) - count(DISTINCT item_id) FROM distribution_journal)"
                " + (SELECT count(*) - count(DISTINCT client) FROM effect)"
            )
            given = await conn.fetchval("SELECT count(*) FROM distribution_journal WHERE undone_at IS NULL")
        credits = [c for ledger in ledgers.values() for c in ledger.credits.values()]
        return RaceOutcome(
            deals=self._deals // _BATCH * _BATCH,
            given=given,
            double=double,
            sum_of_credits=sum(credits),
            is_replayed=ledgers == again,
            largest_credit=max(map(abs, credits), default=0),
            kills=self._kills,
            seconds=seconds,
        )


async def _race(server: str, template: str, options: argparse.Namespace) -> RaceOutcome:
    async with database_of_its_own(server, template) as dsn:
        pool = await open_pool(dsn, max_size=6)
        race = Race(pool, dsn, deals=options.deals, workers=options.workers, kills=options.kills)
        try:
            return await race.run(seconds=options.seconds)
        finally:
            await pool.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--deals", type=int, default=10_000)
    asked.add_argument("--workers", type=int, default=8)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--seconds", type=float, default=3600)
    options = asked.parse_args()
    with throwaway_server() as server:
        outcome = asyncio.run(_race(server, migrated_template(server), options))
    print(outcome)
    raise SystemExit(0 if outcome.is_right else 1)


if __name__ == "__main__":
    main()
