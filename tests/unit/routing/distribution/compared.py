"""Rules for whose turn it is, side by side: `python -m tests.unit.routing.distribution.compared [DEALS]`.

Theirs are written here as their descriptions say, for comparison only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from routing.distribution.ledger import LedgerRule, TurnLedger, pick
from tests.unit.routing.distribution.streams import Chooser, Weights, ordinary, unfairness


def of_ledger(rule: LedgerRule) -> Chooser:
    ledger = TurnLedger()

    def choose(weights: Weights) -> str:
        nonlocal ledger
        entry, ledger = pick(ledger, weights, rule)
        return entry.winner

    return choose


def plain_turn() -> Chooser:
    """The next present one after who was served last."""
    before = ""

    def choose(weights: Weights) -> str:
        nonlocal before
        before = min((p for p in weights if p > before), default=min(weights))
        return before

    return choose


def smooth_weighted() -> Chooser:
    """nginx's: add to each present one its weight, take the greatest, subtract the sum of weights from it."""
    current: dict[str, int] = {}

    def choose(weights: Weights) -> str:
        for person, weight in weights.items():
            current[person] = current.get(person, 0) + weight
        who = min(weights, key=lambda p: (-current[p], p))
        current[who] -= sum(weights.values())
        return who

    return choose


def least_total() -> Chooser:
    """Whoever has got least for their weight since the beginning."""
    got: dict[str, int] = {}

    def choose(weights: Weights) -> str:
        who = min(weights, key=lambda p: (got.get(p, 0) / weights[p], p))
        got[who] = got.get(who, 0) + 1
        return who

    return choose


RULES: Mapping[str, Callable[[], Chooser]] = {
    "ledger": lambda: of_ledger("credit"),
    "in a row": lambda: of_ledger("in_a_row"),
    "plain turn": plain_turn,
    "nginx": smooth_weighted,
    "least total": least_total,
}
Table = Mapping[str, Mapping[str, tuple[float, int]]]


def compared(deals: int) -> Table:
    """By stream and rule: the largest deviation in deals, and the longest run of one person while three or more are there."""
    return {
        name: {rule: unfairness(make(), stream) for rule, make in RULES.items()}
        for name, stream in ordinary(deals).items()
    }


def show(table: Table, deals: int) -> str:
    lines = [f"{f'deviation / longest run, {deals} deals':38}" + "".join(f"{rule:>18}" for rule in RULES)]
    for name, cells in table.items():
        lines.append(f"{name:38}" + "".join(f"{off:10.2f} / {run:5d}" for off, run in cells.values()))
    return "\n".join(lines)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(show(compared(wanted), wanted))
