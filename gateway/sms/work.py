"""Senders of a worker: one for each provider that is connected, in one worker of the installation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import asyncpg

from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.sms.news import take_news
from gateway.sms.sender import SmsSender
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Lease, LeaseLost, Leases
from runtime.keyed_tasks import run_keyed
from runtime.loops import Loop
from runtime.trouble import Trouble
from runtime.vendors.http import NoteExchange
from sms.kinds import SMS_KINDS
from sms.port import SmsConnection, SmsKind, SmsNews, TakeNews

_LOOK_SECONDS = 2.0
_TURN_SECONDS = 0.25


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class _Served:
    """What a sender was opened with: changed, it is opened anew."""

    account_id: str
    name: str
    kind: str
    opened_with: int


class SmsSenders:
    """`loop` sees which providers there are, `run` sends through them until cancelled."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        leases: Leases,
        session: aiohttp.ClientSession,
        public_url: str,
        kinds: Mapping[str, SmsKind] = SMS_KINDS,
        exchanges: ExchangeLog | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._pool, self._leases, self._session, self._url = pool, leases, session, public_url
        self._kinds, self._exchanges, self._now = kinds, exchanges, now
        self._saved: dict[_Served, SavedSmsConnection] = {}
        self._changed = asyncio.Event()
        self._senders: set[SmsSender] = set()
        self.loop = Loop("sms-providers", self.look, _LOOK_SECONDS)

    def wake(self) -> None:
        """There may be something to send."""
        for sender in self._senders:
            sender.wake()

    async def look(self) -> None:
        async with self._pool.acquire() as conn:
            found = await sms_connections(conn)
        saved = {_key(one): one for one in found if one.is_on and one.connection.kind in self._kinds}
        is_other = saved.keys() != self._saved.keys()
        self._saved = saved
        if is_other:
            self._changed.set()

    async def run(self) -> None:
        await run_keyed("sms", lambda: self._saved.keys(), self._serve, self._changed, label=lambda s: s.name)

    async def _serve(self, served: _Served) -> None:
        lease = self._leases.of(f"{served.account_id}/{served.name}", "sms")
        trouble = Trouble("sms-sender", connection=served.name)
        while served in self._saved:
            try:
                async with lease:
                    trouble.recovered()
                    await self._send_while(lease, self._saved[served])
            except (LeaseLost, *DATABASE_ERRORS) as err:
                trouble.failed(err)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _send_while(self, lease: Lease, saved: SavedSmsConnection) -> None:
        kind = self._kinds[saved.connection.kind]
        provider = kind.open(self._session, saved.connection, self._taker(saved), self._noting(saved))
        sender = SmsSender(self._pool, saved, kind, provider, lease, self._url, self._now)
        link = asyncio.create_task(provider.run())
        self._senders.add(sender)
        try:
            while not lease.lost.is_set():
                lease.check()
                await sender.turn()
                await sender.rest(_TURN_SECONDS)
        finally:
            self._senders.discard(sender)
            await sender.close()
            link.cancel()
            await asyncio.gather(link, return_exceptions=True)

    def _noting(self, saved: SavedSmsConnection) -> NoteExchange | None:
        exchanges = self._exchanges
        if exchanges is None:
            return None
        return lambda exchange: exchanges.append(saved.account_id, saved.connection.kind, exchange)

    def _taker(self, saved: SavedSmsConnection) -> TakeNews:
        async def take(news: SmsNews) -> None:
            async with self._pool.acquire() as conn, conn.transaction():
                await take_news(conn, saved, news, self._now())

        return take


def _key(saved: SavedSmsConnection) -> _Served:
    held: SmsConnection = saved.connection
    told = (tuple(sorted(held.keys.items())), tuple(sorted((n, str(v)) for n, v in held.settings.items())))
    return _Served(held.account_id, held.name, held.kind, hash((told, saved.report_secret)))
