"""`/channels/{channel}/{secret}`: what messengers tell by themselves. It is committed before they are thanked.

However slow the database is, each hears yes or no within the time that it grants: who hears nothing gives up, and one who does so
again and again is told that our address is broken.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Coroutine, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import structlog
from aiohttp import web

from gateway.channels.intake import keep_unreadable, take_channel_news
from gateway.http.body import BodyLimit, read_body
from gateway.http.connection import vouch
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.store.channels.channels import SavedChannel, saved_channels
from runtime.database.errors import DATABASE_ERRORS
from runtime.metrics import Sample
from runtime.trouble import Trouble
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import ChannelAnswer, ChannelNews
from sms.channels.port import ChannelKind
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound
from sms.providers.reading import flat, form_of

log = structlog.get_logger(__name__)

CHANNEL_BODY = BodyLimit(1024 * 1024, 10.0)
_MOST = timedelta(seconds=10)
_FASTER = 0.7
"""Of the time that a messenger grants, so much is left to the database."""
_WHO_SECONDS = 0.5
_NEW_SECONDS = 1.0
"""So long it is waited for whether a channel has changed, and what one is that was never seen."""
_KNOWN_SECONDS = 2.0
"""So late a change of a channel reaches the door: whoever guesses secrets asks the database for nothing."""
_ASK_AGAIN_SECONDS = 0.2
"""For one that is not known: some messengers try an address while it is given to them, a moment after the channel was made."""


T = TypeVar("T")


class ChannelDoor:
    """One for the process."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        strangers: Strangers,
        *,
        known_seconds: float = _KNOWN_SECONDS,
        kinds: Mapping[str, ChannelKind] = CHANNEL_KINDS,
    ) -> None:
        self._pool, self._strangers, self._known_seconds = pool, strangers, known_seconds
        self._kinds = kinds
        self._late: set[asyncio.Task[Any]] = set()
        self._known: dict[str, SavedChannel] = {}
        self._known_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._trouble = Trouble("channel-intake")
        self.taken = 0
        self.refused = 0
        self.unread = 0

    async def handle(self, request: web.Request) -> web.Response:
        began = time.monotonic()
        try:
            saved = await self._who(request)
        except (TimeoutError, *DATABASE_ERRORS) as err:
            self._trouble.failed(err)
            return _not_taken()
        if saved is None:
            return self._stranger(request)
        vouch(request)
        spent = timedelta(seconds=time.monotonic() - began)
        body = await read_body(request, CHANNEL_BODY)
        kind = self._kinds[saved.channel.kind]
        inbound = _inbound(request, body)
        if answer := kind.handshake(inbound, saved.channel):
            return _answered(answer)
        if kind.is_genuine(inbound, saved.channel) is False:
            return self._stranger(request)
        try:
            news: ChannelNews | SmsWireInvalid = kind.read(inbound, saved.channel)
        except SmsWireInvalid as err:
            news = err
        if not await self._took(saved, news, inbound, spent):
            return _not_taken()
        answer = news.answer if isinstance(news, ChannelNews) else None
        return _answered(answer or ChannelAnswer())

    async def _took(
        self, saved: SavedChannel, news: ChannelNews | SmsWireInvalid, inbound: SmsInbound, spent: timedelta
    ) -> bool:
        """spent: of the time, on finding out which channel it is."""
        granted = self._kinds[saved.channel.kind].capabilities.answer_within * _FASTER
        try:
            within = (min(granted, _MOST) - spent).total_seconds()
            await self._in_time(self._store(saved, news, inbound), within)
        except (TimeoutError, *DATABASE_ERRORS) as err:
            self._trouble.failed(err, channel=saved.name)
            return False
        self._trouble.recovered()
        self._count(saved, news)
        return True

    async def _store(
        self, saved: SavedChannel, news: ChannelNews | SmsWireInvalid, inbound: SmsInbound
    ) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if isinstance(news, SmsWireInvalid):
                await keep_unreadable(conn, saved, inbound.body, str(news), inbound.received_at)
            else:
                await take_channel_news(conn, saved, self._known.values(), news, inbound.received_at)

    async def _in_time(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Raise TimeoutError after this time, though it takes longer to end what is broken off: a database that is silent does not
        even hear of that."""
        task = asyncio.create_task(work)
        if (await asyncio.wait({task}, timeout=seconds))[0]:
            return task.result()
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        task.add_done_callback(_looked_at)
        task.cancel()
        raise TimeoutError

    def _count(self, saved: SavedChannel, news: ChannelNews | SmsWireInvalid) -> None:
        if isinstance(news, SmsWireInvalid):
            self.unread += 1
            log.warning("channel-body-unread", channel=saved.name, field=news.field)
        else:
            self.taken += len(news.updates)

    async def _who(self, request: web.Request) -> SavedChannel | None:
        """Return the channel whose secret stands in the address."""
        id = request.match_info["channel"]
        saved = await self._channel(id)
        if saved is None or not saved.secret or saved.channel.kind not in self._kinds:
            return None
        secret = request.match_info["secret"].encode("utf-8", "surrogateescape")
        return saved if hmac.compare_digest(secret, saved.secret.encode()) else None

    async def _channel(self, id: str) -> SavedChannel | None:
        """Return it as it is now, or as it was last known while the database takes its time."""
        for as_old_as in (self._known_seconds, _ASK_AGAIN_SECONDS):
            known = self._known.get(id)
            try:
                found = (await self._channels(as_old_as, _WHO_SECONDS if known else _NEW_SECONDS)).get(id)
            except (TimeoutError, *DATABASE_ERRORS):
                if known is None:
                    raise
                return known
            if found is not None:
                return found
        return None

    async def _channels(self, as_old_as: float, seconds: float) -> Mapping[str, SavedChannel]:
        """as_old_as, seconds: so old what is known may be, and so long it is waited for. What is read goes on, for whoever asks next."""
        if self._reading is None and time.monotonic() - self._known_at < as_old_as:
            return self._known
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._has_read)
        reading = self._reading
        if not (await asyncio.wait({reading}, timeout=seconds))[0]:
            raise TimeoutError
        reading.result()
        return self._known

    async def _read(self) -> None:
        began = time.monotonic()
        async with self._pool.acquire() as conn:
            self._known = {saved.id: saved for saved in await saved_channels(conn)}
        self._known_at = began

    def _has_read(self, reading: asyncio.Task[None]) -> None:
        self._reading = None
        _looked_at(reading)

    def _stranger(self, request: web.Request) -> web.Response:
        """404 for a wrong secret or signature as for an unknown channel: nobody learns which there are."""
        self.refused += 1
        absent = problem(404, "no-such-webhook", "There is no webhook at this address.")
        return self._strangers.of("channels", request, absent)

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "channel_updates_taken", "Updates of messengers taken", {}, self.taken
        yield (
            "counter",
            "channel_bodies_unread",
            "Bodies of messengers that could not be read",
            {},
            self.unread,
        )
        yield "counter", "channel_requests_refused", "Requests to messengers' door refused", {}, self.refused


def _inbound(request: web.Request, body: bytes) -> SmsInbound:
    return SmsInbound(
        method=request.method,
        path="",
        query=flat(form_of(request.raw_path.partition("?")[2].encode("utf-8", "surrogateescape"))),
        headers=dict(request.headers),
        body=body,
        received_at=datetime.now(UTC),
    )


def _answered(answer: ChannelAnswer) -> web.Response:
    headers = {"Content-Type": answer.content_type, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=answer.body, status=answer.status, headers=headers)


def _not_taken() -> web.Response:
    response = problem(
        503,
        "inbox-unavailable",
        "The update could not be stored.",
        detail="Nothing was accepted. Send it again.",
    )
    response.headers["Retry-After"] = "1"
    return response


def _looked_at(task: asyncio.Task[Any]) -> None:
    """Take its error, or it would be told as one that nobody looked at."""
    if not task.cancelled():
        task.exception()
