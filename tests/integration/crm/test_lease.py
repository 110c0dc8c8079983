"""The lease: one holder at a time, silent before the next one begins, taken over within seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import asyncpg
import pytest

from runtime.database.lease import Lease, LeaseLost

_HOLDER = """
import asyncio, sys
from runtime.database.lease import Lease
async def main():
    lease = Lease(sys.argv[1], "a")
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
    async with Lease(database_url, "a") as first:
        second, of_another = Lease(database_url, "a"), Lease(database_url, "b")
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
    lease = Lease(database_url, "a")
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
    lease = Lease(database_url, "a")
    await asyncio.wait_for(lease.acquire(), 10)
    assert 3.0 < time.monotonic() - began < 6.5
    await lease.release()
    process.kill()
    await process.wait()


async def test_a_holder_whose_session_was_ended_notices_and_falls_silent(database_url: str) -> None:
    lease = Lease(database_url, "a")
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
    lease = Lease(database_url, "a", clock=lambda: now[0])
    await lease.acquire()
    lease.check()
    now[0] += 3.1
    with pytest.raises(LeaseLost):
        lease.check()
    await lease.release()


async def test_a_database_that_does_not_answer_is_not_a_lease() -> None:
    lease = Lease("postgresql://nobody@127.0.0.1:1/none", "a")
    assert not await lease.try_acquire()
