"""All traffic between us and one account's CRM, while this process holds the account's lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import structlog

from crm.budget import Budget
from crm.effects.backfill import BackfillFeed
from crm.effects.sender import WriterSettings
from crm.effects.store.work import PgEffects
from crm.effects.writer import Writer
from crm.entity_changes import EntityChange
from crm.guarded_budget import GuardedBudget
from crm.kinds import ConnectedCrm, WebhookInvalid, parse_webhook
from crm.lending import Lending
from crm.port import Observed
from crm.sync.feed import Feed
from crm.sync.first_load import restart_load
from crm.sync.sync import Sync
from crm.unread import Unread, UnreadRef
from gateway.configuration import Configuration, Snapshot
from gateway.crm_accounts.access import CrmAccess, OpenCrm, webhook_of
from gateway.crm_accounts.account_reports import AccountReports
from gateway.crm_accounts.broken_account import probe_while_broken, told_broken
from gateway.crm_accounts.effects_due import EffectsDue
from gateway.settings import Settings
from gateway.store.crm_accounts.webhooks import next_webhooks, webhook_failed, webhooks_done
from routing.settings import NumberPolicy
from runtime.database import channels
from runtime.database.errors import is_refused
from runtime.database.lease import Lease, LeaseLost, Leases
from runtime.lifecycle import background, wait_first
from runtime.masking import mask_error

log = structlog.get_logger(__name__)

_POLL_SECONDS = 15.0  # of a writer that nobody wakes; see EffectsDue
_MOST_TRIES = 2  # of a webhook that the database refuses
_CREATION_SECONDS = (
    2.0  # a creation that is under way when its webhook comes is waited for, so that it need not be read
)


MoreFeeds = Callable[[str, ConnectedCrm], Sequence[Feed]]
"""(account, its CRM) -> feeds that run beside the sync's own."""


def no_more(_account_id: str, _crm: ConnectedCrm) -> Sequence[Feed]:
    """Return none."""
    return ()


