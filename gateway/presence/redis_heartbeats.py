"""Heartbeats in Redis: one hash an account, one field a page, gone by itself when nobody beats any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.presence.heartbeats import MOST_PAGES, Beats, BeatsLost
from routing.attendance.pages import FORGOTTEN, PageBeat, later

_SECONDS = 2.0
_SEPARATOR = "\x1f"


class RedisHeartbeats:
    """url: as CALLMATRIX_REDIS_URL. A lost or emptied Redis loses at most what it held: nobody is judged by it then."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, decode_responses=True
        )

    async def beat(self, account_id: str, employee_id: str, beat: PageBeat) -> None:
        key, field = _key(account_id), f"{employee_id}{_SEPARATOR}{beat.page}"
        async with _lost_on_failure():
            known = _beat(beat.page, await self._redis.hget(key, field))
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(key, field, _text(later(known, beat)))
                pipe.expire(key, FORGOTTEN)
                await pipe.execute()

    async def write(self) -> None:
        pass

    async def beats_of(self, account_id: str) -> Beats:
        async with _lost_on_failure():
            kept = await self._redis.hgetall(_key(account_id))
        found: dict[str, list[PageBeat]] = {}
        old: list[str] = []
        now = datetime.now(UTC)
        for field, text in kept.items():
            employee_id, _, page = str(field).partition(_SEPARATOR)
            beat = _beat(page, text)
            if beat is None or now - beat.seen_at >= FORGOTTEN:
                old.append(str(field))
            else:
                found.setdefault(employee_id, []).append(beat)
        if old:
            async with _lost_on_failure():
                await self._redis.hdel(_key(account_id), *old)
        return {
            employee: sorted(beats, key=lambda beat: beat.seen_at, reverse=True)[:MOST_PAGES]
            for employee, beats in found.items()
        }

    async def close(self) -> None:
        await self._redis.aclose()


def _key(account_id: str) -> str:
    return f"callmatrix:presence:{account_id}"


def _text(beat: PageBeat) -> str:
    said = [beat.seen_at, beat.input_at, beat.is_closed]
    return orjson.dumps(said).decode()


def _beat(page: str, text: bytes | str | None) -> PageBeat | None:
    """Return None of what is not ours."""
    try:
        seen_at, input_at, is_closed = orjson.loads(text or "")
        return PageBeat(
            page,
            datetime.fromisoformat(seen_at),
            datetime.fromisoformat(input_at) if input_at else None,
            bool(is_closed),
        )
    except (ValueError, TypeError):
        return None


@asynccontextmanager
async def _lost_on_failure() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(2 * _SECONDS):
            yield
    except (RedisError, OSError, TimeoutError) as err:
        raise BeatsLost(f"Redis: {err or type(err).__name__}") from err
