"""Who is at work, from the memory of this process: what schedules and presence say of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from gateway.store.distribution.turns import StoredTurns
from gateway.timetables import Timetables
from routing.distribution.item import NOTHING_SAID, Standing
from routing.distribution.standings import next_edge, standings_of, with_counts
from routing.distribution.template import DistributionTemplate
from routing.presence import NOBODY_SAID, Presence
from routing.schedules.timetable import Timetable

PresenceOf = Callable[[str], Presence]
TimetablesOf = Callable[[str], Timetables | None]
"""Of an account, as this process knows them now."""


def _unknown_presence(_account_id: str) -> Presence:
    return NOBODY_SAID


def _unknown_timetables(_account_id: str) -> Timetables | None:
    return None


class AtWork:
    """Asks no database. What it is not told, nobody knows: then nobody is off."""

    def __init__(
        self,
        timetables_of: TimetablesOf = _unknown_timetables,
        presence_of: PresenceOf = _unknown_presence,
    ) -> None:
        self._timetables_of, self.presence_of = timetables_of, presence_of

    def timetable(self, account_id: str, schedule: str | None) -> Timetable | None:
        """Return that of the schedule, None where there is none of this name. Without a name: of the account's working time."""
        known = self._timetables_of(account_id)
        return None if known is None else known.of(schedule)

    def hours_of(self, account_id: str, template: DistributionTemplate) -> Timetable | None:
        """Return the hours by which this template gives. Where the schedule that it names was removed these are the account's
        working time, as for one that names none: nobody is given something in the night because a name is gone."""
        named = self.timetable(account_id, template.working_time.schedule)
        return named if named is not None else self.timetable(account_id, None)

    def is_on_shift(self, account_id: str, employee_id: str, at: datetime) -> bool | None:
        """Whether the schedules have them on shift; None: none says anything of them."""
        known = self._timetables_of(account_id)
        return None if known is None else known.is_on_shift(employee_id, at)

    def standings(
        self, account_id: str, template: DistributionTemplate, people: Iterable[str], at: datetime
    ) -> dict[str, Standing]:
        """Return how each of them stands; deals are counted elsewhere."""
        timetable = self.hours_of(account_id, template)
        presence = self.presence_of(account_id)
        return standings_of(template, people, at, timetable=timetable, presence=presence)

    def counted(
        self, account_id: str, turns: StoredTurns, people: Iterable[str], at: datetime
    ) -> dict[str, Standing]:
        """Return the same with what each has and was given; who stands as if nothing were said is left out."""
        said = self.standings(account_id, turns.template, people, at)
        counted = with_counts(said, (), open_deals=turns.open_deals, given=turns.given)
        return {person: standing for person, standing in counted.items() if standing != NOTHING_SAID}

    def edge(
        self, account_id: str, template: DistributionTemplate, people: Iterable[str], at: datetime
    ) -> datetime | None:
        """Return when a schedule changes something of these people next, None = not within a year."""
        return next_edge(template, people, at, self.hours_of(account_id, template))
