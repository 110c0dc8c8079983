from __future__ import annotations

import time

import asyncpg

from gateway.lookup.decided import DecidedLookup
from gateway.lookup.recorder import LookupRecord, Recorder
from gateway.pbx.port import LookupRequest
from gateway.store.admin import accounts
from routing.lookup.decide import LookupReason, fall_back
from routing.numbers.normalise import PublicNumber
from routing.settings import LookupPolicy, NumberPolicy
from routing.staff import Staff


def a_lookup(index: int, phone: str = "79161234567") -> LookupRecord:
    decided = DecidedLookup(
        decision_id=f"decision{index}",
        at=time.time(),
        asked=LookupRequest(phone=phone),
        number=PublicNumber("+79161234567"),
        candidates=(),
        decision=fall_back(LookupReason.UNKNOWN_CALLER),
        directory_age_ms=5,
    )
    return LookupRecord("a", "office", decided, 100, Staff(), NumberPolicy(), LookupPolicy())


async def test_what_finds_no_room_is_counted_as_lost_and_the_rest_is_written(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="a", name="A", base_url="http://crm.example")
    recorder = Recorder(pool, 1000, room=3)
    for index in range(5):
        if recorder.has_room():
            recorder.record(a_lookup(index))
    assert (recorder.waiting, recorder.lost) == (3, 2)
    await recorder.close()
    assert await pool.fetchval("SELECT count(*) FROM decision") == 3
    assert (recorder.waiting, recorder.written) == (0, 3)


async def test_decisions_of_a_removed_account_hold_up_no_others(pool: asyncpg.Pool) -> None:
    recorder = Recorder(pool, 1000)
    recorder.record(a_lookup(1))
    await recorder.close()
    assert (recorder.waiting, recorder.lost) == (0, 1)


async def test_a_decision_that_no_database_takes_costs_only_itself(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="a", name="A", base_url="http://crm.example")
    recorder = Recorder(pool, 1000)
    for index in range(5):
        recorder.record(a_lookup(index, "7916\x00" if index == 2 else "79161234567"))
    await recorder.close()
    assert (recorder.written, recorder.lost, recorder.waiting) == (4, 1, 0)
    assert await pool.fetchval("SELECT count(*) FROM decision") == 4
