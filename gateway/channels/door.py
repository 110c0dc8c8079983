"""`/channels/{channel}/{secret}`: what messengers tell by themselves. It is committed before they are thanked."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

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
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound
from sms.providers.reading import flat, form_of

log = structlog.get_logger(__name__)

CHANNEL_BODY = BodyLimit(1024 * 1024, 10.0)
_SECONDS = 5.0
_KNOWN_SECONDS = 2.0
"""So late a change of a channel reaches the door: whoever guesses secrets asks the database for nothing."""
_ASK_AGAIN_SECONDS = 0.2
"""For one that is not known: some messengers try an address while it is given to them, a moment after the channel was made."""


class ChannelDoor:
    """One for the process."""

    def __init__(
        self, pool: asyncpg.Pool, strangers: Strangers, *, known_seconds: float = _KNOWN_SECONDS
    ) -> None:
        self._pool, self._strangers, self._known_seconds = pool, strangers, known_seconds
        self._known: dict[str, SavedChannel] = {}
        self._known_at = float("-inf")
        self._reading = asyncio.Lock()
        self._trouble = Trouble("channel-intake")
        self.taken = 0
        self.refused = 0
        self.unread = 0

    async def handle(self, request: web.Request) -> web.Response:
        saved = await self._who(request)
        if saved is None:
            return self._stranger(request)
        vouch(request)
        body = await read_body(request, CHANNEL_BODY)
        kind = CHANNEL_KINDS[saved.channel.kind]
        inbound = _inbound(request, body)
        if answer := kind.handshake(inbound, saved.channel):
            return _answered(answer)
        if kind.is_genuine(inbound, saved.channel) is False:
            return self._stranger(request)
        try:
            news: ChannelNews | SmsWireInvalid = kind.read(inbound, saved.channel)
        except SmsWireInvalid as err:
            news = err
        if not await self._took(saved, news, inbound):
            return _not_taken()
        answer = news.answer if isinstance(news, ChannelNews) else None
        return _answered(answer or ChannelAnswer())

    async def _took(
        self, saved: SavedChannel, news: ChannelNews | SmsWireInvalid, inbound: SmsInbound
    ) -> bool:
        try:
            async with asyncio.timeout(_SECONDS), self._pool.acquire() as conn, conn.transaction():
                if isinstance(news, SmsWireInvalid):
                    await keep_unreadable(conn, saved, inbound.body, str(news), inbound.received_at)
                else:
                    await take_channel_news(conn, saved, self._known.values(), news, inbound.received_at)
        except (TimeoutError, *DATABASE_ERRORS) as err:
            self._trouble.failed(err, channel=saved.name)
            return False
        self._trouble.recovered()
        self._count(saved, news)
        return True

    def _count(self, saved: SavedChannel, news: ChannelNews | SmsWireInvalid) -> None:
        if isinstance(news, SmsWireInvalid):
            self.unread += 1
            log.warning("channel-body-unread", channel=saved.name, field=news.field)
        else:
            self.taken += len(news.updates)

    async def _who(self, request: web.Request) -> SavedChannel | None:
        """Return the channel whose secret stands in the address."""
        id = request.match_info["channel"]
        saved = (await self._channels()).get(id) or (await self._channels(_ASK_AGAIN_SECONDS)).get(id)
        if saved is None or not saved.secret or saved.channel.kind not in CHANNEL_KINDS:
            return None
        secret = request.match_info["secret"].encode("utf-8", "surrogateescape")
        return saved if hmac.compare_digest(secret, saved.secret.encode()) else None

    async def _channels(self, known_seconds: float | None = None) -> Mapping[str, SavedChannel]:
        known_seconds = self._known_seconds if known_seconds is None else known_seconds
        async with self._reading:
            if time.monotonic() - self._known_at >= known_seconds:
                async with self._pool.acquire() as conn:
                    self._known = {saved.id: saved for saved in await saved_channels(conn)}
                self._known_at = time.monotonic()
        return self._known

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
