"""Which of these people gets it now, and why: the whole walk, from the client's own person to the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from routing.decision import Fact, Step
from routing.distribution.eligible import Chance, asked_for, chance_of
from routing.distribution.item import NOTHING_SAID, Standings, WorkItem
from routing.distribution.ledger import EMPTY, LedgerEntry, TurnLedger, in_order, pick
from routing.distribution.nobody import nobody_can, to_senior
from routing.distribution.outcome import Distribution, decided
from routing.distribution.owners import only_person, repeat_owner
from routing.distribution.reasons import DistributionReason
from routing.distribution.roster import GROUPS, Roster
from routing.distribution.template import DistributionTemplate
from routing.quiet_hours import quiet_until

_QUIET_FOR = ("task", "missed_call")
_HAD_IT: frozenset[str] = frozenset({"already_tried", "excluded"})
_TOLD = 10**6
"""Steps tell credits in thousandths of a deal; the entries hold them exactly."""


def distribute(
    roster: Roster,
    item: WorkItem,
    ledgers: Mapping[str, TurnLedger],
    standings: Standings,
    now: datetime,
    zone: ZoneInfo,
) -> Distribution:
    """Decide who gets it. Pure: nothing is booked until the caller keeps the entries and the ledgers that come back.

    ledgers: by scope (`roster.scopes`), a missing one is empty. standings: by employee id, of `roster.people`, and of
    substitutes, owners and the client's one person where there are any. zone: the account's.
    """
    steps: list[Step] = []
    before = _before_turns(roster, item, standings, now, zone, steps)
    if before is not None:
        return before
    asked = asked_for(roster, item)
    chances = [chance_of(pool, roster, asked, standings) for pool in roster.pools]
    for chance in chances:
        steps += chance.steps
    if not any(chance.could for chance in chances):
        if roster.template.taken and item.tried and all(c.reasons <= _HAD_IT for c in chances):
            return _rounds_over(roster, item, steps)
        return nobody_can(chances, roster, item, standings, steps)
    day = day_of(roster.template, now, zone)
    if roster.has_levels:
        return _by_groups(roster, chances, ledgers, day, steps)
    return _by_turn(roster, chances[0], ledgers, standings, day, steps)


def _rounds_over(roster: Roster, item: WorkItem, steps: list[Step]) -> Distribution:
    """Give it to the senior manager: everybody had it who is asked, or can be."""
    found = to_senior(roster, item, steps, "rounds_over")
    return found or decided("nobody", "rounds_over", None, steps, "taken", rounds=len(set(item.tried)))


def ladder(
    roster: Roster,
    item: WorkItem,
    ledgers: Mapping[str, TurnLedger],
    standings: Standings,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[str, ...]:
    """Return employee ids in the order in which they would be asked: a question, which books nothing."""
    day = day_of(roster.template, now, zone)
    asked = asked_for(roster, item)
    chances = {pool.key: chance_of(pool, roster, asked, standings) for pool in roster.pools}
    keys: tuple[str, ...] = tuple(key for key, chance in chances.items() if chance.could)
    catch_up = roster.template.catch_up
    if roster.has_levels:
        shares = {key: chances[key].pool.share for key in keys}
        absent = _absent_groups(chances.values())
        keys = in_order(ledgers.get(GROUPS, EMPTY), shares, absent=absent, catch_up=catch_up, day=day)
    found: list[str] = []
    for chance in (chances[key] for key in keys):
        weights = weights_of(chance)
        found += in_order(
            ledgers.get(chance.pool.scope or "", EMPTY),
            weights,
            roster.rule,
            open_deals=_open_deals(roster, weights, standings),
            absent=chance.away,
            catch_up=catch_up,
            day=day,
        )
    return tuple(found)


def _absent_groups(chances: Iterable[Chance]) -> dict[str, int]:
    """Shares of groups of which nobody is there, though somebody could be."""
    return {c.pool.key: c.pool.share for c in chances if not c.could and c.away}


def _before_turns(
    roster: Roster, item: WorkItem, standings: Standings, now: datetime, zone: ZoneInfo, steps: list[Step]
) -> Distribution | None:
    """Return what is decided before it is anybody's turn; None when the turn decides."""
    template = roster.template
    if template.quiet_hours and item.kind in _QUIET_FOR:
        until = quiet_until(template.quiet_hours, now, zone)
        if until is not None:
            return decided("waits", "quiet_hours", None, steps, "quiet", until)
    tried = set(item.tried)
    if tried and ((template.taken and len(tried) >= template.taken.rounds) or item.only in tried):
        return _rounds_over(roster, item, steps)
    if item.only is not None and (kept := only_person(roster, item, standings, steps)):
        return kept
    return repeat_owner(roster, item, standings, steps)


