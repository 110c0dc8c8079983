"""Two people painted the same days: both sides are shown, and whichever is chosen, nothing else is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from gateway.admin.schedules.painting import PaintedByBoth
from gateway.web.frame import AnyPageCall, Shown
from gateway.web.shifts.schedules.brushes import written
from gateway.web.shifts.schedules.cells import line_name
from gateway.web.shifts.schedules.grid import key_of
from gateway.web.shifts.schedules.places import place_of
from gateway.web.shifts.schedules.reading import ScheduleSeen
from routing.schedules.clock import hours_in_minutes
from routing.schedules.painting import PaintedDay, PaintedSide, PaintedTwice

_MOST_SHOWN = 40


class ClashLine(NamedTuple):
    name: str
    day: PaintedDay
    mine: str
    theirs: str


def clash_page(call: AnyPageCall, seen: ScheduleSeen, both: PaintedByBoth, sent: Mapping[str, Any]) -> Shown:
    """sent: what this person painted, as it came."""
    names = {line.key: line_name(line, call.texts) for line in seen.lines}
    lines = [
        ClashLine(
            names.get(key_of(one.whose), one.whose.person or ""),
            one.day,
            _said(call, one.mine),
            _said(call, one.theirs),
        )
        for one in both.twice[:_MOST_SHOWN]
    ]
    values = {
        "seen": seen,
        "both": both,
        "lines": lines,
        "painted": sum(map(len, sent["rows"].values())),
        "mine": orjson.dumps(sent).decode(),
        "rest": orjson.dumps(without(sent, both.twice)).decode(),
        "place": place_of(seen.stored.name),
        "query": call.query,
    }
    return Shown("shifts/schedules/clash.html", values, status=409)


def without(sent: Mapping[str, Any], twice: Sequence[PaintedTwice]) -> dict[str, Any]:
    """Return what was painted, but for the days that both painted."""
    gone = {(key_of(one.whose), _key(one.day)) for one in twice}
    rows = {
        key: {day: value for day, value in days.items() if (key, day) not in gone}
        for key, days in sent["rows"].items()
    }
    return {**sent, "rows": rows}


def _key(day: PaintedDay) -> str:
    return str(day) if isinstance(day, int) else day.isoformat()


def _said(call: AnyPageCall, side: PaintedSide) -> str:
    if side.is_away:
        return call.texts.say("shifts.brush.away")
    if side.hours is None:
        return call.texts.say("shifts.brush.usual")
    hours = written(hours_in_minutes(side.hours)).replace("-", "–").replace(",", ", ")
    return hours or call.texts.say("shifts.brush.off")
