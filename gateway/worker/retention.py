"""What is cleaned away in the background, and when: of every table that grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import structlog

from crm.effects.store.runs import delete_older_than as delete_runs_older_than
from crm.store.entries import forget_gone
from crm.store.news import forget_old_tasks
from crm.store.unread import forget_old_unread
from gateway.settings import Settings
from gateway.store.admin import personal_data
from gateway.store.admin.accounts import Account, accounts
from gateway.store.admin.audit import delete_audit_older_than
from gateway.store.admin.sign_ins import forget_old_tries
from gateway.store.admin.staff import delete_snapshots_older_than
from gateway.store.alerts import messages
from gateway.store.alerts.messages import delete_alert_messages_older_than
from gateway.store.calls.old_calls import delete_calls, delete_cases, delete_effects
from gateway.store.crm_accounts.exchanges import delete_exchanges_older_than
from gateway.store.crm_accounts.webhooks import delete_expired_grants, delete_webhooks_older_than
from gateway.store.crm_events.work import delete_events_older_than
from gateway.store.decisions.decisions import delete_older_than
from gateway.store.decisions.lookup_inputs import delete_rules_older_than
from gateway.store.distribution.ledgers import delete_journal_older_than
from gateway.store.distribution.listing import delete_items_older_than
from gateway.store.health.strangers import forget_old_strangers
from gateway.store.intake.inbox import delete_older_than as delete_messages_older_than
from gateway.store.pbx_links.commands import delete_commands_older_than
from gateway.store.presence.attendance import delete_intervals_older_than
from gateway.store.presence.pages import forget_pages
from gateway.store.worker.long_tasks import delete_ended
from routing.settings import PersonalDataPolicy
from runtime.database import locks
from runtime.database.errors import may_pass
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0
_BATCH = 5000
_STRANGERS_AGE = timedelta(days=7)
_PAGE_AGE = timedelta(hours=2)
"""Longer than an open page that is not heard says anything."""
_SPARE = timedelta(days=1)
"""Decisions may be older than what was known to have changed when they were taken."""
_GONE_KEPT, _GONE_SETTLED = timedelta(days=1), timedelta(minutes=5)
_UNREAD_AGE = timedelta(days=1)
"""What the CRM told only once and in a way that cannot be read. What it still tells so is noted again and again."""

_Forget = Callable[[Conn], Awaitable[int]]
"""Removes or empties one batch; how many rows."""


async def clean(pool: asyncpg.Pool, settings: Settings) -> int:
    """How many rows were removed. Small batches, so that nothing waits for it; one process of the installation at a time.

    What one table refuses costs no other its cleaning; the first such error is raised at the end.
    """
    now = datetime.now(UTC)
    work = _Cleaning()
    async with pool.acquire() as conn:
        for forget in _of_installation(settings, now):
            await work.until_clean(conn, forget)
        for account in await accounts(conn):
            for forget in _of_account(account, settings, now):
                await work.until_clean(conn, forget)
    if work.error is not None:
        raise work.error
    return work.removed


@dataclass(slots=True)
class _Cleaning:
    """One round."""

    removed: int = 0
    error: Exception | None = None

    async def until_clean(self, conn: Conn, forget: _Forget) -> None:
        try:
            while removed := await _alone(conn, forget):
                self.removed += removed
                await asyncio.sleep(0.05)
        except Exception as err:
            if may_pass(err):  # the database is in trouble, with every table
                raise
            log.error("cleaning-failed", what=getattr(forget, "func", forget).__name__, exc_info=err)
            self.error = self.error or err


def _of_installation(settings: Settings, now: datetime) -> Iterator[_Forget]:
    exchanges = timedelta(days=settings.exchange_days)
    told, decided, called = (
        now - timedelta(days=days)
        for days in (settings.crm_event_days, settings.decision_days, settings.call_days)
    )
    heard, changed, seen = (
        now - timedelta(days=days)
        for days in (settings.raw_event_days, settings.audit_days, settings.presence_days)
    )
    yield partial(delete_messages_older_than, before=heard, limit=_BATCH)
    yield partial(delete_exchanges_older_than, older_than=exchanges, limit=_BATCH)
    yield partial(forget_old_unread, before=now - _UNREAD_AGE, limit=_BATCH)
    yield partial(forget_old_strangers, age=_STRANGERS_AGE, limit=_BATCH)
    yield partial(forget_old_tries, limit=_BATCH)
    yield partial(delete_alert_messages_older_than, at=now - messages.KEPT, limit=_BATCH)
    yield partial(delete_expired_grants, before=now, limit=_BATCH)
    yield partial(delete_audit_older_than, before=changed, limit=_BATCH)
    yield partial(delete_commands_older_than, older_than=exchanges, limit=_BATCH)
    yield partial(delete_events_older_than, before=told, limit=_BATCH)
    yield partial(delete_webhooks_older_than, before=told, limit=_BATCH)
    yield partial(delete_intervals_older_than, before=seen, limit=_BATCH)
    yield partial(forget_pages, before=now - _PAGE_AGE, limit=_BATCH)
    yield partial(delete_snapshots_older_than, before=decided - _SPARE, limit=_BATCH)
    yield partial(delete_rules_older_than, before=decided - 2 * _SPARE, limit=_BATCH)
    yield partial(delete_ended, limit=_BATCH)
    yield partial(delete_runs_older_than, before=called, limit=_BATCH)
    yield partial(forget_old_tasks, before=called, limit=_BATCH)
    yield partial(forget_gone, kept=_GONE_KEPT, settled=_GONE_SETTLED, limit=_BATCH)


def _of_account(account: Account, settings: Settings, now: datetime) -> Iterator[_Forget]:
    decided, called = (now - timedelta(days=days) for days in (settings.decision_days, settings.call_days))
    yield partial(delete_older_than, account_id=account.id, before=decided, limit=_BATCH)
    for delete in (delete_calls, delete_cases, delete_effects):
        yield partial(delete, account_id=account.id, before=called, limit=_BATCH)
    yield partial(delete_items_older_than, account_id=account.id, before=decided, limit=_BATCH)
    yield partial(delete_journal_older_than, account_id=account.id, before=decided, limit=_BATCH)
    yield from emptiers(account.id, account.settings.personal_data, now)


def emptiers(account_id: str, policy: PersonalDataPolicy, now: datetime) -> Iterator[_Forget]:
    """Yield what empties a batch of an account's personal data each, nothing where no days are set."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    if policy.raw_days is not None:
        yield partial(
            personal_data.empty_raw, account_id=account_id, before=before(policy.raw_days), limit=_BATCH
        )
    named = [days for days in (policy.number_days, policy.name_days) if days is not None]
    if named:
        for empty in (personal_data.drop_decisions, personal_data.empty_effects, personal_data.empty_cases):
            yield partial(empty, account_id=account_id, before=before(min(named)), limit=_BATCH)
    # The number goes last: it is by the number that one sees that somebody still works for the client.
    for field, days in (
        ("recordings", policy.recording_days),
        ("params", policy.param_days),
        ("number", policy.number_days),
    ):
        if days is not None:
            yield partial(
                personal_data.empty_calls,
                account_id=account_id,
                before=before(days),
                fields=frozenset({field}),
                limit=_BATCH,
            )


async def _alone(conn: Conn, forget: _Forget) -> int:
    async with conn.transaction():
        if not await locks.try_take(conn, locks.RETENTION):
            return 0
        return await forget(conn)
