"""The pages: how long each takes on the server with a full journal, what a first visit weighs, and what lookups feel of them."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import aiohttp
import uvloop

from gateway.admin.sign_in.sessions import Sessions, Whence
from gateway.admin.users import UserOrder, add_user
from gateway.web.built_files import FOLDER
from runtime.database.listen import Listener
from runtime.database.pool import open_pool
from tests.bench.distribution_rows import LARGE, OfficeSize, fill_office
from tests.bench.journal_rows import BIG, JournalSize, fill_journal
from tests.bench.lookup import paced
from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import fill, gateway, throwaway_database
from tests.e2e.stack import free_port

_PAGE_MS, _VISIT_KIB = 200, 150
_PAGES_A_SECOND, _STREAMS = 50, 50
_TIMES = 15
_LOGIN = "bench"
_ADDRESSES = (
    "/",
    "/calls",
    "/calls?result=missed",
    "/calls/try",
    "/missed",
    "/matrix",
    "/setup",
    "/me/account",
    "/distribution",
    "/distribution/waiting",
    "/distribution/templates",
    f"/distribution/templates/{quote(LARGE)}",
    f"/distribution/templates/{quote('Отдел 1')}",
    "/distribution/analytics?days=30",
    f"/distribution/analytics?template={quote(LARGE)}&days=30",
    "/distribution/shift-change",
    "/distribution/shift-change/settings",
    "/distribution/shift-change/runs/1",
)
_OFFICE = OfficeSize(people=500, templates=10, results=10_000, moved=3_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """url: of the gateway. headers: of a session."""

    url: str
    headers: dict[str, str]

    def path(self, address: str) -> str:
        return f"{self.url}{address}{'&' if '?' in address else '?'}account={BIG}"


def bench_pages(calls: int, numbers: int, seconds: int) -> list[Figure]:
    """numbers: in the directory. seconds: of each even pace of lookups."""
    with throwaway_database() as dsn:
        fill(dsn, numbers)
        secret = uvloop.run(_prepared(dsn, calls))
        port = free_port()
        with gateway(port, dsn) as _:
            headers = {"Cookie": f"callmatrix={secret}"}
            visitor = Visitor(url=f"http://127.0.0.1:{port}", headers=headers)
            return uvloop.run(_measured(visitor, numbers, seconds))


async def _prepared(dsn: str, calls: int) -> str:
    """Fill the journal, and return the secret of an administrator's session."""
    pool = await open_pool(dsn)
    try:
        size = JournalSize(calls=calls, effects=calls, cases=calls // 2, open_cases=200, days=30)
        await fill_journal(pool, size)
        await fill_office(pool, BIG, _OFFICE)
        async with pool.acquire() as conn:
            await add_user(conn, UserOrder(login=_LOGIN, role="admin"))
        sessions = Sessions(pool, Listener(dsn))
        begun = await sessions.begin(_LOGIN, Whence("127.0.0.1", "bench"), datetime.now(UTC), stage="full")
        return begun.secret
    finally:
        await pool.close()


async def _measured(visitor: Visitor, numbers: int, seconds: int) -> list[Figure]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=visitor.headers) as session:
        await _until_they_open(session, visitor)
        figures = [await _page(session, visitor, address) for address in await _addresses(session, visitor)]
        figures.append(await _first_visit(session, visitor))
        return figures + await _beside_lookups(session, visitor, numbers, seconds)


async def _until_they_open(session: aiohttp.ClientSession, visitor: Visitor) -> None:
    for _ in range(600):
        async with session.get(visitor.path("/calls"), allow_redirects=False) as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the pages did not open: {response.status} {response.headers.get('Location')}")


async def _addresses(session: aiohttp.ClientSession, visitor: Visitor) -> list[str]:
    """With the page of one call."""
    async with session.get(visitor.path("/calls")) as response:
        found = re.search(r'href="/calls/([0-9a-z]{16,32})', await response.text())
    return [*_ADDRESSES, *([f"/calls/{found[1]}"] if found else [])]


