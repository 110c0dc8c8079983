"""What is cleaned away in the background, and when: of every table that grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg

from crm.effects.store.runs import delete_older_than as delete_runs_older_than
from crm.store.metadata import delete_places_older_than
from crm.store.unread import forget_old_unread
from gateway.settings import Settings
from gateway.sms.news import EARLY_IS_KEPT
from gateway.store.admin import personal_data, told_of_clients
from gateway.store.admin.accounts import accounts
from gateway.store.admin.audit import delete_audit_older_than
from gateway.store.admin.sessions import ABSOLUTE, IDLE, delete_ended_sessions
from gateway.store.admin.sign_ins import forget_old_tries
from gateway.store.admin.staff import delete_snapshots_older_than
from gateway.store.alerts import messages
from gateway.store.alerts.messages import delete_alert_messages_older_than
from gateway.store.calls.old_calls import delete_calls, delete_cases, delete_effects
from gateway.store.campaigns.old import empty_campaign_names, empty_campaign_numbers
from gateway.store.campaigns.topics import delete_topics_older_than
from gateway.store.channels.files import delete_chat_files
from gateway.store.channels.old import (
    delete_chat_messages,
    delete_empty_copies,
    delete_empty_dialogues,
    empty_chat_names,
    empty_chat_numbers,
    empty_chat_texts,
    empty_copied_texts,
)
from gateway.store.channels.updates import delete_old_updates
from gateway.store.crm_accounts.exchanges import delete_exchanges_older_than
from gateway.store.crm_accounts.webhooks import delete_expired_grants, delete_webhooks_older_than
from gateway.store.crm_chats.hooks import delete_crm_hooks
from gateway.store.crm_events.work import delete_events_older_than
from gateway.store.decisions.decisions import delete_older_than
from gateway.store.distribution.ledgers import delete_journal_older_than
from gateway.store.distribution.listing import delete_items_older_than
from gateway.store.frames.frame_tokens import delete_old_frame_tokens
from gateway.store.health.strangers import forget_old_strangers
from gateway.store.intake.inbox import delete_older_than as delete_messages_older_than
from gateway.store.outbound.old import empty_firing_steps, empty_outbound_numbers
from gateway.store.pbx_links.commands import delete_commands_older_than
from gateway.store.presence.attendance import delete_intervals_older_than
from gateway.store.presence.chats import delete_asked_older_than
from gateway.store.presence.pages import forget_pages
from gateway.store.shift_change.runs import delete_runs_before
from gateway.store.sign_in.links import delete_expired_links
from gateway.store.sms.early import forget_early
from gateway.store.sms.old import (
    delete_sms_incoming,
    delete_sms_messages,
    empty_sms_numbers,
    empty_sms_texts,
)
from gateway.store.triggers.firings import delete_firings_older_than, delete_outbound_older_than
from gateway.store.worker.long_tasks import delete_ended
from routing.settings import PersonalDataPolicy
from runtime.database import locks
from runtime.database.pool import Conn

EVERY_SECONDS = 600.0
_BATCH = 5000
_FRAMES_TOLD = timedelta(days=1)
"""So long it is said of what opened a frame that it has expired."""
_STRANGERS_AGE = timedelta(days=7)
_PAGE_AGE = timedelta(hours=2)
"""Longer than an open page that is not heard says anything."""
_ASKED_AGE = timedelta(days=7)
"""Longer than anybody presses the button of an old question."""
_SPARE = timedelta(days=1)
"""Decisions may be older than what was known to have changed when they were taken."""
_UNREAD_AGE = timedelta(days=1)
"""What the CRM told only once and in a way that cannot be read. What it still tells so is noted again and again."""


async def clean(pool: asyncpg.Pool, settings: Settings) -> int:
    """How many rows were removed. Small batches, so that nothing waits for it; one process of the installation at a time."""
    now = datetime.now(UTC)
    exchanges = timedelta(days=settings.exchange_days)
    told, decided, called, sent = (
        now - timedelta(days=days)
        for days in (
            settings.crm_event_days,
            settings.decision_days,
            settings.call_days,
            settings.outbound_days,
        )
    )
    cleaners: tuple[Callable[[Conn], Awaitable[int]], ...] = (
        lambda conn: delete_messages_older_than(
            conn, now - timedelta(days=settings.raw_event_days), limit=_BATCH
        ),
        lambda conn: delete_old_updates(conn, now - timedelta(days=settings.raw_event_days), limit=_BATCH),
        lambda conn: delete_crm_hooks(conn, now - timedelta(days=settings.raw_event_days), limit=_BATCH),
        lambda conn: delete_exchanges_older_than(conn, exchanges, limit=_BATCH),
        lambda conn: forget_old_unread(conn, now - _UNREAD_AGE, limit=_BATCH),
        lambda conn: forget_old_strangers(conn, _STRANGERS_AGE, limit=_BATCH),
        lambda conn: forget_old_tries(conn, limit=_BATCH),
        lambda conn: delete_ended_sessions(conn, now - ABSOLUTE, now - IDLE, limit=_BATCH),
        lambda conn: delete_expired_links(conn, now, limit=_BATCH),
        lambda conn: delete_old_frame_tokens(conn, now - _FRAMES_TOLD, limit=_BATCH),
        lambda conn: delete_alert_messages_older_than(conn, now - messages.KEPT, limit=_BATCH),
        lambda conn: delete_expired_grants(conn, now, limit=_BATCH),
        lambda conn: delete_audit_older_than(conn, now - timedelta(days=settings.audit_days), limit=_BATCH),
        lambda conn: delete_commands_older_than(conn, exchanges, limit=_BATCH),
        lambda conn: delete_events_older_than(conn, told, limit=_BATCH),
        lambda conn: delete_webhooks_older_than(conn, told, limit=_BATCH),
        lambda conn: delete_intervals_older_than(
            conn, now - timedelta(days=settings.presence_days), limit=_BATCH
        ),
        lambda conn: delete_asked_older_than(conn, now - _ASKED_AGE, limit=_BATCH),
        lambda conn: forget_pages(conn, now - _PAGE_AGE, limit=_BATCH),
        lambda conn: delete_snapshots_older_than(conn, decided - _SPARE, limit=_BATCH),
        lambda conn: delete_places_older_than(conn, decided - _SPARE, limit=_BATCH),
        lambda conn: delete_ended(conn, limit=_BATCH),
        lambda conn: forget_early(conn, now - EARLY_IS_KEPT, limit=_BATCH),
        lambda conn: delete_runs_older_than(conn, called, limit=_BATCH),
    )
    total = 0
    async with pool.acquire() as conn:
        for forget in cleaners:
            while removed := await _alone(conn, forget):
                total += removed
                await asyncio.sleep(0.05)
        for account in await accounts(conn):
            of_account: list[Callable[[Conn], Awaitable[int]]] = [
                partial(delete_older_than, account_id=account.id, before=decided, limit=_BATCH),
                partial(delete_runs_before, account_id=account.id, before=called, limit=_BATCH),
                *(
                    partial(delete, account_id=account.id, before=called, limit=_BATCH)
                    for delete in (
                        delete_calls,
                        delete_cases,
                        delete_effects,
                        delete_chat_messages,
                        delete_empty_copies,
                        delete_empty_dialogues,
                    )
                ),
                partial(delete_items_older_than, account_id=account.id, before=decided, limit=_BATCH),
                *(
                    partial(delete, account_id=account.id, before=sent, limit=_BATCH)
                    for delete in (
                        delete_outbound_older_than,
                        delete_sms_messages,
                        delete_sms_incoming,
                        delete_firings_older_than,
                        delete_topics_older_than,
                    )
                ),
                partial(delete_journal_older_than, account_id=account.id, before=decided, limit=_BATCH),
                *emptiers(account.id, account.settings.personal_data, now),
            ]
            for empty in of_account:
                while done := await _alone(conn, empty):
                    total += done
                    await asyncio.sleep(0.05)
    return total


def emptiers(
    account_id: str, policy: PersonalDataPolicy, now: datetime
) -> Iterator[Callable[[Conn], Awaitable[int]]]:
    """Yield what empties a batch of an account's personal data each, nothing where no days are set."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    if policy.raw_days is not None:
        yield partial(
            personal_data.empty_raw, account_id=account_id, before=before(policy.raw_days), limit=_BATCH
        )
    named = [days for days in (policy.number_days, policy.name_days) if days is not None]
    if named:
        for empty in (
            personal_data.drop_decisions,
            personal_data.empty_effects,
            personal_data.empty_cases,
            told_of_clients.empty_changes,
            told_of_clients.drop_exchanges,
            told_of_clients.empty_unread,
            empty_firing_steps,
            empty_campaign_names,
            empty_chat_names,
        ):
            yield partial(empty, account_id=account_id, before=before(min(named)), limit=_BATCH)
    if policy.text_days is not None:
        for empty_texts in (empty_sms_texts, empty_chat_texts, empty_copied_texts, delete_chat_files):
            yield partial(empty_texts, account_id=account_id, before=before(policy.text_days), limit=_BATCH)
    if policy.number_days is not None:
        for empty_numbers in (
            empty_sms_numbers,
            empty_outbound_numbers,
            empty_campaign_numbers,
            empty_chat_numbers,
        ):
            yield partial(
                empty_numbers, account_id=account_id, before=before(policy.number_days), limit=_BATCH
            )
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


async def _alone(conn: Conn, forget: Callable[[Conn], Awaitable[int]]) -> int:
    async with conn.transaction():
        if not await locks.try_take(conn, locks.RETENTION):
            return 0
        return await forget(conn)
