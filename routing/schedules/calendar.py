"""The days of a year that are not what their weekday says: holidays, working Saturdays, the account's own days above them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from routing.schedules.written import hours_written

DayHours = Annotated[tuple[tuple[str, str], ...], BeforeValidator(hours_written)]


class OwnDay(BaseModel):
    """What an account says of one date. kind: free for all, or worked on whatever weekday and holiday it is.

    hours: of a worked day, for all who have no hours of their own; of those who have, what lies within them. Empty: as usual
    on that weekday, and where that is free, as on the weekday `like` (1 = Monday; None = the first one that is worked on).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["free", "working"]
    name: str = Field(default="", max_length=200)
    hours: DayHours = Field(default=(), max_length=24)
    like: int | None = Field(default=None, ge=1, le=7)


class WorkingDay(NamedTuple):
    """A date that is worked on. hours: exactly these for who has no hours of their own, within these for who has."""

    like: int | None = None
    hours: DayHours = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Dates that are not what their weekday says. free: with their names. working: e.g. Saturdays that are worked.

    known_years: those whose holidays, and moved days, are known; of other years only what never moves may stand here.
    """

    free: Mapping[date, str] = field(default_factory=dict)
    working: Mapping[date, WorkingDay] = field(default_factory=dict)
    known_years: frozenset[int] = frozenset()

    def with_own(self, days: Mapping[date, OwnDay]) -> Calendar:
        """Put the days that an account has of its own above all others."""
        others = {day: name for day, name in self.free.items() if day not in days}
        worked = {day: how for day, how in self.working.items() if day not in days}
        free = {day: own.name for day, own in days.items() if own.kind == "free"}
        working = {day: WorkingDay(o.like, o.hours) for day, o in days.items() if o.kind == "working"}
        return replace(self, free={**others, **free}, working={**worked, **working})


NO_CALENDAR = Calendar()


class PublicHolidays(NamedTuple):
    """What a country's calendar changes around a moment. free: dates. worked: dates that are worked on although their weekday
    is free, with the weekday whose hours they have (1 = Monday; None = nobody said)."""

    free: Collection[date] = frozenset()
    worked: Mapping[date, int | None] = {}


NO_HOLIDAYS = PublicHolidays()
