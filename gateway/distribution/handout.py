"""What is decided by one template in a row: each item sees what was given before it, and all is written together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.effects.order import ClientEffect, order_each
from crm.lane import Lane
from crm.store.deals import KnownDeal
from gateway.distribution.availability import Availability
from gateway.distribution.effects import effects_of
from gateway.distribution.one_person import only_of_deal
from gateway.distribution.recorded import KIND, GivenBy, inputs_json, outcome_json
from gateway.distribution.standings import counted, other_deals
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import StaffStore, has_snapshot, write_snapshot
from gateway.store.channels.access import rights_in_channels
from gateway.store.channels.handouts import channel_of_item, follow_given
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.store.distribution import items as store
from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import BookedEntry, TemplateBooks, enter, save_ledgers
from routing.decision import decision_id_of
from routing.dialogues.access import may_not_write, passed_over
from routing.distribution.decide import distribute
from routing.distribution.item import NOTHING_SAID, Standing, WorkItem
from routing.distribution.outcome import Distribution
from routing.distribution.roster import roster_of
from routing.distribution.template import AlsoChange, DistributionTemplate
from routing.staff import Staff
from runtime.database.pool import Conn

_LOOK_AGAIN = timedelta(seconds=30)
_FEED_LAG = timedelta(minutes=2)
"""The CRM tells late who did something: so long after the deadline it is looked whether somebody took it."""
FOR_ALL = frozenset({"waits_for_somebody"})
"""Reasons that hold for every item of a template: nobody of it can get anything."""


class Handout:
    """Of one template, whose row the caller's transaction holds. `decide` each item, then `write` once."""

    def __init__(
        self, availability: Availability, account: Account, staff: Staff, held: TemplateBooks, now: datetime
    ) -> None:
        self._availability, self._account, self._staff = availability, account, staff
        self._held, self._now = held, now
        self._template = held.template
        self._roster = roster_of(held.template, staff)
        self._ledgers = dict(held.ledgers)
        self._standings: dict[str, Standing] | None = None
        self._lately: dict[str, int] | None = None
        self._booked: list[BookedEntry] = []
        self._decisions: list[DecisionRow] = []
        self._effects: dict[Lane, list[ClientEffect]] = {}
        self._items: list[ItemRow] = []

    def looks_at_client(self, item: ItemRow) -> bool:
        """Whether it matters whose deal it is: a new one is told of without its contacts and companies."""
        cards = self._also_change(item) - {"deal_tasks"}
        is_for_one = self._account.settings.one_person.knows_any
        return self._template.repeat.by != "off" or bool(cards) or is_for_one

    async def decide(self, conn: Conn, item: ItemRow, deal: KnownDeal) -> ItemRow:
        """Return the item as it is after the decision."""
        standings = await self._standings_now(conn)
        policy = self._account.settings.one_person
        only = await only_of_deal(conn, self._account.id, policy, self._staff, deal.id)
        work = _work_item(item, deal, only, await self._passed_over(conn, item))
        zone = ZoneInfo(self._account.time_zone)
        result = distribute(self._roster, work, self._ledgers, standings, self._now, zone)
        if result.outcome == "waits" and (item.reason, item.version) == (result.reason, self._held.version):
            after = _waiting(item, result, self._template, self._now)
            self._items.append(after)
            return after
        if result.entries and item.reason == "waits_for_working_time" and not is_gathered(item, self._now):
            item = self._opened(item)
            self._items.append(item)
            if item.due_at is not None and item.due_at > self._now:
                return item
        if result.entries and await self._goes_too_fast(conn, item, result):
            return item
        return await self._keep(conn, item, deal, work, standings, result)

    async def write(self, conn: Conn, known: StaffStore) -> None:
        """known: which versions of the staff are written down already."""
        if self._booked:
            await save_ledgers(conn, self._account.id, self._held.name, self._ledgers)
            await enter(conn, self._account.id, self._held.name, self._booked, self._now)
        if self._decisions:
            await _write_staff(conn, self._account.id, self._staff, known)
            await add_decisions(conn, self._decisions)
        for lane, effects in self._effects.items():
            await order_each(conn, account_id=self._account.id, lane=lane, effects=effects)
        await store.save_items(conn, self._items)
        of_chats = [(item.item_id, item.employee_id) for item in self._items if item.source == "chat"]
        if of_chats:
            await follow_given(conn, self._account.id, of_chats, self._now)

    async def _passed_over(self, conn: Conn, item: ItemRow) -> frozenset[str]:
        """Return who may not write to the client of a chat's deal."""
        if item.source != "chat":
            return frozenset()
        channel = await channel_of_item(conn, self._account.id, item.item_id)
        rights = await rights_in_channels(conn, self._account.id)
        observers = self._account.settings.dialogues.observers
        people = self._roster.people
        return passed_over(people, may_not_write(people, rights, observers, channel or ""))

    async def _standings_now(self, conn: Conn) -> dict[str, Standing]:
        if self._standings is None:
            said = await self._availability.standings(
                conn, self._account, self._template, self._staff, self._now
            )
            self._standings = await counted(
                conn, self._account.id, self._template, self._staff, said, self._now
            )
        return self._standings

    def _opened(self, item: ItemRow) -> ItemRow:
        """Begin to gather what was held, where work began at another time than was known: hours were changed, somebody came."""
        gathered = self._now + timedelta(minutes=self._template.working_time.gather_minutes)
        return replace(item, opens_at=self._now, due_at=gathered)

    async def _goes_too_fast(self, conn: Conn, item: ItemRow, result: Distribution) -> bool:
        """Whether the one whose turn it is had enough of what was held within the last minute: then it waits for them, and all
        that is younger waits behind it. Nobody's turn is lost by that."""
        if not is_gathered(item, self._now):
            return False
        if self._lately is None:
            since = self._now - timedelta(minutes=1)
            lately = await store.given_since(conn, self._account.id, self._held.name, since)
            for one in (i for i in self._items if i.state == "given" and i.employee_id):
                lately[one.employee_id or ""] = lately.get(one.employee_id or "", 0) + 1
            self._lately = lately
        return self._lately.get(result.employee_id or "", 0) >= self._template.working_time.per_minute

    async def _keep(
        self,
        conn: Conn,
        item: ItemRow,
        deal: KnownDeal,
        work: WorkItem,
        standings: dict[str, Standing],
        result: Distribution,
    ) -> ItemRow:
        decision_id = decision_id_of(self._account.id, KIND, item.item_id, str(item.round))
        self._decisions.append(self._decision(item, deal, work, standings, result, decision_id))
        self._booked += [BookedEntry(item.item_id, decision_id, entry) for entry in result.entries]
        self._ledgers.update(result.ledgers)
        ordered = self._ordered(item, deal, result, decision_id)
        self._effects.setdefault(_lane_of(item), []).extend(ordered)
        if result.outcome == "given" and result.employee_id is not None:
            self._count(result.employee_id, deal)
        kept = replace(
            item,
            version=self._held.version,
            decision_id=decision_id,
            round=item.round + 1,
            reason=result.reason,
            owner_before=deal.owner_id,
            is_written=not ordered,
        )
        kept = await self._with_outcome(conn, kept, result)
        self._items.append(kept)
        return kept

    def _count(self, employee_id: str, deal: KnownDeal) -> None:
        """Let what comes next see that they have one more, unless it was theirs already."""
        assert self._standings is not None
        standing = self._standings.get(employee_id, NOTHING_SAID)
        has_one_more = deal.owner_id != self._staff.by_id[employee_id].crm_user_id
        self._standings[employee_id] = standing._replace(
            open_deals=standing.open_deals + (has_one_more and self._template.counts_open_deals),
            given_in_window=standing.given_in_window + (self._template.window is not None),
        )
        if self._lately is not None:
            self._lately[employee_id] = self._lately.get(employee_id, 0) + 1

    async def _with_outcome(self, conn: Conn, item: ItemRow, result: Distribution) -> ItemRow:
        if result.outcome == "waits":
            return _waiting(item, result, self._template, self._now)
        until, taken = None, self._template.taken
        if result.outcome == "given" and taken is not None and result.employee_id:
            until = await self._availability.working_deadline(
                conn, self._account, self._template, result.employee_id, self._now, taken.minutes
            )
        return replace(
            item,
            state=result.outcome,
            employee_id=result.employee_id,
            decided_at=self._now,
            due_at=until + _FEED_LAG if until else None,
            opens_at=None,
            take_until=until,
        )

    def _decision(
        self,
        item: ItemRow,
        deal: KnownDeal,
        work: WorkItem,
        standings: dict[str, Standing],
        result: Distribution,
        decision_id: str,
    ) -> DecisionRow:
        given = GivenBy(item.entity_id, item.item_id, self._held.name, self._held.version)
        return DecisionRow(
            account_id=self._account.id,
            decision_id=decision_id,
            kind=KIND,
            at=self._now,
            call_id=None,
            client=deal.number,
            reason=result.reason,
            outcome=outcome_json(given, result),
            steps=[step.as_json() for step in result.steps],
            inputs=inputs_json(
                work,
                self._ledgers,
                standings,
                now=self._now,
                time_zone=self._account.time_zone,
                staff_version=self._staff.version,
            ),
        )

    def _ordered(
        self, item: ItemRow, deal: KnownDeal, result: Distribution, decision_id: str
    ) -> list[ClientEffect]:
        person = self._staff.by_id.get(result.employee_id or "")
        if result.outcome not in ("given", "kept") or person is None or person.crm_user_id is None:
            return []
        effects = effects_of(decision_id, deal, person.crm_user_id, self._also_change(item))
        return [ClientEffect(f"deal:{deal.id}", decision_id, effect) for effect in effects]

    def _also_change(self, item: ItemRow) -> frozenset[AlsoChange]:
        """Return what goes with the deal: with one that a chat made the contact always does, which was made with it."""
        wanted = frozenset(self._template.also_change)
        return wanted | {"contact"} if item.source == "chat" else wanted


