"""`/sms/{account}/{connection}/{secret}`: what SMS providers tell by themselves. It is committed before they are thanked."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterator, Mapping

import asyncpg
import structlog
from aiohttp import web

from gateway.http.body import BodyLimit, read_body
from gateway.http.connection import vouch
from gateway.http.inbound import head_of
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound, InboxUnavailable
from gateway.sms.news import take_news
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from runtime.database.errors import DATABASE_ERRORS
from runtime.metrics import Sample
from runtime.trouble import Trouble
from sms.errors import SmsWireInvalid
from sms.kinds import SMS_KINDS
from sms.port import SmsInbound, SmsNews
from sms.providers.reading import flat, form_of

log = structlog.get_logger(__name__)

SMS_BODY = BodyLimit(64 * 1024, 10.0)
_SECONDS = 5.0
_KNOWN_SECONDS = 2.0
"""So late a change of a connection reaches the door: whoever guesses secrets asks the database for nothing."""
_OF_PBX: Mapping[str, str] = {"sms": "events/sms", "result/sms": "result/sms"}
"""Names under which a PBX that sends messages too tells of them, and as its provider reads them."""


class SmsDoor:
    """One for the process: reports of providers, and those that come to a PBX's door."""

    def __init__(
        self, pool: asyncpg.Pool, strangers: Strangers, *, known_seconds: float = _KNOWN_SECONDS
    ) -> None:
        self._pool, self._strangers, self._known_seconds = pool, strangers, known_seconds
        self._known: dict[tuple[str, str], SavedSmsConnection] = {}
        self._known_at = float("-inf")
        self._reading = asyncio.Lock()
        self._trouble = Trouble("sms-intake")
        self.taken = 0
        self.refused = 0

    async def handle(self, request: web.Request) -> web.Response:
        saved = await self._who(request)
        if saved is None:
            return self._stranger(request)
        vouch(request)
        body = await read_body(request, SMS_BODY)
        kind = SMS_KINDS[saved.connection.kind]
        try:
            query = flat(form_of(request.raw_path.partition("?")[2].encode("utf-8", "surrogateescape")))
            inbound = _as_sms(head_of(request, ""), query, body, "")
            if kind.is_genuine(inbound, saved.connection) is False:
                return self._stranger(request)
            news = kind.read(inbound, saved.connection)
        except SmsWireInvalid as err:
            return self._unread(saved, err)
        if not await self._took(saved, news, inbound):
            return _not_stored()
        return web.Response(body=news.answer or b"OK", headers={"Content-Type": "text/plain"})

    async def take_from_pbx(self, connection: Connection, told: Inbound) -> None:
        """Take in what a PBX that sends messages too says of them at its own door, where its signature was judged. Raise
        InboxUnavailable: it is told again then."""
        name = _OF_PBX.get(told.path.strip("/"))
        if name is None:
            return
        saved = await self._of_pbx(connection)
        if saved is None:
            return
        inbound = _as_sms(told, told.query, told.body, name)
        try:
            news = SMS_KINDS[saved.connection.kind].read(inbound, saved.connection)
        except SmsWireInvalid as err:
            self._unread(saved, err)
            return
        if not await self._took(saved, news, inbound):
            raise InboxUnavailable

    async def _took(self, saved: SavedSmsConnection, news: SmsNews, inbound: SmsInbound) -> bool:
        try:
            async with asyncio.timeout(_SECONDS), self._pool.acquire() as conn, conn.transaction():
                await take_news(conn, saved, news, inbound.received_at)
        except (TimeoutError, *DATABASE_ERRORS) as err:
            self._trouble.failed(err, connection=saved.name)
            return False
        self._trouble.recovered()
        self.taken += 1
        return True

    async def _who(self, request: web.Request) -> SavedSmsConnection | None:
        """Return the connection whose secret stands in the address."""
        known = await self._connections()
        saved = known.get((request.match_info["account"], request.match_info["connection"]))
        if saved is None or not saved.report_secret:
            return None
        secret = request.match_info["secret"]
        return saved if hmac.compare_digest(secret.encode(), saved.report_secret.encode()) else None

    async def _of_pbx(self, connection: Connection) -> SavedSmsConnection | None:
        """Return the account's provider that is this PBX: of its kind, with its key."""
        mine = [
            saved
            for saved in (await self._connections()).values()
            if saved.account_id == connection.account_id and saved.connection.kind == connection.kind
        ]
        key = connection.keys.get("api_key")
        return next((saved for saved in mine if saved.connection.keys.get("api_key") == key), None)

    async def _connections(self) -> Mapping[tuple[str, str], SavedSmsConnection]:
        async with self._reading:
            if time.monotonic() - self._known_at >= self._known_seconds:
                async with self._pool.acquire() as conn:
                    found = await sms_connections(conn)
                self._known = {(saved.account_id, saved.name): saved for saved in found}
                self._known_at = time.monotonic()
        return self._known

    def _stranger(self, request: web.Request) -> web.Response:
        """404 for a wrong secret or signature as for an unknown connection: nobody learns which there are."""
        self.refused += 1
        absent = problem(404, "no-such-webhook", "There is no webhook at this address.")
        return self._strangers.of("sms", request, absent)

    def _unread(self, saved: SavedSmsConnection, err: SmsWireInvalid) -> web.Response:
        self.refused += 1
        log.info("sms-report-refused", connection=saved.name, field=err.field)
        return problem(400, err.code, "The report cannot be read.", detail=str(err), field=err.field)

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "sms_reports_taken", "Reports of SMS providers taken", {}, self.taken
        yield "counter", "sms_reports_refused", "Reports of SMS providers refused", {}, self.refused


def _as_sms(head: Inbound, query: Mapping[str, str], body: bytes, path: str) -> SmsInbound:
    return SmsInbound(
        method=head.method,
        path=path,
        query=query,
        headers=head.headers,
        body=body,
        received_at=head.received_at,
    )


def _not_stored() -> web.Response:
    response = problem(
        503,
        "inbox-unavailable",
        "The report could not be stored.",
        detail="Nothing was accepted. Send it again.",
    )
    response.headers["Retry-After"] = "1"
    return response
