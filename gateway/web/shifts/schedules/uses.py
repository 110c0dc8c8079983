"""Which templates give by a schedule, and who takes part in them without standing in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from gateway.store.distribution.templates import SavedTemplate
from routing.distribution.roster import roster_of
from routing.schedules.checks import people_inside
from routing.schedules.model import Schedule
from routing.staff import Employee, Staff


@dataclass(frozen=True, slots=True)
class TemplateOfSchedule:
    """missing: who takes part and gets nothing, since the schedule has no hours of theirs."""

    name: str
    missing: Sequence[Employee]


def templates_of_schedule(
    name: str, schedule: Schedule, templates: Iterable[SavedTemplate], staff: Staff
) -> list[TemplateOfSchedule]:
    inside = people_inside(schedule, {person.id: person.group for person in staff.employees})
    return [
        TemplateOfSchedule(saved.name, _missing(saved, staff, inside))
        for saved in templates
        if saved.template.working_time.schedule == name
        and saved.template.working_time.mode in ("common", "individual")
    ]


def _missing(saved: SavedTemplate, staff: Staff, inside: Collection[str] | None) -> list[Employee]:
    if inside is None or saved.template.working_time.mode != "individual":
        return []
    return [staff.by_id[who] for who in roster_of(saved.template, staff).people if who not in inside]


def missing_in(uses: Iterable[TemplateOfSchedule]) -> list[Employee]:
    """Return everybody who is missing for any of them, once."""
    return list({person.id: person for use in uses for person in use.missing}.values())
