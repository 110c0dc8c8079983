"""Brings the schema up to date. Any number of processes may call it at once; each file is applied exactly once."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from importlib import resources

import asyncpg

from gateway.db.fitness import DatabaseUnfit, unfit_to_migrate
from runtime.database import locks
from runtime.database.pool import CONNECT_SECONDS, Conn

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_OUTSIDE = "-- outside a transaction"
"""Begins a file whose statements are applied one by one, each so that it may be repeated."""
_INDEX = re.compile(r"^CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)")
_TABLE = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")
_LOOK_AGAIN_SECONDS = 0.2


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of the program. Run that version, or restore a backup."""

    code = "schema-too-new"


class SchemaChanged(Exception):
    """A migration that was applied here reads differently now. Migrations are never edited once released."""

    code = "schema-changed"


def known_migrations() -> list[tuple[int, str, str]]:
    """Return (number, name, SQL) in order."""
    found = []
    for entry in resources.files("gateway.db").joinpath("migrations").iterdir():
        if match := _NAME.match(entry.name):
            found.append((int(match[1]), entry.name, entry.read_text(encoding="utf-8")))
    return sorted(found)


def _to_nobody(_name: str) -> None:
    pass


async def migrate(dsn: str, say: Callable[[str], None] = _to_nobody) -> list[str]:
    """Names of the migrations applied now, in order; empty when the schema was up to date. Raises DatabaseUnfit.

    say: told the name of each before it is applied: of a large table that takes its time."""
    conn = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        # Whoever waits inside a statement has a snapshot, and indexes are built only when older ones are gone.
        while not await locks.try_take_for_session(conn, locks.MIGRATIONS):  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return await _apply_missing(conn, say)
    finally:
        await conn.close()  # ends the session and with it the lock


async def missing_migrations(conn: Conn) -> list[str]:
    """Names of the migrations that this database still lacks."""
    if await _is_bare(conn):
        return [name for _, name, _ in known_migrations()]
    applied = {r["number"] for r in await conn.fetch("SELECT number FROM schema_migration")}
    return [name for number, name, _ in known_migrations() if number not in applied]


async def _is_bare(conn: Conn) -> bool:
    """Whether nothing of ours is there yet."""
    return bool(await conn.fetchval("SELECT to_regclass('schema_migration') IS NULL"))


async def _refuse_foreign_tables(conn: Conn) -> None:
    """Raise DatabaseUnfit where tables stand that we would make, before any is made."""
    ours = {name for _, _, sql in known_migrations() for name in _TABLE.findall(_expanded(sql))}
    there = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY($1)"
    if foreign := await conn.fetch(f"{there} ORDER BY 1", ours):
        raise DatabaseUnfit("foreign-tables", "", ", ".join(row["relname"] for row in foreign))


async def _apply_missing(conn: Conn, say: Callable[[str], None]) -> list[str]:
    if await missing_migrations(conn) and (unfit := await unfit_to_migrate(conn)):
        raise unfit
    if await _is_bare(conn):
        await _refuse_foreign_tables(conn)
        await conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (number integer PRIMARY KEY, name text NOT NULL,"
            " digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    applied = {r["number"]: r for r in await conn.fetch("SELECT number, name, digest FROM schema_migration")}
    migrations = known_migrations()
    if applied and max(applied) > migrations[-1][0]:
        raise SchemaTooNew(
            f"the database is at {max(applied):04d}, this program knows {migrations[-1][0]:04d}"
        )
    done = []
    for number, name, sql in migrations:
        digest = hashlib.sha256(sql.encode()).hexdigest()
        if number in applied:
            if applied[number]["digest"] != digest:
                raise SchemaChanged(f"{name} was applied with other content")
            continue
        say(name)
        if sql.startswith(_OUTSIDE):
            await _apply_outside(conn, sql)
        async with conn.transaction():
            if not sql.startswith(_OUTSIDE):
                await conn.execute(_expanded(sql))
            await conn.execute(
                "INSERT INTO schema_migration (number, name, digest) VALUES ($1, $2, $3)",
                number,
                name,
                digest,
            )
        done.append(name)
    return done


async def _apply_outside(conn: Conn, sql: str) -> None:
    """Apply statement by statement. An index whose building was broken off is built anew."""
    for statement in filter(None, (part.strip() for part in _COMMENT.sub("", sql).split(";"))):
        if index := _INDEX.match(statement):
            is_broken = await conn.fetchval(
                "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", index[1]
            )
            if is_broken:
                await conn.execute(f"DROP INDEX CONCURRENTLY {index[1]}")
        await conn.execute(statement)


def _expanded(sql: str) -> str:
    """Expand includes: a line `-- include: procrastinate` stands for the job library's own schema."""
    if "-- include: procrastinate" not in sql:
        return sql
    from procrastinate.schema import SchemaManager

    return sql.replace("-- include: procrastinate", SchemaManager.get_schema())
