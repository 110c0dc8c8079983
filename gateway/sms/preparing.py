"""Texts of the accounts that a worker serves: what is due is read from the CRM anew, written, and put into its provider's queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from crm.errors import CrmError
from crm.lane import Lane
from crm.port import Crm
from gateway.crm_accounts.served_turns import ServedTurns
from gateway.sms.deal import DealRead, TextSurroundings, client_number, read_deals, surroundings
from gateway.sms.notes import item_note
from gateway.sms.settling import order_notes
from gateway.sms.writing import TextJudgement, WrittenText, judged, most_parts_of, sms_action, written
from gateway.store.outbound.do_not_call import is_listed
from gateway.store.outbound.items import EndState, OutboundItem, end_item, lock
from gateway.store.outbound.known import known_of_item
from gateway.store.sms import items as store
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from gateway.store.sms.messages import NewSms, add_message, free_second
from gateway.store.sms.turns import queued_count
from gateway.texts.sentences import FOR_OTHERS
from routing.texts.catalogue import Phrase, phrase
from routing.triggers.model import SendSms
from runtime.database.errors import may_pass
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.5
_TOGETHER = 50
_MOST_QUEUED = 100
"""Of one provider: what waits longer is written later, so that it says what is true then."""
_LOOK_AGAIN = timedelta(seconds=15)
_AFTER_TROUBLE = timedelta(seconds=20)
_AFTER_MISTAKE = timedelta(minutes=10)
_LONGEST_LOOK = timedelta(minutes=15)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SmsTexts:
    """`loop` until cancelled; an account's texts are written while it is `served`."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime] = _utc_now) -> None:
        self._pool, self._now = pool, now
        self._turns = ServedTurns("sms-texts", pool, self._busy, EVERY_SECONDS)
        self.loop = self._turns.loop

    def served(self, account_id: str, crm: Crm) -> AbstractContextManager[None]:
        return self._turns.served(account_id, AccountTexts(self._pool, account_id, crm, self._now).turn)

    async def _busy(self, conn: Conn, accounts: Sequence[str]) -> list[str]:
        return await store.accounts_with_texts(conn, accounts, self._now())


