"""A pool that has the database tell of each statement how it finds its rows, and how many pages it reads for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

_PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Plan:
    """pages: read, in memory or not. scanned: tables that were read from end to end."""

    sql: str
    pages: int
    scanned: frozenset[str]


@dataclass
class WatchedPlans:
    """Statements are carried out for the plan, undone, and then carried out as they were meant."""

    pool: asyncpg.Pool
    seen: list[Plan] = field(default_factory=list)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[_WatchedConnection]:
        async with self.pool.acquire() as conn:
            yield _WatchedConnection(conn, self)

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        async with self.acquire() as conn:
            return list(await conn.fetch(sql, *args))

    def take(self) -> list[Plan]:
        taken, self.seen = self.seen, []
        return taken


class _WatchedConnection:
    def __init__(self, conn: Any, plans: WatchedPlans) -> None:
        self._conn, self._plans = conn, plans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    async def fetch(self, sql: str, *args: Any, **named: Any) -> Any:
        await self._look(sql, args)
        return await self._conn.fetch(sql, *args, **named)

    async def fetchrow(self, sql: str, *args: Any, **named: Any) -> Any:
        await self._look(sql, args)
        return await self._conn.fetchrow(sql, *args, **named)

    async def fetchval(self, sql: str, *args: Any, **named: Any) -> Any:
        await self._look(sql, args)
        return await self._conn.fetchval(sql, *args, **named)

    async def execute(self, sql: str, *args: Any, **named: Any) -> Any:
        await self._look(sql, args)
        return await self._conn.execute(sql, *args, **named)

    async def _look(self, sql: str, args: tuple[Any, ...]) -> None:
        if not sql.lstrip().startswith(_PLANNED):
            return
        undone = self._conn.transaction()
        await undone.start()
        try:
            told = await self._conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *args)
        finally:
            await undone.rollback()
        top = told[0]["Plan"]
        scanned = frozenset(
            n["Relation Name"] for n in _nodes(top) if n["Node Type"] == "Seq Scan" and n["Actual Loops"]
        )
        self._plans.seen.append(Plan(sql, top["Shared Hit Blocks"] + top["Shared Read Blocks"], scanned))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
