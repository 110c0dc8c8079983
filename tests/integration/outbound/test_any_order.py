"""Whatever happens in whatever order, workers that die among it: nobody is called twice, and each item ends once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.outbound.claim import claim
from gateway.outbound.placing import order_of
from gateway.pbx.capabilities import (
    CannotTell,
    FindResult,
    Live,
    NotSeen,
    Placed,
    PlaceResult,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.store.outbound.attempts import begin_placing
from routing.calls.model import Disposition, FailedSide
from runtime.database.pool import open_pool
from tests.integration.outbound.calling_office import ACCOUNT, MINUTE, NOON, CallingOffice

CLIENTS = tuple(f"+7916123000{n}" for n in range(4))
PEOPLE = ("anna", "boris")
FINAL = ("succeeded", "failed", "expired", "dropped", "unknown")
ANSWERS: dict[str, PlaceResult] = {
    "takes": Placed(),
    "silent": PlaceUnknown("-"),
    "away": RefusedByPbx(code="pbx-unreachable", words="-", concerns="link"),
    "too-much": RefusedByPbx(code="pbx-throttled", words="-", concerns="limit"),
    "no-phone": RefusedByPbx(code="originate-failed", words="-", concerns="this_call"),
}
FOUND: dict[str, FindResult] = {"no": NotSeen(), "yes": Live("talking"), "cannot": CannotTell("-")}
TOLD = {
    "talked": (Disposition.ANSWERED, None),
    "client": (Disposition.BUSY, FailedSide.CLIENT_NOT_REACHED),
    "operator": (Disposition.NO_ANSWER, FailedSide.EMPLOYEE_NOT_REACHED),
}
STEP = st.one_of(
    st.tuples(st.just("item"), st.sampled_from(range(4))),
    st.tuples(st.just("work"), st.sampled_from((1, 1, 2, 11, 61, 130))),
    st.tuples(st.just("dies_after_claim"), st.just(0)),
    st.tuples(st.just("dies_before_request"), st.just(0)),
    st.tuples(st.just("dies_after_request"), st.just(0)),
    st.tuples(st.just("answers"), st.sampled_from(tuple(ANSWERS))),
    st.tuples(st.just("finds"), st.sampled_from(tuple(FOUND))),
    st.tuples(st.just("tells"), st.sampled_from(tuple(TOLD))),
)


@dataclass
class Run:
    """One office, worked on by two workers. calls: attempt id -> client of calls that the PBX makes and has not told of."""

    office: CallingOffice
    rate: int
    calls: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    items: int = 0
    told: int = 0

    async def step(self, what: str, value: object) -> None:
        await getattr(self, what)(value)
        await self.holds()

    async def item(self, n: int) -> None:
        self.items += 1
        target = {"kind": "employee", "employee_id": PEOPLE[n % 2]}
        await self.office.item(
            f"i{self.items}", deal_id=None, client=CLIENTS[n], target=target, source="matrix"
        )

    async def work(self, seconds: int) -> None:
        before = len(self.office.pbx.orders)
        self.office.now += timedelta(seconds=seconds)
        await asyncio.gather(self.office.run(self.one), self.office.run(self.other))
        answer = self.office.pbx.answer
        for order in self.office.pbx.orders[before:]:
            if isinstance(answer(order), Placed | PlaceUnknown):
                self.calls[order.attempt_id] = order.number

    async def dies_after_claim(self, _: object, *, begins: bool = False, sends: bool = False) -> None:
        async with self.office.pool.acquire() as conn:
            attempt = (await claim(conn, self.office.around, self.office.now)).attempt
            if attempt is None or not begins:
                return
            look_at = self.office.now + MINUTE
            assert await begin_placing(
                conn, attempt, self.office.now, look_at=look_at, claimed_after=self.office.now - MINUTE
            )
        if sends:
            outbound = self.office.snapshot.accounts[ACCOUNT].settings.outbound
            await self.office.pbx.place(None, None, order_of(attempt, outbound))  # type: ignore[arg-type]
            self.calls[attempt.attempt_id] = attempt.client

    async def dies_before_request(self, value: object) -> None:
        await self.dies_after_claim(value, begins=True)

    async def dies_after_request(self, value: object) -> None:
        await self.dies_after_claim(value, begins=True, sends=True)

    async def answers(self, how: str) -> None:
        self.office.pbx.answer = lambda order: ANSWERS[how]

    async def finds(self, what: str) -> None:
        self.office.pbx.found = FOUND[what]

    async def tells(self, how: str) -> None:
        if not self.calls:
            return
        attempt_id, client = self.calls.popitem()
        self.told += 1
        disposition, side = TOLD[how]
        await self.office.told(attempt_id, disposition, side, client=client, key=f"c{self.told}")

    async def open(self) -> None:
        self.one, self.other = self.office.dialler(), self.office.dialler()

    async def holds(self) -> None:
        """What must be true at any moment."""
        pool = self.office.pool
        live = await pool.fetch("SELECT client, employee_id FROM outbound_attempt WHERE state <> 'over'")
        for name in ("client", "employee_id"):
            assert all(n == 1 for n in Counter(row[name] for row in live).values()), "two live attempts"
        for row in await pool.fetch("SELECT item_id, state, reason, ended_at FROM outbound_item"):
            before = self.ended.get(row["item_id"])
            if before not in (None, "unknown"):
                assert row["state"] == before, "what ended stays as it ended"
            if row["state"] in FINAL:
                assert row["reason"], "each ends with a reason"
                self.ended[row["item_id"]] = row["state"]
        for row in await pool.fetch("SELECT effect_key FROM effect"):
            assert self.ended[row["effect_key"].split(":")[1]] in ("failed", "expired"), "only these are told"
        await self._pace()

    async def _pace(self) -> None:
        rows = await self.office.pool.fetch(
            "SELECT placed_at FROM outbound_attempt WHERE placed_at IS NOT NULL AND side IS DISTINCT FROM 'refused'"
            " AND raw NOT LIKE 'originate-failed%' ORDER BY placed_at"
        )
        times: list[datetime] = [row["placed_at"] for row in rows]
        for at in times:
            assert sum(at <= other < at + MINUTE for other in times) <= self.rate + 1, "faster than the rate"

    async def drain(self) -> None:
        """The PBX works and tells all: each item comes to its end."""
        await self.answers("takes")
        await self.finds("no")
        for _ in range(40):
            await self.work(131)
            while self.calls:
                await self.tells("talked")
            states = await self.office.pool.fetch("SELECT state FROM outbound_item")
            if {row["state"] for row in states} <= {*FINAL}:
                return await self.holds()
        raise AssertionError(f"some never end: {states}")


async def _play(database_url: str, rate: int, steps: list[tuple[str, object]]) -> None:
    pool = await open_pool(database_url, max_size=4)
    try:
        await pool.execute("DELETE FROM effect; DELETE FROM call; DELETE FROM account")
        office = await CallingOffice(pool, now=NOON).open(rate=rate)
        run = Run(office, rate)
        await run.open()
        for what, value in steps:
            await run.step(what, value)
        await run.drain()
    finally:
        await pool.close()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rate=st.sampled_from((2, 30)), steps=st.lists(STEP, min_size=5, max_size=16))
def test_nobody_is_called_twice_and_each_item_ends_once(
    database_url: str, rate: int, steps: list[tuple[str, object]]
) -> None:
    asyncio.run(_play(database_url, rate, steps))
