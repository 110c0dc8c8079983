"""What a schedule has beside its hours: whose lines stand in it, its named shifts, its zone, whether holidays are free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import Field, ValidationError

from gateway.admin.refused import InputRefused
from gateway.admin.schedules.painting import with_shifts
from gateway.admin.schedules.saved import ScheduleRefused, save_schedule
from gateway.web.frame import AnyPageCall, Form, PageCall, SeeOther, Shown
from gateway.web.refusals import refusal_said
from gateway.web.shifts.schedules.brushes import COLOURS, read
from gateway.web.shifts.schedules.cells import line_name
from gateway.web.shifts.schedules.grid import lines_of, whose_of
from gateway.web.shifts.schedules.places import place_of
from gateway.web.shifts.schedules.reading import GridQuery, ScheduleRead, read_schedule
from routing.schedules.edits import changed_plan, leave_outside, plan_of, with_leave, with_plan
from routing.schedules.model import Leave, NamedShift, Schedule, ShiftColour, WorkPlan
from routing.texts.catalogue import Phrase, Texts, phrase
from runtime.database.pool import Conn

_Change = Callable[[ScheduleRead], Schedule]


class ScheduleLinesForm(Form):
    """line: keys of lines, e.g. "p:anna"."""

    line: tuple[str, ...] = ()


class ShiftForm(Form):
    letter: str = Field(default="", max_length=10)
    name: str = Field(default="", max_length=100)
    colour: ShiftColour = "green"
    hours: str = Field(default="", max_length=400)


class LetterForm(Form):
    letter: str = Field(default="", max_length=10)


class SettingsForm(Form):
    """zone "": the account's. holidays: whether they are free; usual = by the kind."""

    zone: str = Field(default="", max_length=60)
    holidays: Literal["usual", "yes", "no"] = "usual"


class LeaveForm(Form):
    """who: key of a line. substitute: the employee, "" = nobody."""

    who: str = Field(default="", max_length=200)
    first: date | None = None
    last: date | None = None
    substitute: str = Field(default="", max_length=100)


class LeaveOdd(Exception):
    """This is no leave. code: of the sentence "shifts.absence.…". fields: of the form, that are wrong."""

    def __init__(self, code: str, *fields: str) -> None:
        super().__init__(code)
        self.code, self.fields = code, fields


@dataclass(frozen=True, slots=True)
class LeaveSeen:
    """who: key of the line, name: its name. substitute: the employee's name, "" = nobody."""

    who: str
    name: str
    leave: Leave
    substitute: str


async def show_settings(call: PageCall[GridQuery, None]) -> Shown:
    async with call.connection() as conn:
        return _page(call, await read_schedule(conn, call))


def _page(
    call: AnyPageCall,
    seen: ScheduleRead,
    errors: dict[str, str] | None = None,
    typed: Any = None,
    leave: LeaveForm | None = None,
) -> Shown:
    values = {
        "seen": seen,
        "lines": [(line, line_name(line, call.texts)) for line in lines_of(seen.schedule, seen.staff)],
        "place": place_of(seen.stored.name),
        "colours": COLOURS,
        "errors": errors or {},
        "typed": typed or ShiftForm(),
        "leaves": leaves_of(seen, call.texts),
        "leave": leave or LeaveForm(),
        "people": [
            (one.id, one.name if one.is_active else call.texts.say("matrix.page.off", name=one.name))
            for one in seen.staff.employees
        ],
    }
    return Shown("shifts/schedules/settings.html", values, status=422 if errors else 200)


async def _changed(
    call: AnyPageCall,
    field: str,
    change: _Change,
    said: str | Callable[[], Phrase],
    *,
    back: str = "",
    typed: Any = None,
    leave: LeaveForm | None = None,
) -> SeeOther | Shown:
    """Save what the change makes of the schedule. field: at which a refusal is shown. back: of the path, after it was saved."""
    async with call.connection() as conn:
        seen = await read_schedule(conn, call)
        try:
            await _save(conn, call, seen, change(seen))
        except ScheduleRefused as err:
            words = err.errors[0].in_words(call.texts.language)
            return _page(call, seen, {field: ": ".join(words)}, typed, leave)
        except LeaveOdd as err:
            said_so = call.texts.say(f"shifts.absence.{err.code}")
            return _page(call, seen, dict.fromkeys(err.fields, said_so), typed, leave)
        except ValidationError:
            return _page(call, seen, {field: call.texts.say("shifts.setting.incomplete")}, typed, leave)
        except ValueError:
            return _page(call, seen, {field: call.texts.say("shifts.paint.no_hours")}, typed)
        except InputRefused as err:
            return _page(call, seen, {field: refusal_said(err, call.texts)}, typed)
    return SeeOther(
        call.here(place_of(seen.stored.name) + back), said=phrase(said) if isinstance(said, str) else said()
    )


async def _save(conn: Conn, call: AnyPageCall, seen: ScheduleRead, schedule: Schedule) -> None:
    await save_schedule(
        conn,
        call.account.id,
        seen.stored.name,
        schedule,
        by=call.who.name,
        version=seen.stored.version,
        language=call.texts.language,
    )


async def add_lines(call: PageCall[GridQuery, ScheduleLinesForm]) -> SeeOther | Shown:
    """Give these a line of their own, without hours yet."""

    def change(seen: ScheduleRead) -> Schedule:
        schedule = seen.schedule
        empty = WorkPlan(periods=()) if schedule.kind == "by_day" else WorkPlan(hours={})
        for key in call.form.line:
            if plan_of(schedule, whose_of(key)) is None:
                schedule = with_plan(schedule, whose_of(key), empty)
        return schedule

    return await _changed(call, "line", change, "shifts.setting.lines_added")


