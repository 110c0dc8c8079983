"""Firings of the accounts that a worker serves: their deals are read from the CRM, then it is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import NamedTuple

import asyncpg
import orjson
import structlog

from crm.errors import CrmError
from crm.lane import Lane
from crm.port import Crm, CrmEntity
from crm.store.metadata import fields_of
from gateway.crm_accounts.served_turns import ServedTurns
from gateway.store.admin.staff import staff_of
from gateway.store.triggers import firings as store
from gateway.store.triggers.firings import FiringRow
from gateway.store.triggers.triggers import trigger_at, trigger_of
from routing.staff import Staff
from routing.triggers.decide import decide
from routing.triggers.facts import TriggerFacts
from runtime.database.errors import may_pass
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.5
_TOGETHER = 100
_AFTER_TROUBLE = timedelta(seconds=20)
_AFTER_MISTAKE = timedelta(minutes=10)
_GIVEN_UP_AFTER = timedelta(days=1)


class TriggerFirings:
    """`loop` until cancelled; an account's firings are read while it is `served`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._turns = ServedTurns("triggers", pool, store.busy_accounts, EVERY_SECONDS)
        self.loop = self._turns.loop

    def served(self, account_id: str, crm: Crm) -> AbstractContextManager[None]:
        return self._turns.served(account_id, AccountFirings(self._pool, account_id, crm).turn)


class Read(NamedTuple):
    """What the CRM has of the deals of some firings. fields: as conditions name them."""

    deals: Mapping[str, CrmEntity]
    contacts: Mapping[str, CrmEntity]
    staff: Staff
    fields: frozenset[str]


class AccountFirings:
    """One account's."""

    def __init__(self, pool: asyncpg.Pool, account_id: str, crm: Crm) -> None:
        self._pool, self._account, self._crm = pool, account_id, crm

    async def turn(self) -> bool:
        """Read and decide those that are due, some hundred at most; whether there were any."""
        async with self._pool.acquire() as conn:
            waiting = await store.due(conn, self._account, _TOGETHER)
        if not waiting:
            return False
        try:
            read = await self._read(waiting)
        except CrmError as err:
            await self._put_off(waiting, err)
            return True
        for firing in waiting:
            await self._decided(firing, read)
        return True

    async def _decided(self, firing: FiringRow, read: Read) -> None:
        """Decide one; a mistake of ours over it holds up no other."""
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await self._decide(conn, firing.firing_id, read)
        except Exception as err:
            if may_pass(err):
                raise
            log.exception("firing-not-decided", account=self._account, trigger=firing.trigger)
            async with self._pool.acquire() as conn, conn.transaction():
                await store.put_off(
                    conn,
                    self._account,
                    [firing.firing_id],
                    _AFTER_MISTAKE,
                    _GIVEN_UP_AFTER,
                    waits="not_decided",
                    ends="not_decided",
                )

    async def _put_off(self, waiting: Sequence[FiringRow], err: CrmError) -> None:
        ids = [firing.firing_id for firing in waiting]
        async with self._pool.acquire() as conn, conn.transaction():
            given_up = await store.put_off(conn, self._account, ids, _AFTER_TROUBLE, _GIVEN_UP_AFTER)
        log.warning(
            "firings-put-off", account=self._account, count=len(ids), given_up=given_up, code=err.code
        )

    async def _read(self, waiting: Sequence[FiringRow]) -> Read:
        ids = list(dict.fromkeys(firing.deal_id for firing in waiting))
        deals = {deal.id: deal for deal in await self._crm.by_ids("deal", ids, Lane.EVENTS)}
        mains = list(dict.fromkeys(id for deal in deals.values() if (id := main_contact(deal))))
        found = await self._crm.by_ids("contact", mains, Lane.EVENTS) if mains else []
        async with self._pool.acquire() as conn:
            staff = await staff_of(conn, self._account)
            names = [
                f"{kind}.cf_{one.id}"
                for kind in ("deal", "contact")
                for one in await fields_of(conn, self._account, kind)
            ]
        return Read(deals, {contact.id: contact for contact in found}, staff, frozenset(names))

    async def _decide(self, conn: Conn, firing_id: str, read: Read) -> None:
        firing = await store.lock_reading(conn, self._account, firing_id)
        if firing is None:
            return
        now = await trigger_of(conn, self._account, firing.trigger)
        as_it_was = await trigger_at(conn, self._account, firing.trigger, firing.version)
        if now is None or as_it_was is None:
            await store.skipped(conn, firing, "removed")
            return
        trigger = as_it_was.model_copy(update={"is_on": now.trigger.is_on})
        facts = facts_of(firing.deal_id, read)
        lately = await store.fired_lately(conn, firing, trigger, facts.contact_id)
        decision = decide(trigger, firing.as_cause, facts, lately)
        if decision.is_loop:
            log.error(
                "trigger-goes-in-circles", account=self._account, trigger=trigger.name, deal=firing.deal_id
            )
        await store.decided(conn, firing, trigger, decision, facts.contact_id)


def main_contact(deal: CrmEntity) -> str | None:
    return deal.main_contact_id or next(iter(deal.contact_ids), None)


def facts_of(deal_id: str, read: Read) -> TriggerFacts:
    """Return what is known: what was read in part, in part."""
    deal = read.deals.get(deal_id)
    if deal is None or deal.is_deleted:
        return TriggerFacts(deal_id=deal_id, is_there=False)
    contact = read.contacts.get(main_contact(deal) or "")
    person = read.staff.by_crm_user.get(deal.owner_id or "")
    is_unread = deal.unread.__contains__
    return TriggerFacts(
        deal_id=deal_id,
        is_open=deal.is_open,
        name=None if is_unread("name") else deal.name,
        price=deal.price,
        pipeline_id=deal.pipeline_id,
        stage_id=deal.stage_id,
        responsible=None if is_unread("owner_id") else deal.owner_id,
        employee_id=person.id if person else None,
        tags=deal.tags,
        deal_fields=_fields(deal),
        contact_id=contact.id if contact else None,
        contact_name=contact.name if contact and "name" not in contact.unread else None,
        contact_fields=_fields(contact) if contact else None,
        field_names=read.fields,
    )


def _fields(entity: CrmEntity) -> dict[str, str] | None:
    if entity.fields is None:
        return None
    found: dict[str, str] = orjson.loads(entity.fields)
    return found
