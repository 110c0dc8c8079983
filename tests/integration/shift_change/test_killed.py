"""Workers are killed while hundreds of deals pass from one person to another: each of them once, and all of them back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from tests.integration.crm.running_worker import CrmSite
from tests.integration.shift_change.office import NAMES, Office, office
from tests.paths import ROOT
from tests.waiting import until

FEW = 120  # of each of the five
_SLOW = {
    "match": {"method": "PATCH", "path": "/api/v4/leads"},
    "always": True,
    "fault": "latency",
    "ms": 1500,
}


@pytest.fixture
async def five(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    async with office(pool, database_url) as made:
        yield made


class Workers:
    """One worker process at a time."""

    def __init__(self, site: CrmSite) -> None:
        self._site = site
        self._process: asyncio.subprocess.Process | None = None
        self.killed = 0

    async def start(self) -> None:
        settings = {"CALLMATRIX_DATABASE_URL": self._site.dsn, "CALLMATRIX_POLL_SECONDS": "1"}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "serve", "--role", "worker"),
            env={**os.environ, **settings},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
        )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self.killed += 1


async def _quiet_timeis_over(five: Office) -> None:
    """What a killed worker was sending may be looked at now. Where the workers hold these rows just now, it is done next time."""
    with contextlib.suppress(asyncpg.DeadlockDetectedError):
        await five.pool.execute("UPDATE effect SET next_try_at = now() WHERE state = 'unknown'")


async def is_over(five: Office, runs: int) -> bool:
    """So many runs have begun, and all are over."""
    await _quiet_timeis_over(five)
    over: bool = await five.pool.fetchval(
        "SELECT (SELECT count(*) FROM shift_run) >= $1 AND NOT EXISTS (SELECT 1 FROM shift_run WHERE state = 'running')"
        " AND NOT EXISTS (SELECT 1 FROM shift_move WHERE state IN ('planned', 'ordered'))",
        runs,
    )
    return over


async def _is_sending(five: Office) -> bool:
    found: bool = await five.pool.fetchval("SELECT EXISTS (SELECT 1 FROM effect WHERE state = 'sending')")
    return found


async def _has_taken_over(five: Office) -> bool:
    return not await _is_sending(five)


async def _killed_while_sending(five: Office, workers: Workers, times: int, runs: int) -> None:
    """Kill the worker each time that a request of its is on the way, and start another; then let it come to its end."""
    for _ in range(times):

        async def can_go_on() -> bool:
            return await is_over(five, runs) or await _is_sending(five)

        await until(can_go_on, "something is being sent, or all is done", seconds=120)
        if await is_over(five, runs):
            return
        await workers.kill()
        await workers.start()
        await until(lambda: _has_taken_over(five), "another worker has taken over", seconds=120)
    await until(lambda: is_over(five, runs), "every move is over", seconds=240)


async def assert_each_moved_once(five: Office, kind: str, count: int) -> None:
    """Of the office's deals: the sandbox has some of its own, of the same people."""
    rows = await five.pool.fetch(
        "SELECT m.entity_id, m.state, count(*) AS n FROM shift_move m JOIN shift_run r USING (account_id, run_id)"
        " WHERE r.kind = $1 AND m.kind = 'deal' AND m.entity_id = ANY($2) GROUP BY 1, 2",
        kind,
        [str(id) for id in five.deals],
    )
    assert len(rows) == count
    assert {(row["state"], row["n"]) for row in rows} == {("moved", 1)}


async def move_and_return(five: Office, leavers: Sequence[str], kills: tuple[int, int], each: int) -> None:
    """Everybody of the leavers goes and comes again; the worker is killed so often on the way there, and back."""
    workers = Workers(five.site)
    await workers.start()
    try:
        await five.known(seconds=120)
        for name in leavers:
            await five.leave(name)
        await _killed_while_sending(five, workers, kills[0], runs=len(leavers))
        stayed = [name for name in NAMES if name not in leavers]
        moved = len(leavers) * each
        assert five.count() == dict.fromkeys(stayed, each + moved // len(stayed))
        await assert_each_moved_once(five, "away", moved)
        for name in leavers:
            await five.come(name)
        await _killed_while_sending(five, workers, kills[1], runs=2 * len(leavers))
    finally:
        await workers.kill()
    assert workers.killed > sum(kills) // 2
    assert five.owners() == five.deals
    await assert_each_moved_once(five, "return", moved)
    assert await five.most_in_a_second() <= 7
    entries = await five.pool.fetchval(
        "SELECT count(*) FROM distribution_journal WHERE undone_at IS NULL AND split_part(item_id, ':', 3) = ANY($1)",
        [str(id) for id in five.deals],
    )
    assert entries == moved


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_on_the_way_every_deal_passes_once_and_comes_back(five: Office) -> None:
    five.seed(FEW)
    await five.open()
    await five.site.spoil(_SLOW)
    await move_and_return(five, NAMES[:2], (1, 1), FEW)
