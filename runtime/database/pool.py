"""The pool of connections to PostgreSQL."""

from __future__ import annotations

import os
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from runtime.addresses import is_local
from runtime.database.sealing import NO_KEYS, KeyRing

Conn = asyncpg.Connection | PoolConnectionProxy
"""A connection, of a pool or not: what functions with SQL take."""


SESSION_SETTINGS = {"jit": "off", "max_parallel_workers_per_gather": "0"}
"""Of every session. Ours are short queries in great number: PostgreSQL would compile some of them for 300 ms to save one,
and take a second processor from the lookups. Set once connected: a pooler refuses what it does not know in the DSN."""


class KeyedConnection(asyncpg.Connection):
    """A connection that carries the keys of its process's secrets (sealed_columns.py)."""

    __slots__ = ("keys",)
    keys: KeyRing


def as_json(value: object) -> str:
    """Return the text that the database takes for json; for arrays of rows, whose values no codec sees."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


async def set_codecs(conn: asyncpg.Connection) -> None:
    """jsonb and json go in and come out as Python values."""
    for name in ("jsonb", "json"):
        await conn.set_type_codec(name, encoder=as_json, decoder=orjson.loads, schema="pg_catalog")


def tls_of(dsn: str) -> bool | None:
    """Return what to pass to asyncpg as `ssl`: False where the database is plainly on this machine and the DSN does not
    ask for TLS, else None, asyncpg's own rule. It spends ten milliseconds of each new connection on preparing a TLS that
    is then not used, and lookups wait meanwhile."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    if query.keys() & {"sslmode", "ssl"} or "PGSSLMODE" in os.environ:
        return None
    hosts = (
        [parts.netloc.rpartition("@")[2]]
        if parts.hostname
        else query.get("host") or [os.environ.get("PGHOST", "")]
    )
    names = [urlsplit(f"//{host}").hostname or host for text in hosts for host in text.split(",")]
    return False if all(name == "" or name.startswith("/") or is_local(name) for name in names) else None


CONNECT_SECONDS = 10.0
"""The longest that a connection is waited for: a database that stands still takes it and says nothing."""


async def _prepare(conn: asyncpg.Connection) -> None:
    await conn.execute("; ".join(f"SET {name} = {value}" for name, value in SESSION_SETTINGS.items()))
    await set_codecs(conn)


async def _reset(_conn: asyncpg.Connection) -> None:
    """Nothing: asyncpg ends an open transaction by itself, and nothing of ours outlives one. Its own reset costs a round
    trip at each release. Who takes a lock of a session (crm/amocrm/store.py) lets go of it or ends the session."""


async def open_pool(
    dsn: str, *, max_size: int = 10, name: str = "callmatrix", keys: KeyRing = NO_KEYS
) -> asyncpg.Pool:
    """Open a pool. keys: of the secrets in the database. Raises OSError or asyncpg.PostgresError when the database cannot be reached."""

    async def prepare(conn: asyncpg.Connection) -> None:
        assert isinstance(conn, KeyedConnection)
        conn.keys = keys
        await _prepare(conn)

    return await asyncpg.create_pool(
        dsn,
        connection_class=KeyedConnection,
        ssl=tls_of(dsn),
        min_size=1,
        max_size=max_size,
        init=prepare,
        reset=_reset,
        timeout=CONNECT_SECONDS,
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC"},
    )


async def database_now(conn: Conn) -> datetime:
    """Return the time by the database's clock, the same throughout a transaction."""
    now: datetime = await conn.fetchval("SELECT now()")
    return now