def _lane_of(item: ItemRow) -> Lane:
    """Let what stood in a stage before wait for what comes in now."""
    return Lane.MOVES if item.source == "stage" else Lane.EVENTS


async def _write_staff(conn: Conn, account_id: str, staff: Staff, known: StaffStore) -> None:
    """So that the decision can be computed again."""
    version = (account_id, staff.version)
    if known.is_written(*version):
        return
    if await has_snapshot(conn, *version):
        known.committed(*version)
    else:
        await write_snapshot(conn, account_id, staff)


def waits_for_somebody(item: ItemRow, now: datetime) -> bool:
    """Whether what comes behind it has to wait too: nobody can get anything, or the one whose turn it is has enough. A chat's deal may
    wait for who may write in its channel, while others are free."""
    if item.state != "waiting":
        return False
    return (item.reason in FOR_ALL and item.source != "chat") or (
        is_gathered(item, now) and item.due_at is not None and item.due_at <= now
    )


def is_gathered(item: ItemRow, now: datetime) -> bool:
    """Whether it was held until working time and goes out now, with the others that were."""
    return item.opens_at is not None and item.opens_at <= now


def _waiting(item: ItemRow, result: Distribution, template: DistributionTemplate, now: datetime) -> ItemRow:
    """When it is looked at next: what was held for working time with the others, some minutes after that has begun."""
    opens_at, due_at = item.opens_at, now + _LOOK_AGAIN
    until = result.waits_until
    if until is not None and until > now and result.reason == "waits_for_working_time":
        gathered = until + timedelta(minutes=template.working_time.gather_minutes)
        opens_at, due_at = until, max(gathered, now + timedelta(seconds=1))
    elif until is not None and until > now:
        due_at = until if result.reason == "quiet_hours" else min(until, due_at)
    return replace(item, state="waiting", reason=result.reason, due_at=due_at, opens_at=opens_at)


def _work_item(item: ItemRow, deal: KnownDeal, only: str | None, no_right: frozenset[str]) -> WorkItem:
    return WorkItem(
        kind="deal",
        id=deal.id,
        entered_at=item.entered_at,
        client=deal.number,
        owner=deal.owner_id,
        other_deals=other_deals(deal),
        tried=item.tried,
        only=only,
        excluded=frozenset(item.refused),
        no_right=no_right,
    )
