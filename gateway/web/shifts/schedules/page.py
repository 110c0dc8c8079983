"""One schedule: its grid, to look at and to paint, and what was painted saved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.admin.schedules.painting import PaintedByBoth, save_painted
from gateway.admin.schedules.saved import ScheduleRefused
from gateway.web.frame import AnyPageCall, Form, PageCall, PageRefused, SeeOther, Shown
from gateway.web.shifts.schedules.brushes import COLOURS, read
from gateway.web.shifts.schedules.cells import AWAY as AWAY_SENT
from gateway.web.shifts.schedules.cells import USUAL as USUAL_SENT
from gateway.web.shifts.schedules.cells import bars_of, drawn_rows, for_the_script
from gateway.web.shifts.schedules.clash import clash_page
from gateway.web.shifts.schedules.grid import day_of, whose_of
from gateway.web.shifts.schedules.places import place_of
from gateway.web.shifts.schedules.problems import problems_said
from gateway.web.shifts.schedules.reading import (
    PEOPLE_A_PAGE,
    GridQuery,
    ScheduleSeen,
    see_schedule,
)
from gateway.web.shifts.schedules.uses import missing_in
from routing.schedules.edits import Whose
from routing.schedules.model import NamedShift, WhoId
from routing.schedules.painting import AWAY, USUAL, Paint, PaintedDay
from routing.schedules.written import month_written
from routing.texts.catalogue import phrase

_DAY = timedelta(days=1)


class SentPainting(BaseModel):
    """rows: by the line's key, what each of its days became: hours, "" = off, "away", "=" = as its weekday. shifts: made meanwhile."""

    model_config = ConfigDict(extra="forbid")

    rows: dict[WhoId, dict[str, str]] = Field(default_factory=dict, max_length=5000)
    shifts: list[NamedShift] = Field(default_factory=list, max_length=12)

    def days(self) -> dict[Whose, dict[PaintedDay, Paint]]:
        """Raise ValueError."""
        return {
            whose_of(key): {day_of(day): paint_of(value) for day, value in days.items()}
            for key, days in self.rows.items()
        }


class PaintingForm(Form):
    """version: that was looked at. painting: SentPainting as JSON."""

    version: int = Field(ge=0, le=999_999_999)
    painting: str = Field(default="", max_length=8_000_000)


class PaintedDaysForm(Form):
    """The same without script. days: of the month, e.g. "1-15, 17"; weekdays: of the week. hours: in place of the shift, where any are typed."""

    version: int = Field(ge=0, le=999_999_999)
    who: str = ""
    days: str = Field(default="", max_length=200)
    weekdays: tuple[str, ...] = ()
    shift: str = Field(default="", max_length=400)
    hours: str = Field(default="", max_length=400)


def paint_of(value: str) -> Paint:
    """Raise ValueError for what are no hours."""
    if value == AWAY_SENT:
        return AWAY
    return USUAL if value == USUAL_SENT else Paint("hours", read(value))


async def show_grid(call: PageCall[GridQuery, None]) -> Shown:
    async with call.connection() as conn:
        seen = await see_schedule(conn, call, call.query)
    return grid_page(call, seen)


def grid_page(
    call: AnyPageCall,
    seen: ScheduleSeen,
    *,
    pending: Any = None,
    error: str = "",
    typed: PaintedDaysForm | None = None,
    errors: Mapping[str, str] | None = None,
) -> Shown:
    """pending: what was painted and not saved. error: why. typed, errors: of the form without script."""
    focus = seen.days[seen.focus]
    values = {
        "seen": seen,
        "rows": drawn_rows(seen, call.texts),
        "bars": bars_of(seen.coverage.hours[seen.focus], focus.odd_hours),
        "focus": focus,
        "data": for_the_script(seen, pending),
        "missing": missing_in(seen.uses),
        "problems": problems_said(seen.problems, seen.staff, call.texts),
        "months": (_shifted(seen.month, -1), _shifted(seen.month, 1)),
        "a_page": PEOPLE_A_PAGE,
        "colours": COLOURS,
        "error": error,
        "typed": typed or PaintedDaysForm(version=seen.stored.version, shift=seen.brushes[0].hours),
        "errors": errors or {},
        "place": place_of(seen.stored.name),
        "query": call.query,
        "utc": _offset(call.now, seen.zone),
    }
    return Shown("shifts/schedules/grid.html", values, status=422 if error or errors else 200)


