"""An item's end: its state and what the CRM is told of it, in one transaction."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from crm.effects.order import order
from crm.lane import Lane
from gateway.outbound.facts import stands_where_it_fired
from gateway.store.admin.accounts import account as account_of
from gateway.store.outbound.items import EndState, OutboundItem, end_item
from gateway.store.outbound.known import known_of_item
from routing.decision import decision_id_of
from routing.numbers.stored import extension_beside
from routing.outbound_ending import WITH_EFFECTS, EndedItem, effects_of_end
from routing.quiet_hours import after_quiet
from routing.staff import Staff
from runtime.database.pool import Conn


async def end_with_effects(
    conn: Conn, staff: Staff, item: OutboundItem, state: EndState, reason: str, now: datetime
) -> bool:
    """End it in the caller's transaction, which holds it. False: it had ended before, and nothing is ordered."""
    if not await end_item(conn, item, state, reason):
        return False
    if state not in WITH_EFFECTS:
        return True
    account = await account_of(conn, item.account_id)
    known = await known_of_item(conn, item)
    number = item.client or next(iter(known.numbers), None)
    ended = EndedItem(
        item_id=item.item_id,
        state=state,
        reason=reason,
        action={"target": item.target, **item.action},
        deal_id=None if known.is_deleted else item.deal_id,
        contact_id=item.contact_id,
        number=number,
        extension=extension_beside(number or "", known.spellings, account.settings.numbers),
        owner_id=known.owner_id,
        can_move=known.is_known and stands_where_it_fired(known),
    )
    due_at = after_quiet(account.settings.cases.quiet_hours, now, ZoneInfo(account.time_zone))
    await order(
        conn,
        account_id=item.account_id,
        decision_id=decision_id_of(item.account_id, "outbound", item.item_id),
        call_id=None,
        client=ended.number or f"item:{item.item_id}",
        lane=Lane.EVENTS,
        effects=effects_of_end(ended, staff, account.settings.language, due_at),
        held=account.state != "on",
    )
    return True
