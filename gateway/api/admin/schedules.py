"""Schedules of an account: saved, removed, looked at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.schedules import saved, seen
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route, may_see, not_found
from gateway.api.sent_time import SentTime
from gateway.store.admin import schedules as store
from routing.schedules.checks import ScheduleProblem
from routing.schedules.model import Schedule
from routing.schedules.timetable import ShiftReason, WorkDay

Version = Annotated[int, Field(ge=0, le=999_999_999)]


class ScheduleBody(Body):
    """version: that was seen; 0: there must be none of this name yet; absent: whichever there is."""

    schedule: Schedule
    version: Version | None = None


class ScheduleLineView(Answer):
    """people: how many are named in it."""

    name: str
    kind: Literal["weekly", "by_day"]
    version: int
    zone: str | None
    people: int
    saved_at: datetime
    saved_by: str


class ScheduleView(Answer):
    """problems: what its checks find now. uses: what stands on it, e.g. `user olga`, who may touch this schedule only."""

    name: str
    version: int
    saved_at: datetime
    saved_by: str
    schedule: Schedule
    problems: list[ScheduleProblem]
    uses: list[str]


class ScheduleVersionView(Answer):
    version: int
    saved_at: datetime
    saved_by: str


class ScheduleVersionBody(Answer):
    version: int
    schedule: Schedule


class OnQuery(Body):
    at: SentTime | None = Field(None, description="absent: now")


class OnShiftView(Answer):
    """reason: why they are off shift. until: how long it stays so. next_start: when they come on next. substitute_id: who works
    their hours meanwhile."""

    employee_id: str
    name: str
    is_on: bool
    reason: ShiftReason
    until: datetime | None
    next_start: datetime | None
    substitute_id: str | None


class OnView(Answer):
    at: datetime
    people: list[OnShiftView]


class SpansQuery(Body):
    """Dates, both included; absent: the month that today is in."""

    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None


class SpanView(Answer):
    begins: datetime
    ends: datetime


class WorkDayView(Answer):
    """hours: as clock times of the person's zone. reason: why there are none. instead_of: whose hours they work besides."""

    day: date
    hours: str
    spans: list[SpanView]
    reason: ShiftReason
    substitute_id: str | None
    instead_of: list[str]


class PersonDaysView(Answer):
    employee_id: str
    name: str
    zone: str
    days: list[WorkDayView]


class RemovalQuery(Body):
    even_if_used: bool = Field(False, description="remove it although something stands on it")


async def list_schedules(call: ApiCall) -> Items[ScheduleLineView]:
    async with call.services.pool.acquire() as conn:
        found = await store.schedules_of(conn, [call.account.id])
    return Items[ScheduleLineView](
        items=[
            ScheduleLineView(
                name=s.name,
                kind=s.schedule.kind,
                version=s.version,
                zone=s.schedule.zone,
                people=len(s.schedule.people),
                saved_at=s.saved_at,
                saved_by=s.saved_by,
            )
            for s in found
            if may_see(call, schedule=s.name)
        ]
    )


async def show_schedule(call: ApiCall) -> ScheduleView:
    account_id, name = call.account.id, call.path["schedule"]
    async with call.services.pool.acquire() as conn:
        stored = await saved.the_schedule(conn, account_id, name)
        problems = await saved.problems_of(conn, account_id, stored.schedule, stored.schedule)
        uses = await saved.uses_of(conn, account_id, name)
    return _view(stored, problems, uses)


def _view(stored: store.StoredSchedule, problems: list[ScheduleProblem], uses: list[str]) -> ScheduleView:
    return ScheduleView(
        name=stored.name,
        version=stored.version,
        saved_at=stored.saved_at,
        saved_by=stored.saved_by,
        schedule=stored.schedule,
        problems=problems,
        uses=uses,
    )


