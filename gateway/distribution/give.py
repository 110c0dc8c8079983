"""One item decided: looked at, picked under the template's lock, booked, written down and ordered, all in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.effects.order import order
from crm.lane import Lane
from crm.store.deals import KnownDeal, known_deal
from crm.store.news import value_now
from gateway.distribution.availability import AccountHours, Availability
from gateway.distribution.effects import effects_of
from gateway.distribution.standings import counted, other_deals
from gateway.store.admin.accounts import Account
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import StaffStore, has_snapshot, write_snapshot
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.store.distribution import items as store
from gateway.store.distribution.afterwards import stage_of
from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import HeldTemplate, enter, hold_template, is_free, save_ledgers
from routing.decision import decision_id_of
from routing.distribution.decide import distribute
from routing.distribution.item import Standing, WorkItem
from routing.distribution.outcome import Distribution
from routing.distribution.roster import Roster, roster_of
from routing.distribution.template import DistributionTemplate
from routing.staff import Staff
from runtime.database import locks
from runtime.database.pool import Conn, database_now

KIND = "distribution"
"""Of these decisions."""

_NOT_TOLD_YET = timedelta(minutes=10)
_LOOK_AGAIN = timedelta(seconds=30)
_ASK_AGAIN = timedelta(seconds=5)
_FEED_LAG = timedelta(minutes=2)
"""The CRM tells late who did something: so long after the deadline it is looked whether somebody took it."""
_FROM_STAGE = ("event", "sweep", "stage")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivingSituation:
    """All that a decision is made of, but the ledgers. standings: of everybody in the staff."""

    account: Account
    staff: Staff
    roster: Roster
    item: WorkItem
    deal: KnownDeal
    standings: Mapping[str, Standing]
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.account.time_zone)


class Giver:
    """`give` is one item. now: the clock, None = the database's, since several processes compare times."""

    def __init__(self, availability: Availability | None = None, now: datetime | None = None) -> None:
        self.availability: Availability = availability or AccountHours()
        self._staff = StaffStore()
        self._now = now

    async def give(self, conn: Conn, account_id: str, item_id: str, *, waits: bool = True) -> ItemRow | None:
        """Decide what is waiting, in the caller's transaction; return it as it is afterwards, None when there is no such item.
        Decided once, whoever asks and however often. waits: for the template, when somebody else is picking by it; else the
        item stays as it is, and the loop gives it.
        """
        found = await store.item_of(conn, account_id, item_id)
        if found is None:
            return None
        await lock_deal(conn, account_id, found.entity_id)
        item = await store.item_of(conn, account_id, item_id, lock=True)
        if item is None or item.state != "waiting":
            return item
        now = self._now or await database_now(conn)
        account = await account_of(conn, account_id)
        if account.state != "on":
            return item
        if not waits and not await is_free(conn, account_id, item.template):
            return item
        deal = await _deal_now(conn, account_id, item.entity_id)
        if deal is None or (gone := why_not_any_more(item, deal)):
            return await _without_decision(conn, item, "deal_gone" if deal is None else gone, now)
        held = await hold_template(conn, account_id, item.template)
        if held is None:
            return await _without_decision(conn, item, "template_removed", now)
        return await self._decide(conn, account, item, deal, held, now)

    async def _decide(
        self, conn: Conn, account: Account, item: ItemRow, deal: KnownDeal, held: HeldTemplate, now: datetime
    ) -> ItemRow:
        staff = await self._staff.current(conn, account.id, account.staff_version)
        situation = await self.situation(conn, account, staff, held.template, item, deal, now)
        result = distribute(
            situation.roster, situation.item, held.ledgers, situation.standings, now, situation.zone
        )
        if result.outcome == "waits" and (item.reason, item.version) == (result.reason, held.version):
            again = _waiting(item, result, held.template, now)
            await store.save_item(conn, again)
            return again
        if result.entries and await _goes_too_fast(conn, item, held.template, result, now):
            return item
        return await self._keep(conn, situation, item, held, result)

    async def situation(
        self,
        conn: Conn,
        account: Account,
        staff: Staff,
        template: DistributionTemplate,
        item: ItemRow,
        deal: KnownDeal,
        now: datetime,
    ) -> GivingSituation:
        """Bring together what the decision needs, as things are now."""
        roster = roster_of(template, staff)
        said = await self.availability.standings(conn, account, template, staff, now)
        standings = await counted(conn, account.id, template, staff, said, now)
        return GivingSituation(
            account=account,
            staff=staff,
            roster=roster,
            item=_item(item, deal),
            deal=deal,
            standings=standings,
            now=now,
        )

    async def _keep(
        self, conn: Conn, at: GivingSituation, item: ItemRow, held: HeldTemplate, result: Distribution
    ) -> ItemRow:
        account_id = at.account.id
        decision_id = decision_id_of(account_id, KIND, item.item_id, str(item.round))
        if result.entries:
            await save_ledgers(conn, account_id, held.name, {**held.ledgers, **result.ledgers})
            await enter(
                conn,
                account_id,
                held.name,
                result.entries,
                item_id=item.item_id,
                decision_id=decision_id,
                at=at.now,
            )
        await self._record(conn, at, item, held, result, decision_id)
        ordered = await _order(conn, at, held.template, result, decision_id)
        kept = replace(
            item,
            version=held.version,
            decision_id=decision_id,
            round=item.round + 1,
            reason=result.reason,
            owner_before=at.deal.owner_id,
            is_written=not ordered,
        )
        kept = await self._with_outcome(conn, at, kept, held.template, result)
        await store.save_item(conn, kept)
        return kept

    async def _with_outcome(
        self,
        conn: Conn,
        at: GivingSituation,
        item: ItemRow,
        template: DistributionTemplate,
        result: Distribution,
    ) -> ItemRow:
        if result.outcome == "waits":
            return _waiting(item, result, template, at.now)
        until = None
        if result.outcome == "given" and template.taken is not None and result.employee_id:
            until = await self.availability.working_deadline(
                conn, at.account, template, result.employee_id, at.now, template.taken.minutes
            )
        return replace(
            item,
            state=result.outcome,
            employee_id=result.employee_id,
            decided_at=at.now,
            due_at=until + _FEED_LAG if until else None,
            opens_at=None,
            take_until=until,
        )

    async def _record(
        self,
        conn: Conn,
        at: GivingSituation,
        item: ItemRow,
        held: HeldTemplate,
        result: Distribution,
        decision_id: str,
    ) -> None:
        await self._write_staff(conn, at)
        row = DecisionRow(
            account_id=at.account.id,
            decision_id=decision_id,
            kind=KIND,
            at=at.now,
            call_id=None,
            client=at.deal.number,
            reason=result.reason,
            outcome=outcome_json(item, held.name, held.version, result),
            steps=[step.as_json() for step in result.steps],
            inputs=_inputs(at, held),
        )
        await add_decisions(conn, [row])

    async def _write_staff(self, conn: Conn, at: GivingSituation) -> None:
        """So that the decision can be computed again."""
        version = (at.account.id, at.staff.version)
        if self._staff.is_written(*version):
            return
        if await has_snapshot(conn, *version):
            self._staff.committed(*version)
        else:
            await write_snapshot(conn, at.account.id, at.staff)


