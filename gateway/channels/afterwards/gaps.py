"""Times in which nobody listened: noted by who listens again, and filled from the messenger's history where it keeps one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import structlog

from gateway.channels.intake import take_channel_news
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.channels.gaps import (
    ChannelGap,
    advance_gap,
    next_gap,
    note_listening,
    put_off_gap,
    unheard_channels,
)
from routing.dialogues.gaps import gap_since
from runtime.backoff import grown_pause
from runtime.database.pool import Conn
from runtime.loops import Loop
from sms.channels.errors import NotOffered
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.port import OpenChannel
from sms.channels.reasons import ChannelState
from sms.errors import SmsError

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 60.0
_HEARD = frozenset({ChannelState.ACTIVE, ChannelState.WAITING})
"""In the others it is not certain that what clients write comes to us. One that waits gives it later."""
_MARGIN = timedelta(minutes=5)
"""Clocks differ; what is told again is stored once."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 15.0, 3600.0
_TRIED_FOR = timedelta(days=3)


class ChannelListening:
    """Of the door: as long as it stands, channels that tell by themselves are listened to. One for the process."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._pool, self._now = pool, now
        self.loop = Loop("channels-listening", self.turn, _EVERY_SECONDS)

    async def turn(self) -> None:
        now = self._now()
        async with self._pool.acquire() as conn:
            unheard = set(await unheard_channels(conn, now - timedelta(seconds=_EVERY_SECONDS / 2)))
            for saved in await saved_channels(conn) if unheard else ():
                kind = CHANNEL_KINDS.get(saved.channel.kind)
                if kind is None or saved.id not in unheard or kind.is_polled(saved.channel):
                    continue
                if saved.state in _HEARD:
                    await heard(conn, saved, now)


async def heard(conn: Conn, saved: SavedChannel, now: datetime) -> None:
    """Note that what clients write comes to us now, and the time in which it did not."""
    can = CHANNEL_KINDS[saved.channel.kind].capabilities
    judge = partial(gap_since, now=now, has_history=can.has_history, keeps=can.keeps)
    async with conn.transaction():
        gap = await note_listening(conn, saved.id, now, judge)
    if gap is not None:
        since, until = gap.from_at.isoformat(), gap.to_at.isoformat()
        log.warning("channel-gap", channel=saved.name, since=since, until=until, state=gap.state)


class GapRepair:
    """Of one channel, in one process of the installation at a time."""

    def __init__(
        self, pool: asyncpg.Pool, saved: SavedChannel, channel: OpenChannel, now: Callable[[], datetime]
    ) -> None:
        self._pool, self._saved, self._channel, self._now = pool, saved, channel, now

    async def turn(self, siblings: Iterable[SavedChannel]) -> bool:
        """Store one page of what was missed. Whether there was one to ask for."""
        async with self._pool.acquire() as conn:
            gap = await next_gap(conn, self._saved.id, self._now())
        if gap is None:
            return False
        try:
            news = await self._channel.history(gap.from_at - _MARGIN, gap.cursor)
        except SmsError as err:
            await self._failed(gap, err)
            return True
        is_over = news.cursor is None or news.cursor == gap.cursor
        async with self._pool.acquire() as conn, conn.transaction():
            told = replace(news, cursor=None)  # the history's is none of the polls
            found = await take_channel_news(conn, self._saved, siblings, told, self._now())
            await advance_gap(conn, gap, None if is_over else news.cursor, found)
        return True

    async def _failed(self, gap: ChannelGap, err: SmsError) -> None:
        now = self._now()
        is_hopeless = isinstance(err, NotOffered) or now - gap.created_at > _TRIED_FOR
        pause = grown_pause(gap.failures + 1, _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        log.warning("channel-history-not-read", channel=self._saved.name, error=err.code)
        async with self._pool.acquire() as conn:
            await put_off_gap(conn, gap, None if is_hopeless else now + timedelta(seconds=pause))
