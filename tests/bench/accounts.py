"""What accounts cost while nothing happens: processor time of a gateway and a worker, and sessions of the database."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import cpu_seconds, throwaway_database
from tests.e2e.many_accounts import add_accounts, most_sessions, served, sessions
from tests.e2e.stack import Stack
from tests.waiting import until

_MOST_CPU_MS = 3.0
_MOST_RATIO = 0.2
_MOST_SESSIONS = most_sessions(gateways=1, workers=1).total()
_CALM_SECONDS = 10.0  # what is done once after a start is over


@dataclass(frozen=True, slots=True, kw_only=True)
class _Idle:
    """Of one second: cpu_ms of gateway and worker together, database_ms of the sessions that serve them."""

    accounts: int
    cpu_ms: float
    database_ms: float
    sessions: int


def bench_accounts(many: int, seconds: float) -> list[Figure]:
    """An installation of its own for one account and for many, the same in all else."""
    one, all_of_them = (_idle(accounts, seconds) for accounts in (1, many))
    each = all_of_them.cpu_ms / many
    further = (all_of_them.cpu_ms - one.cpu_ms) / (many - 1)
    return [
        plain("idle CPU with 1 account", one.cpu_ms, "ms/s", f"gateway and worker, over {seconds:.0f} s"),
        plain(f"idle CPU with {many} accounts", all_of_them.cpu_ms, "ms/s", "the CRM's polls included"),
        at_most("idle CPU of each further account", further, _MOST_CPU_MS, "ms/s"),
        at_most(f"idle CPU per account, {many} against 1", each / one.cpu_ms, _MOST_RATIO, "×"),
        plain(
            f"idle CPU of the database, {many} accounts",
            all_of_them.database_ms,
            "ms/s",
            f"{one.database_ms:.3g} with 1",
        ),
        at_most("PostgreSQL sessions with 1 account", one.sessions, _MOST_SESSIONS, "sessions"),
        at_most(
            f"PostgreSQL sessions with {many} accounts", all_of_them.sessions, _MOST_SESSIONS, "sessions"
        ),
    ]


def _idle(accounts: int, seconds: float) -> _Idle:
    with throwaway_database() as dsn, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(dsn, Path(folder), accounts, seconds))


async def _measure(dsn: str, folder: Path, accounts: int, seconds: float) -> _Idle:
    stack = Stack(folder, dsn, contacts=10)
    try:
        await stack.start()
        # Every account is a view of the same sandbox, whose limits are those of one.
        await stack.act("profile", {"requests_per_second": 10_000, "account_requests_per_second": 10_000})
        await add_accounts(stack, accounts)
        await until(lambda: _are_served(stack.pool, accounts), "every account is served", seconds=180)
        await asyncio.sleep(_CALM_SECONDS)
        return await _over(stack, accounts, seconds)
    finally:
        await stack.stop()


async def _are_served(pool: asyncpg.Pool, accounts: int) -> bool:
    loaded = await pool.fetchval("SELECT count(*) FROM directory_state WHERE loaded_at IS NOT NULL")
    return bool(loaded == accounts == await served(pool))


async def _over(stack: Stack, accounts: int, seconds: float) -> _Idle:
    ours = [p.popen.pid for p in stack.processes if p.popen is not None and p.name != "sandbox"]
    database = [
        r["pid"]
        for r in await stack.pool.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'callmatrix %'"
        )
    ]
    before = {pid: cpu_seconds(pid) for pid in (*ours, *database)}
    await asyncio.sleep(seconds)
    after = {pid: cpu_seconds(pid) for pid in before if Path(f"/proc/{pid}").exists()}

    def ms(pids: list[int]) -> float:
        return sum(after[pid] - before[pid] for pid in pids if pid in after) * 1000 / seconds

    opened = await sessions(stack.pool)
    return _Idle(accounts=accounts, cpu_ms=ms(ours), database_ms=ms(database), sessions=opened.total())