async def _deal_now(conn: Conn, account_id: str, deal_id: str) -> KnownDeal | None:
    """Return the deal as it was last told: the CRM's feed may tell of a change before the directory has it."""
    deal = await known_deal(conn, account_id, deal_id)
    if deal is None:
        return None
    stage = stage_of(await value_now(conn, account_id, ("deal", deal_id, "stage")))
    owner = await value_now(conn, account_id, ("deal", deal_id, "responsible"))
    pipeline_id, stage_id = stage or (deal.pipeline_id, deal.stage_id)
    return replace(deal, pipeline_id=pipeline_id, stage_id=stage_id, owner_id=owner or deal.owner_id)


async def lock_deal(conn: Conn, account_id: str, deal_id: str) -> None:
    """Until the end of the transaction nobody else works on this deal: neither consumers of its changes nor another worker."""
    await locks.take(conn, locks.crm_subject(account_id, f"deal:{deal_id}"))


def why_not_any_more(item: ItemRow, deal: KnownDeal) -> str:
    """Why there is nothing to give now, "" = there is."""
    if not deal.is_open:
        return "deal_closed"
    is_elsewhere = item.stage_id is not None and item.stage_id != deal.stage_id
    return "left_stage" if is_elsewhere and item.source in _FROM_STAGE else ""


