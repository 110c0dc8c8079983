"""A schedule as an admin describes it: a value."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from routing.schedules.calendar import DayHours
from routing.schedules.written import months_written, week_written

WhoId = Annotated[str, Field(min_length=1, max_length=200)]


class ScheduleValue(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(ScheduleValue):
    """Dates first to last, both included, on these weekdays (1 = Monday; none = all), with these hours; none = off."""

    first: date
    last: date
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(default=(), max_length=7)
    hours: DayHours = Field(default=(), max_length=24)

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last and (not self.weekdays or day.isoweekday() in self.weekdays)


class Leave(ScheduleValue):
    """Dates first to last, both included, on which somebody does not work. substitute: the employee who works their hours
    instead, None = nobody."""

    first: date
    last: date
    substitute: WhoId | None = None
    why: str = Field(default="", max_length=200)

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


def _periods_of_months(months: Any) -> Any:
    return tuple(Period.model_validate(period) for period in months_written(months)) if months else ()


class WorkPlan(ScheduleValue):
    """When one person, one group or everybody works.

    hours: by weekday (1 = Monday), of a weekly schedule. periods: by date; in a weekly schedule they stand above weekday
    and calendar. Neither: those of the person's group, else of everybody. zone: None = as there, else the schedule's.
    months: periods as people write them, {"2026-12": {"1-15": "09:00-18:00", "16": "off"}}.
    """

    hours: Annotated[dict[int, DayHours] | None, BeforeValidator(week_written)] = None
    periods: tuple[Period, ...] | None = Field(default=None, max_length=2000)
    zone: str | None = Field(default=None, max_length=60)
    leave: tuple[Leave, ...] = Field(default=(), max_length=500)
    months: Annotated[
        tuple[Period, ...],
        BeforeValidator(_periods_of_months, json_schema_input_type=dict[str, dict[str, str]]),
        Field(exclude=True),
    ] = ()

    @model_validator(mode="after")
    def _with_months(self) -> WorkPlan:
        """Take days of months for what they are: periods."""
        if self.months:
            object.__setattr__(self, "periods", (*(self.periods or ()), *self.months))
            object.__setattr__(self, "months", ())
        return self

    @property
    def has_hours(self) -> bool:
        return self.hours is not None or self.periods is not None


ShiftColour = Literal["green", "blue", "violet", "teal", "rose"]


class NamedShift(ScheduleValue):
    """Hours with a name, for who paints the schedule: the letter stands in the days that have them. They mean nothing else."""

    letter: str = Field(min_length=1, max_length=2)
    name: str = Field(min_length=1, max_length=60)
    colour: ShiftColour = "green"
    hours: DayHours = Field(min_length=1, max_length=24)


class Schedule(ScheduleValue):
    """Who works when. weekly: hours by weekday, which the calendar changes. by_day: the dates that are named, no others.

    everybody: the common hours, of whoever is not named here. groups: by the group's name. people: by employee id. zone:
    None = the account's. holidays: whether free days of the calendar are free; None = in a weekly schedule only, since
    dates of a by-day schedule were named one by one. shifts: names of hours.
    """

    kind: Literal["weekly", "by_day"] = "weekly"
    zone: str | None = Field(default=None, max_length=60)
    holidays: bool | None = None
    everybody: WorkPlan | None = None
    groups: dict[Annotated[str, Field(min_length=1, max_length=200)], WorkPlan] = Field(
        default_factory=dict, max_length=1000
    )
    people: dict[WhoId, WorkPlan] = Field(default_factory=dict, max_length=5000)
    shifts: tuple[NamedShift, ...] = Field(default=(), max_length=12)

    @property
    def keeps_holidays(self) -> bool:
        return self.kind == "weekly" if self.holidays is None else self.holidays
