"""The lease: one holder at a time, silent before the next one begins, taken over within seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import asyncpg
import pytest

from runtime.database.lease import LeaseLost, Leases, steady_seconds
from tests.waiting import until

_SESSION = "SELECT pid FROM pg_stat_activity WHERE application_name = 'callmatrix lease' AND datname = current_database()"
_HOLDER = """
import asyncio, sys
from runtime.database.lease import Leases
async def main():
    lease = Leases(sys.argv[1]).of("a")
    await lease.acquire()
    print("held", flush=True)
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""


async def _other_process(url: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 20)).strip() == b"held"
    return process


async def test_only_one_holds_the_lease_of_an_account(database_url: str) -> None:
    async with Leases(database_url).of("a") as first:
        second, of_another = Leases(database_url).of("a"), Leases(database_url).of("b")
        assert not await second.try_acquire()
        with pytest.raises(LeaseLost):
            second.check()
        assert await of_another.try_acquire()
        first.check()
        await of_another.release()
        await first.release()
        assert await second.try_acquire()
        await second.release()


async def test_a_killed_holders_lease_is_taken_over_within_five_seconds(database_url: str) -> None:
    process = await _other_process(database_url)
    lease = Leases(database_url).of("a")
    assert not await lease.try_acquire()
    process.kill()
    began = time.monotonic()
    await asyncio.wait_for(lease.acquire(), 5)
    assert time.monotonic() - began < 5
    await lease.release()
    await process.wait()


async def test_a_frozen_holders_lease_is_taken_over_only_when_it_would_be_silent(database_url: str) -> None:
    process = await _other_process(database_url)
    os.kill(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    lease = Leases(database_url).of("a")
    await asyncio.wait_for(lease.acquire(), 10)
    assert 3.0 < time.monotonic() - began < 6.5
    await lease.release()
    process.kill()
    await process.wait()


async def test_a_holder_whose_session_was_ended_notices_and_falls_silent(database_url: str) -> None:
    lease = Leases(database_url).of("a")
    await lease.acquire()
    admin = await asyncpg.connect(database_url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callmatrix lease'"
        " AND datname = current_database()"
    )
    await admin.close()
    await asyncio.wait_for(lease.lost.wait(), 5)
    with pytest.raises(LeaseLost):
        lease.check()
    await lease.release()


async def test_a_holder_that_cannot_confirm_falls_silent_by_its_own_clock(database_url: str) -> None:
    now = [100.0]
    lease = Leases(database_url, clock=lambda: now[0]).of("a")
    await lease.acquire()
    lease.check()
    now[0] += 3.1
    with pytest.raises(LeaseLost):
        lease.check()
    await lease.release()


async def test_a_database_that_does_not_answer_is_not_a_lease() -> None:
    lease = Leases("postgresql://nobody@127.0.0.1:1/none").of("a")
    assert not await lease.try_acquire()


async def _sessions(url: str) -> list[int]:
    admin = await asyncpg.connect(url)
    try:
        return [row["pid"] for row in await admin.fetch(_SESSION)]
    finally:
        await admin.close()


async def test_a_hundred_leases_of_a_process_are_locks_of_one_session(database_url: str) -> None:
    leases = Leases(database_url)
    many = [leases.of(f"account {n}") for n in range(100)]
    assert all(await asyncio.gather(*(lease.try_acquire() for lease in many)))
    assert len(await _sessions(database_url)) == 1
    await asyncio.sleep(3.5)
    for lease in many:
        lease.check()  # confirmed, all of them, for longer than a lease is good for by itself
    await asyncio.gather(*(lease.release() for lease in many))
    await until(lambda: _none(database_url), "the session of a process that holds nothing ends")


async def _none(url: str) -> bool:
    return not await _sessions(url)


async def test_one_lease_is_given_back_while_the_others_of_its_session_stay(database_url: str) -> None:
    ours, theirs = Leases(database_url), Leases(database_url)
    first, second = ours.of("a"), ours.of("b")
    assert await first.try_acquire()
    assert await second.try_acquire()
    await first.release()
    with pytest.raises(LeaseLost):
        first.check()
    second.check()
    taken, refused = theirs.of("a"), theirs.of("b")
    assert await taken.try_acquire()
    assert not await refused.try_acquire()
    assert not await first.try_acquire(), "the other process has it now"
    for lease in (second, taken):
        await lease.release()


async def test_a_lost_session_loses_every_lease_and_all_are_taken_anew(database_url: str) -> None:
    leases = Leases(database_url)
    held = [leases.of(name) for name in "abc"]
    for lease in held:
        await lease.acquire()
    admin = await asyncpg.connect(database_url)
    await admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({_SESSION}) AS session")
    await admin.close()
    await asyncio.wait_for(asyncio.gather(*(lease.lost.wait() for lease in held)), 5)
    assert not any(lease.is_held for lease in held)
    await asyncio.wait_for(asyncio.gather(*(lease.acquire() for lease in held)), 10)
    assert all(lease.is_held for lease in held)
    await asyncio.gather(*(lease.release() for lease in held))


async def test_two_parts_of_one_process_do_not_hold_the_same_lease(database_url: str) -> None:
    leases = Leases(database_url)
    first, second = leases.of("a"), leases.of("a")
    assert sorted(await asyncio.gather(first.try_acquire(), second.try_acquire())) == [False, True]
    holder, other = (first, second) if first.is_held else (second, first)
    waiting = asyncio.create_task(other.acquire())
    await asyncio.sleep(1.2)
    assert not waiting.done()
    assert holder.is_held
    await holder.release()
    await asyncio.wait_for(waiting, 5)
    assert other.is_held
    assert not holder.is_held
    await other.release()


async def test_who_stops_waiting_for_a_lease_leaves_it_to_others(database_url: str) -> None:
    ours, theirs = Leases(database_url), Leases(database_url)
    kept, wanted = theirs.of("kept"), theirs.of("a")
    await wanted.acquire()
    await kept.acquire()
    for _ in range(20):
        waiting = asyncio.create_task(ours.of("a").acquire())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await wanted.release()
    again = theirs.of("a")
    await asyncio.wait_for(again.acquire(), 5)
    kept.check()
    for lease in (again, kept):
        await lease.release()


def test_the_leases_clock_goes_on_while_the_machine_is_suspended() -> None:
    asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()  # what monotonic has missed
    assert abs(steady_seconds() - time.monotonic() - asleep) < 1.0