async def _without_decision(conn: Conn, item: ItemRow, reason: str, now: datetime) -> ItemRow:
    """Give it up; a deal that the directory does not have yet is waited for."""
    if reason == "deal_gone" and now - item.created_at < _NOT_TOLD_YET:
        again = replace(item, due_at=now + _ASK_AGAIN)
    else:
        again = replace(item, state="cancelled", reason=reason, due_at=None, opens_at=None)
    await store.save_item(conn, again)
    return again


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


def is_gathered(item: ItemRow, now: datetime) -> bool:
    """Whether it was held until working time and goes out now, with the others that were."""
    return item.opens_at is not None and item.opens_at <= now


async def _goes_too_fast(
    conn: Conn, item: ItemRow, template: DistributionTemplate, result: Distribution, now: datetime
) -> bool:
    """Whether the one whose turn it is had enough of what was held within the last minute: then it waits for them, and all
    that is younger waits behind it. Nobody's turn is lost by that."""
    if not is_gathered(item, now):
        return False
    lately = await store.given_since(conn, item.account_id, template.name, now - timedelta(minutes=1))
    return lately.get(result.employee_id or "", 0) >= template.working_time.per_minute


def _item(item: ItemRow, deal: KnownDeal) -> WorkItem:
    return WorkItem(
        kind="deal",
        id=deal.id,
        entered_at=item.entered_at,
        client=deal.number,
        owner=deal.owner_id,
        other_deals=other_deals(deal),
        tried=item.tried,
        excluded=frozenset(item.refused),
    )


def outcome_json(item: ItemRow, name: str, version: int, result: Distribution) -> dict[str, object]:
    return {
        "outcome": result.outcome,
        "employee": result.employee_id,
        "template": name,
        "version": version,
        "deal": item.entity_id,
        "item": item.item_id,
        "waits_until": result.waits_until.isoformat() if result.waits_until else None,
        "entries": [entry.as_json() for entry in result.entries],
    }


def _inputs(at: GivingSituation, held: HeldTemplate) -> dict[str, object]:
    item = at.item
    return {
        "item": {
            **item._asdict(),
            "entered_at": item.entered_at.isoformat(),
            "excluded": sorted(item.excluded),
            "other_deals": [
                {**d._asdict(), "via": sorted(d.via), "at": d.at.isoformat()} for d in item.other_deals
            ],
        },
        "ledgers": {scope: ledger.as_json() for scope, ledger in held.ledgers.items()},
        "standings": {
            id: {**s._asdict(), "back_at": s.back_at.isoformat() if s.back_at else None}
            for id, s in at.standings.items()
            if s != Standing()
        },
        "now": at.now.isoformat(),
        "time_zone": at.account.time_zone,
        "staff_version": at.staff.version,
    }


async def _order(
    conn: Conn, at: GivingSituation, template: DistributionTemplate, result: Distribution, decision_id: str
) -> bool:
    """Whether there is anything to write."""
    person = at.staff.by_id.get(result.employee_id or "")
    if result.outcome not in ("given", "kept") or person is None or person.crm_user_id is None:
        return False
    ordered = await order(
        conn,
        account_id=at.account.id,
        decision_id=decision_id,
        call_id=None,
        client=f"deal:{at.deal.id}",
        lane=Lane.EVENTS,
        effects=effects_of(decision_id, at.deal, person.crm_user_id, template),
    )
    return ordered > 0
