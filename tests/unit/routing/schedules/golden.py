"""A year of schedules as text, a line a date: what is worked, and why not; weeks that repeat in one line. Renew the files with
`python -m tests.unit.routing.schedules.golden`, and read what changed before it is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.calendars import calendar_of
from routing.schedules.calendar import Calendar, OwnDay
from routing.schedules.clock import first_instant
from routing.schedules.model import Schedule
from routing.schedules.pieces import Span
from routing.schedules.timetable import Timetable
from routing.settings import WorkingTime
from tests.paths import CASES

FOLDER = CASES / "schedules"
_DAY = timedelta(days=1)


def schedule_of(year: int) -> Schedule:
    """Everything that a weekly schedule has: common hours, nights, hours around midnight, leave with a substitute."""
    leave = {"first": f"{year}-03-23", "last": f"{year}-04-05", "substitute": "late"}
    plans = {
        "office": {"leave": [{"first": f"{year}-07-01", "last": f"{year}-07-14"}]},
        "night": {"hours": {"mon-sun": "22:00-06:00"}},
        "early": {"hours": {"mon-sun": "00:00-03:30"}},
        "weekend": {"hours": {"fri-sun": "10:00-24:00"}},
        "away": {"leave": [leave]},
        "late": {"hours": {"mon": "18:00-20:00"}},
    }
    return Schedule.model_validate(
        {"everybody": {"hours": {"mon-fri": "09:00-13:00, 14:00-18:00"}}, "people": plans}
    )


def by_day_of(year: int) -> Schedule:
    """Two days, two nights, two days off, all the year round; nights and days touch."""
    first = date(year, 1, 1)
    dates = [first + n * _DAY for n in range((date(year + 1, 1, 1) - first).days)]
    hours = ["08:00-20:00", "08:00-20:00", "20:00-08:00", "20:00-08:00", None, None]
    people = {}
    for name, shift in (("first", 0), ("second", 2), ("third", 4)):
        periods = [
            {"first": day.isoformat(), "last": day.isoformat(), "hours": hours[(n + shift) % 6]}
            for n, day in enumerate(dates)
            if hours[(n + shift) % 6]
        ]
        people[name] = {"periods": periods}
    return Schedule.model_validate({"kind": "by_day", "people": people})


def own(**days: OwnDay) -> dict[str, OwnDay]:
    return {day.strip("d").replace("_", "-"): how for day, how in days.items()}


YEARS: Mapping[str, tuple[str, int, WorkingTime]] = {
    "moscow_2025_moved_days": ("Europe/Moscow", 2025, WorkingTime(holidays="RU")),
    "moscow_2027_own_days": (
        "Europe/Moscow",
        2027,
        WorkingTime(
            holidays="RU",
            days=own(
                d2027_02_20=OwnDay(kind="free"),
                d2027_12_30=OwnDay(kind="working", hours=(("09:00", "15:00"),)),
                d2027_06_05=OwnDay(kind="working", like=1),
            ),
        ),
    ),
    "moscow_2010_both_clocks": ("Europe/Moscow", 2010, WorkingTime()),
    "kyiv_2026": (
        "Europe/Kyiv",
        2026,
        WorkingTime(days=own(d2026_08_24=OwnDay(kind="free"), d2026_08_29=OwnDay(kind="working"))),
    ),
    "cairo_2026": (
        "Africa/Cairo",
        2026,
        WorkingTime(days=own(d2026_04_24=OwnDay(kind="working", hours=(("00:00", "12:00"),)))),
    ),
}


def lines_of(zone: ZoneInfo, year: int, schedule: Schedule, calendar: Calendar) -> Iterator[str]:
    timetable = Timetable(schedule, zone, calendar)
    yield f"# {zone}, {year}. Clock times with their offset from UTC; behind = the hours that are really worked."
    first = date(year, 1, 1)
    dates = [first + n * _DAY for n in range((date(year + 1, 1, 1) - first).days)]
    before: list[str] = []
    for week in _weeks(dates):
        said = [_date_line(timetable, day, zone, calendar) for day in week]
        if [line[10:] for line in said] == [line[10:] for line in before]:
            yield f"{week[0]} .. {week[-1]}: as the week before"
        else:
            yield from said
        before = said


def _weeks(dates: Sequence[date]) -> Iterator[list[date]]:
    week: list[date] = []
    for day in dates:
        if week and day.isoweekday() == 1:
            yield week
            week = []
        week.append(day)
    yield week


def _date_line(timetable: Timetable, day: date, zone: ZoneInfo, calendar: Calendar) -> str:
    length = (first_instant(day + _DAY, zone) - first_instant(day, zone)) // timedelta(hours=1)
    people = (f"{who} {_said(timetable, who, day, zone)}" for who in sorted(timetable.schedule.people))
    marks = [f"{length} h"] if length != 24 else []
    marks += [calendar.free[day]] if day in calendar.free else []
    noted = f"({', '.join(marks)}) " if marks else ""
    return f"{day} {day:%a} {noted}| {' | '.join(people)}"


def _said(timetable: Timetable, who: str, day: date, zone: ZoneInfo) -> str:
    told = timetable.day(who, day)
    spans = " ".join(_span(span, zone) for span in told.spans)
    instead = f" instead of {', '.join(told.instead_of)}" if told.instead_of else ""
    substitute = f" ({told.substitute_id} works)" if told.substitute_id else ""
    return f"{spans or told.reason}{instead}{substitute}"


def _span(span: Span, zone: ZoneInfo) -> str:
    begins, ends = span.begins.astimezone(zone), span.ends.astimezone(zone)
    length = (span.ends - span.begins).total_seconds() / 3600
    return f"{_clock(begins)}..{_clock(ends)}={length:g}h"


def _clock(at: datetime) -> str:
    hours = (at.utcoffset() or timedelta()) / timedelta(hours=1)
    return f"{at:%H:%M}+{hours:g}"


def files() -> Iterator[tuple[Path, str]]:
    for name, (zone_name, year, hours) in YEARS.items():
        zone = ZoneInfo(zone_name)
        calendar = calendar_of(hours, datetime(year, 1, 1, tzinfo=UTC), "en")
        yield FOLDER / f"{name}.txt", "\n".join((*lines_of(zone, year, schedule_of(year), calendar), ""))
    for name, zone_name, year in (
        ("kyiv_2026_by_day", "Europe/Kyiv", 2026),
        ("cairo_2028_by_day", "Africa/Cairo", 2028),
    ):
        zone = ZoneInfo(zone_name)
        yield FOLDER / f"{name}.txt", "\n".join((*lines_of(zone, year, by_day_of(year), Calendar()), ""))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in files():
        file.write_text(text, encoding="utf-8")
        print(file.name)
