"""Which figures stand at an axis that begins at 0."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count

_STEPS = (1, 2, 5)
_MOST_PARTS = 3


def axis_figures(most: float) -> Sequence[int]:
    """Return whole numbers at equal distances, from 0 to one that is not below most."""
    step = next(size for size in _round_numbers() if size * _MOST_PARTS >= most)
    parts = math.ceil(most / step) or 1
    return tuple(step * part for part in range(parts + 1))


def _round_numbers() -> Iterator[int]:
    """Count up: 1, 2, 5, 10, 20, 50 and so on."""
    for zeros in count():
        yield from (int(f"{step}{'0' * zeros}") for step in _STEPS)
