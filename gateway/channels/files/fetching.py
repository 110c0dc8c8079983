"""Files that clients send are brought here, within limits: what cannot be brought has its reason, and holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg
import structlog

from gateway.store.channels.files import WantedFile, claim_files, keep_file, refuse_file
from runtime.backoff import grown_pause
from runtime.vendors.named_addresses import NamedAddresses, NotFetched, NotFetchedWhy
from sms.channels.errors import ChannelTrouble, FileUnavailable, NotOffered
from sms.channels.media import is_other_than_told, media_type_of
from sms.channels.model import FileTold, PartKind
from sms.channels.port import FetchedFile, OpenChannel
from sms.channels.reasons import FileReason
from sms.errors import SmsError

log = structlog.get_logger(__name__)

LARGEST_FILE = 20 * 1024 * 1024
_SECONDS = 120.0
_AT_ONCE = 2
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 15.0, 3600.0
_TRIED_FOR = timedelta(hours=24)
_OF_ADDRESS = {
    NotFetchedWhy.FORBIDDEN: FileReason.FORBIDDEN_PLACE,
    NotFetchedWhy.GONE: FileReason.GONE,
    NotFetchedWhy.REFUSED: FileReason.EXPIRED,
    NotFetchedWhy.TOO_LARGE: FileReason.TOO_LARGE,
    NotFetchedWhy.SILENT: FileReason.NOT_REACHED,
    NotFetchedWhy.TROUBLE: FileReason.VENDOR_TROUBLE,
}
_PASSING = frozenset({FileReason.NOT_REACHED, FileReason.VENDOR_TROUBLE})


class FileFetcher:
    """Of one channel, in one process of the installation at a time. web: for files that lie at addresses of the web."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        channel_id: str,
        channel: OpenChannel,
        web: NamedAddresses,
        now: Callable[[], datetime],
        *,
        most_bytes: int = LARGEST_FILE,
        seconds: float = _SECONDS,
    ) -> None:
        self._pool, self._channel_id, self._channel, self._web = pool, channel_id, channel, web
        self._now, self._most_bytes, self._seconds = now, most_bytes, seconds

    async def turn(self) -> int:
        """Bring what waits. How many were tried."""
        async with self._pool.acquire() as conn:
            wanted = await claim_files(conn, self._channel_id, self._now(), _AT_ONCE)
        await asyncio.gather(*map(self._one, wanted))
        return len(wanted)

    async def _one(self, wanted: WantedFile) -> None:
        try:
            found = await self._fetched(wanted.told)
            _judge(found.content, PartKind(wanted.part_kind))
        except FileUnavailable as err:
            await self._not_here(wanted, err)
            return
        except Exception as err:  # a mistake of ours or of the vendor's folder holds up no other file
            log.exception("chat-file-not-fetched", account=wanted.account_id, file=wanted.file_id)
            await self._not_here(wanted, FileUnavailable(FileReason.VENDOR_TROUBLE, type(err).__name__))
            return
        async with self._pool.acquire() as conn:
            await keep_file(conn, wanted, found.content, media_type_of(found.content), found.name)

    async def _fetched(self, told: FileTold) -> FetchedFile:
        """Raise FileUnavailable."""
        if not (told.id or told.url):
            raise FileUnavailable(FileReason.NOT_OFFERED, "neither an id nor an address was told")
        if told.size is not None and told.size > self._most_bytes:
            raise FileUnavailable(FileReason.TOO_LARGE, f"{told.size} bytes")
        if told.url and told.expires_at is not None and told.expires_at <= self._now():
            raise FileUnavailable(FileReason.EXPIRED, "its link is over")
        try:
            if told.url:
                there = await self._web.fetch(told.url, most_bytes=self._most_bytes, seconds=self._seconds)
                return FetchedFile(content=there.content, media_type=there.media_type)
            async with asyncio.timeout(self._seconds):
                return await self._channel.fetch(told, self._most_bytes)
        except NotFetched as err:
            raise FileUnavailable(_OF_ADDRESS[err.why], str(err)) from err
        except NotOffered as err:
            raise FileUnavailable(FileReason.NOT_OFFERED, str(err)) from err
        except (ChannelTrouble, TimeoutError) as err:
            raise FileUnavailable(FileReason.NOT_REACHED, type(err).__name__) from err
        except FileUnavailable:
            raise
        except SmsError as err:
            raise FileUnavailable(FileReason.VENDOR_TROUBLE, err.code) from err

    async def _not_here(self, wanted: WantedFile, err: FileUnavailable) -> None:
        now = self._now()
        pause = grown_pause(wanted.tries, _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        is_tried_again = err.reason in _PASSING and now - wanted.created_at < _TRIED_FOR
        again_at = now + timedelta(seconds=pause) if is_tried_again else None
        log.warning(
            "chat-file-not-fetched", account=wanted.account_id, file=wanted.file_id, reason=err.reason
        )
        async with self._pool.acquire() as conn:
            await refuse_file(conn, wanted, err.reason, again_at)


def _judge(content: bytes, kind: PartKind) -> None:
    """Raise FileUnavailable for what is no such file."""
    if not content:
        raise FileUnavailable(FileReason.EMPTY, "0 bytes")
    if is_other_than_told(content, kind):
        raise FileUnavailable(FileReason.OTHER_KIND, "a page of markup")
