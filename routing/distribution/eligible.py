"""Who of a pool can get it now, and why each of the others cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from routing.decision import Fact, Step
from routing.distribution.item import NOTHING_SAID, Standing, Standings, WorkItem
from routing.distribution.reasons import LeftOut
from routing.distribution.roster import Pool, Roster, Seat, why_never
from routing.presence import PresenceState

AWAY: frozenset[str] = frozenset({"not_in_schedule", "off_shift", "holiday", "on_leave", "offline"})
"""Reasons of time: it would be otherwise at another hour."""
SHORT: frozenset[str] = frozenset({"busy", "dnd", "at_capacity", "window_full"})
"""Reasons of load: somebody is at work, and cannot just now."""
_EARNS: frozenset[str] = (AWAY | {"busy", "dnd"}) - {"not_in_schedule"}
"""Reasons for which somebody earns where absence is not forgiven."""


class Chance(NamedTuple):
    """One pool at one moment. could: seats of those who can get it, in the list's order. steps: of everybody else in it.
    away: weights of those who are not there, for a template in which absence earns. reasons: of everybody left out."""

    pool: Pool
    could: tuple[Seat, ...]
    steps: tuple[Step, ...]
    away: Mapping[str, int]
    reasons: frozenset[LeftOut]


class Asked(NamedTuple):
    """What one item asks of people, made once for all of them. barred: employee ids who must not get it, with the reason.
    states: of presence that do not do, with the reason."""

    barred: Mapping[str, LeftOut]
    keeps_shifts: bool
    states: Mapping[PresenceState, LeftOut]
    window: int | None


def asked_for(roster: Roster, item: WorkItem) -> Asked:
    """Return what this item asks. A phone asks for more than a deal does: it must be free."""
    template = roster.template
    mode = template.working_time.mode
    barred: dict[str, LeftOut] = {}
    if item.tried or item.excluded:
        barred = {**dict.fromkeys(item.tried, "already_tried"), **dict.fromkeys(item.excluded, "excluded")}
    if item.no_right:
        barred = {**dict.fromkeys(item.no_right, "no_channel_right"), **barred}
    if item.kind == "missed_call" and item.owner is None:
        barred |= {p.id: "no_missed_calls" for p in roster.staff.employees if not p.gets_missed_calls}
    states = _RINGING if item.kind == "ring" else _ONLINE if mode == "online" else _ANY
    window = template.window.deals if template.window else None
    return Asked(barred, mode in ("common", "individual"), states, window)


def chance_of(pool: Pool, roster: Roster, asked: Asked, standings: Standings) -> Chance:
    could: list[Seat] = []
    steps = list(pool.left_out)
    away: dict[str, int] = {}
    reasons: set[LeftOut] = set()
    asks_little, states = not asked.barred and asked.window is None, asked.states
    for seat in pool.seats:
        standing = standings.get(seat.employee_id, NOTHING_SAID)
        # Nearly everybody is known by a look to be free, and this is done while a phone rings.
        if asks_little and not standing.off:
            is_there = not states or standing.presence is _AVAILABLE or standing.presence is _UNKNOWN
            limit = seat.open_deals_limit
            if is_there and (limit is None or standing.open_deals < limit):
                could.append(seat)
                continue
        reason = why_not(seat, standing, asked)
        if reason is None:
            could.append(seat)
            continue
        reasons.add(reason)
        steps.append(_left_out(seat.employee_id, reason, standing))
        if reason == "on_leave" and _add_substitute(seat, could, steps, roster, asked, standings):
            continue
        if reason in _EARNS:
            away[seat.employee_id] = seat.weight
    return Chance(pool, _first_in_rank(could, steps, reasons), tuple(steps), away, frozenset(reasons))


def why_not(seat: Seat, standing: Standing, asked: Asked) -> LeftOut | None:
    """Why this person cannot get it now, None when they can."""
    employee_id, _, _, limit = seat
    barred, _, states, window = asked
    if employee_id in barred:
        return barred[employee_id]
    if standing.off and (reason := why_away(standing, asked)):
        return reason
    presence = standing.presence
    if states and presence is not _AVAILABLE and presence is not _UNKNOWN and (state := states.get(presence)):
        return state  # looked at by identity first: an enum's hash is slow
    if limit is not None and standing.open_deals >= limit:
        return "at_capacity"
    return "window_full" if window is not None and standing.given_in_window >= window else None


def why_away(standing: Standing, asked: Asked) -> LeftOut | None:
    """Why somebody of this standing is not there, None when they are. Who is on leave gets nothing by any schedule."""
    if standing.off and (asked.keeps_shifts or standing.off == "on_leave"):
        return standing.off
    return asked.states.get(standing.presence)


_AVAILABLE, _UNKNOWN = PresenceState.AVAILABLE, PresenceState.UNKNOWN
_ANY: Mapping[PresenceState, LeftOut] = {}
_ONLINE: Mapping[PresenceState, LeftOut] = {
    PresenceState.OFFLINE: "offline",
    PresenceState.OFF_SHIFT: "off_shift",
    PresenceState.DND: "dnd",
}
"""Who talks on the phone is at work."""
_RINGING: Mapping[PresenceState, LeftOut] = {**_ONLINE, PresenceState.BUSY: "busy"}


def _left_out(employee_id: str, reason: LeftOut, standing: Standing) -> Step:
    facts: dict[str, Fact] = {"employee": employee_id}
    if reason in AWAY and standing.back_at is not None:
        facts["back_at"] = standing.back_at.isoformat()
    elif reason == "at_capacity":
        facts["open_deals"] = standing.open_deals
    elif reason == "window_full":
        facts["given_in_window"] = standing.given_in_window
    return Step("person", "excluded", reason, facts)


def substitute_of(employee_id: str, roster: Roster, standings: Standings) -> str | None:
    """Return who works instead of somebody on leave, and instead of them if they are on leave too; None when nobody does."""
    met = {employee_id}
    found = standings.get(employee_id, NOTHING_SAID).substitute_id
    while found is not None and found not in met:
        met.add(found)
        standing = standings.get(found, NOTHING_SAID)
        if standing.off != "on_leave":
            return None if why_never(found, 1, roster.staff) else found
        found = standing.substitute_id
    return None


def _add_substitute(
    seat: Seat, could: list[Seat], steps: list[Step], roster: Roster, asked: Asked, standings: Standings
) -> bool:
    """Give the place of somebody on leave to who works instead, unless they have one of their own; say whether they got it."""
    found = substitute_of(seat.employee_id, roster, standings)
    if found is None or found in roster.member_ids or any(s.employee_id == found for s in could):
        return False
    standing = standings.get(found, NOTHING_SAID)
    own = seat._replace(employee_id=found)
    reason = why_not(own, standing, asked)
    if reason is not None:
        steps.append(_left_out(found, reason, standing))
        return False
    could.append(own)
    steps.append(Step("person", "passed", "substitute", {"employee": found, "instead_of": seat.employee_id}))
    return True


def _first_in_rank(could: list[Seat], steps: list[Step], reasons: set[LeftOut]) -> tuple[Seat, ...]:
    """Keep those of the highest priority that is there."""
    if len({seat.priority for seat in could}) < 2:
        return tuple(could)
    highest = max(seat.priority for seat in could)
    for seat in could:
        if seat.priority < highest:
            reasons.add("lower_priority")
            facts: dict[str, Fact] = {"employee": seat.employee_id, "priority": seat.priority}
            steps.append(Step("person", "excluded", "lower_priority", facts))
    return tuple(seat for seat in could if seat.priority == highest)
