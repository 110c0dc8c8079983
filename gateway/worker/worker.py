"""The worker process: clients' jobs, and for each account whose lease it holds the sync with the CRM and the writer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg
import structlog

from crm.kinds import ConnectedCrm
from crm.store.news import WORK_TASK
from crm.sync.feed import Feed
from gateway.alerts.loop import Alerts
from gateway.alerts.senders import telegram_bot
from gateway.at_work import AtWork
from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs, TaskKind
from gateway.campaigns import list_import
from gateway.campaigns.engines import CampaignEngines
from gateway.campaigns.running import Campaigns
from gateway.campaigns.topics import Topics
from gateway.channels.chat_job import ChatJob
from gateway.channels.handouts import ChatHandouts
from gateway.channels.work import ChannelWork
from gateway.configuration import Configuration
from gateway.crm_accounts.access import CrmAccess
from gateway.crm_accounts.account_reports import AccountReports
from gateway.crm_accounts.account_worker import CrmAccountWork
from gateway.crm_accounts.effects_due import EffectsDue
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.crm_chats.work import CrmChatsWork
from gateway.crm_events import deals_to_give, dialogue_owners, missed_call_tasks, triggers_fire
from gateway.crm_events.deals_to_give import give_deals
from gateway.crm_events.dialogue_owners import follow_deal_owners
from gateway.crm_events.job import CrmEventJob
from gateway.crm_events.missed_call_tasks import follow_missed_call_tasks
from gateway.crm_events.triggers_fire import fire_triggers
from gateway.db.statistics import refresh_statistics
from gateway.decisions.replay import replay_work
from gateway.distribution.availability import AccountHours
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.distribution.simulate import simulation_work
from gateway.distribution.stage_run import stage_work
from gateway.health.daily_checks import DailyChecks
from gateway.intake.inbox import Inbox
from gateway.outbound.dialler import Dialler
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.pbx_links.listeners import PbxListeners
from gateway.pbx_links.phones import PhoneWatchers
from gateway.pbx_links.reconciler import Reconciliation
from gateway.presence.board import PresenceBoard
from gateway.presence.crm_activity import CrmActivity
from gateway.presence.kept_heartbeats import heartbeats_of
from gateway.presence.watch import PresenceWatch
from gateway.settings import Settings
from gateway.shift_change.people import people_now
from gateway.shift_change.work import ShiftChanges
from gateway.sms.preparing import SmsTexts
from gateway.sms.work import SmsSenders
from gateway.store.admin.matrices import MatrixStore
from gateway.store.channels.updates import CHATS_TASK, sweep_chats
from gateway.triggers import applying
from gateway.triggers.reading import TriggerFirings
from gateway.worker import retention
from gateway.worker.long_tasks import LongWork
from gateway.worker.presence_bot import PresenceBot
from gateway.worker.report import report_loop
from routing.settings import NumberPolicy
from runtime.database import channels
from runtime.database.lease import Leases
from runtime.database.listen import Listener
from runtime.keyed_tasks import run_keyed
from runtime.lifecycle import background, flush_on_shutdown, retry_until_available, wait_first
from runtime.loops import Loop
from runtime.vendors.named_addresses import NamedAddresses
from sms.channels.kinds import kinds_trusting

log = structlog.get_logger(__name__)

_STATISTICS_SECONDS = 2.0


class Worker:
    """One worker process. Any number may run: jobs are shared, an account's CRM is served by one at a time."""

    def __init__(
        self,
        settings: Settings,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        kinds: Mapping[str, PbxKind] = KINDS,
    ) -> None:
        dsn = str(settings.database_url)
        self.settings = settings
        self.pool = pool
        self.listener = Listener(dsn)
        self.leases = Leases(dsn)
        self.configuration = Configuration(pool, self.listener)
        self.exchanges = ExchangeLog(pool)
        self.access = CrmAccess(pool, session, self.exchanges, settings.named_crm_hosts())
        self.presence = PresenceBoard(pool, self.configuration)
        self.at_work = AtWork(self.configuration.timetables_of, self.presence.presence_of)
        clients = ClientJob(pool, MatrixStore(), at_work=self.at_work)
        giver = Giver(AccountHours(self.at_work))
        self.crm_events = CrmEventJob(
            pool,
            {deals_to_give.NAME: give_deals(giver)},
            followers={
                missed_call_tasks.NAME: follow_missed_call_tasks(clients),
                dialogue_owners.NAME: follow_deal_owners(),
            },
            hearers={triggers_fire.NAME: fire_triggers()},
        )
        self.distributor = Distributor(pool, giver, lambda: self.configuration.now.timetables)
        self.jobs = Jobs(
            dsn,
            pool,
            clients,
            concurrency=settings.worker_concurrency,
            more=[
                TaskKind(WORK_TASK, self.crm_events.run, self.crm_events.sweep),
                TaskKind(CHATS_TASK, ChatJob(pool, clients).run, sweep_chats),
            ],
        )
        self.inbox = Inbox(pool)
        self.pbx_listeners = PbxListeners(self.configuration, pool, self.leases, self.inbox, kinds)
        self.phone_watchers = PhoneWatchers(self.configuration, pool, self.leases, kinds)
        self.reconciliation = Reconciliation(
            self.configuration,
            pool,
            self.leases,
            self.inbox,
            session,
            kinds=kinds,
            minutes=settings.reconcile_minutes,
            exchanges=self.exchanges,
        )
        self.account_reports = AccountReports(pool)
        self.effects_due = EffectsDue(pool)
        self.shift_changes = ShiftChanges(pool, people_now, self._zone_of)
        self.trigger_firings = TriggerFirings(pool)
        self.sms_texts = SmsTexts(pool)
        self.sms_senders = SmsSenders(pool, self.leases, session, settings.base_url, exchanges=self.exchanges)
        self.channels = ChannelWork(
            pool,
            self.leases,
            session,
            settings.base_url,
            kinds_trusting(settings.max_messenger_ca_file),
            exchanges=self.exchanges,
            web=partial(NamedAddresses, settings.named_pbx_hosts()),
        )
        self.chat_handouts = ChatHandouts(pool)
        self.crm_chats = CrmChatsWork(pool, session, clients, self.exchanges)
        self.campaigns = Campaigns(pool, self._policy_of)
        self.campaign_engines = CampaignEngines(pool, session, lambda: self.configuration.now, kinds)
        self.topics = Topics(pool, session, lambda: self.configuration.now, kinds)
        self.dialler = Dialler(pool, session, lambda: self.configuration.now, kinds, self.at_work)
        self.daily_checks = DailyChecks(pool, self.listener)
        self.long_work = LongWork(
            pool,
            self.listener,
            {
                "replay": partial(replay_work, pool, at_work=self.at_work),
                "distribution_simulation": partial(simulation_work, pool, giver.availability),
                "distribution_stage": partial(stage_work, pool, giver),
                applying.WORK: partial(applying.apply_work, pool),
                list_import.WORK: partial(list_import.import_work, pool, self._policy_of),
            },
        )
        self.alerts = Alerts(settings, pool, session)
        self.heartbeats = heartbeats_of(settings, pool)
        self.presence_watch = PresenceWatch(
            pool, self.configuration, self.heartbeats, self.at_work.is_on_shift
        )
        self.presence_bot = PresenceBot(pool, self.leases, *telegram_bot(settings, session))
        self.crm_activity = CrmActivity(pool, self.configuration)
        self._upkeep = (
            Loop("housekeeping", partial(retention.clean, pool, settings), retention.EVERY_SECONDS),
            Loop("statistics", partial(refresh_statistics, pool), _STATISTICS_SECONDS),
        )
        self.loops: tuple[Loop, ...] = (
            *self._upkeep,
            self.daily_checks.loop,
            self.long_work.loop,
            self.account_reports.loop,
            self.effects_due.loop,
            self.shift_changes.loop,
            self.trigger_firings.loop,
            self.sms_texts.loop,
            self.sms_senders.loop,
            self.channels.loop,
            self.chat_handouts.loop,
            self.crm_chats.loop,
            self.campaigns.loop,
            self.campaign_engines.loop,
            self.topics.loop,
            self.dialler.loop,
            self.alerts.loop,
            self.presence_watch.loop,
            self.presence_bot.loop,
            self.distributor.loop,
            self.distributor.sweep_loop,
        )

    async def run(self, stop: asyncio.Event) -> None:
        await retry_until_available(self.configuration.reload)
        self.inbox.start()
        try:
            await self._until(stop)
        finally:
            await asyncio.gather(
                self.access.close(),
                self.dialler.close(),
                flush_on_shutdown(self.inbox.stop(), self.exchanges.write(), self.heartbeats.close()),
            )

    def _wakes(self) -> AbstractContextManager[None]:
        """Whoever sends what goes out is woken as soon as there is something; each looks for itself as well."""
        of_outbound = {
            "firings": self.trigger_firings.loop.wake,
            "calls": self.dialler.loop.wake,
            "texts": self.sms_texts.loop.wake,
            "messages": self.sms_senders.wake,
        }
        return self.listener.wakes(channels.OUTBOUND, of_outbound)

    async def _until(self, stop: asyncio.Event) -> None:
        with self._wakes():
            await self._work_until(stop)

    async def _work_until(self, stop: asyncio.Event) -> None:
        async with background(
            self.listener.run(),
            self.configuration.run(),
            self.jobs.run(),
            self.exchanges.run(),
            *(loop.run() for loop in self._upkeep),
            self.pbx_listeners.run(),
            self.phone_watchers.run(),
            self.reconciliation.run(),
            self.daily_checks.run(),
            self.long_work.run(),
            self.account_reports.loop.run(),
            self.effects_due.loop.run(),
            self.shift_changes.loop.run(),
            self.trigger_firings.loop.run(),
            self.sms_texts.loop.run(),
            self.sms_senders.loop.run(),
            self.sms_senders.run(),
            self.channels.loop.run(),
            self.channels.run(),
            self.chat_handouts.loop.run(),
            self.crm_chats.loop.run(),
            self.campaigns.loop.run(),
            self.campaign_engines.loop.run(),
            self.topics.loop.run(),
            self.dialler.loop.run(),
            self.alerts.loop.run(),
            self.presence_watch.loop.run(),
            self.presence_bot.loop.run(),
            self.presence_bot.run(),
            self.presence.run(),
            self.distributor.loop.run(),
            self.distributor.sweep_loop.run(),
            report_loop(self).run(),
            self._serve_accounts(),
        ) as failed:
            log.info("worker-runs")
            await wait_first(stop.wait(), failed)

    async def _serve_accounts(self) -> None:
        with self.configuration.changes() as changed:
            await run_keyed(
                "account", lambda: self.configuration.now.accounts.keys(), self._serve_account, changed
            )

    async def _serve_account(self, account_id: str) -> None:
        await CrmAccountWork(
            account_id,
            self.settings,
            self.pool,
            self.configuration,
            self.access,
            self.leases,
            self.account_reports,
            self.effects_due,
            self._more_feeds,
            self._beside,
        ).run()

    def _more_feeds(self, account_id: str, crm: ConnectedCrm) -> Sequence[Feed]:
        def offset() -> float | None:
            return crm.health().clock_offset_seconds

        return [self.crm_activity.feed(account_id, crm, offset, self.settings.poll_seconds)]

    @contextmanager
    def _beside(self, account_id: str, crm: ConnectedCrm) -> Iterator[None]:
        with (
            self.shift_changes.served(account_id, crm),
            self.trigger_firings.served(account_id, crm),
            self.sms_texts.served(account_id, crm),
            self.crm_chats.served(account_id, crm),
        ):
            yield

    def _policy_of(self, account_id: str) -> NumberPolicy | None:
        now = self.configuration.now
        return now.policy_of(account_id) if account_id in now.accounts else None

    def _zone_of(self, account_id: str) -> ZoneInfo:
        return ZoneInfo(self.configuration.now.accounts[account_id].time_zone)
