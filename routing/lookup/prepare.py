"""What schedules and presence say of everybody, brought together before a phone rings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from routing.lookup.available import ANYBODY, AwayReason, Ladder, Reachability, away_by
from routing.presence import NOBODY_SAID, Presence
from routing.schedules.timetable import Shift, Timetable
from routing.settings import LookupPolicy
from routing.staff import Staff

_NOTHING: Mapping[str, str] = {}


class Prepared(NamedTuple):
    """until: when it has to be prepared anew although nobody changes anything; None = a schedule has no say in it."""

    reach: Reachability
    until: datetime | None = None


def prepare(
    policy: LookupPolicy,
    staff: Staff,
    now: datetime,
    *,
    timetable: Timetable | None = None,
    presence: Presence = NOBODY_SAID,
    only: Mapping[str, str] = _NOTHING,
    ladder: Ladder | None = None,
) -> Prepared:
    """Find who is away now. timetable: of the schedule that the policy names; who does not stand in it is not known to be off."""
    if policy.availability == "off":
        if not only and ladder is None:
            return Prepared(ANYBODY)
        return Prepared(Reachability(only=only, ladder=ladder))
    shifts = dict(_shifts(timetable, staff, now))
    away: dict[str, AwayReason] = {}
    for person in staff.employees:
        reason = _off(shifts.get(person.id)) or away_by(presence.of(person.id))
        if reason is not None:
            away[person.id] = reason
    off = {p: shift for p, shift in shifts.items() if p in away and not shift.is_on}
    reach = Reachability(
        away=away,
        back_at={p: s.next_start.isoformat() for p, s in off.items() if s.next_start},
        substitutes=_substitutes(off),
        only=only,
        ladder=ladder,
    )
    edges = (shift.until for shift in shifts.values() if shift.until is not None)
    return Prepared(reach, min(edges, default=None))


def _shifts(timetable: Timetable | None, staff: Staff, now: datetime) -> Iterator[tuple[str, Shift]]:
    if timetable is not None:
        for person in staff.employees:
            yield person.id, timetable.shift(person.id, now)


def _off(shift: Shift | None) -> AwayReason | None:
    if shift is None or shift.is_on or not shift.reason or shift.reason == "not_in_schedule":
        return None
    return shift.reason


def _substitutes(off: Mapping[str, Shift]) -> Mapping[str, str]:
    """Return who works instead of each who is on leave; where they are on leave as well, who works instead of them."""
    first = {p: s.substitute_id for p, s in off.items() if s.reason == "on_leave" and s.substitute_id}
    found: dict[str, str] = {}
    for person, substitute in first.items():
        met = {person}
        while substitute in first and substitute not in met:
            met.add(substitute)
            substitute = first[substitute]
        if substitute not in met:
            found[person] = substitute
    return found
