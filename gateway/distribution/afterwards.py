"""What happens after something was given: not taken to work, refused by the CRM for good, changed by somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from crm.effects.model import ENTITY_GONE
from crm.effects.outcomes import CHANGED_MEANWHILE, CLOSED_MEANWHILE
from crm.effects.owners import OWNER_REFUSED
from crm.store.deals import known_deal
from gateway.distribution.give import Giver, lock_deals
from gateway.store.admin.staff import staff_of
from gateway.store.crm_events.work import EventRow
from gateway.store.distribution import afterwards as store
from gateway.store.distribution import items
from gateway.store.distribution.afterwards import EndedOrder
from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import books_of, hold_template, take_back
from routing.calls.model import Talk
from routing.distribution.template import TakenToWork
from routing.staff import Staff
from runtime.database.pool import Conn, database_now

log = structlog.get_logger(__name__)

_MEANWHILE = {CHANGED_MEANWHILE: "overridden", CLOSED_MEANWHILE: "deal_closed"}
"""What a person did before our change left stays, and what we booked for it is taken back."""
_SOON = timedelta(seconds=60)
_LOOK_AGAIN = timedelta(seconds=30)
_SEEN_LATE = timedelta(hours=1)
_WORK = (
    "stage_changed",
    "price_changed",
    "name_changed",
    "fields_changed",
    "numbers_changed",
    "tags_changed",
    "message_sent",
    "completed",
    "reopened",
)
"""Changes that a person makes who works on a deal. An incoming message or a new owner is nobody's work."""


async def overridden(conn: Conn, event: EventRow) -> None:
    """Give way to who made another the owner: right after us, that stands and is told; before our change left, it does not
    leave; of what still waits, a person of ours has the last word, and not a robot.

    The deal is held by the caller; its templates are taken before its items, as by everybody.
    """
    account_id, deal_id = event.account_id, event.entity_id
    known = await items.open_items_of_deal(conn, account_id, deal_id)
    await books_of(conn, account_id, {i.template for i in known if _is_right_after(event, i)}, hold=True)
    for item in await items.open_items_of_deal(conn, account_id, deal_id, lock=True):
        if item.state == "waiting":
            await _given_by_hand(conn, item, event)
        elif _is_right_after(event, item):
            await _overridden(conn, item, event)


def _is_right_after(event: EventRow, item: ItemRow) -> bool:
    if item.state != "given" or item.decided_at is None:
        return False
    return abs(event.at - item.decided_at) <= _SOON


async def _given_by_hand(conn: Conn, item: ItemRow, event: EventRow) -> None:
    staff = await staff_of(conn, item.account_id)
    if event.by_user in staff.by_crm_user and event.at >= item.entered_at - _SOON:
        await _give_up(conn, item, "overridden")
        await items.mark_overridden(conn, item.account_id, item.item_id, event.new)


async def _overridden(conn: Conn, item: ItemRow, event: EventRow) -> None:
    assert item.decision_id is not None
    if event.new == item.owner_before and not event.by_user:
        return  # read in the CRM before our change and told after it; were it a person's, the deal's owner tells it later
    if await store.skip_unsent(conn, item.account_id, item.decision_id, "overridden"):
        held = await hold_template(conn, item.account_id, item.template)
        if held is not None:
            await take_back(
                conn, item.account_id, held, [item.decision_id], "overridden", await database_now(conn)
            )
        await _give_up(conn, item, "overridden")
    await items.mark_overridden(conn, item.account_id, item.item_id, event.new)


async def _give_up(conn: Conn, item: ItemRow, reason: str) -> None:
    await items.save_item(
        conn,
        replace(
            item,
            state="cancelled",
            reason=reason,
            due_at=None,
            opens_at=None,
            take_until=None,
            is_written=True,
        ),
    )


async def look_whether_taken(conn: Conn, giver: Giver, account_id: str, item_id: str) -> None:
    """Take it away from who did not take it to work in their time, and give it to the next one."""
    item = await items.item_of(conn, account_id, item_id)
    if item is None:
        return
    await lock_deals(conn, account_id, [item.entity_id])
    item = await items.item_of(conn, account_id, item_id, lock=True)
    if item is None or item.state != "given" or item.due_at is None or item.employee_id is None:
        return
    held = await hold_template(conn, account_id, item.template)
    if held is None or held.template.taken is None or item.overridden_by:
        await items.put_off(conn, account_id, item_id, None)
        return
    staff, deal = await staff_of(conn, account_id), await known_deal(conn, account_id, item.entity_id)
    person = staff.by_id.get(item.employee_id)
    now = await database_now(conn)
    is_others = deal is None or not deal.is_open or person is None or deal.owner_id != person.crm_user_id
    if is_others and item.is_written:
        is_late = deal is not None and deal.owner_id == item.owner_before and _is_soon(item, now)
        await items.put_off(conn, account_id, item_id, now + _LOOK_AGAIN if is_late else None)
        return
    if taken_at := await _taken_at(conn, item, staff, held.template.taken):
        await items.mark_taken(conn, account_id, item_id, taken_at)
        return
    await _anew(conn, giver, item, "not_taken", now)


