"""The pool of connections to PostgreSQL."""

from __future__ import annotations

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


async def open_pool(dsn: str, *, max_size: int = 10, name: str = "callmatrix") -> asyncpg.Pool:
    """Raises OSError or asyncpg.PostgresError when the database cannot be reached."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        init=set_codecs,
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC"},
    )