async def remove_lines(call: PageCall[GridQuery, ScheduleLinesForm]) -> SeeOther | Shown:
    def change(seen: ScheduleRead) -> Schedule:
        schedule = seen.schedule
        for key in call.form.line:
            schedule = with_plan(schedule, whose_of(key), None)
        return schedule

    return await _changed(call, "line", change, "shifts.setting.lines_removed", back="/settings")


async def add_shift(call: PageCall[GridQuery, ShiftForm]) -> SeeOther | Shown:
    """Name hours; a shift of the same letter is changed."""
    form = call.form
    lacks = [name for name in ("name", "letter", "hours") if not getattr(form, name).strip()]
    if lacks:
        errors = {f"shift-{name}": call.texts.say(f"shifts.shift.no_{name}") for name in lacks}
        async with call.connection() as conn:
            return _page(call, await read_schedule(conn, call), errors, form)

    def change(seen: ScheduleRead) -> Schedule:
        shift = NamedShift(
            letter=form.letter.strip(), name=form.name.strip(), colour=form.colour, hours=read(form.hours)
        )
        return with_shifts(seen.schedule, [shift])

    return await _changed(call, "shift-hours", change, "shifts.setting.saved", back="/settings", typed=form)


async def remove_shift(call: PageCall[GridQuery, LetterForm]) -> SeeOther | Shown:
    """Forget the name; days with these hours keep them."""

    def change(seen: ScheduleRead) -> Schedule:
        kept = tuple(shift for shift in seen.schedule.shifts if shift.letter != call.form.letter)
        return seen.schedule.model_copy(update={"shifts": kept})

    return await _changed(call, "letter", change, "shifts.setting.saved", back="/settings")


async def save_settings(call: PageCall[GridQuery, SettingsForm]) -> SeeOther | Shown:
    form = call.form
    holidays = {"usual": None, "yes": True, "no": False}[form.holidays]

    def change(seen: ScheduleRead) -> Schedule:
        return seen.schedule.model_copy(update={"zone": form.zone.strip() or None, "holidays": holidays})

    return await _changed(call, "zone", change, "shifts.setting.saved", back="/settings")


def leaves_of(seen: ScheduleRead, texts: Texts) -> list[LeaveSeen]:
    """Return all leave, the earliest first."""
    names = {person.id: person.name for person in seen.staff.employees}
    found = [
        LeaveSeen(
            line.key, line_name(line, texts), one, names.get(one.substitute or "", one.substitute or "")
        )
        for line in lines_of(seen.schedule, seen.staff)
        for one in (plan_of(seen.schedule, line.whose) or WorkPlan()).leave
    ]
    return sorted(found, key=lambda one: (one.leave.first, one.name))


async def add_leave(call: PageCall[GridQuery, LeaveForm]) -> SeeOther | Shown:
    """Give somebody leave, with who works their hours meanwhile; what stood on these dates is this one now."""
    form = call.form

    shortened: list[Leave] = []

    def change(seen: ScheduleRead) -> Schedule:
        if odd := _odd_days(form):
            raise LeaveOdd("no_dates", *odd)
        assert form.first is not None, "else it is odd"
        assert form.last is not None, "else it is odd"
        if form.who not in {line.key for line in lines_of(seen.schedule, seen.staff)}:
            raise LeaveOdd("no_line", "leave")
        if form.substitute and f"p:{form.substitute}" == form.who:
            raise LeaveOdd("oneself", "leave-substitute")
        if form.substitute and not getattr(seen.staff.by_id.get(form.substitute), "is_active", False):
            raise LeaveOdd("substitute_off", "leave-substitute")
        one = Leave(first=form.first, last=form.last, substitute=form.substitute or None)
        before = plan_of(seen.schedule, whose_of(form.who))
        shortened.extend(other for other in (before.leave if before else ()) if _is_shortened(other, one))
        return changed_plan(
            seen.schedule, whose_of(form.who), lambda plan: with_leave(_without(plan, one), one)
        )

    def said() -> Phrase:
        if not shortened:
            return phrase("shifts.setting.saved")
        days = ", ".join(f"{call.words.day(o.first)} – {call.words.day(o.last)}" for o in shortened)
        return phrase("shifts.absence.shortened", days=days)

    return await _changed(call, "leave", change, said, back="/settings", leave=form)


def _odd_days(form: LeaveForm) -> list[str]:
    odd = [f"leave-{name}" for name in ("first", "last") if getattr(form, name) is None]
    if not odd and form.first is not None and form.last is not None and form.last < form.first:
        return ["leave-last"]
    return odd


def _is_shortened(other: Leave, new: Leave) -> bool:
    """Whether it loses days to the new one that was not written in its place."""
    is_touched = other.first <= new.last and new.first <= other.last
    return is_touched and (other.first, other.last) != (new.first, new.last)


def _without(plan: WorkPlan, new: Leave) -> WorkPlan:
    kept = [part for one in plan.leave for part in leave_outside(one, new.first, new.last)]
    return plan.model_copy(update={"leave": tuple(kept)})


async def remove_leave(call: PageCall[GridQuery, LeaveForm]) -> SeeOther | Shown:
    form = call.form

    def change(seen: ScheduleRead) -> Schedule:
        if plan_of(seen.schedule, whose_of(form.who)) is None:
            return seen.schedule
        return changed_plan(
            seen.schedule,
            whose_of(form.who),
            lambda plan: plan.model_copy(
                update={"leave": tuple(o for o in plan.leave if (o.first, o.last) != (form.first, form.last))}
            ),
        )

    return await _changed(call, "leave", change, "shifts.setting.saved", back="/settings")
