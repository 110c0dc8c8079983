"""What goes out: calls claimed from a long queue, a long list brought, and questions to a million of everything."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import asyncpg
import uvloop

from gateway.admin.campaigns.lists import bring_list
from gateway.campaigns.list_import import import_work
from gateway.outbound.claim import claim
from gateway.outbound.facts import why_not_dialled
from gateway.store.outbound.figures import outbound_figures
from gateway.store.outbound.items import item_of
from gateway.store.outbound.listing import OutboundFilter, listed_items, queue_of
from gateway.store.sms.listing import SmsFilter, listed_sms
from gateway.store.triggers.listing import FiringFilter, listed_firings
from routing.staff import Employee
from runtime.database.pool import Conn, open_pool
from tests.bench.report import Figure, at_least, at_most
from tests.bench.servers import throwaway_database
from tests.integration.campaigns.scene import OWN, Scene
from tests.integration.outbound.calling_office import ACCOUNT, CallingOffice
from tests.workbooks import workbook

_PEOPLE = 600
_TIMES = 15
_MOST_MS = 50.0
_FILL_SECONDS = 1800.0
_ITEMS = """
INSERT INTO outbound_item (account_id, item_id, kind, source, client, target, connection, priority, not_before, created_at,
    expires_at, state, ended_at, "order")
SELECT $1, $2 || n, 'callback', 'api', '+79' || (160000000 + n), jsonb_build_object('kind', 'employee', 'employee_id',
    'e' || n % $4::int), 'main', n % 2, $5::timestamptz - n * interval '1 second', $5::timestamptz - n * interval '1 second',
    $5::timestamptz + interval '5 days', $6, CASE WHEN $6 <> 'waiting' THEN $5::timestamptz END,
    '{"action": {"do": "callback", "connection": "main"}}'
FROM generate_series(1, $3::int) n
"""
_ATTEMPTS = """
INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, state, side, reason, claimed_at,
    placed_at, over_at, look_at)
SELECT account_id, item_id, item_id, 'callback', client, 'main', 'over', 'client', 'busy', created_at, created_at,
    created_at, created_at FROM outbound_item WHERE state = 'failed'
"""
_MESSAGES = """
INSERT INTO sms_message (account_id, connection, number, text, encoding, parts, state, fresh_until, expires_at, created_at,
    claimed_at, ended_at)
SELECT $1, 'texts', '+79' || (160000000 + n), 'x', 'gsm7', 1, 'delivered', at, at, at, at, at
FROM (SELECT n, $3::timestamptz - n * interval '1 second' AS at FROM generate_series(1, $2::int) n) made
"""
_FIRINGS = """
INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause_key, cause, source, state, reason, happened_at,
    created_at, ended_at)