def _is_soon(item: ItemRow, now: datetime) -> bool:
    """Whether the directory may not have seen yet to whom it was given: the CRM's feed is late at times."""
    return item.take_until is not None and now < item.take_until + _SEEN_LATE


async def _taken_at(conn: Conn, item: ItemRow, staff: Staff, wanted: TakenToWork) -> datetime | None:
    """When the one who has it first did something for it within their time, None = they have not."""
    assert item.employee_id is not None
    assert item.decided_at is not None
    person = staff.by_id.get(item.employee_id)
    if person is None:
        return None
    found: list[datetime] = []
    whats = {
        *(_WORK if "event" in wanted.signs else ()),
        *(("stage_changed",) if "stage_change" in wanted.signs else ()),
    }
    if whats and person.crm_user_id:
        sign = await store.first_sign(
            conn, item.account_id, item.entity_id, person.crm_user_id, item.decided_at, sorted(whats)
        )
        found += [sign] if sign else []
    if "call" in wanted.signs:
        calls = await store.calls_with_client(conn, item.account_id, item.entity_id, item.decided_at)
        found += [at for at, c in calls if _worked_on(c.direction, c.talks, c.rung, staff, person.id)]
    first = min(found, default=None)
    return first if first is not None and (item.take_until is None or first <= item.take_until) else None


def _worked_on(
    direction: str, talks: Sequence[Talk], rung: Sequence[str], staff: Staff, employee_id: str
) -> bool:
    """Whether this person talked; that nobody answered their own call is no fault of theirs."""
    parties = [talk.party for talk in talks] + (list(rung) if direction == "outbound" else [])
    return any((p := staff.employee_at(party)) is not None and p.id == employee_id for party in parties)


def is_refused(ended: EndedOrder) -> bool:
    """Whether the one who was to get it has not got it."""
    return ended.state == "dead" or (ended.state == "skipped" and ended.code in _MEANWHILE)


async def order_ended(conn: Conn, giver: Giver, ended: EndedOrder) -> None:
    """Look what became of the change in the CRM: where it was refused, what was booked is taken back and somebody else gets it."""
    item = await items.item_of(conn, ended.account_id, ended.item_id)
    if item is None:
        return
    await lock_deals(conn, ended.account_id, [item.entity_id])
    item = await items.item_of(conn, ended.account_id, ended.item_id, lock=True)
    if item is None or item.is_written:
        return
    if ended.state == "skipped" and ended.code in _MEANWHILE:
        await _taken_back(conn, item, "overridden", await database_now(conn))
        await _give_up(conn, item, _MEANWHILE[ended.code])
        return
    if ended.state != "dead" or item.decision_id is None:
        await store.mark_written(conn, item.account_id, [item.item_id])
        return
    log.warning("given-refused", account=item.account_id, item=item.item_id, code=ended.code)
    await store.set_orders_aside(conn, item.account_id, item.decision_id, "given-anew")
    now = await database_now(conn)
    if ended.code == OWNER_REFUSED:
        await _anew(conn, giver, item, "crm_refused", now)
        return
    await _taken_back(conn, item, "crm_refused", now)
    is_gone = ended.code == ENTITY_GONE
    error = None if is_gone else f"{ended.code}: {ended.field or ''} {ended.detail or ''}".strip()
    given_up = replace(
        item,
        state="cancelled" if is_gone else "failed",
        reason="deal_gone" if is_gone else "crm_refused",
        due_at=None,
        take_until=None,
        is_written=True,
    )
    await items.save_item(conn, given_up)
    if error:
        await items.note_error(conn, item.account_id, item.item_id, error)


async def _taken_back(conn: Conn, item: ItemRow, why: str, now: datetime) -> None:
    held = await hold_template(conn, item.account_id, item.template)
    if held is not None and item.decision_id is not None:
        await take_back(conn, item.account_id, held, [item.decision_id], why, now)


async def _anew(conn: Conn, giver: Giver, item: ItemRow, why: str, now: datetime) -> None:
    """Take back what was booked for them, and give it again: to anybody but them."""
    await _taken_back(conn, item, why, now)
    person = (item.employee_id,) if item.employee_id else ()
    again = replace(
        item,
        state="waiting",
        reason=why,
        employee_id=None,
        due_at=now,
        opens_at=None,
        take_until=None,
        is_written=True,
        tried=(*item.tried, *person) if why == "not_taken" else item.tried,
        refused=(*item.refused, *person) if why == "crm_refused" else item.refused,
    )
    await items.save_item(conn, again)
    await giver.give(conn, item.account_id, item.item_id)
