"""The calendar of an account: holidays, working Saturdays, days of its own above them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from gateway.admin.schedules import days
from gateway.api.frame import Answer, ApiCall, Body, NoQuery, Route
from gateway.store.admin import accounts
from routing.schedules.calendar import DayHours, OwnDay
from routing.schedules.clock import local_date


class YearQuery(Body):
    year: Annotated[int, Field(ge=1992, le=2099)] | None = Field(None, description="absent: this year")


class CalendarDayView(Answer):
    """source: who says so. hours: within which is worked, empty = as usual. like: the weekday (1 = Monday) whose hours hold."""

    day: date
    kind: Literal["free", "working"]
    name: str
    source: Literal["own", "country"]
    hours: DayHours
    like: int | None


class CalendarView(Answer):
    """country: whose holidays hold, as set in `working_time.holidays`. is_known: whether the moved days of this year are
    known; where not, only what never moves stands here. days: what is not as its weekday says."""

    year: int
    country: str | None
    is_known: bool
    working_saturdays: bool
    days: list[CalendarDayView]


async def show_calendar(call: ApiCall[YearQuery, None]) -> CalendarView:
    async with call.services.pool.acquire() as conn:
        account = await accounts.account(conn, call.account.id)
    today = local_date(datetime.now(UTC), ZoneInfo(account.time_zone))
    found = days.calendar_year(account, call.query.year or today.year)
    return CalendarView(
        year=found.year,
        country=found.country,
        is_known=found.is_known,
        working_saturdays=found.working_saturdays,
        days=[CalendarDayView(**day._asdict()) for day in found.days],
    )


async def set_day(call: ApiCall[NoQuery, OwnDay]) -> OwnDay:
    async with call.services.pool.acquire() as conn:
        await days.set_day(conn, call.account.id, call.path["day"], call.body)
    return call.body


async def clear_day(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        await days.clear_day(conn, call.account.id, call.path["day"])


_ALL = "/v1/accounts/{account}/calendar"
_DAY = _ALL + "/days/{day}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=show_calendar,
        summary="The days of a year that are not as their weekday says",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_DAY,
        handler=set_day,
        summary="Say of a date that it is free or worked on, above country and weekday",
    ),
    Route(method="DELETE", path=_DAY, handler=clear_day, summary="Forget what was said of a date"),
)
