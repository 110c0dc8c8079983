"""Who gets each deal: the shares and the turn of the template, among those who are left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.distribution.decide import distribute
from routing.distribution.item import Standing, WorkItem
from routing.distribution.ledger import LedgerEntry, TurnLedger
from routing.distribution.roster import Roster, roster_of
from routing.distribution.template import DistributionTemplate, Nobody, RepeatControl, TemplateHours
from routing.presence import PresenceState
from routing.staff import Staff


class Handed(NamedTuple):
    """A deal and who gets it. entries: to be booked."""

    deal_id: str
    employee_id: str
    user_id: str
    entries: tuple[LedgerEntry, ...]


class HandOut(NamedTuple):
    """given: in the order of the deals; shorter than these when nobody is left. ledgers: those that moved."""

    given: tuple[Handed, ...]
    ledgers: Mapping[str, TurnLedger]


def moving_roster(template: DistributionTemplate, staff: Staff) -> Roster:
    """Return who may get deals of somebody who is gone: shares and priorities are the template's; its limits, hours and repeat
    control are for what comes in, and all deals have to go somewhere."""
    free = {"open_deals_limit": None}
    groups = tuple(
        group.model_copy(update={"members": tuple(m.model_copy(update=free) for m in group.members)})
        for group in template.groups
    )
    bare = template.model_copy(
        update={
            "groups": groups,
            "employees": tuple(m.model_copy(update=free) for m in template.employees),
            "repeat": RepeatControl(),
            "working_time": TemplateHours(mode="online", wait=False),
            "open_deals_limit": None,
            "window": None,
            "taken": None,
            "nobody": Nobody(do="leave"),
            "quiet_hours": (),
        }
    )
    return roster_of(bare, staff)


def hand_out(
    roster: Roster,
    deals: Sequence[str],
    ledgers: Mapping[str, TurnLedger],
    *,
    gone: str,
    off: Collection[str],
    open_deals: Mapping[str, int],
    now: datetime,
    zone: ZoneInfo,
) -> HandOut:
    """Give each of these deals to somebody who is left.

    roster: of `moving_roster`. gone: employee whose deals they are. off: employees who are offline. open_deals: of each now.
    """
    counts = dict(open_deals)
    moved: dict[str, TurnLedger] = {}
    given: list[Handed] = []
    for deal in deals:
        item = WorkItem("deal", deal, now, excluded=frozenset((gone,)))
        standings = {one: _standing(one, off, counts) for one in roster.people}
        found = distribute(roster, item, {**ledgers, **moved}, standings, now, zone)
        if found.employee_id is None:
            break
        person = roster.staff.by_id[found.employee_id]
        assert person.crm_user_id is not None, "nobody without a CRM user takes part"
        moved.update(found.ledgers)
        counts[person.id] = counts.get(person.id, 0) + 1
        given.append(Handed(deal, person.id, person.crm_user_id, found.entries))
    return HandOut(tuple(given), moved)


def _standing(employee_id: str, off: Collection[str], open_deals: Mapping[str, int]) -> Standing:
    presence = PresenceState.OFFLINE if employee_id in off else PresenceState.AVAILABLE
    return Standing(presence=presence, open_deals=open_deals.get(employee_id, 0))
