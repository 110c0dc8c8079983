"""Processes that stand still for some seconds (SIGSTOP), and a database that is slow, silent or locked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import asyncpg

from tests.chaos.site import Site

_TABLES = ("inbox", "effect", "call")
_RUNNING_SECONDS = 60.0
_LOCK_SECONDS = 20
_LOCK_TRIES = 5


async def stopped(site: Site, name: str, seconds: float) -> str | None:
    """SIGSTOP, some seconds, SIGCONT. None: it did not run, or somebody killed it before it was seen to stand still."""
    process = site.process(name)
    deadline = time.monotonic() + _RUNNING_SECONDS
    while not process.is_running:
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(0.1)
    assert process.popen is not None
    stood = await _stand_still([process.popen.pid], seconds)
    return f"{name} for {seconds:.1f} s" if stood else None


async def _server_stopped(site: Site, seconds: float) -> bool | str:
    """The whole server: nothing that is asked is answered, and nobody is let in."""
    server = site.database.pid
    if server is None:
        return False
    os.kill(server, signal.SIGSTOP)  # first: from now on it has no new children
    return await _stand_still([server, *_children(server)], seconds)


async def _stand_still(pids: Sequence[int], seconds: float) -> bool:
    try:
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        return await _stood(pids[0], seconds)
    finally:
        for pid in reversed(pids):
            _signal(pid, signal.SIGCONT)


async def _stood(pid: int, seconds: float) -> bool:
    """Whether it stood still, if only until somebody killed it."""
    until, seen = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        await asyncio.sleep(0.1)
        seen += state_of(pid) == "T"
    return seen > 0


def _signal(pid: int, sig: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sig)


def state_of(pid: int) -> str:
    """As the kernel has it: R, S, T …; "" = gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


async def _line_stopped(site: Site, seconds: float) -> bool | str:
    """Not a byte passes between our programs and the server, and no connection ends."""
    return await _stand_still([site.line.process.pid], seconds)


async def _line_slow(site: Site, seconds: float) -> bool | str:
    """Every piece of data waits half a second on its way."""
    await site.line.hold_back(0.5)
    try:
        began = time.monotonic()
        took = 0.0
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            conn = await asyncpg.connect(site.line.dsn, timeout=20)
            took = time.monotonic() - began
            conn.terminate()
        await asyncio.sleep(max(0.0, seconds - took))
    finally:
        await site.line.hold_back(0.0)
    return f"{took:.1f} s to connect" if took > 1 else False


async def _locked(site: Site, seconds: float) -> str | None:
    """A table that nobody else may touch, as during a careless ALTER TABLE. None: nobody had to wait for it."""
    first = int(time.monotonic())
    for n in range(_LOCK_TRIES):
        table = _TABLES[(first + n) % len(_TABLES)]
        with contextlib.suppress(asyncpg.LockNotAvailableError):
            if waited := await _locked_once(site, table, seconds):
                return f"{waited} waited for {table}"
    return None


async def _locked_once(site: Site, table: str, seconds: float) -> int:
    """How many waited at once. Held no longer than that by the clock: however slow this process is, it must not be what stops
    the others."""
    waited = 0
    async with asyncio.timeout(_LOCK_SECONDS), site.connection() as conn, conn.transaction():
        await conn.execute("SET LOCAL lock_timeout = '5s'")
        await conn.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{_LOCK_SECONDS}s'")
        await conn.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(0.2)
            waited = max(waited, await conn.fetchval(_WAITING, table))
    return waited


_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass"

DATABASE: Mapping[str, Callable[[Site, float], Awaitable[bool | str | None]]] = {
    "stop-postgresql": _server_stopped,
    "database-silent": _line_stopped,
    "database-slow": _line_slow,
    "database-locked": _locked,
}
KINDS = ("stop-gateway", "stop-worker", "stop-sandbox", *DATABASE)