class AccountTexts:
    """One account's."""

    def __init__(
        self, pool: asyncpg.Pool, account_id: str, crm: Crm, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._pool, self._account, self._crm, self._now = pool, account_id, crm, now

    async def turn(self) -> bool:
        """Write those that are due, some fifty at most; whether there were any."""
        now = self._now()
        async with self._pool.acquire() as conn:
            due = await store.due_texts(conn, self._account, now, _TOGETHER)
            if not due:
                return False
            around = await surroundings(conn, self._account)
        try:
            deals = await read_deals(
                self._crm, around.staff, [i.deal_id for i in due if i.deal_id], Lane.EVENTS
            )
        except CrmError as err:
            await self._wait_for_crm(due, around, err)
            return True
        for item in due:
            await self._prepared(item, deals.get(item.deal_id or "", DealRead(deal=None)), around)
        return True

    async def _wait_for_crm(
        self, due: Sequence[OutboundItem], around: TextSurroundings, err: CrmError
    ) -> None:
        """Nothing is said to a client that may be wrong by now: texts wait until the deal can be read, or their time is over."""
        log.warning("sms-waits-for-crm", account=self._account, count=len(due), code=err.code)
        now = self._now()
        async with self._pool.acquire() as conn, conn.transaction():
            for item in due:
                if item.expires_at is not None and now >= item.expires_at:
                    await _end(conn, around, item, "expired", "expired", phrase("sms.state.expired"), now)
                else:
                    await store.keep_waiting(conn, item, now + _AFTER_TROUBLE, "waits_for_crm")

    async def _prepared(self, item: OutboundItem, read: DealRead, around: TextSurroundings) -> None:
        """Prepare one; a mistake of ours over it holds up no other."""
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                held = await lock(conn, self._account, item.item_id)
                if held is not None and held.state == "waiting":
                    await prepare(conn, held, read, around, self._now())
        except Exception as err:
            if may_pass(err):
                raise
            log.exception("sms-not-written", account=self._account, item=item.item_id)
            async with self._pool.acquire() as conn:
                await store.keep_waiting(conn, item, self._now() + _AFTER_MISTAKE, "not_decided")


async def prepare(
    conn: Conn, item: OutboundItem, read: DealRead, around: TextSurroundings, now: datetime
) -> None:
    """Judge and write one text that waits, in the transaction that holds it."""
    action = sms_action(item.action)
    saved = {s.name: s for s in await sms_connections(conn, item.account_id)}.get(action.provider)
    number = client_number(read, around.policy)
    opted_out = number is not None and await is_listed(conn, item.account_id, number)
    known = await known_of_item(conn, item)
    found = judged(item, action, known, read, around, saved, is_opted_out=opted_out, now=now)
    await store.let_expire(conn, item, found.expires_at)
    decision = found.decision
    if not decision.is_go:
        await _not_now(conn, item, around, found, now)
        return
    assert saved is not None
    if await queued_count(conn, item.account_id, saved.name) >= (1 if saved.stop else _MOST_QUEUED):
        await store.keep_waiting(conn, item, now + _LOOK_AGAIN, "not_its_turn")
        return
    off_limits = frozenset({number}) if opted_out and number else frozenset()
    text = written(action, read, around, most_parts_of(saved), off_limits)
    await _queue(conn, item, action, saved, read, around, text, found, now)


async def _not_now(
    conn: Conn, item: OutboundItem, around: TextSurroundings, found: TextJudgement, now: datetime
) -> None:
    decision = found.decision
    if decision.end is None:
        until = min(decision.look_at or now + _LOOK_AGAIN, now + _LONGEST_LOOK)
        await store.keep_waiting(conn, item, until, decision.reason)
    elif decision.reason == "expired":
        await _end(conn, around, item, "expired", "expired", phrase("sms.state.expired"), now)
    else:
        await end_item(conn, item, "dropped", decision.reason)


async def _queue(
    conn: Conn,
    item: OutboundItem,
    action: SendSms,
    saved: SavedSmsConnection,
    read: DealRead,
    around: TextSurroundings,
    text: WrittenText,
    found: TextJudgement,
    now: datetime,
) -> None:
    """Put a message for each recipient into the provider's queue; who gets none is told of in the card."""
    if text.refusal is not None:
        why = phrase(f"sms.reason.{text.refusal.reason}")
        await _end(conn, around, item, "failed", text.refusal.reason, why, now)
        return
    if not text.who.chosen:
        why_nobody = text.who.skipped[0].why if text.who.skipped else "no-number"
        await _end(conn, around, item, "failed", why_nobody, phrase(f"sms.skip.{why_nobody}"), now)
        return
    client = next((r.number for r in text.who.chosen if r.employee_id is None), None)
    for recipient in text.who.chosen:
        extension = (
            read.responsible.extensions[0] if read.responsible and read.responsible.extensions else None
        )
        new = NewSms(
            item_id=item.item_id,
            connection=saved.name,
            number=recipient.number,
            employee_id=recipient.employee_id,
            deal_id=item.deal_id,
            contact_id=read.contact.id if read.contact else None,
            sender=action.sender or saved.sender,
            extension=extension,
            text=text.text,
            encoding=text.segments.encoding,
            parts=len(text.segments.parts),
            expires_at=found.expires_at,
            fresh_until=found.fresh_until,
        )
        await add_message(conn, item.account_id, new, now)
    skipped = [{"employee": s.employee_id, "why": s.why} for s in text.who.skipped]
    await store.begin_sending(conn, item, client, skipped)
    await _tell_of_skipped(conn, item, around, text, now)


async def _tell_of_skipped(
    conn: Conn, item: OutboundItem, around: TextSurroundings, text: WrittenText, now: datetime
) -> None:
    texts = FOR_OTHERS[around.account.settings.language]
    by_why: dict[str, list[str]] = defaultdict(list)
    for skipped in text.who.skipped:
        person = around.staff.by_id.get(skipped.employee_id or "")
        by_why[skipped.why].append(person.name if person else texts.say("sms.client"))
    said = [
        texts.say("sms.note.skipped", name=", ".join(names), why=phrase(f"sms.skip.{why}"))
        for why, names in by_why.items()
        if why != "same-number"
    ]
    if said:
        at = await free_second(conn, item.account_id, item.deal_id, now)
        note = item_note(item.item_id, item.contact_id, item.deal_id, "skipped", "\n".join(said), at)
        await order_notes(conn, around.account, item.item_id, "", [note] if note else [])


async def _end(
    conn: Conn,
    around: TextSurroundings,
    item: OutboundItem,
    state: EndState,
    reason: str,
    why: Phrase,
    now: datetime,
) -> None:
    """End a text that was not sent, and say so in the card."""
    if not await end_item(conn, item, state, reason):
        return
    said = FOR_OTHERS[around.account.settings.language].say("sms.note.not-sent", why=why)
    at = await free_second(conn, item.account_id, item.deal_id, now)
    note = item_note(item.item_id, item.contact_id, item.deal_id, "not-sent", said, at)
    await order_notes(conn, around.account, item.item_id, "", [note] if note else [])
