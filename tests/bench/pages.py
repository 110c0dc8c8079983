"""The pages: how long each takes on the server with a full journal, what a first visit weighs, and what lookups feel of them."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import statistics
import time
from datetime import UTC, datetime
from urllib.parse import unquote

import aiohttp
import uvloop

from gateway.admin.sign_in.sessions import Sessions, Whence
from gateway.admin.users import UserOrder, add_user
from gateway.web.built_files import FOLDER
from runtime.database.listen import Listener
from runtime.database.pool import open_pool
from runtime.lifecycle import answer_at_once
from tests.bench.distribution_rows import OfficeSize, fill_office
from tests.bench.journal_rows import BIG, JournalSize, fill_journal
from tests.bench.lookup import paced
from tests.bench.messenger_rows import MessengersSize, fill_messengers
from tests.bench.page_addresses import ADDRESSES, ONES
from tests.bench.page_load import PAGES_A_SECOND, STREAMS, Visitor, page_load
from tests.bench.page_rows import RoomsSize, fill_rooms
from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import fill, gateway, throwaway_database
from tests.e2e.stack import free_port

_PAGE_MS, _VISIT_KIB = 200, 150
_TIMES = 15
_ROUNDS = 3
_LOGIN = "bench"
_OFFICE = OfficeSize(people=500, templates=10, results=10_000, moved=3_000)
_MESSENGERS = MessengersSize(dialogues=2_000, messages=10)
_ROOMS = RoomsSize(people=_OFFICE.people, triggers=50, outgoing=10_000)


def bench_pages(calls: int, numbers: int, seconds: int) -> list[Figure]:
    """numbers: in the directory. seconds: of each even pace of lookups."""
    with throwaway_database() as dsn:
        fill(dsn, numbers)
        secret = uvloop.run(_prepared(dsn, calls))
        port = free_port()
        with gateway(port, dsn) as _:
            visitor = Visitor(url=f"http://127.0.0.1:{port}", secret=secret)
            figures, addresses = uvloop.run(_measured(visitor))
            return figures + _beside_lookups(visitor, addresses, numbers, seconds)


async def _prepared(dsn: str, calls: int) -> str:
    """Fill the journal, and return the secret of an administrator's session."""
    pool = await open_pool(dsn)
    try:
        size = JournalSize(calls=calls, effects=calls, cases=calls // 2, open_cases=200, days=30)
        await fill_journal(pool, size)
        await fill_office(pool, BIG, _OFFICE)
        await fill_rooms(pool, BIG, _ROOMS, datetime.now(UTC).date())
        await fill_messengers(pool, BIG, _MESSENGERS)
        async with pool.acquire() as conn:
            await add_user(conn, UserOrder(login=_LOGIN, role="admin"))
        sessions = Sessions(pool, Listener(dsn))
        begun = await sessions.begin(_LOGIN, Whence("127.0.0.1", "bench"), datetime.now(UTC), stage="full")
        return begun.secret
    finally:
        await pool.close()


async def _measured(visitor: Visitor) -> tuple[list[Figure], list[str]]:
    """With the addresses of all pages."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=visitor.headers) as session:
        await _until_they_open(session, visitor)
        addresses = await _addresses(session, visitor)
        figures = [await _page(session, visitor, address) for address in addresses]
        return [*figures, await _first_visit(session, visitor)], addresses


async def _until_they_open(session: aiohttp.ClientSession, visitor: Visitor) -> None:
    for _ in range(600):
        async with session.get(visitor.path("/calls"), allow_redirects=False) as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the pages did not open: {response.status} {response.headers.get('Location')}")


async def _addresses(session: aiohttp.ClientSession, visitor: Visitor) -> list[str]:
    """With the page of one call, and of one missed call."""
    found = []
    for listed, name, pattern in ONES:
        async with session.get(visitor.path(listed)) as response:
            one = re.search(f'href="({pattern})', await response.text())
        if one is None:
            raise RuntimeError(f"no {name} on {listed}")
        found.append(one[1])
    return [*ADDRESSES, *found]


async def _page(session: aiohttp.ClientSession, visitor: Visitor, address: str) -> Figure:
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        async with session.get(visitor.path(address)) as response:
            size = len(gzip.compress(await response.read()))
            if response.status != 200:
                raise RuntimeError(f"{address}: {response.status}")
        taken.append((time.perf_counter() - began) * 1000)
    name = next((name for _, name, pattern in ONES if re.fullmatch(pattern, address)), unquote(address))
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


def _beside_lookups(visitor: Visitor, addresses: list[str], numbers: int, seconds: int) -> list[Figure]:
    """Without pages, beside them and beside open streams in turn, several times, by one and the same client: medians count.
    A PBX stands elsewhere, so this client does not wait for the processor behind the pages, and who asks for pages is not it."""
    answer_at_once()

    def lookups() -> tuple[float, float, float]:
        return uvloop.run(paced(visitor.url, numbers, max(1, seconds // _ROUNDS), lambda: 0))

    rounds = []
    rates = []
    for _ in range(_ROUNDS):
        alone = lookups()
        with page_load("flood", visitor, addresses) as shown:
            busy = lookups()
        rates.append(shown.per_second)
        with page_load("streams", visitor, addresses):
            watched = lookups()
        rounds.append((*alone[:2], *busy[:2], watched[1], busy[1] / alone[1], watched[1] / alone[1]))
    p50, p99, busy_p50, busy_p99, watched_p99, beside_pages, beside_streams = (
        statistics.median(column) for column in zip(*rounds, strict=True)
    )
    note = f"{statistics.median(rates):.0f} pages/s shown"
    return [
        plain("lookup p50 at 100/s, no pages", p50, "ms"),
        plain("lookup p99 at 100/s, no pages", p99, "ms"),
        plain(f"lookup p50, {PAGES_A_SECOND} pages/s asked for", busy_p50, "ms", note),
        at_most(f"lookup p99, {PAGES_A_SECOND} pages/s asked for", busy_p99, 5, "ms", note),
        at_most(
            "p99 with pages / without",
            beside_pages,
            2,
            "×",
            f"client, load and database share its {os.cpu_count()} cores",
        ),
        at_most(f"lookup p99, {STREAMS} streams open", watched_p99, 5, "ms"),
        at_most("p99 with streams / without", beside_streams, 1.5, "×"),
    ]
