"""The grid as the template draws it: cells with their letters, the head, and the bars of a day's hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import orjson

from gateway.web.shifts.schedules.brushes import Brush, written
from gateway.web.shifts.schedules.coverage import HOURS, Coverage
from gateway.web.shifts.schedules.grid import GridCell, GridLine, GridRow
from gateway.web.shifts.schedules.reading import ScheduleSeen
from routing.schedules.clock import MINUTES_OF_A_DAY
from routing.texts.catalogue import Texts

AWAY, USUAL = "away", "="
"""As they are sent beside hours."""
_DAY = timedelta(days=1)
_BAR_WIDTH, _BAR_HEIGHT = 30, 96


class DrawnCell(NamedTuple):
    """value: as it is sent, "" = off. title: why it is so, where the letter does not say it."""

    value: str
    letter: str
    colour: str
    title: str = ""
    is_past_midnight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRow:
    """minutes: of the line, through all its days. is_over: more than the norm of the month."""

    line: GridLine
    name: str
    cells: Sequence[DrawnCell]
    minutes: int
    is_over: bool


class HourBar(NamedTuple):
    """Of one hour. x, y, height: in the drawing. is_odd: the clock does not have it, or has it twice."""

    hour: int
    people: int
    x: int
    y: int
    height: int
    is_odd: bool


def drawn_rows(seen: ScheduleSeen, texts: Texts) -> list[DrawnRow]:
    index, names = seen.index_of, {person.id: person.name for person in seen.staff.employees}
    return [
        DrawnRow(
            line=row.line,
            name=line_name(row.line, texts),
            cells=[_drawn(cell, seen.brushes, index, names, texts) for cell in row.cells],
            minutes=row.minutes,
            is_over=is_over(row, seen),
        )
        for row in seen.rows
    ]


def line_name(line: GridLine, texts: Texts) -> str:
    if line.kind == "everybody":
        return texts.say("shifts.grid.everybody")
    return line.name if line.kind == "person" else texts.say("shifts.grid.group", name=line.name)


def is_over(row: GridRow, seen: ScheduleSeen) -> bool:
    return seen.view == "month" and row.minutes > seen.norm * 60


def _drawn(
    cell: GridCell,
    brushes: Sequence[Brush],
    index: Mapping[str, int],
    names: Mapping[str, str],
    texts: Texts,
) -> DrawnCell:
    hours = written(cell.hours)
    if cell.is_away:
        substitute = names.get(cell.substitute or "", "")
        said = texts.say("shifts.grid.substitute", name=substitute) if substitute else ""
        return DrawnCell(AWAY, texts.say("shifts.brush.away.letter"), AWAY, said)
    if not hours or not cell.is_worked:
        return DrawnCell("", "", "")
    brush, is_past = brushes[index[hours]], cell.hours[-1][1] > MINUTES_OF_A_DAY
    return DrawnCell(hours, brush.letter, brush.colour or "own", is_past_midnight=is_past)


def bars_of(hours: Sequence[int], odd: Sequence[int]) -> list[HourBar]:
    most = max([*hours, 1])
    return [
        HourBar(
            hour,
            people,
            hour * _BAR_WIDTH,
            _BAR_HEIGHT - round(_BAR_HEIGHT * people / most),
            round(_BAR_HEIGHT * people / most),
            hour in odd,
        )
        for hour, people in enumerate(hours[:HOURS])
    ]


def for_the_script(seen: ScheduleSeen, pending: Any = None) -> str:
    """Return what the painting script has to know, as JSON. pending: what was painted and could not be saved."""
    return orjson.dumps(
        {
            "view": seen.view,
            "days": [day.key for day in seen.days],
            "weekdays": [day.weekday for day in seen.days],
            "before": f"{seen.month - _DAY:%Y-%m}",
            "brushes": [[b.letter, b.name, b.colour or "own", b.hours] for b in seen.brushes],
            "others": _others(seen.others),
            "odd": {n: day.odd_hours for n, day in enumerate(seen.days) if day.odd_hours},
            "norm": seen.norm * 60 if seen.view == "month" else None,
            "focus": seen.focus,
            "pending": pending,
        },
        option=orjson.OPT_NON_STR_KEYS,
    ).decode()


def _others(others: Coverage) -> Any:
    return [others.days, others.hours] if any(others.days) or any(map(any, others.hours)) else None