async def _page(session: aiohttp.ClientSession, visitor: Visitor, address: str) -> Figure:
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        async with session.get(visitor.path(address)) as response:
            size = len(gzip.compress(await response.read()))
            if response.status != 200:
                raise RuntimeError(f"{address}: {response.status}")
        taken.append((time.perf_counter() - began) * 1000)
    name = "/calls/{id}" if re.fullmatch(r"/calls/[0-9a-z]{16,32}", address) else address
    note = f"{size / 1024:.1f} KiB gzip"
    return at_most(f"page {name}", statistics.median(taken), _PAGE_MS, "ms", note)


async def _first_visit(session: aiohttp.ClientSession, visitor: Visitor) -> Figure:
    async with session.get(visitor.path("/")) as response:
        html = len(gzip.compress(await response.read()))
    names: dict[str, str] = json.loads((FOLDER / "manifest.json").read_text())
    files = [FOLDER / name for kind, name in names.items() if not kind.startswith("licences")]
    sizes = [
        (packed if (packed := file.with_name(file.name + ".gz")).exists() else file).stat().st_size
        for file in files
    ]
    return at_most("first visit, gzip", (html + sum(sizes)) / 1024, _VISIT_KIB, "KiB")


async def _beside_lookups(
    session: aiohttp.ClientSession, visitor: Visitor, numbers: int, seconds: int
) -> list[Figure]:
    alone = await paced(visitor.url, numbers, seconds, lambda: 0)
    stop = asyncio.Event()
    shown = {"pages": 0}
    flood = asyncio.create_task(_flood(session, visitor, stop, shown))
    began = time.perf_counter()
    busy = await paced(visitor.url, numbers, seconds, lambda: 0)
    rate = shown["pages"] / (time.perf_counter() - began)
    stop.set()
    await flood
    streams = [asyncio.create_task(_stream(session, visitor)) for _ in range(_STREAMS)]
    await asyncio.sleep(1)
    watched = await paced(visitor.url, numbers, seconds, lambda: 0)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    return [
        plain("lookup p50 at 100/s, no pages", alone[0], "ms"),
        plain("lookup p99 at 100/s, no pages", alone[1], "ms"),
        plain(f"lookup p50, {_PAGES_A_SECOND} pages/s asked for", busy[0], "ms", f"{rate:.0f} pages/s shown"),
        at_most(
            f"lookup p99, {_PAGES_A_SECOND} pages/s asked for", busy[1], 5, "ms", f"{rate:.0f} pages/s shown"
        ),
        at_most("p99 with pages / without", busy[1] / alone[1], 2, "×", "the client is on the same 2 cores"),
        at_most(f"lookup p99, {_STREAMS} streams open", watched[1], 5, "ms"),
        at_most("p99 with streams / without", watched[1] / alone[1], 1.5, "×"),
    ]


async def _flood(
    session: aiohttp.ClientSession, visitor: Visitor, stop: asyncio.Event, shown: dict[str, int]
) -> None:
    """At an even pace; so many wait at once at most, for whoever cannot keep up."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    running: set[asyncio.Task[None]] = set()

    async def one(address: str) -> None:
        async with session.get(visitor.path(address)) as response:
            await response.read()
            shown["pages"] += response.status == 200

    index = 0
    while not stop.is_set():
        index += 1
        await asyncio.sleep(max(0.0, began + index / _PAGES_A_SECOND - loop.time()))
        if len(running) < 100:
            task = asyncio.create_task(one(_ADDRESSES[index % len(_ADDRESSES)]))
            running.add(task)
            task.add_done_callback(running.discard)
    await asyncio.gather(*running)


async def _stream(session: aiohttp.ClientSession, visitor: Visitor) -> None:
    async with session.get(visitor.path("/events"), timeout=aiohttp.ClientTimeout(total=None)) as response:
        while await response.content.readany():
            pass
