"""All schedules: which there are, who works by them, what is wrong; a new one, a copy, one less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from gateway.admin.refused import InputRefused, NameTaken, NothingOfThatName
from gateway.admin.schedules.saved import (
    ABSENT,
    ScheduleInUse,
    problems_of,
    remove_schedule,
    save_schedule,
    uses_of,
)
from gateway.store.admin.schedules import StoredSchedule, schedules_of
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.templates import templates_of
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.refusals import refusal_said
from gateway.web.shifts.schedules.grid import lines_of
from gateway.web.shifts.schedules.places import EDITS, may_edit, may_see, place_of, seen_schedule
from gateway.web.shifts.schedules.problems import ProblemSaid, problems_said
from gateway.web.shifts.schedules.uses import TemplateOfSchedule, missing_in, templates_of_schedule
from gateway.web.shifts.tabs import SCHEDULES, tabs_of
from gateway.web.words.sorting import by_name
from routing.schedules.model import Schedule, WorkPlan
from routing.staff import Employee
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """people: who work by it. missing: who take part in a template of it, and get nothing."""

    name: str
    kind: Literal["weekly", "by_day"]
    people: int
    uses: Sequence[TemplateOfSchedule]
    missing: Sequence[Employee]
    problems: Sequence[ProblemSaid]
    saved_by: str
    saved_at: datetime
    may_edit: bool


class NewScheduleForm(Form):
    """whose: of whom hours stand in it at first."""

    name: str = Field(default="", max_length=200)
    kind: Literal["weekly", "by_day"] = "weekly"
    whose: Literal["people", "everybody"] = "people"


class CopyScheduleForm(Form):
    name: str = Field(default="", max_length=200)


class RemovalForm(Form):
    even_if_used: bool = False


async def list_schedules(call: PageCall) -> Shown:
    async with call.connection() as conn:
        lines = await _lines(conn, call)
    values = {"lines": lines, "may_add": _may_add(call), "tabs_shown": tabs_of(call, "schedules")}
    return Shown("shifts/schedules/list.html", values)


def _may_add(call: AnyPageCall) -> bool:
    """Whoever is bound to certain schedules adds none: it would not be one of theirs."""
    return call.may(EDITS) and not call.who.bound.schedules


async def _lines(conn: Conn, call: AnyPageCall) -> list[ScheduleLine]:
    staff = await staff_of(conn, call.account.id)
    templates = await templates_of(conn, call.account.id)
    stored = await schedules_of(conn, [call.account.id])
    found = []
    for one in sorted(stored, key=lambda s: by_name(s.name)):
        if may_see(call, one.name, one.schedule, staff):
            wrong = await problems_of(conn, call.account.id, one.schedule, one.schedule)
            uses = templates_of_schedule(one.name, one.schedule, templates, staff)
            found.append(
                ScheduleLine(
                    name=one.name,
                    kind=one.schedule.kind,
                    people=sum(line.people for line in lines_of(one.schedule, staff)),
                    uses=uses,
                    missing=missing_in(uses),
                    problems=problems_said(wrong, staff, call.texts),
                    saved_by=one.saved_by,
                    saved_at=one.saved_at,
                    may_edit=may_edit(call, one.name),
                )
            )
    return found


async def new_schedule(call: PageCall) -> Shown:
    return _new_page(call, NewScheduleForm(), "")


def _new_page(call: AnyPageCall, form: NewScheduleForm, error: str) -> Shown:
    return Shown(
        "shifts/schedules/new.html",
        {"form": form, "error": error, "tabs_shown": tabs_of(call, "schedules")},
        status=422 if error else 200,
    )


async def add_schedule(call: PageCall[NoPageQuery, NewScheduleForm]) -> SeeOther | Shown:
    form = call.form
    name = form.name.strip()
    try:
        async with call.connection() as conn:
            everybody = _first_plan(call, form) if form.whose == "everybody" else None
            schedule = Schedule(kind=form.kind, everybody=everybody)
            await save_schedule(conn, call.account.id, name, schedule, by=call.who.name, version=ABSENT)
    except InputRefused as err:
        return _new_page(call, form, _said(call, err))
    return SeeOther(call.here(place_of(name)), said=phrase("shifts.schedules.added", name=name))


def _first_plan(call: AnyPageCall, form: NewScheduleForm) -> WorkPlan:
    """Everybody's hours at first: of a week those of the account."""
    if form.kind == "by_day":
        return WorkPlan(periods=())
    return WorkPlan(hours=dict(call.account.settings.working_time.hours))


async def ask_copy(call: PageCall) -> Shown:
    async with call.connection() as conn:
        stored = await seen_schedule(conn, call, await staff_of(conn, call.account.id))
    name = call.texts.say("shifts.schedules.copy_name", name=stored.name)
    return _copy_page(call, stored, name, "")


def _copy_page(call: AnyPageCall, stored: StoredSchedule, name: str, error: str) -> Shown:
    values = {"stored": stored, "name": name, "error": error, "tabs_shown": tabs_of(call, "schedules")}
    return Shown("shifts/schedules/copy.html", values, status=422 if error else 200)


async def copy_schedule(call: PageCall[NoPageQuery, CopyScheduleForm]) -> SeeOther | Shown:
    name = call.form.name.strip()
    async with call.connection() as conn:
        stored = await seen_schedule(conn, call, await staff_of(conn, call.account.id))
        try:
            await save_schedule(
                conn, call.account.id, name, stored.schedule, by=call.who.name, version=ABSENT
            )
        except InputRefused as err:
            return _copy_page(call, stored, name, _said(call, err))
    return SeeOther(call.here(place_of(name)), said=phrase("shifts.schedules.added", name=name))


def _said(call: AnyPageCall, err: InputRefused) -> str:
    return (
        call.texts.say("shifts.schedules.taken")
        if isinstance(err, NameTaken)
        else refusal_said(err, call.texts)
    )


async def ask_removal(call: PageCall) -> Shown:
    async with call.connection() as conn:
        return await _removal_page(conn, call)


async def _removal_page(conn: Conn, call: AnyPageCall, *, is_asked_again: bool = False) -> Shown:
    staff = await staff_of(conn, call.account.id)
    stored = await seen_schedule(conn, call, staff)
    templates = await templates_of(conn, call.account.id)
    uses = templates_of_schedule(stored.name, stored.schedule, templates, staff)
    values: dict[str, Any] = {
        "stored": stored,
        "uses": uses,
        "bound": await _bound_to(conn, call, stored.name),
        "tabs_shown": tabs_of(call, "schedules"),
    }
    return Shown("shifts/schedules/remove.html", values, status=409 if is_asked_again else 200)


async def _bound_to(conn: Conn, call: AnyPageCall, name: str) -> list[str]:
    """Return who may touch this schedule only, by name."""
    from_store = await uses_of(conn, call.account.id, name)
    return [use.partition(" ")[2] for use in from_store if not use.startswith("template ")]


async def remove(call: PageCall[NoPageQuery, RemovalForm]) -> SeeOther | Shown:
    name = call.path["schedule"]
    async with call.connection() as conn:
        await seen_schedule(conn, call, await staff_of(conn, call.account.id))
        try:
            await remove_schedule(conn, call.account.id, name, even_if_used=call.form.even_if_used)
        except ScheduleInUse:
            return await _removal_page(conn, call, is_asked_again=True)
        except NothingOfThatName:
            pass
    return SeeOther(call.here(SCHEDULES), said=phrase("shifts.schedules.removed", name=name))
