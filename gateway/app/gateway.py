"""The one place that wires: settings in, running processes out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import asyncpg
import structlog
from aiohttp import web

from crm.directory.feed import DirectoryFeed
from crm.directory.memory import Directory
from gateway.alerts.loop import Alerts
from gateway.api.app import add_api
from gateway.api.resources import ROUTES
from gateway.app.door_report import DoorReport
from gateway.app.gateway_report import GatewayReport
from gateway.app.pages_door import PagesDoor
from gateway.app.web_app import build_web_app
from gateway.at_work import AtWork
from gateway.channels.afterwards.gaps import ChannelListening
from gateway.channels.door import ChannelDoor
from gateway.channels.files.door import FileDoor
from gateway.configuration import Configuration
from gateway.crm_accounts.access import CrmAccess
from gateway.crm_accounts.endpoints import CrmHooks
from gateway.crm_chats.door import CrmChatDoor
from gateway.distribution.hook_door import HookDoor
from gateway.health.shared_metrics import SharedFigures
from gateway.http.door import DoorLimits, HttpDoor
from gateway.http.pages import OwnHosts
from gateway.http.peers import Peers
from gateway.http.strangers import Strangers
from gateway.intake.endpoint import Events
from gateway.intake.inbox import Inbox
from gateway.lookup.campaign_callers import CampaignCallers
from gateway.lookup.endpoint import Lookup
from gateway.lookup.people import ReachablePeople
from gateway.lookup.recorder import Recorder
from gateway.pbx.capabilities import QuestionServer
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.pbx_links.route_commands import PbxCommands
from gateway.presence.board import PresenceBoard
from gateway.presence.kept_heartbeats import KeepHeartbeats, heartbeats_of
from gateway.services import Services, TokensUsed
from gateway.settings import Settings
from gateway.sms.door import SmsDoor
from runtime.database.changes import Changes
from runtime.database.listen import Listener
from runtime.database.silence import SilenceGuard
from runtime.doors.descriptors import most_connections, raise_limit
from runtime.doors.memory import MemoryKeeper
from runtime.lifecycle import background, flush_on_shutdown, retry_until_available, wait_first
from runtime.metrics import Metrics

log = structlog.get_logger(__name__)

_FILL_SECONDS = 10.0
_HTTP_SHARE = 0.75  # of the descriptors that are left for doors; the rest is for questions by other ways
_QUIET_SECONDS = 0.1
# A supervisor waits for 40 s altogether (runtime/supervisor.py); a database that is away or silent must not use them up.
_DRAIN_SECONDS = 5.0


class Gateway:
    """One gateway process: answers lookups from memory, takes events, serves the admin API."""

    def __init__(
        self,
        settings: Settings,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        kinds: Mapping[str, PbxKind] = KINDS,
        *,
        pages_socket: Path | None = None,
    ) -> None:
        """pages_socket: of the process that makes the pages, None = there is none."""
        dsn = str(settings.database_url)
        self.settings = settings
        self.pool = pool
        self.listener = Listener(dsn)
        self.changes = Changes(self.listener)
        self.configuration = Configuration(pool, self.listener)
        self.feed = DirectoryFeed(pool, self.listener)
        self.recorder = Recorder(pool, settings.decisions_per_second)
        self.inbox = Inbox(pool)
        self.access = CrmAccess(pool, session, crm_hosts=settings.named_crm_hosts())
        peers = Peers(settings.trusted_proxies, settings.trusted_hops)
        self.strangers = Strangers(peers)
        silence = SilenceGuard(str(settings.database_url) if settings.database_url else None)
        self.hooks = CrmHooks(
            self.configuration,
            pool,
            self.access.exchange_code,
            peers,
            self.strangers,
            silence,
            base_url=settings.base_url,
        )
        self._url_patterns: dict[tuple[str, str], str] = {}
        self.configuration.on_change(lambda _: self._url_patterns.clear())
        raise_limit()
        most = most_connections(settings.max_connections, _HTTP_SHARE)
        limits = DoorLimits(most, settings.max_connections_per_address)
        self.door = HttpDoor(limits, peers, self.strangers.tally)
        used = TokensUsed()
        self.door_report = DoorReport(
            pool, self.strangers.tally, used, lambda: self.configuration.now.connections
        )
        self.memory = MemoryKeeper(self._is_quiet)
        self.presence = PresenceBoard(pool, self.configuration)
        self.at_work = AtWork(self.configuration.timetables_of, self.presence.presence_of)
        self.people = ReachablePeople(pool, self.configuration, self.at_work)
        self.campaign_callers = CampaignCallers(pool)
        self.lookup = Lookup(
            self.configuration,
            self,
            self.recorder,
            url_of=self.url_of,
            deadline_seconds=settings.lookup_deadline_ms / 1000,
            strangers=self.strangers,
            kinds=kinds,
            people=self.people,
            campaign_of=self.campaign_callers.find,
        )
        self.door.answer_at_once = self.lookup.answer_at_once
        self.pbx_commands = PbxCommands(pool, session, self.lookup.ask, kinds=kinds)
        self.sms_door = SmsDoor(pool, self.strangers)
        self.channel_door = ChannelDoor(pool, self.strangers)
        self.crm_chat_door = CrmChatDoor(pool, self.strangers)
        self.channel_listening = ChannelListening(pool)
        self.events = Events(
            self.configuration,
            self.inbox,
            self.lookup,
            self.pbx_commands.on_event,
            self.strangers,
            kinds=kinds,
            texts=self.sms_door.take_from_pbx,
        )
        ports = [port for kind in kinds.values() if (port := kind.question_port()) is not None]
        self.question_servers: dict[str, QuestionServer] = {
            p.setting: p.open(
                lambda: self.configuration.now.connections, self.lookup.ask, self.strangers.elsewhere
            )
            for p in ports
        }
        self.metrics = Metrics()
        self.metrics.add_latency("lookup_seconds", "Time to answer a lookup", self.lookup.latency)
        for part in (
            self.configuration,
            self.feed,
            self.recorder,
            self.events,
            self.sms_door,
            self.channel_door,
            self.crm_chat_door,
            self.strangers,
            self.door,
            self.memory,
            self.pbx_commands,
            self.changes,
        ):
            self.metrics.add(part.samples)
        for server in self.question_servers.values():
            self.metrics.add(server.samples)
        self.shared = SharedFigures(pool)
        self.report = GatewayReport(pool, self.lookup.latency, self._numbers, time.monotonic)
        self.alerts = Alerts(settings, pool, session)
        self.metrics.add(self.shared.samples)
        self.metrics.add(self.people.samples)
        self.heartbeats = heartbeats_of(settings, pool)
        self.keep_heartbeats = KeepHeartbeats(self.heartbeats)
        self.metrics.add(self.presence.samples)
        token = settings.metrics_token
        services = Services(
            settings=settings,
            pool=pool,
            configuration=self.configuration,
            directories=self,
            url_of=self.url_of,
            changes=self.changes,
            people=self.people,
            at_work=self.at_work,
            heartbeats=self.heartbeats,
            silence=silence,
            lookup_latency=self.lookup.latency,
            peers=peers,
            strangers=self.strangers,
            tokens_used=used,
            kinds=kinds,
        )
        own_hosts = OwnHosts(settings.base_url)
        self.pages_door = PagesDoor(pages_socket, peers, own_hosts) if pages_socket else None
        self.web = build_web_app(
            lookup=self.lookup,
            events=self.events,
            hooks=self.hooks,
            stage_hooks=HookDoor(self.configuration, pool, self.strangers),
            sms=self.sms_door,
            channels=self.channel_door,
            crm_chats=self.crm_chat_door,
            files=FileDoor(pool, self.strangers),
            readiness=self,
            metrics=self.metrics,
            strangers=self.strangers,
            metrics_token=token.get_secret_value() if token else None,
            own_hosts=own_hosts,
            add_api=lambda app: add_api(app, services, ROUTES),
            pages=self.pages_door.handle if self.pages_door else None,
        )

    def get(self, account_id: str) -> Directory | None:
        return self.feed.get(account_id)

    def url_of(self, account_id: str, kind: str, id: str) -> str:
        """Of an entity, for a person; asked in every lookup, so each kind's address is made once per account."""
        pattern = self._url_patterns.get((account_id, kind))
        if pattern is None:
            account = self.configuration.now.accounts.get(account_id)
            pattern = self.access.url_of(account.base_url, kind, "\0") if account else ""
            self._url_patterns[account_id, kind] = pattern
        return pattern.replace("\0", id)

    async def missing(self) -> list[str]:
        """Return what is not ready yet: rows that are not in memory, and first loads from the CRM as long as no account has
        one behind it (later a new account's load does not make the gateway unready for the others)."""
        found = []
        if self.configuration.now.version == 0:
            found.append("configuration")
        found += [
            f"directory of {account_id}"
            for account_id in self.configuration.now.accounts
            if (directory := self.get(account_id)) is None or not directory.is_ready
        ]
        on = [a.id for a in self.configuration.now.accounts.values() if a.state == "on"]
        if on and not any((d := self.get(a)) is not None and d.is_complete for a in on):
            found += [f"first load of {account_id}" for account_id in on]
        return found

    async def run(self, stop: asyncio.Event, started: asyncio.Future[int] | None = None) -> None:
        """Until `stop`. started: told the port that is listened on."""
        await retry_until_available(self.configuration.reload)
        self.inbox.start()
        runner = self.door.runner(self.web, _DRAIN_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, self.settings.host, self.settings.port, backlog=1024)
        try:
            loops = [
                self.listener.run(),
                self.configuration.run(),
                self.feed.run(),
                self.recorder.run(),
                self._follow_accounts(),
                self._settle_memory(),
                self.door.run(),
                self.door_report.run(),
                self.shared.run(),
                self.report.loop.run(),
                self.alerts.loop.run(),
                self.presence.run(),
                self.people.run(),
                self.campaign_callers.run(self.listener),
                self.keep_heartbeats.loop.run(),
                self.pbx_commands.run(),
                self.channel_listening.loop.run(),
            ]
            for setting, server in self.question_servers.items():
                if (port := getattr(self.settings, setting)) is not None:
                    loops.append(self._serve_questions(server, port))
            async with background(*loops) as failed:
                await wait_first(self._memory_filled(), stop.wait())
                await site.start()
                port = runner.addresses[0][1]
                log.info("gateway-listens", host=self.settings.host, port=port)
                if started is not None:
                    started.set_result(port)
                await wait_first(stop.wait(), failed)
        finally:
            await runner.cleanup()
            await flush_on_shutdown(
                self.inbox.stop(),
                self.hooks.close(),
                self.recorder.close(),
                self.door_report.write(),
                self.heartbeats.close(),
                *([self.pages_door.close()] if self.pages_door else []),
            )

    async def _memory_filled(self) -> None:
        """Before that nobody listens: a PBX that finds no one asks the other gateway, or goes its own way, at once; told that
        the memory is still being filled it would not ask the other. For some seconds at most: events must be taken."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FILL_SECONDS):
                await self.feed.until(lambda: self.feed.is_ready)

    async def _serve_questions(self, server: QuestionServer, port: int) -> None:
        await self._memory_filled()
        await server.run(self.settings.host, port)

    async def _settle_memory(self) -> None:
        """Spare the garbage collector what was built while starting: it need not walk it while phones ring."""
        await self.feed.until(lambda: self.feed.is_ready)
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 100)
        # What is reckoned in threads (the plan of a backfill) gives way to lookups at once, not every 5 ms.
        sys.setswitchinterval(0.0005)
        await self.memory.run()

    def _numbers(self) -> dict[str, int]:
        known = ((id, self.get(id)) for id in self.configuration.now.accounts)
        return {id: len(directory) for id, directory in known if directory is not None}

    def _is_quiet(self) -> bool:
        """No phone has rung for a moment."""
        return time.perf_counter() - self.lookup.asked_at > _QUIET_SECONDS

    async def _follow_accounts(self) -> None:
        """Each configured account gets its directory."""
        changed = asyncio.Event()
        self.configuration.on_change(lambda _: changed.set())
        while True:
            for account_id in self.configuration.now.accounts:
                self.feed.directory(account_id)
            await changed.wait()
            changed.clear()