class CrmAccountWork:
    """`run` waits for the lease, works until it is lost, and returns."""

    def __init__(
        self,
        account_id: str,
        settings: Settings,
        pool: asyncpg.Pool,
        configuration: Configuration,
        access: CrmAccess,
        leases: Leases,
        reports: AccountReports,
        effects_due: EffectsDue,
        more_feeds: MoreFeeds = no_more,
        beside: Callable[[str, ConnectedCrm], AbstractContextManager[None]] = lambda _account, _crm: (
            nullcontext()
        ),
    ) -> None:
        """more_feeds: what others read of the account's CRM. beside: what else works with it while this process serves it."""
        self._more_feeds, self._beside = more_feeds, beside
        self._account_id = account_id
        self._settings = settings
        self._leases = leases
        self._reports = reports
        self._effects_due = effects_due
        self._pool = pool
        self._configuration = configuration
        self._access = access
        self._webhook_came = asyncio.Event()
        self._policy = NumberPolicy()  # how the account's numbers are read now

    async def run(self) -> None:
        await self._until_switched_on()
        async with self._leases.of(self._account_id) as lease:
            log.info("lease-taken", account=self._account_id)
            account = self._configuration.now.accounts[self._account_id]
            budget = GuardedBudget(lease, account.settings.requests_per_second)
            budget.took_over()
            self._policy = self._configuration.now.policy_of(self._account_id)
            opened = self._access.open(account, budget, lambda: self._policy)
            opening = asyncio.create_task(budget.open_after(opened.crm.is_answering))
            try:
                await self._work(lease, opened, budget)
            except LeaseLost:
                log.warning("lease-lost", account=self._account_id)
            finally:
                opening.cancel()

    def _stand_ins(self, user_id: str) -> tuple[str, ...]:
        staff = self._configuration.now.staff.get(self._account_id)
        return staff.users_instead_of(user_id) if staff else ()

    async def _until_switched_on(self) -> None:
        with self._configuration.changes() as changed:
            while (
                account := self._configuration.now.accounts.get(self._account_id)
            ) and account.state == "off":
                await changed.wait()
                changed.clear()

    async def _work(self, lease: Lease, opened: OpenCrm, budget: Budget) -> None:
        crm = opened.crm
        lending = Lending(self._pool, self._account_id, budget, crm.is_answering)
        sync = Sync(
            crm,
            self._pool,
            self._account_id,
            self._policy,
            poll_seconds=self._settings.poll_seconds,
            metadata_seconds=self._settings.directory_poll_seconds,
            breaker=crm.breaker,
            webhook=webhook_of(self._settings.public_url, self._configuration.now.accounts[self._account_id]),
            more=self._more_feeds(self._account_id, crm),
        )

        writer = Writer(
            crm,
            PgEffects(
                self._pool, self._account_id, lambda: self._policy, partial(told_broken, self._account_id)
            ),
            self._account_id,
            lease,
            sync.catch_up,
            settings=WriterSettings(poll_seconds=_POLL_SECONDS),
            feed=BackfillFeed(self._pool, self._account_id),
            account_breaker=crm.breaker,
            stand_ins=self._stand_ins,
            on_refused_value=sync.doubt_metadata,
        )
        heard = self._configuration.listener.subscribe(
            [channels.EFFECTS, channels.WEBHOOKS, channels.LOAD_DIRECTORY],
            lambda channel, _payload: self._woken(channel, writer, sync),
            lambda: self._woken(None, writer, sync),
            only=self._account_id,
        )
        ordered = self._configuration.listener.subscribe(
            [channels.EFFECTS],
            lambda _channel, _payload: writer.wake(),
            writer.wake,
            only=channels.of_executor(self._account_id, "crm"),
        )
        began_with = self._configuration.now.accounts[self._account_id]
        ended = asyncio.Event()
        spelling_changed = asyncio.Event()

        seen = began_with

        def on_change(snapshot: Snapshot) -> None:
            nonlocal seen
            account = snapshot.accounts.get(self._account_id)
            if account is seen:
                return  # another account's change
            if account is None or account.state == "off" or account.base_url != began_with.base_url:
                ended.set()
                return
            seen = account
            opened.tokens.forget()
            sync.key_changed()
            self._policy = snapshot.policy_of(self._account_id)
            if _reads_otherwise(self._policy, sync.source.policy):
                spelling_changed.set()
            sync.source.policy = self._policy

        self._configuration.on_change(on_change)
        try:
            async with background(
                sync.run(),
                writer.run(),
                lending.run(),
                self._apply_webhooks(sync, writer),
                self._reload_when(spelling_changed, sync),
                probe_while_broken(self._account_id, self._pool, self._configuration, crm),
            ) as failed:
                with (
                    self._configuration.listener.wakes(channels.LOANS, {self._account_id: lending.wake}),
                    self._beside(self._account_id, crm),
                    self._effects_due.served(self._account_id, writer.wake),
                    self._reports.served(self._account_id, lambda: self._figures(opened, sync, writer)),
                ):
                    await wait_first(lease.lost.wait(), ended.wait(), failed)
        finally:
            heard.close()
            ordered.close()
            self._configuration.forget(on_change)

    async def _reload_when(self, spelling_changed: asyncio.Event, sync: Sync) -> None:
        """Numbers are stored as they were read: when they are to be read otherwise, the CRM is read anew."""
        while True:
            await spelling_changed.wait()
            spelling_changed.clear()
            async with self._pool.acquire() as conn, conn.transaction():
                await restart_load(conn, self._account_id)
            sync.wake()

    def _woken(self, channel: str | None, writer: Writer, sync: Sync) -> None:
        """channel: what was heard of this account, None = anything may have happened while nobody listened."""
        if channel in (None, channels.LOAD_DIRECTORY):
            sync.wake("metadata")  # users, pipelines and fields are asked for too
        if channel in (None, channels.EFFECTS):
            writer.wake()
        if channel in (None, channels.WEBHOOKS):
            self._webhook_came.set()

    async def _apply_webhooks(self, sync: Sync, writer: Writer) -> None:
        while True:
            self._webhook_came.clear()
            async with self._pool.acquire() as conn:
                waiting = await next_webhooks(conn, self._account_id)
            if waiting:
                await self._take_over_all(sync, writer, waiting)
                continue
            try:
                async with asyncio.timeout(5):
                    await self._webhook_came.wait()
            except TimeoutError:
                continue

    async def _take_over_all(self, sync: Sync, writer: Writer, waiting: Sequence[tuple[int, bytes]]) -> None:
        """Where the database refuses any of them, one by one: that one costs itself only, and the polls bring what it told."""
        try:
            refusals = await self._take_over(sync, writer, waiting)
        except Exception as err:
            if not is_refused(err):
                raise
            if len(waiting) > 1:
                for one in waiting:
                    await self._take_over_all(sync, writer, [one])
                return
            error = mask_error(err)
            log.error("webhook-failed", account=self._account_id, error=error)
            async with self._pool.acquire() as conn:
                await webhook_failed(conn, self._account_id, waiting[0][0], error, most_tries=_MOST_TRIES)
            return
        async with self._pool.acquire() as conn:
            await webhooks_done(conn, self._account_id, refusals)

    async def _take_over(
        self, sync: Sync, writer: Writer, waiting: Sequence[tuple[int, bytes]]
    ) -> dict[int, str | None]:
        """All of them together: while much is created (a backfill), hundreds come in a second. Refusals by id."""
        changes: list[EntityChange] = []
        observed: list[Observed] = []
        unread: dict[UnreadRef, Sequence[Unread]] = {}
        refusals: dict[int, str | None] = {}
        for webhook_id, body in waiting:
            try:
                delivery = parse_webhook(body)
                changes += delivery.changes
                observed += delivery.observed
                unread |= delivery.unread
                refusals[webhook_id] = None
            except WebhookInvalid as err:
                log.warning("webhook-unreadable", account=self._account_id, error=str(err))
                refusals[webhook_id] = str(err)
        await sync.apply_webhooks(changes, lambda: writer.recorded(_CREATION_SECONDS), observed, unread)
        return refusals

    async def _figures(self, opened: OpenCrm, sync: Sync, writer: Writer) -> dict[str, Any]:
        health, token = opened.crm.health(), await opened.tokens.status()
        return {
            "at": datetime.now(UTC),
            "budget": health.budget,
            "circuit": health.circuit,
            "token": token,
            "writer": writer.status(),
            "clock_offset_seconds": health.clock_offset_seconds,
            "moved_to": health.moved_to,
            "silent_since": health.silent_since,
            "sync": {
                "in_sync_at": sync.health.in_sync_at,
                "is_loaded": sync.health.is_loaded,
                "failures": sync.health.failures,
                "errors": sync.health.last_errors,
                "unread": opened.crm.unread.total,
            },
        }


def _reads_otherwise(a: NumberPolicy, b: NumberPolicy) -> bool:
    return (a.region, a.area_code, a.eight_is_plus_seven) != (b.region, b.area_code, b.eight_is_plus_seven)
