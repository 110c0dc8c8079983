"""What the components page shows its charts and decisions with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.web.charts.bars import BarLine, Column, bars, lines
from gateway.web.charts.spark import spark
from gateway.web.charts.strip import DaySpan, day_strip, ring

_ANSWERED = (6, 8, 5, 9, 11, 7, 10, 12, 8, 9, 13, 10)
_MISSED = (0, 1, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1)


def examples(example: Callable[[str], str]) -> Mapping[str, Any]:
    """Return the values of the page. example: gives the sentence of an example's name."""
    return {"example": example, **_drawings(example), "steps": _steps(example)}


def _drawings(example: Callable[[str], str]) -> Mapping[str, Any]:
    """Return every kind of chart."""
    minutes = [
        f"{14 - (at < 5)}:{(35 + 5 * at) % 60:02d}" if at in (0, 5) else f"{(35 + 5 * at) % 60:02d}"
        for at in range(12)
    ]
    pairs = list(zip(_ANSWERED, _MISSED, strict=True))
    columns = [
        Column(minute, [(good, "good"), (bad, "bad")], str(bad) if bad else "")
        for minute, (good, bad) in zip(minutes, pairs, strict=True)
    ]
    waits = [
        BarLine(example("up_to_5"), 31, "31", "good"),
        BarLine(example("to_15"), 44, "44", "good"),
        BarLine(example("over"), 4, "4", "bad"),
    ]
    shares = [
        BarLine(example("person"), 41, "41", meant=30, note=example("bullet_note")),
        BarLine(example("off_person"), 9, "9", meant=20),
    ]
    day = [DaySpan(542, 730, text="9:02–12:10"), DaySpan(775, 872)]
    return {
        "columns_drawn": bars(columns, example("chart_label"), limit=(14, example("limit"))),
        "minutes": [(minute, *pair) for minute, pair in zip(minutes, pairs, strict=True)],
        "lines_drawn": lines(waits, example("lines_label")),
        "bullets_drawn": lines(shares, example("bullet_note")),
        "day_drawn": day_strip(day, example("day_label"), starts=540, ends=1080, now=872),
        "spark_drawn": spark([0.7, 0.8, 0.6, 0.9, 0.8, 1.0, 0.7, 1.1, 0.9, 1.0], example("spark_label")),
        "ring_drawn": ring(0.7, "42"),
    }


def _steps(example: Callable[[str], str]) -> list[Mapping[str, Any]]:
    """Return steps of a decision, of each kind."""

    def step(icon: str, name: str, kind: str, verdict: str, candidates: object = ()) -> Mapping[str, Any]:
        text = example(f"{name}_text") if not candidates else ""
        return {
            "icon": icon,
            "title": example(f"{name}_step"),
            "text": text,
            "verdict": example(verdict) if verdict else "",
            "kind": kind,
            "candidates": candidates,
        }

    pool = [
        (example("off_person"), example("off_shift"), ""),
        (example("person"), example("in_turn_now"), "chosen"),
        (example("client_a"), example("untested"), "untested"),
    ]
    return [
        step("hash", "number", "", "went_on"),
        step("user-off", "contact", "excluded", "excluded"),
        step("plug-x", "failed", "failed", "failed"),
        step("users", "pool", "", "", pool),
        step("briefcase", "deal", "decided", "decided"),
    ]
