"""How many people are on shift: on each day, and in each hour of a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from gateway.web.shifts.schedules.grid import GridRow
from routing.schedules.plans import Minutes

HOURS = 24


@dataclass(frozen=True, slots=True)
class Coverage:
    """days: whose shift begins on each. hours: of each day, who is there in each hour, at least for a part of it."""

    days: Sequence[int]
    hours: Sequence[Sequence[int]]


def coverage_of(rows: Iterable[GridRow], count: int, *, is_week: bool = False) -> Coverage:
    """count: of days. is_week: after the last day comes the first one again."""
    days, steps = [0] * count, [0] * (count * HOURS + 2 * HOURS)
    for (number, covered), people in _people_by_hours(rows).items():
        days[number] += people
        for first, last in hour_ranges(covered):
            steps[number * HOURS + first] += people
            steps[number * HOURS + last] -= people
    there = list(accumulate(steps))
    if is_week:
        there[:HOURS] = [
            a + b for a, b in zip(there, there[count * HOURS : (count + 1) * HOURS], strict=False)
        ]
    return Coverage(days, [there[n * HOURS : (n + 1) * HOURS] for n in range(count)])


def _people_by_hours(rows: Iterable[GridRow]) -> dict[tuple[int, Minutes], int]:
    """Count who works the same hours on the same day: of hundreds of people, most do."""
    found: dict[tuple[int, Minutes], int] = {}
    for row in rows:
        if people := row.line.people:
            for number, cell in enumerate(row.cells):
                if covered := cell.covered:
                    found[number, covered] = found.get((number, covered), 0) + people
    return found


def without(whole: Coverage, part: Coverage) -> Coverage:
    """Return who is there but for these."""
    return Coverage(
        [a - b for a, b in zip(whole.days, part.days, strict=True)],
        [
            [a - b for a, b in zip(of_whole, of_part, strict=True)]
            for of_whole, of_part in zip(whole.hours, part.hours, strict=True)
        ],
    )


def hour_ranges(hours: Minutes) -> Iterator[tuple[int, int]]:
    """Yield the hours that are touched, each once: first, and the one after the last."""
    reached = 0
    for begins, ends in hours:
        first, last = max(begins // 60, reached), -(-ends // 60)
        if last > first:
            yield first, last
            reached = last