def _by_turn(
    roster: Roster,
    chance: Chance,
    ledgers: Mapping[str, TurnLedger],
    standings: Standings,
    day: str | None,
    steps: list[Step],
) -> Distribution:
    ledger = ledgers.get("", EMPTY)
    entry, after = _pick(roster, chance, ledger, standings, day)
    _tell(chance, ledger, entry, standings, steps)
    return _given(roster, (entry,), {"": after}, entry.winner, steps)


def _by_groups(
    roster: Roster,
    chances: Sequence[Chance],
    ledgers: Mapping[str, TurnLedger],
    day: str | None,
    steps: list[Step],
) -> Distribution:
    """First the group by its share, then one of its people: a group keeps its share as long as one of it is there."""
    there = {c.pool.key: c for c in chances if c.could}
    above = ledgers.get(GROUPS, EMPTY)
    first, above_after = pick(
        above,
        {key: chance.pool.share for key, chance in there.items()},
        scope=GROUPS,
        absent=_absent_groups(chances),
        catch_up=roster.template.catch_up,
        day=day,
    )
    for chance in chances:
        if not chance.could and chance.pool.scope is not None:
            because = "group_away" if chance.pool.seats else "group_empty"
            steps.append(Step("group", "excluded", because, {"group": chance.pool.key}))
    won = there[first.winner]
    for chance in (c for c in there.values() if c is not won):
        steps += [
            Step("person", "passed", "other_group", {"employee": s.employee_id, "group": chance.pool.key})
            for s in chance.could
        ]
    if won.pool.scope is None:
        return _given(roster, (first,), {GROUPS: above_after}, won.could[0].employee_id, steps)
    ledger = ledgers.get(won.pool.scope, EMPTY)
    credit = above.credits.get(won.pool.key, 0) + first.shares[won.pool.key]
    facts: dict[str, Fact] = {"group": won.pool.key, "credit": credit // _TOLD}
    steps.append(Step("group", "passed", "group_chosen", facts))
    second, after = _pick(roster, won, ledger, {}, day)
    _tell(won, ledger, second, {}, steps)
    return _given(roster, (first, second), {GROUPS: above_after, won.pool.scope: after}, second.winner, steps)


def _pick(
    roster: Roster, chance: Chance, ledger: TurnLedger, standings: Standings, day: str | None
) -> tuple[LedgerEntry, TurnLedger]:
    weights = weights_of(chance)
    return pick(
        ledger,
        weights,
        roster.rule,
        scope=chance.pool.scope or "",
        open_deals=_open_deals(roster, weights, standings),
        absent=chance.away,
        catch_up=roster.template.catch_up,
        day=day,
    )


def weights_of(chance: Chance) -> dict[str, int]:
    return {seat.employee_id: seat.weight for seat in chance.could}


def _open_deals(roster: Roster, people: Mapping[str, int], standings: Standings) -> dict[str, int]:
    if roster.rule != "open_deals":
        return {}
    return {p: standings.get(p, NOTHING_SAID).open_deals for p in people}


def _tell(
    chance: Chance, ledger: TurnLedger, entry: LedgerEntry, standings: Standings, steps: list[Step]
) -> None:
    """One step for each who could have got it, with what they stood at when the greatest was chosen."""
    earned = entry.shares
    had = ({} if entry.is_reset else ledger.credits).get
    if entry.rule == "open_deals":
        told: list[Mapping[str, Fact]] = [
            {"employee": p, "credit": (had(p, 0) + earned[p]) // _TOLD, "open_deals": s.open_deals}
            for p in entry.weights
            for s in (standings.get(p, NOTHING_SAID),)
        ]
    else:
        told = [{"employee": p, "credit": (had(p, 0) + earned[p]) // _TOLD} for p in entry.weights]
    steps += [_new_step(Step, ("person", "passed", "could_get_it", facts)) for facts in told]


_new_step = tuple.__new__
"""Half the time of calling the named tuple, for everybody of a template."""


def _given(
    roster: Roster,
    entries: tuple[LedgerEntry, ...],
    ledgers: Mapping[str, TurnLedger],
    winner: str,
    steps: list[Step],
) -> Distribution:
    reason = (
        _REASONS[roster.template.balance]
        if roster.template.balance != "even"
        else _EVEN[roster.template.kind]
    )
    facts: dict[str, Fact] = {"employee": winner, "number": entries[-1].number}
    steps.append(Step("ledger", "decided", reason, facts))
    return Distribution("given", reason, winner, tuple(steps), entries, ledgers)


_EVEN: Mapping[str, DistributionReason] = {"turn": "turn", "load": "even"}
_REASONS: Mapping[str, DistributionReason] = {
    "in_a_row": "in_a_row",
    "spread": "spread",
    "open_deals": "fewest_open_deals",
    "percent": "percent",
}


def day_of(template: DistributionTemplate, now: datetime, zone: ZoneInfo) -> str | None:
    """Local date whose first instant starts credits from zero, None = never."""
    return now.astimezone(zone).date().isoformat() if template.daily_reset else None