async def save_schedule(call: ApiCall[NoQuery, ScheduleBody]) -> ScheduleView:
    account_id, name, body = call.account.id, call.path["schedule"], call.body
    async with call.services.pool.acquire() as conn:
        done = await saved.save_schedule(
            conn, account_id, name, body.schedule, by=call.who.name, version=body.version
        )
        return _view(done.stored, done.warnings, await saved.uses_of(conn, account_id, name))


async def remove_schedule(call: ApiCall[RemovalQuery, None]) -> None:
    async with call.services.pool.acquire() as conn:
        await saved.remove_schedule(
            conn, call.account.id, call.path["schedule"], even_if_used=call.query.even_if_used
        )


async def list_versions(call: ApiCall) -> Items[ScheduleVersionView]:
    async with call.services.pool.acquire() as conn:
        found = await store.schedule_versions(conn, call.account.id, call.path["schedule"])
    if not found:
        raise not_found("schedule", call.path["schedule"])
    return Items[ScheduleVersionView](items=[ScheduleVersionView.model_validate(line) for line in found])


async def show_version(call: ApiCall) -> ScheduleVersionBody:
    asked = call.path["version"]
    if not asked.isascii() or not asked.isdigit() or len(asked) > 9:
        raise not_found("schedule-version", asked)
    async with call.services.pool.acquire() as conn:
        found = await store.schedule_at(conn, call.account.id, call.path["schedule"], int(asked))
    if found is None:
        raise not_found("schedule-version", asked)
    return ScheduleVersionBody(version=int(asked), schedule=found)


async def who_is_on(call: ApiCall[OnQuery, None]) -> OnView:
    at = call.query.at or datetime.now(UTC)
    async with call.services.pool.acquire() as conn:
        looked = await seen.look(conn, call.account.id, call.path["schedule"])
    people = [
        OnShiftView(employee_id=one.employee_id, name=one.name, **one.shift._asdict())
        for one in seen.who_is_on(looked, at)
    ]
    return OnView(at=at, people=people)


async def show_spans(call: ApiCall[SpansQuery, None]) -> Items[PersonDaysView]:
    async with call.services.pool.acquire() as conn:
        looked = await seen.look(conn, call.account.id, call.path["schedule"])
    first, last = seen.dates_asked(looked, call.query.first, call.query.last)
    found = seen.days_of(looked, first, last)
    return Items[PersonDaysView](
        items=[
            PersonDaysView(
                employee_id=one.employee_id,
                name=one.name,
                zone=one.zone,
                days=[_day(day, one.zone) for day in one.days],
            )
            for one in found
        ]
    )


def _day(day: WorkDay, zone: str) -> WorkDayView:
    return WorkDayView(
        day=day.day,
        hours=seen.clock_times(day, zone),
        spans=[SpanView(begins=span.begins, ends=span.ends) for span in day.spans],
        reason=day.reason,
        substitute_id=day.substitute_id,
        instead_of=list(day.instead_of),
    )


_ALL = "/v1/accounts/{account}/schedules"
_ONE = _ALL + "/{schedule}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_schedules,
        summary="Schedules, of a bound token those that it is bound to",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show_schedule,
        summary="One schedule, with what its checks find and what stands on it",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_ONE,
        handler=save_schedule,
        summary="Add a schedule, or save its next version, which holds at once",
        description="422 with all problems when its checks find errors; 409 when somebody else saved since `version`: nothing is stored then.",
        role="senior_manager",
        errors=(409, 422),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_schedule,
        summary="Remove a schedule; its versions stay",
        description="409 with what stands on it, unless `even_if_used`.",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_ONE + "/versions",
        handler=list_versions,
        summary="Versions of a schedule, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/versions/{version}",
        handler=show_version,
        summary="One version of a schedule",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/on",
        handler=who_is_on,
        summary="Who is on shift at a moment, and why somebody is not",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/spans",
        handler=show_spans,
        summary="The dates of each person, as a table of up to 400 days",
        role="read_only",
    ),
)
