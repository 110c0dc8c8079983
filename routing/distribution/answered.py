"""Somebody of a template has it already, because they answered the phone: the turn is theirs, whoever's it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from routing.decision import Fact, Step
from routing.distribution.decide import day_of, weights_of
from routing.distribution.eligible import Chance, asked_for, chance_of
from routing.distribution.item import Standings, WorkItem
from routing.distribution.ledger import EMPTY, LedgerEntry, TurnLedger, pick
from routing.distribution.outcome import Distribution
from routing.distribution.roster import GROUPS, Pool, Roster, Seat


def taken_by(
    employee_id: str,
    roster: Roster,
    item: WorkItem,
    ledgers: Mapping[str, TurnLedger],
    standings: Standings,
    now: datetime,
    zone: ZoneInfo,
) -> Distribution | None:
    """Give it to who answered, and book their turn; None when they are none of the template's people."""
    found = _seat_of(employee_id, roster)
    if found is None:
        return None
    asked = asked_for(roster, item)
    chances = {p.key: _with(p, found, chance_of(p, roster, asked, standings)) for p in roster.pools}
    own = chances[found[0].key]
    steps = [step for chance in chances.values() for step in chance.steps]
    day = day_of(roster.template, now, zone)
    entries: list[LedgerEntry] = []
    after: dict[str, TurnLedger] = {}
    if roster.has_levels:
        shares = {key: chance.pool.share for key, chance in chances.items() if chance.could}
        entry, after[GROUPS] = pick(
            ledgers.get(GROUPS, EMPTY), shares, scope=GROUPS, day=day, taken_by=own.pool.key
        )
        entries.append(entry)
    if (scope := own.pool.scope) is not None:
        entry, after[scope] = pick(
            ledgers.get(scope, EMPTY),
            weights_of(own),
            roster.rule,
            scope=scope,
            day=day,
            taken_by=employee_id,
        )
        entries.append(entry)
    facts: dict[str, Fact] = {"employee": employee_id, "number": entries[-1].number}
    steps.append(Step("ledger", "decided", "answered", facts))
    return Distribution("given", "answered", employee_id, tuple(steps), tuple(entries), after)


def _seat_of(employee_id: str, roster: Roster) -> tuple[Pool, Seat] | None:
    seats = ((pool, seat) for pool in roster.pools for seat in pool.seats)
    return next((one for one in seats if one[1].employee_id == employee_id), None)


def _with(pool: Pool, found: tuple[Pool, Seat], chance: Chance) -> Chance:
    """Count who answered as there: nobody knows it better than they do."""
    own, seat = found
    if own.key != pool.key or any(s.employee_id == seat.employee_id for s in chance.could):
        return chance
    steps = tuple(step for step in chance.steps if step.facts.get("employee") != seat.employee_id)
    return chance._replace(could=(*chance.could, seat), steps=steps)
