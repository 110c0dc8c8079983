"""What a template's schedule and presence say of people at one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from routing.distribution.item import NOTHING_SAID, Standing
from routing.distribution.template import DistributionTemplate
from routing.presence import NOBODY_SAID, Presence
from routing.schedules.timetable import Shift, Timetable

_EVERYBODY = ""
"""Nobody's id: who is not named in a schedule has the hours of everybody."""
_ON = Shift(True)


def standings_of(
    template: DistributionTemplate,
    people: Iterable[str],
    at: datetime,
    *,
    timetable: Timetable | None = None,
    presence: Presence = NOBODY_SAID,
) -> dict[str, Standing]:
    """Return how each of these stands; deals are counted elsewhere. timetable: of the schedule that the template names, else of
    the account's working time; None = nothing is known of hours, and then nobody is off."""
    return {
        person: Standing(shift.reason, shift.next_start, shift.substitute_id, presence.of(person))
        for person in people
        for shift in (_shift(template, timetable, person, at),)
    }


def with_counts(
    said: Mapping[str, Standing],
    people: Collection[str],
    *,
    open_deals: Mapping[str, int],
    given: Mapping[str, int],
) -> dict[str, Standing]:
    """Return what is said of each with what they have and were given beside it."""
    return {
        id: said.get(id, NOTHING_SAID)._replace(
            open_deals=open_deals.get(id, 0), given_in_window=given.get(id, 0)
        )
        for id in {*said, *people}
    }


def next_edge(
    template: DistributionTemplate, people: Iterable[str], at: datetime, timetable: Timetable | None
) -> datetime | None:
    """Return when the first of these comes on or goes off next, None = no schedule has a say, or not within a year."""
    if timetable is None:
        return None
    shifts = [_shift(template, timetable, person, at) for person in people]
    return min((shift.until for shift in shifts if shift.until is not None), default=None)


def _shift(template: DistributionTemplate, timetable: Timetable | None, person: str, at: datetime) -> Shift:
    """Return the hours that count by the template's mode; leave counts in every mode."""
    if timetable is None:
        return _ON
    own = timetable.shift(person, at)
    mode = template.working_time.mode
    if mode == "individual" or own.reason == "on_leave":
        return own
    if mode != "common":
        return _ON._replace(until=own.until)
    common = timetable.shift(_EVERYBODY, at)
    return own if common.reason == "not_in_schedule" else common
