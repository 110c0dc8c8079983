"""The course of a call: who rang, talked and left, and when. As a drawing, a list and a table from the same parts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from gateway.web.charts.svg import drawing, element, percent
from gateway.web.words.times import running

_NAMES = 24.0
_END = 98.0
_ROW, _HEAD, _BAR = 46, 30, 26
_MOST_ROWS = 12
_TICKS = 5
_ROUND = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
_LETTER = 0.95
_ROOM = 20.0

BarTone = Literal["quiet", "warn", "good"]


@dataclass(frozen=True, slots=True)
class LadderBar:
    """A stretch of time. ends None: nothing told when; it is drawn to the end. text: inside, where it fits."""

    begins: datetime
    ends: datetime | None
    tone: BarTone
    text: str = ""


@dataclass(frozen=True, slots=True)
class NumberedMark:
    """What was decided at a moment; the same number stands where it is told."""

    at: datetime
    number: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class LadderRow:
    name: str
    sub: str = ""
    bars: Sequence[LadderBar] = ()
    marks: Sequence[NumberedMark] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class CourseMoment:
    """One line of the list. tone: of its point."""

    at: datetime
    title: str
    detail: str = ""
    tone: str = ""


def draw_ladder(
    rows: Sequence[LadderRow], begins: datetime, ends: datetime, clock: str, label: str
) -> Markup:
    """clock: of the beginning, as it is written. label: the whole course in words, for who does not see the drawing."""
    scale = _Scale(begins, ends)
    shown = rows[:_MOST_ROWS]
    height = _HEAD + len(shown) * _ROW
    parts = _ticks(scale, clock, height)
    for at, row in enumerate(shown):
        parts += _row(row, _HEAD + at * _ROW, scale)
    return drawing(label, height, parts)


class _Scale:
    def __init__(self, begins: datetime, ends: datetime) -> None:
        self.begins, self.ends = begins, ends
        self.seconds = max((ends - begins).total_seconds(), 1.0)

    def x(self, at: datetime | None) -> float:
        passed = self.seconds if at is None else (at - self.begins).total_seconds()
        share = min(max(passed / self.seconds, 0.0), 1.0)
        return _NAMES + share * (_END - _NAMES)


def _ticks(scale: _Scale, clock: str, height: int) -> list[Markup]:
    step = next((s for s in _ROUND if scale.seconds / s <= _TICKS), _ROUND[-1])
    seconds = [s for s in range(step, int(scale.seconds), step) if scale.seconds - s > step / 2]
    marks = [(_NAMES, clock)] + [
        (_NAMES + s / scale.seconds * (_END - _NAMES), f"+{running(s)}")
        for s in (*seconds, int(scale.seconds))
    ]
    parts: list[Markup] = []
    for x, text in marks:
        parts.append(
            element("line", x1=percent(x), x2=percent(x), y1=_HEAD - 8, y2=height, kind="cm-chart-grid")
        )
        parts.append(element("text", text, x=percent(x), y=14, text_anchor="middle", kind="cm-chart-faint"))
    return parts


def _row(row: LadderRow, top: int, scale: _Scale) -> list[Markup]:
    middle = top + _ROW // 2
    parts = [
        element("line", x1=0, x2="100%", y1=top, y2=top, kind="cm-chart-grid"),
        element("text", row.name, x=0, y=middle - 3 if row.sub else middle + 4, kind="cm-chart-strong"),
    ]
    if row.sub:
        parts.append(element("text", row.sub, x=0, y=middle + 12, kind="cm-chart-faint"))
    if row.note:
        parts.append(element("text", row.note, x=percent(_NAMES), dx=12, y=middle + 4, kind="cm-chart-faint"))
    for bar in row.bars:
        parts += _bar(bar, middle, scale)
    for at, mark in enumerate(row.marks):
        parts += _mark(mark, middle, scale, has_room=_has_room(row.marks, at, scale))
    return parts


def _has_room(marks: Sequence[NumberedMark], at: int, scale: _Scale) -> bool:
    """Whether the words of a mark would lie over none of its neighbours."""
    x = scale.x(marks[at].at)
    others = [scale.x(mark.at) for place, mark in enumerate(marks) if place != at]
    return all(abs(other - x) > _ROOM for other in others)


def _bar(bar: LadderBar, middle: int, scale: _Scale) -> list[Markup]:
    left, right = scale.x(bar.begins), scale.x(bar.ends)
    wide = max(right - left, 0.6)
    box = element(
        "rect",
        x=percent(left),
        width=percent(wide),
        y=middle - _BAR // 2,
        height=_BAR,
        rx=4,
        kind=f"cm-soft-{bar.tone}",
    )
    if not bar.text or wide < len(bar.text) * _LETTER + 1.5:
        return [box]
    kind = "cm-chart-faint" if bar.tone == "quiet" else f"cm-text-{bar.tone}"
    return [box, element("text", bar.text, x=percent(left), dx=8, y=middle + 4, kind=kind)]


def _mark(mark: NumberedMark, middle: int, scale: _Scale, *, has_room: bool) -> list[Markup]:
    x = scale.x(mark.at)
    is_right = x > (_NAMES + _END) / 2
    parts = [
        element("circle", cx=percent(x), cy=middle, r=10, kind="cm-fill-info"),
        element(
            "text", str(mark.number), x=percent(x), y=middle + 4, text_anchor="middle", kind="cm-text-on"
        ),
    ]
    if mark.text and has_room:
        parts.append(
            element(
                "text",
                mark.text,
                x=percent(x),
                dx=-16 if is_right else 16,
                y=middle + 4,
                text_anchor="end" if is_right else "start",
            )
        )
    return parts
