"""How long it takes to say who gets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from routing.distribution.decide import distribute, ladder
from routing.distribution.item import Standing, WorkItem
from routing.distribution.ledger import TurnLedger, pick
from routing.distribution.roster import Roster, roster_of
from routing.distribution.template import DistributionTemplate, TemplateGroup, TemplateHours, TemplateMember
from routing.staff import Employee, Staff
from tests.bench.report import Figure, at_most, plain

_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_ZONE = ZoneInfo("Europe/Moscow")
_ITEM = WorkItem("deal", "1", _AT)
_PEOPLE = 50


def bench_distribution(times: int) -> list[Figure]:
    """50 people who are all there; the credit of each is moved and told. Limits and presence are looked at besides."""
    standings = {f"e{i}": Standing(open_deals=i % 7) for i in range(_PEOPLE)}
    whole = {
        name: _microseconds(lambda r=roster, b=books: distribute(r, _ITEM, b, standings, _AT, _ZONE), times)  # type: ignore[misc]
        for name, roster, books in _at_work(standings)
    }
    slowest = max(whole, key=lambda name: whole[name])
    note = ", ".join(f"{name} {value:.0f}" for name, value in whole.items())
    weights = {f"e{i}": i % 4 + 1 for i in range(_PEOPLE)}
    book = _worked(weights)
    _, roster, books = _at_work(standings)[0]
    return [
        at_most("pick of the ledger, 50 people", _microseconds(lambda: pick(book, weights), times), 50, "µs"),
        at_most("distribution by turn with its walk, 50 people", whole["turn"], 50, "µs", note),
        plain(f"distribution with its walk, slowest ({slowest})", whole[slowest], "µs"),
        plain(
            "order of asking, 50 people",
            _microseconds(lambda: ladder(roster, _ITEM, books, standings, _AT, _ZONE), times),
            "µs",
        ),
    ]


def _microseconds(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times * 1e6)
    return best


def _worked(weights: dict[str, int]) -> TurnLedger:
    """Return a ledger after a few rounds, so that credits are numbers like in real life."""
    ledger = TurnLedger()
    for _ in range(3 * len(weights) + 7):
        _, ledger = pick(ledger, weights)
    return ledger


def _at_work(standings: dict[str, Standing]) -> list[tuple[str, Roster, dict[str, TurnLedger]]]:
    found = []
    for name, template in _templates().items():
        roster, books = roster_of(template, _staff()), dict[str, TurnLedger]()
        for _ in range(3 * _PEOPLE + 7):
            books.update(distribute(roster, _ITEM, books, standings, _AT, _ZONE).ledgers)
        found.append((name, roster, books))
    return found


def _staff() -> Staff:
    return Staff.of(
        [
            Employee(id=f"e{i}", name=f"Менеджер {i}", crm_user_id=str(1000 + i), group="g")
            for i in range(_PEOPLE)
        ]
    )


def _templates() -> dict[str, DistributionTemplate]:
    group = (TemplateGroup(name="g", percent=10_000),)
    weighted = tuple(TemplateMember(employee_id=f"e{i}", weight=i % 3 + 1) for i in range(_PEOPLE))
    online = TemplateHours(mode="online")
    return {
        "turn": DistributionTemplate(name="turn", groups=group),
        "in a row": DistributionTemplate(name="row", balance="in_a_row", employees=weighted),
        "percent, two levels": DistributionTemplate(name="percent", kind="load", balance="percent", groups=group),
        "online, fewest open deals, capacity": DistributionTemplate(
            name="load", kind="load", balance="open_deals", groups=group, open_deals_limit=100, working_time=online
        ),
    }  # fmt: skip
