"""Who gets the deals: by the account's template, its ledgers and its journal, among those who are not offline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from crm.store.deals import open_deals_of
from gateway.store.admin.staff import staff_of
from gateway.store.distribution import ledgers as store
from gateway.store.distribution.templates import template_of
from gateway.store.shift_change.runs import ShiftRun
from routing.distribution.roster import Roster
from routing.shift_change.giving import hand_out, moving_roster
from routing.shift_change.policy import ShiftPolicy
from routing.shift_change.turns import OnShift
from runtime.database.pool import Conn

Presences = Callable[[Conn, str], Awaitable[Mapping[str, OnShift]]]
"""(account) -> by employee id, of whom something is known."""


class TemplateReceivers:
    """Of one account with one policy."""

    def __init__(self, account_id: str, policy: ShiftPolicy, presences: Presences, zone: ZoneInfo) -> None:
        self._account, self._policy, self._presences, self._zone = account_id, policy, presences, zone

    async def give(
        self, conn: Conn, run: ShiftRun, deal_ids: Sequence[str], now: datetime
    ) -> list[tuple[str, str, str]]:
        held = await store.hold_template(conn, self._account, self._policy.template) if deal_ids else None
        if held is None:
            return []
        staff = await staff_of(conn, self._account)
        roster = moving_roster(held.template, staff)
        people = await self._presences(conn, self._account)
        open_deals = await _open_deals(conn, self._account, roster) if roster.rule == "open_deals" else {}
        found = hand_out(
            roster,
            deal_ids,
            held.ledgers,
            gone=run.employee_id,
            off={one for one, person in people.items() if person.is_off},
            open_deals=open_deals,
            now=now,
            zone=self._zone,
        )
        await store.save_ledgers(conn, self._account, held.name, {**held.ledgers, **found.ledgers})
        booked = [
            store.BookedEntry(item_of(run, handed.deal_id), item_of(run, handed.deal_id), entry)
            for handed in found.given
            for entry in handed.entries
        ]
        await store.enter(conn, self._account, held.name, booked, now)
        return [(handed.deal_id, handed.employee_id, handed.user_id) for handed in found.given]

    async def take_back(self, conn: Conn, run: ShiftRun, deal_ids: Collection[str], now: datetime) -> None:
        held = await store.hold_template(conn, self._account, self._policy.template) if deal_ids else None
        if held is not None:
            decision_ids = [item_of(run, deal_id) for deal_id in deal_ids]
            await store.take_back(conn, self._account, held, decision_ids, "not_moved", now)


def item_of(run: ShiftRun, deal_id: str) -> str:
    """Return what the journal of the template calls a deal of this run."""
    return f"shift:{run.run_id}:{deal_id}"


async def roster_now(conn: Conn, account_id: str, policy: ShiftPolicy) -> Roster | None:
    """Return who may get deals, present or not; None: there is no such template."""
    saved = await template_of(conn, account_id, policy.template) if policy.template else None
    return None if saved is None else moving_roster(saved.template, await staff_of(conn, account_id))


async def _open_deals(conn: Conn, account_id: str, roster: Roster) -> dict[str, int]:
    users = {one: roster.staff.by_id[one].crm_user_id or "" for one in roster.people}
    counts = await open_deals_of(conn, account_id, list(users.values()))
    return {one: counts.get(user, 0) for one, user in users.items()}
