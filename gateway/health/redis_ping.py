"""Asks a Redis server whether it is there, in its own protocol: one question needs no client library."""

from __future__ import annotations

import asyncio
import ssl
import time
from urllib.parse import unquote, urlsplit

_SECONDS = 3.0


class RedisUnreachable(Exception):
    """The server does not answer, or refuses us."""

    code = "redis-unreachable"


async def ping(url: str) -> float:
    """Seconds until PONG. url: redis[s]://[user[:password]@]host[:port][/db]. Raises RedisUnreachable; never tells the password."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise RedisUnreachable("the address is not of the form redis://host:6379/0")
    where = f"{parts.hostname}:{parts.port or 6379}"
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(
                parts.hostname,
                parts.port or 6379,
                ssl=ssl.create_default_context() if parts.scheme == "rediss" else None,
            )
            try:
                await _talk(reader, writer, unquote(parts.username or ""), unquote(parts.password or ""))
            finally:
                writer.close()
    except TimeoutError as err:
        raise RedisUnreachable(f"{where} does not answer in {_SECONDS:.0f} s") from err
    except (OSError, asyncio.IncompleteReadError, ValueError) as err:
        raise RedisUnreachable(f"{where}: {err or type(err).__name__}") from err
    return time.perf_counter() - began


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: str, password: str) -> None:
    if password:
        await _ask(reader, writer, "AUTH", *([user] if user else []), password)
    said = await _ask(reader, writer, "PING")
    if said != "+PONG":
        raise RedisUnreachable(f"it is no Redis: it answered {said[:40]!r}")


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> str:
    encoded = [word.encode() for word in words]
    writer.write(
        b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
    )
    await writer.drain()
    said = (await reader.readline()).decode(errors="replace").strip()
    if said.startswith("-") or not said:
        raise RedisUnreachable(f"it refuses us: {said[1:81] or 'the connection was closed'}")
    return said
