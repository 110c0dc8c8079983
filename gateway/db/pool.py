"""The pool of connections to PostgreSQL."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

Conn = asyncpg.Connection | PoolConnectionProxy
"""A connection, of a pool or not: what functions with SQL take."""


def _encode(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


async def set_codecs(conn: asyncpg.Connection) -> None:
    """jsonb and json go in and come out as Python values."""
    for name in ("jsonb", "json"):
        await conn.set_type_codec(name, encoder=_encode, decoder=orjson.loads, schema="pg_catalog")


def tls_of(dsn: str) -> bool | None:
    """What to pass to asyncpg as `ssl`: no TLS to a database on this machine unless the DSN asks for it, since its driver
    spends ten milliseconds on each new connection to prepare what is then not used, and lookups wait meanwhile."""
    parts = urlsplit(dsn)
    asks = "sslmode" in parse_qs(parts.query) or "PGSSLMODE" in os.environ
    return False if not asks and parts.hostname in (None, "localhost", "127.0.0.1", "::1") else None


async def open_pool(dsn: str, *, max_size: int = 10, name: str = "callmatrix") -> asyncpg.Pool:
    """Raises OSError or asyncpg.PostgresError when the database cannot be reached."""
    return await asyncpg.create_pool(
        dsn,
        ssl=tls_of(dsn),
        min_size=1,
        max_size=max_size,
        init=set_codecs,
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC"},
    )
