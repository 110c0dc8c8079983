"""Counts: columns side by side with parts on top of each other, and lines below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from gateway.web.charts.scale import axis_figures
from gateway.web.charts.svg import drawing, element, percent

Fill = Literal["info", "good", "warn", "bad", "quiet", "violet"]
_LEFT = 6.0
_TOP, _BELOW = 18, 24
_SHARE_OF_COLUMN = 0.58
_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """parts: from the foot upwards. above: a figure on top of it. below: of the axis; "" = none."""

    below: str
    parts: Sequence[tuple[float, Fill]]
    above: str = ""


def bars(
    columns: Sequence[Column], label: str, *, height: int = 170, limit: tuple[float, str] | None = None
) -> Markup:
    """Draw columns side by side. limit: where a line stands, and what it says."""
    figures = axis_figures(
        max([sum(value for value, _ in column.parts) for column in columns] + [limit[0] if limit else 0])
    )
    plot = height - _TOP - _BELOW
    scale = plot / figures[-1]
    parts: list[Markup] = []
    for figure in figures:
        y = _TOP + plot - figure * scale
        parts.append(element("line", x1=percent(_LEFT), x2="100%", y1=y, y2=y, kind="cm-chart-grid"))
        parts.append(element("text", str(figure), x=percent(_LEFT - 1.5), y=y + 4, text_anchor="end"))
    width = (100 - _LEFT) / max(len(columns), 1)
    for at, column in enumerate(columns):
        parts += _column(column, _LEFT + width * at, width, plot, scale)
    if limit:
        y = _TOP + plot - limit[0] * scale
        parts.append(element("line", x1=percent(_LEFT), x2="100%", y1=y, y2=y, kind="cm-chart-limit"))
        parts.append(element("text", limit[1], x="100%", y=y - 5, text_anchor="end", kind="cm-chart-faint"))
    return drawing(label, height, parts)


def _column(column: Column, left: float, width: float, plot: float, scale: float) -> list[Markup]:
    middle = percent(left + width / 2)
    x, wide = percent(left + width * (1 - _SHARE_OF_COLUMN) / 2), percent(width * _SHARE_OF_COLUMN)
    foot = _TOP + plot
    parts = []
    for value, fill in column.parts:
        tall = value * scale
        if tall > 0:
            shown = max(tall - (_GAP if foot < _TOP + plot else 0), 1.0)
            parts.append(
                element("rect", x=x, width=wide, y=foot - tall, height=shown, rx=2, kind=f"cm-fill-{fill}")
            )
        foot -= tall
    if column.above:
        parts.append(element("text", column.above, x=middle, y=foot - 5, text_anchor="middle"))
    if column.below:
        parts.append(element("text", column.below, x=middle, y=_TOP + plot + 18, text_anchor="middle"))
    return parts


@dataclass(frozen=True, slots=True)
class BarLine:
    """written: the figure as words; note: quiet, below the bar. meant: a second, thinner bar (bullet); None = none."""

    name: str
    value: float
    written: str
    fill: Fill = "info"
    meant: float | None = None
    note: str = ""


_NAMES, _VALUES = 32.0, 12.0
_ROW, _ROW_WITH_MORE = 28, 40


def lines(items: Sequence[BarLine], label: str) -> Markup:
    """Draw bars below each other, names left and figures at their end; what was meant is a thinner bar below (bullet)."""
    row = _ROW_WITH_MORE if any(item.meant is not None or item.note for item in items) else _ROW
    most = max([item.value for item in items] + [item.meant or 0 for item in items] + [1])
    scale = (100 - _NAMES - _VALUES) / most
    parts: list[Markup] = []
    for at, item in enumerate(items):
        parts += _line(item, at * row + 4, scale)
    return drawing(label, len(items) * row + 8, parts)


def _line(item: BarLine, top: float, scale: float) -> list[Markup]:
    end = percent(_NAMES + item.value * scale)
    parts = [
        element("text", item.name, x=0, y=top + 12, kind="cm-chart-name"),
        element(
            "rect",
            x=percent(_NAMES),
            y=top,
            width=percent(item.value * scale),
            height=14,
            rx=2,
            kind=f"cm-fill-{item.fill}",
        ),
        element("text", item.written, x=end, y=top + 12, dx=8, kind="cm-chart-strong"),
    ]
    if item.meant is not None:
        wide = percent(item.meant * scale)
        parts.append(
            element("rect", x=percent(_NAMES), y=top + 16, width=wide, height=4, rx=2, kind="cm-fill-quiet")
        )
    if item.note:
        parts.append(element("text", item.note, x=percent(_NAMES), y=top + 31, kind="cm-chart-faint"))
    return parts
