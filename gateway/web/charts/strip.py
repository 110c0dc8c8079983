"""A day as a strip with what lay in it, and a countdown as a ring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from gateway.web.charts.svg import drawing, element, percent

_HEIGHT, _BAR = 58, 32
_RADIUS = 48.0


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Minutes since midnight; over 1440 for what goes on after it. text: inside, where it fits."""

    starts: int
    ends: int
    tone: Literal["good", "warn", "bad", "info", "quiet"] = "good"
    text: str = ""


def day_strip(
    spans: Sequence[DaySpan], label: str, *, starts: int, ends: int, now: int | None = None, marks: int = 180
) -> Markup:
    """Draw starts to ends. now: where a line stands; marks: minutes between the hours that are written below."""
    scale = 100 / (ends - starts)

    def place(minute: int) -> float:
        return (min(max(minute, starts), ends) - starts) * scale

    parts = [element("rect", x=0, y=0, width="100%", height=_BAR, rx=4, kind="cm-soft-quiet")]
    for span in spans:
        left, wide = place(span.starts), place(span.ends) - place(span.starts)
        parts.append(
            element(
                "rect",
                x=percent(left),
                y=0,
                width=percent(wide),
                height=_BAR,
                rx=4,
                kind=f"cm-soft-{span.tone}",
            )
        )
        if span.text:
            parts.append(element("text", span.text, x=percent(left), dx=8, y=20, kind=f"cm-text-{span.tone}"))
    if now is not None:
        parts.append(
            element(
                "line",
                x1=percent(place(now)),
                x2=percent(place(now)),
                y1=-4,
                y2=_BAR + 4,
                kind="cm-chart-now",
            )
        )
    parts += [
        _hour(minute, place(minute), starts, ends)
        for minute in range(-(-starts // marks) * marks, ends + 1, marks)
    ]
    return drawing(label, _HEIGHT, parts)


def _hour(minute: int, left: float, starts: int, ends: int) -> Markup:
    anchor = "start" if minute == starts else "end" if minute == ends else "middle"
    written = f"{minute // 60 % 24}:{minute % 60:02d}"
    return element("text", written, x=percent(left), y=_HEIGHT - 6, text_anchor=anchor, kind="cm-chart-faint")


def ring(share: float, label: str) -> Markup:
    """Draw the share of the time that is left, 0 to 1. Figures stand over it as text of the page."""
    around = 2 * math.pi * _RADIUS
    left = max(min(share, 1.0), 0.0) * around
    parts = [
        element("circle", cx=56, cy=56, r=_RADIUS, kind="cm-ring-back"),
        element(
            "circle",
            cx=56,
            cy=56,
            r=_RADIUS,
            kind="cm-ring",
            stroke_dasharray=f"{left:.1f} {around:.1f}",
            transform="rotate(-90 56 56)",
        ),
    ]
    return element("svg", parts, viewBox="0 0 112 112", width=112, height=112, role="img", aria_label=label)
