"""The process that makes the pages: what it needs of the gateway's services, without the memory that answers lookups."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import aiohttp
import asyncpg
import structlog
from aiohttp import web

from crm.directory.memory import Directory
from gateway.at_work import AtWork
from gateway.configuration import Configuration
from gateway.crm_accounts.access import CrmAccess
from gateway.http.endings import EndingRunner
from gateway.http.peers import Peers
from gateway.http.strangers import Strangers
from gateway.lookup.people import ReachablePeople
from gateway.pbx.kinds import KINDS
from gateway.presence.board import PresenceBoard
from gateway.presence.kept_heartbeats import KeepHeartbeats, heartbeats_of
from gateway.services import Services, TokensUsed
from gateway.settings import Settings
from gateway.web.all_pages import PAGES
from gateway.web.app import Pages
from gateway.web.forms import MOST_BYTES
from gateway.web.forwarded import Forwarded
from gateway.web.person import SignedIn
from gateway.web.sign_in.door import SignInDoor
from runtime.database.changes import Changes
from runtime.database.listen import Listener
from runtime.database.silence import SilenceGuard
from runtime.lifecycle import background, flush_on_shutdown, retry_until_available, wait_first

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 2.0


class _NoDirectories:
    """Who owns which number is asked of the database here."""

    def get(self, account_id: str) -> Directory | None:
        return None


class PagesProcess:
    def __init__(
        self,
        settings: Settings,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        signed_in: SignedIn | None = None,
    ) -> None:
        """signed_in: who is, else as their cookies say."""
        dsn = str(settings.database_url)
        self.settings, self.pool = settings, pool
        self.listener = Listener(dsn)
        self.configuration = Configuration(pool, self.listener)
        self.access = CrmAccess(pool, session, crm_hosts=settings.named_crm_hosts())
        self.presence = PresenceBoard(pool, self.configuration)
        at_work = AtWork(self.configuration.timetables_of, self.presence.presence_of)
        self.people = ReachablePeople(pool, self.configuration, at_work)
        peers: Peers = Forwarded()
        self.heartbeats = heartbeats_of(settings, pool)
        self.keep_heartbeats = KeepHeartbeats(self.heartbeats)
        self.services = Services(
            settings=settings,
            pool=pool,
            configuration=self.configuration,
            directories=_NoDirectories(),
            url_of=self.url_of,
            changes=Changes(self.listener),
            people=self.people,
            at_work=at_work,
            heartbeats=self.heartbeats,
            silence=SilenceGuard(dsn),
            peers=peers,
            strangers=Strangers(peers),
            tokens_used=TokensUsed(),
            kinds=KINDS,
        )
        self.signed_in = signed_in or SignInDoor(settings, pool, self.listener, peers)
        self.web = web.Application(client_max_size=MOST_BYTES)
        Pages(self.services, self.signed_in).add_to(self.web, PAGES)

    def url_of(self, account_id: str, kind: str, id: str) -> str:
        account = self.configuration.now.accounts.get(account_id)
        return self.access.url_of(account.base_url, kind, id) if account else ""

    async def run(
        self, stop: asyncio.Event, socket: Path, started: asyncio.Future[None] | None = None
    ) -> None:
        """Until `stop`, at a socket that only this user may open."""
        await retry_until_available(self.configuration.reload)
        runner = EndingRunner(
            self.web, handle_signals=False, access_log=None, shutdown_timeout=_DRAIN_SECONDS
        )
        await runner.setup()
        _clear(socket)
        before = os.umask(0o077)
        site = web.UnixSite(runner, str(socket))
        try:
            await site.start()
            os.umask(before)
            loops = (
                self.listener.run(),
                self.configuration.run(),
                self.presence.run(),
                self.people.run(),
                self.keep_heartbeats.loop.run(),
            )
            async with background(*loops) as failed:
                log.info("pages-listen", socket=str(socket))
                if started is not None:
                    started.set_result(None)
                await wait_first(stop.wait(), failed)
        finally:
            await runner.cleanup()
            _clear(socket)
            await flush_on_shutdown(self.heartbeats.close())


def _clear(socket: Path) -> None:
    socket.unlink(missing_ok=True)