def _offset(now: datetime, zone: ZoneInfo) -> str:
    """Return e.g. UTC+5, UTC+5:30."""
    minutes = round((now.astimezone(zone).utcoffset() or timedelta()).total_seconds() / 60)
    sign = "\u2212" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60}" + (f":{abs(minutes) % 60:02}" if minutes % 60 else "")


def _shifted(month: date, by: int) -> str:
    other = (month - _DAY) if by < 0 else (month + 31 * _DAY)
    return f"{other:%Y-%m}"


async def save_grid(call: PageCall[GridQuery, PaintingForm]) -> SeeOther | Shown:
    """Save what was painted with the script."""
    sent = _sent(call.form.painting)
    return await _save(call, sent, call.form.version)


def _sent(text: str) -> SentPainting:
    """Raise PageRefused."""
    try:
        return SentPainting.model_validate_json(text or "{}")
    except ValidationError as err:
        raise PageRefused(422, "invalid", names=("painting",)) from err


async def _save(call: AnyPageCall, sent: SentPainting, version: int) -> SeeOther | Shown:
    try:
        days = sent.days()
    except ValueError as err:
        raise PageRefused(422, "invalid", names=("painting",)) from err
    async with call.connection() as conn:
        seen = await see_schedule(conn, call, call.query)
        try:
            saved = await save_painted(
                conn,
                call.account.id,
                seen.stored.name,
                days,
                version=version,
                by=call.who.name,
                shifts=sent.shifts,
                language=call.texts.language,
            )
        except PaintedByBoth as both:
            return clash_page(call, seen, both, sent.model_dump())
        except ScheduleRefused as err:
            said = ". ".join(problem.in_words(call.texts.language)[0] for problem in err.errors[:3])
            return grid_page(call, seen, pending=sent.model_dump(), error=said)
    together = saved.stored.version > version + 1
    return SeeOther(here_again(call), said=phrase(f"shifts.grid.saved{'_together' if together else ''}"))


def here_again(call: AnyPageCall, **changes: Any) -> str:
    """Return the address of the grid as it was looked at."""
    looked = {"view": call.query.view, "month": call.query.month, "q": call.query.q}
    page = {"page": call.query.page or None, "day": call.query.day, **looked, **changes}
    return call.here(place_of(call.path["schedule"]), **page)


async def paint_days(call: PageCall[GridQuery, PaintedDaysForm]) -> SeeOther | Shown:
    """Paint days of one line, as the form without script says it."""
    form = call.form
    async with call.connection() as conn:
        seen = await see_schedule(conn, call, call.query)
        keys, errors = _named_days(seen, form), {}
        if not keys:
            errors["days" if seen.view == "month" else "weekdays"] = call.texts.say("shifts.paint.no_days")
        value = form.hours if form.hours.strip() or form.shift == "own" else form.shift
        try:
            paint_of(value)
        except ValueError:
            errors["hours"] = call.texts.say("shifts.paint.no_hours")
        if form.who not in {line.key for line in seen.lines}:
            errors["who"] = call.texts.say("shifts.paint.no_line")
        if errors:
            return grid_page(call, seen, typed=form, errors=errors)
    sent = SentPainting(rows={form.who: dict.fromkeys(keys, value)})
    return await _save(call, sent, form.version)


def _named_days(seen: ScheduleSeen, form: PaintedDaysForm) -> list[str]:
    """Return the keys of the columns that the form names; none where it cannot be understood."""
    if seen.view == "week":
        known = {day.key for day in seen.days}
        return [day for day in form.weekdays if day in known]
    try:
        periods = month_written(f"{seen.month:%Y-%m}", f"{form.days}: off")
    except ValueError:
        return []
    found = []
    for period in periods:
        first, last = date.fromisoformat(period["first"]), date.fromisoformat(period["last"])
        found += [(first + n * _DAY).isoformat() for n in range((last - first).days + 1)]
    return found
