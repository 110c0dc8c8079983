"""Items decided: looked at, picked under the template's row, booked, written down and ordered, all in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from crm.store.deals import KnownDeal, known_deals
from crm.store.news import values_now
from gateway.distribution.availability import AccountHours, Availability
from gateway.distribution.handout import Handout, waits_for_somebody
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import StaffStore
from gateway.store.distribution import items as store
from gateway.store.distribution.afterwards import given_by_hand, stage_of
from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import hold_template, is_free
from runtime.database import locks
from runtime.database.pool import Conn, database_now

_NOT_TOLD_YET = timedelta(minutes=10)
_ASK_AGAIN = timedelta(seconds=5)
_SAID_SO = "overridden"
"""A person gave the deal by hand. One that waits with this reason is to be given all the same: somebody said "retry"."""
_READ_SOON = timedelta(seconds=1)
_FROM_STAGE = ("event", "sweep", "stage")
_MOVED_ON = timedelta(minutes=1)


class Giver:
    """`give` is one item, `give_all` several. now: the clock, None = the database's, since several processes compare times."""

    def __init__(self, availability: Availability | None = None, now: datetime | None = None) -> None:
        self.availability: Availability = availability or AccountHours()
        self._staff = StaffStore()
        self._now = now

    async def give(self, conn: Conn, account_id: str, item_id: str, *, waits: bool = True) -> ItemRow | None:
        """As `give_all`, of one; None when there is no such item."""
        given = await self.give_all(conn, account_id, [item_id], waits=waits)
        return given[0] if given else None

    async def give_all(
        self, conn: Conn, account_id: str, item_ids: Sequence[str], *, waits: bool = True
    ) -> list[ItemRow]:
        """Decide what of these is waiting, in this order, in the caller's transaction; return them as they are afterwards. All
        are of one template. Each is decided once, whoever asks and however often. What has to wait for somebody stops those
        behind it, which stay as they are. waits: for the template, when somebody else is picking by it; else the items stay as
        they are, and the loop gives them.

        The order in which everybody takes them: the deals, the template, the items.
        """
        found = await store.items_of(conn, account_id, item_ids)
        deal_ids = [item.entity_id for item in found]
        await lock_deals(conn, account_id, deal_ids)
        account = await account_of(conn, account_id)
        if account.state != "on" or not any(item.state == "waiting" for item in found):
            return found
        template = found[0].template
        if not waits and not await is_free(conn, account_id, template):
            return found
        deals = await _deals_now(conn, account_id, deal_ids)
        held = await hold_template(conn, account_id, template)
        items = {i.item_id: i for i in await store.items_of(conn, account_id, item_ids, lock=True)}
        now = self._now or await database_now(conn)
        staff = await self._staff.current(conn, account_id, account.staff_version)
        handout = Handout(self.availability, account, staff, held, now) if held else None
        by_hand = await given_by_hand(conn, account_id, list(items), list(staff.by_crm_user))
        for item in (i for i in list(items.values()) if i.state == "waiting"):
            deal = deals.known.get(item.entity_id)
            if item.item_id in by_hand and item.reason != _SAID_SO:
                items[item.item_id] = _given_up(item, _SAID_SO)
                await store.save_item(conn, items[item.item_id])
                await store.mark_overridden(conn, account_id, item.item_id, by_hand[item.item_id])
                continue
            if deal is None or handout is None or why_not_any_more(item, deal, now):
                is_deleted = item.entity_id in deals.deleted
                items[item.item_id] = _without_decision(item, deal, now, is_deleted=is_deleted)
                await store.save_item(conn, items[item.item_id])
                continue
            if handout.looks_at_client(item) and not deal.is_read and now - item.created_at < _NOT_TOLD_YET:
                items[item.item_id] = _not_read_yet(item, now + _READ_SOON)
                await store.save_item(conn, items[item.item_id])
                continue
            items[item.item_id] = after = await handout.decide(conn, item, deal)
            if waits_for_somebody(after, now):
                break
        if handout is not None:
            await handout.write(conn, self._staff)
        return list(items.values())


async def lock_deals(conn: Conn, account_id: str, deal_ids: Iterable[str]) -> None:
    """Until the end of the transaction nobody else works on these deals: neither consumers of their changes nor another worker."""
    await locks.take_all(conn, (locks.crm_subject(account_id, f"deal:{id}") for id in deal_ids))


class _DealsNow(NamedTuple):
    """known: by id. deleted: ids of those that the CRM said to be deleted, whether the directory ever had them or not."""

    known: Mapping[str, KnownDeal]
    deleted: frozenset[str]


async def _deals_now(conn: Conn, account_id: str, deal_ids: Sequence[str]) -> _DealsNow:
    """Return the deals as they were last told: the CRM's feed may tell of a change before the directory has it."""
    deals = await known_deals(conn, account_id, deal_ids)
    told = await values_now(conn, account_id, [("deal", id) for id in deal_ids])
    deleted = frozenset(id for id in deal_ids if told.get(("deal", id, "deleted")) == "1")
    return _DealsNow({id: _as_told(deal, told) for id, deal in deals.items()}, deleted)


def _as_told(deal: KnownDeal, told: Mapping[tuple[str, str, str], str | None]) -> KnownDeal:
    stage = stage_of(told.get(("deal", deal.id, "stage"))) or (deal.pipeline_id, deal.stage_id)
    owner = told.get(("deal", deal.id, "responsible")) or deal.owner_id
    return replace(deal, pipeline_id=stage[0], stage_id=stage[1], owner_id=owner)


def why_not_any_more(item: ItemRow, deal: KnownDeal, now: datetime) -> str:
    """Why there is nothing to give now, "" = there is."""
    if not deal.is_open:
        return "deal_closed"
    is_elsewhere = item.stage_id is not None and item.stage_id != deal.stage_id
    return "left_stage" if is_elsewhere and _is_of_stage(item, now) else ""


def _is_of_stage(item: ItemRow, now: datetime) -> bool:
    """Whether it is to be given only while it stands there. A hook may be one step of many that move the deal on at once."""
    return item.source in _FROM_STAGE or (item.source == "hook" and now - item.created_at > _MOVED_ON)


def _without_decision(item: ItemRow, deal: KnownDeal | None, now: datetime, *, is_deleted: bool) -> ItemRow:
    """Give it up; a deal that the directory does not have yet is waited for."""
    if deal is None and not is_deleted and now - item.created_at < _NOT_TOLD_YET:
        return _not_read_yet(item, now + _ASK_AGAIN)
    reason = "deal_gone" if deal is None else why_not_any_more(item, deal, now) or "template_removed"
    return _given_up(item, reason)


def _not_read_yet(item: ItemRow, until: datetime) -> ItemRow:
    """Wait for the directory. Why it is to be given again stays, where somebody said so."""
    return replace(item, reason=item.reason or "not_read", due_at=until)


def _given_up(item: ItemRow, reason: str) -> ItemRow:
    return replace(item, state="cancelled", reason=reason, due_at=None, opens_at=None)
