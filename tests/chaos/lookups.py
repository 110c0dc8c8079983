"""What became of the lookups of a run, as the prober has seen it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.prober import DEADLINE_SECONDS


class ProbedLookup(NamedTuple):
    """Seconds. last: of the attempt that was answered. reason: "" = neither gateway answered."""

    begun: float
    seconds: float
    attempts: int
    last: float
    reason: str


@dataclass(frozen=True, slots=True)
class Lookups:
    """judged: those while which the machine let the prober run."""

    all: tuple[ProbedLookup, ...]
    judged: tuple[ProbedLookup, ...]

    @classmethod
    def read(cls, file: Path) -> Lookups:
        told: dict[str, list[Any]] = json.loads(file.read_text())
        every = tuple(ProbedLookup(*one) for one in told["lookups"])
        gaps = told["gaps"]
        judged = tuple(
            one
            for one in every
            if not any(begin < one.begun + one.seconds and one.begun < end for begin, end in gaps)
        )
        return cls(every, judged)

    def faults(self) -> Iterator[str]:
        if failed := sum(1 for one in self.judged if one.reason == "failure"):
            yield f"{failed} lookups of known numbers failed inside a gateway"
        if unanswered := sum(1 for one in self.judged if not one.reason):
            yield f"{unanswered} lookups were answered by neither gateway"
        if late := sum(1 for one in self.judged if one.reason and one.last > DEADLINE_SECONDS):
            yield f"{late} lookups were answered after {DEADLINE_SECONDS:g} s"
        if len(self.judged) < len(self.all) / 2:
            yield f"the machine was too busy to judge more than {len(self.judged)} of {len(self.all)} lookups"

    def figures(self) -> dict[str, Any]:
        times = sorted(one.seconds for one in self.judged) or [0.0]
        retried = [one for one in self.judged if one.attempts > 1]

        def at(share: float) -> float:
            return round(times[min(int(len(times) * share), len(times) - 1)] * 1000, 1)

        return {
            "lookups": len(self.all),
            "of them while the machine was too busy to judge": len(self.all) - len(self.judged),
            "answered by neither": sum(1 for one in self.judged if not one.reason),
            "answered by the other gateway at the first retry": sum(1 for one in retried if one.reason),
            "lookup ms p50 / p99 / p99.9 / most": f"{at(0.5)} / {at(0.99)} / {at(0.999)} / {at(1)}",
            "later than the gateway's own 150 ms, as seen from outside": sum(1 for t in times if t > 0.15),
            "reasons": dict(Counter(one.reason or "none" for one in self.all).most_common()),
        }
