"""People at their pages, as a process of their own: what it costs to play them must not be felt by who measures lookups.

`python -m tests.bench.page_load flood|streams URL FILE`: FILE holds the session's secret and the addresses. Until its input
ends; then it prints how many pages were shown and in how many seconds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass

import aiohttp
import uvloop

from tests.bench.journal_rows import BIG

PAGES_A_SECOND, STREAMS = 50, 50
_MOST_WAITING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """url: of the gateway. secret: of a session."""

    url: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"callmatrix={self.secret}"}

    def path(self, address: str) -> str:
        return f"{self.url}{address}{'&' if '?' in address else '?'}account={BIG}"


@dataclass(slots=True)
class Shown:
    """per_second: known when the load has ended."""

    per_second: float = 0.0


@contextlib.contextmanager
def page_load(kind: str, visitor: Visitor, addresses: Sequence[str]) -> Iterator[Shown]:
    """kind: flood or streams."""
    shown = Shown()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"secret": visitor.secret, "addresses": list(addresses)}, file)
        file.flush()
        command = [sys.executable, "-m", "tests.bench.page_load", kind, visitor.url, file.name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
            assert load.stdout is not None
            load.stdout.readline()  # it has begun
            time.sleep(1)
            yield shown
            pages, seconds = load.communicate(timeout=120)[0].split()
    shown.per_second = int(pages) / float(seconds)


async def _flood(session: aiohttp.ClientSession, visitor: Visitor, addresses: Sequence[str]) -> int:
    """At an even pace; so many wait at once at most, for whoever cannot keep up. Until cancelled: how many were shown."""
    loop = asyncio.get_running_loop()
    began, index, shown = loop.time(), 0, 0
    running: set[asyncio.Task[None]] = set()

    async def one(address: str) -> None:
        nonlocal shown
        async with session.get(visitor.path(address)) as response:
            await response.read()
            shown += response.status == 200

    with contextlib.suppress(asyncio.CancelledError):
        while True:
            index += 1
            await asyncio.sleep(max(0.0, began + index / PAGES_A_SECOND - loop.time()))
            if len(running) < _MOST_WAITING:
                task = asyncio.create_task(one(addresses[index % len(addresses)]))
                running.add(task)
                task.add_done_callback(running.discard)
    by_then = shown
    await asyncio.gather(*running)  # what is measured next finds nobody waiting
    return by_then


async def _streams(session: aiohttp.ClientSession, visitor: Visitor, _addresses: Sequence[str]) -> int:
    async def one() -> None:
        no_end = aiohttp.ClientTimeout(total=None)
        async with session.get(visitor.path("/events"), timeout=no_end) as response:
            while await response.content.readany():
                pass

    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*(one() for _ in range(STREAMS)))
    return 0


_Load = Callable[[aiohttp.ClientSession, Visitor, Sequence[str]], Coroutine[None, None, int]]
_KINDS: dict[str, _Load] = {"flood": _flood, "streams": _streams}


async def _play(kind: str, visitor: Visitor, addresses: Sequence[str]) -> None:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers=visitor.headers
    ) as session:
        load = asyncio.create_task(_KINDS[kind](session, visitor, addresses))
        began = time.perf_counter()
        print("begun", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        seconds = time.perf_counter() - began
        load.cancel()
        print(await load, seconds, flush=True)


def main() -> None:
    kind, url, file = sys.argv[1:]
    with open(file) as held:
        told = json.load(held)
    uvloop.run(_play(kind, Visitor(url=url, secret=told["secret"]), told["addresses"]))


if __name__ == "__main__":
    main()
