"""What a message came to, written down: in its row, in the client's card, and in the item that it is of; in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from crm.effects.order import order
from crm.lane import Lane
from gateway.sms.notes import failure_note, sent_note
from gateway.store.admin.accounts import Account, account
from gateway.store.outbound import do_not_call, items
from gateway.store.outbound.items import EndState
from gateway.store.sms.messages import (
    SmsMessageRow,
    SmsUpdate,
    free_second,
    message_of,
    messages_of_item,
    save_message,
)
from gateway.texts.sentences import FOR_OTHERS
from routing.effects import Effect
from runtime.database.pool import Conn
from sms.model import SmsState
from sms.progress import FINAL_STATES, SETTLED_STATES
from sms.reasons import SmsReason


async def settle(conn: Conn, row: SmsMessageRow, update: SmsUpdate, now: datetime) -> SmsMessageRow:
    """Write down what the message came to, in the caller's transaction, which holds its row. Return it as it stands then."""
    own = await account(conn, row.account_id)
    at = await free_second(conn, row.account_id, row.deal_id, now)
    sent = None if row.is_noted else sent_note(row, update.progress, at)
    before = SmsState(row.state)
    is_open = update.progress.state is SmsState.UNKNOWN and update.look_at is not None
    texts = FOR_OTHERS[own.settings.language]
    failed = None if is_open else failure_note(row, before, update.progress, texts, at)
    effects = [effect for effect in (sent, failed) if effect is not None]
    if effects:
        update = replace(update, noted_at=at, is_noted=sent is not None)
    await save_message(conn, row, update, now)
    await order_notes(conn, own, row.item_id or "", row.number or "", effects)
    if update.progress.reason is SmsReason.BLOCKED_NUMBER and row.employee_id is None and row.number:
        await do_not_call.add(conn, row.account_id, row.number, source="provider", said_by=row.connection)
    if row.item_id is not None and update.progress.is_final and not is_open:
        await _end_item(conn, row.account_id, row.item_id)
    after = await message_of(conn, row.account_id, row.own_id)
    assert after is not None
    return after


async def order_notes(
    conn: Conn, own: Account, decision_id: str, number: str, effects: Sequence[Effect]
) -> None:
    """Order them from the CRM, where the account is on; else they are kept until it is."""
    await order(
        conn,
        account_id=own.id,
        decision_id=decision_id,
        call_id=None,
        client=number or decision_id,
        lane=Lane.EVENTS,
        effects=effects,
        held=own.state != "on",
    )


async def _end_item(conn: Conn, account_id: str, item_id: str) -> None:
    """End the item once all its messages have ended."""
    item = await items.lock(conn, account_id, item_id)
    messages = await messages_of_item(conn, account_id, item_id)
    if item is None or any(SmsState(m.state) not in FINAL_STATES or m.look_at for m in messages):
        return
    state, reason = _end_of(messages)
    await items.end_item(conn, item, state, reason)


def _end_of(messages: Sequence[SmsMessageRow]) -> tuple[EndState, str]:
    """One that arrived is a success; as long as nobody knows of one, nobody knows of the whole."""
    states = {SmsState(message.state) for message in messages}
    if SmsState.DELIVERED in states:
        return "succeeded", "delivered"
    if states - SETTLED_STATES:
        return "unknown", next(m.reason for m in messages if m.state == SmsState.UNKNOWN)
    if states == {SmsState.EXPIRED}:
        return "expired", "expired"
    return "failed", next((m.reason for m in messages if m.reason), "undeliverable")
