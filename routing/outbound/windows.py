"""Hours in which a client may be called or written to, by the client's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from routing.outbound.client_zones import ClientZone
from routing.schedules.clock import instant, is_span, minutes_of

_DAYS_AHEAD = 15  # a week of closed days and the clock changes at both ends
_EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


class CallingHours(BaseModel):
    """opens, closes: "HH:MM" of one day, closes later than opens, "24:00" = the day's end. days: 1 = Monday. is_strict: where it
    is not certain in which zone a client is, only when it is allowed in every one in which they may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: str = "09:00"
    closes: str = "21:00"
    days: tuple[int, ...] = Field(default=_EVERY_DAY, min_length=1, max_length=7)
    is_strict: bool = False

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(day not in _EVERY_DAY for day in days):
            raise ValueError("days are 1 (Monday) to 7 (Sunday)")
        return tuple(sorted(set(days)))

    @model_validator(mode="after")
    def _is_window(self) -> Self:
        if not is_span(self.opens, self.closes) or minutes_of(self.closes) <= minutes_of(self.opens):
            raise ValueError('opens and closes are "HH:MM", and it closes later than it opens')
        return self


def is_open(hours: CallingHours, client: ClientZone, now: datetime, needed: timedelta = timedelta(0)) -> bool:
    """Whether what begins now and takes so long ends before the window does."""
    return all(_holds(hours, zone, now, needed) for zone in _zones(hours, client))


def next_opening(
    hours: CallingHours, client: ClientZone, now: datetime, needed: timedelta = timedelta(0)
) -> datetime | None:
    """Return the first moment from now on at which it may begin, aware UTC; None where there is none within two weeks."""
    zones = _zones(hours, client)
    moments = sorted(
        {now, *(begins for zone in zones for begins, _ in _spans(hours, zone, now) if begins > now)}
    )
    return next((at for at in moments if all(_holds(hours, zone, at, needed) for zone in zones)), None)


def end_of_next_window(hours: CallingHours, client: ClientZone, now: datetime) -> datetime | None:
    """Return when the window that is open now, or opens next, closes; None where none does within two weeks."""
    opens = next_opening(hours, client, now)
    if opens is None:
        return None
    ends = [
        ends
        for zone in _zones(hours, client)
        for begins, ends in _spans(hours, zone, now)
        if begins <= opens < ends
    ]
    return min(ends)


def _zones(hours: CallingHours, client: ClientZone) -> tuple[ZoneInfo, ...]:
    return client.candidates if hours.is_strict or not client.is_guess else (client.zone,)


def _holds(hours: CallingHours, zone: ZoneInfo, at: datetime, needed: timedelta) -> bool:
    return any(begins <= at and at + needed < ends for begins, ends in _spans(hours, zone, at, days=2))


def _spans(
    hours: CallingHours, zone: ZoneInfo, around: datetime, days: int = _DAYS_AHEAD
) -> Iterator[tuple[datetime, datetime]]:
    first: date = around.astimezone(zone).date() - timedelta(days=1)
    for n in range(days + 1):
        day = first + timedelta(days=n)
        if day.isoweekday() in hours.days:
            yield instant(day, minutes_of(hours.opens), zone), instant(day, minutes_of(hours.closes), zone)