SELECT $1, 'f' || n, 't', 1, n::text, 'c', '{}', 'event', 'skipped', 'conditions', at, at, at
FROM (SELECT n, $3::timestamptz - n * interval '1 second' AS at FROM generate_series(1, $2::int) n) made
"""


def bench_outbound(queue: int, rows: int, history: int) -> list[Figure]:
    """On a server that syncs to disk. queue: items that wait. rows: of a list. history: of each kind that ended."""
    with throwaway_database(durable=True) as dsn:
        claims = uvloop.run(_with_pool(dsn, lambda pool: _claims_and_questions(pool, queue, history)))
    with throwaway_database(durable=True) as dsn:
        return [*claims, *uvloop.run(_with_pool(dsn, lambda pool: _lists(pool, rows)))]


async def _with_pool(dsn: str, measure: Callable[[asyncpg.Pool], Awaitable[list[Figure]]]) -> list[Figure]:
    pool = await open_pool(dsn, max_size=2)
    try:
        return await measure(pool)
    finally:
        await pool.close()


async def _claims_and_questions(pool: asyncpg.Pool, queue: int, history: int) -> list[Figure]:
    people = [Employee(id=f"e{n}", name=f"E {n}", extensions=(str(1000 + n),)) for n in range(_PEOPLE)]
    office = await CallingOffice(pool).open(*people)
    await pool.execute(_ITEMS, ACCOUNT, "w", queue, _PEOPLE, office.now, "waiting")
    await pool.execute("VACUUM ANALYZE")
    empty = await _claims_per_second(office)
    fill = partial(pool.execute, timeout=_FILL_SECONDS)
    await fill(_ITEMS, ACCOUNT, "old", history, _PEOPLE, office.now, "failed")
    await fill(_ATTEMPTS)
    await fill(_MESSAGES, ACCOUNT, history, office.now)
    await fill(_FIRINGS, ACCOUNT, history, office.now)
    await fill("VACUUM ANALYZE")
    full = await _claims_per_second(office)
    beside = f"{queue:,} wait; the median of 100 claims one after the other"
    return [
        at_least("outbound: calls claimed in a second", empty, 200, "/s", beside),
        at_least(f"outbound: the same beside {history:,} that ended", full, 200, "/s", beside),
        *[
            at_most(f"outbound: {name}, of {history:,}", await _median(pool, question), _MOST_MS, "ms")
            for name, question in _questions(office).items()
        ],
    ]


async def _claims_per_second(office: CallingOffice, count: int = 100) -> float:
    took, around = [], office.around
    async with office.pool.acquire() as conn:
        for _ in range(count):
            office.now += timedelta(seconds=1)
            began = time.perf_counter()
            claimed = await claim(conn, around, office.now)
            took.append(time.perf_counter() - began)
            if claimed.attempt is None:
                raise AssertionError("nothing was claimed")
    return 1 / statistics.median(took)


def _questions(office: CallingOffice) -> Mapping[str, Callable[[Conn], Awaitable[object]]]:
    async def why_not(conn: Conn) -> object:
        item = await item_of(conn, ACCOUNT, "w9000")
        assert item is not None
        return await why_not_dialled(conn, office.around, item, office.now)

    return {
        "why an item is not dialled": why_not,
        "the queue": lambda conn: queue_of(conn, ACCOUNT),
        "the newest items": lambda conn: listed_items(conn, ACCOUNT, OutboundFilter(), limit=100),
        "items that failed": lambda conn: listed_items(
            conn, ACCOUNT, OutboundFilter(state="failed"), limit=100
        ),
        "items that wait": lambda conn: listed_items(
            conn, ACCOUNT, OutboundFilter(state="waiting"), limit=100
        ),
        "items of one client": lambda conn: listed_items(
            conn, ACCOUNT, OutboundFilter(client="+79160000777"), limit=100
        ),
        "messages": lambda conn: listed_sms(conn, ACCOUNT, SmsFilter(), limit=100),
        "messages to one number": lambda conn: listed_sms(
            conn, ACCOUNT, SmsFilter(number="+79160000777"), limit=100
        ),
        "firings": lambda conn: listed_firings(conn, ACCOUNT, FiringFilter(), limit=100),
        "firings of one deal": lambda conn: listed_firings(
            conn, ACCOUNT, FiringFilter(deal_id="777"), limit=100
        ),
        "the figures of /metrics": outbound_figures,
    }


async def _median(pool: asyncpg.Pool, question: Callable[[Conn], Awaitable[object]]) -> float:
    """Milliseconds."""
    took = []
    async with pool.acquire() as conn:
        for _ in range(_TIMES):
            began = time.perf_counter()
            await question(conn)
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def _lists(pool: asyncpg.Pool, rows: int) -> list[Figure]:
    scene = Scene(pool)
    await scene.open()
    figures = []
    for kind, first in (("CSV", 160_000_000), ("XLSX", 170_000_000)):
        table = [
            ("phone", "name", "city"),
            *((f"+79{first + n}", f"Client {n}", "Omsk") for n in range(rows)),
        ]
        body = workbook(table) if kind == "XLSX" else "\n".join(map(";".join, table)).encode()
        seconds, told = await _bring(scene, body)
        note = f"progress was told {told} times"
        figures.append(at_most(f"outbound: a list of {rows:,} rows, {kind}", seconds, 60, "s", note))
    return figures


async def _bring(scene: Scene, body: bytes) -> tuple[float, int]:
    told = 0

    async def progress(done: int, total: int | None = None) -> None:
        nonlocal told
        told += 1

    began = time.perf_counter()
    async with scene.pool.acquire() as conn:
        asked = await bring_list(conn, "office", "spring", "list", body, {}, by="bench")
    work = await scene.pool.fetchval("SELECT asked FROM long_work WHERE work_id = $1", asked.work_id)
    report = await import_work(scene.pool, lambda _: OWN, "office", work, progress)
    if report["faults"]:
        raise AssertionError(report)
    return time.perf_counter() - began, told
