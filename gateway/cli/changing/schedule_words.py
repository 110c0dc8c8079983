"""What the options of `schedule` say, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from gateway.admin.config_document import ConfigRefused, read_schedule
from gateway.admin.input_words import problems_of
from gateway.admin.refused import InputRefused
from gateway.admin.schedules.saved import ScheduleRefused
from gateway.cli.changing.files import read_text
from gateway.cli.output import refusals
from routing.schedules import edits
from routing.schedules.edits import Whose
from routing.schedules.model import Leave, Schedule, WorkPlan
from runtime.failure import Failure


class ScheduleChanges(NamedTuple):
    """What is to become of one plan; None and False: nothing."""

    week: str | None = None
    month: str | None = None
    days: str | None = None
    leave: str | None = None
    substitute: str | None = None
    no_leave: bool = False
    drop: bool = False
    zone: str | None = None

    @property
    def is_any(self) -> bool:
        return any(value not in (None, False) for value in self)

    def made_to(self, schedule: Schedule, whose: Whose) -> Schedule:
        """Raise InputRefused."""
        if self.drop:
            if edits.plan_of(schedule, whose) is None:
                raise InputRefused("drop", "they are not in the schedule", "see 'callmatrix schedule show'")
            return edits.with_plan(schedule, whose, None)
        return edits.changed_plan(schedule, whose, self._plan)

    def _plan(self, plan: WorkPlan) -> WorkPlan:
        if self.zone is not None:
            plan = plan.model_copy(update={"zone": self.zone or None})
        if (week := self.week) is not None:
            plan = _written("week", lambda now: edits.with_week(now, week), plan)
        if self.days is not None or self.month is not None:
            plan = self._month(plan)
        if self.no_leave:
            plan = edits.without_leave(plan)
        if self.leave is not None:
            first, _, last = self.leave.partition("..")
            days = asked_day(first, "leave", _LEAVE), asked_day(last or first, "leave", _LEAVE)
            plan = edits.with_leave(
                plan, Leave(first=days[0], last=days[1], substitute=self.substitute or None)
            )
        elif self.substitute is not None:
            raise InputRefused("substitute", "it is not said when", "name the days with --leave")
        return plan

    def _month(self, plan: WorkPlan) -> WorkPlan:
        month, days = self.month, self.days
        if month is None or days is None:
            missing = "days" if days is None else "month"
            raise InputRefused(
                missing,
                "a month needs both --month and --days",
                "e.g. --month 2026-12 --days '1-15: 09:00-18:00'",
            )
        return _written("days", lambda now: edits.with_month(now, month, days), plan)


_LEAVE = "write it as 2026-12-01, or 2026-12-01..2026-12-10"


def _written(field: str, change: Callable[[WorkPlan], WorkPlan], plan: WorkPlan) -> WorkPlan:
    try:
        return change(plan)
    except ValidationError as err:
        path, message = problems_of(err, field)[0]
        raise InputRefused(field, f"{path}: {message}", "see 'callmatrix schedule set --help'") from err
    except ValueError as err:
        message, _, remedy = str(err).partition(": ")
        raise InputRefused(field, message, remedy) from err


def whose_plan(person: str | None, group: str | None, everybody: bool) -> Whose | None:
    if (person is not None) + (group is not None) + everybody > 1:
        raise InputRefused("person", "several are named", "name one of --person, --group and --everybody")
    return Whose(person, group) if everybody or person is not None or group is not None else None


def with_head(schedule: Schedule, kind: str | None, zone: str | None, holidays: bool | None) -> Schedule:
    """Return the schedule with what was said of all of it."""
    said = {
        "kind": kind and kind.replace("-", "_"),
        "zone": zone,
        "holidays": holidays,
    }
    changes = {
        name: value or None if name == "zone" else value for name, value in said.items() if value is not None
    }
    return schedule.model_copy(update=changes)


def schedule_in_file(file: str) -> Schedule:
    """Read a schedule's YAML; - is standard input. Raise ConfigRefused, Failure."""
    return read_schedule(read_text(file))


def typed(text: str | None) -> str | None:
    return read_text("-") if text == "-" else text


def judged(schedule: Schedule) -> Schedule:
    """Return it where the API would take it, too. Raise InputRefused."""
    try:
        return Schedule.model_validate(schedule.model_dump())
    except ValidationError as err:
        path, message = problems_of(err, "schedule")[0]
        raise InputRefused(path, message, "see 'callmatrix schedule set --help'") from err


def asked_day(text: str, field: str, remedy: str) -> date:
    """Raise InputRefused for what is no date."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as err:
        raise InputRefused(field, f"'{text}' is no day", remedy) from err


def asked_moment(text: str | None, zone: ZoneInfo) -> datetime:
    """Return the moment; without an offset it is a clock time of the zone, without a text it is now."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise InputRefused("at", f"'{text}' is no moment", "write it as 2026-12-01T10:00") from err


@contextmanager
def schedule_refusals(what: str) -> Iterator[None]:
    """Tell every problem of a schedule that was refused, and the place of a file that cannot be read."""
    with refusals(what):
        try:
            yield
        except ScheduleRefused as err:
            if len(err.errors) == 1:
                raise
            said = [(p.where, *p.in_words(err.language)) for p in err.errors]
            lines = [f"{where}: {message}; {remedy} ({err.code})" for where, message, remedy in said]
            raise Failure(what, "\n        ".join(lines), "mend them all and save it again") from err
        except ConfigRefused as err:
            first = err.problems[0]
            remedy = first.remedy or "'callmatrix schedule show' shows how one is written"
            raise InputRefused(first.path, first.message, remedy) from err
