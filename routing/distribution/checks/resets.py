"""What a daily reset would do to shares where few things come in a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routing.distribution.checks.problems import KnownToTemplates, TemplateProblem, problem
from routing.distribution.ledger import EMPTY, pick
from routing.distribution.roster import GROUPS, Pool, Roster, roster_of
from routing.distribution.template import DistributionTemplate
from routing.staff import Staff

_DAYS = 60
_MANY = 50
"""With more in a day a reset costs nobody a part that would be seen."""
_SEEN = 1.0
"""Percentage points."""


def check_daily_reset(template: DistributionTemplate, known: KnownToTemplates) -> Iterator[TemplateProblem]:
    """Say what becomes of the shares: those who start each day last in line may never be reached."""
    if not template.daily_reset or template.balance not in ("percent", "spread"):
        return
    roster = roster_of(template, known.staff)
    for field, weights, part in _levels(roster):
        if len(set(weights.values())) < 2:
            continue
        if known.items_per_day is None:
            yield problem("daily-reset-unknown", field)
            return
        per_day = round(known.items_per_day * part)
        if per_day < _MANY:
            yield from _uneven(field, weights, max(per_day, 1), known.staff)


def shares_after_resets(weights: Mapping[str, int], per_day: int, days: int = _DAYS) -> dict[str, float]:
    """Percent that each would get in the end, of so many a day, with credits starting from zero every day."""
    ledger, got = EMPTY, dict.fromkeys(weights, 0)
    for day in range(days):
        for _ in range(per_day):
            entry, ledger = pick(ledger, weights, day=f"{day:08d}")
            got[entry.winner] += 1
    return {person: 100 * count / (days * per_day) for person, count in got.items()}


def _uneven(field: str, weights: Mapping[str, int], per_day: int, staff: Staff) -> Iterator[TemplateProblem]:
    total = sum(weights.values())
    got = shares_after_resets(weights, per_day)
    if any(abs(got[p] - 100 * w / total) >= _SEEN for p, w in weights.items()):
        names = {p: staff.by_id[p].name if p in staff.by_id else p.removeprefix("group:") for p in weights}
        told = tuple(f"{names[p]} {share:.1f} %" for p, share in got.items())
        meant = tuple(f"{names[p]} {100 * w / total:.1f} %" for p, w in weights.items())
        yield problem("daily-reset-uneven", field, per_day=per_day, got=told, meant=meant)


def _levels(roster: Roster) -> Iterator[tuple[str, Mapping[str, int], float]]:
    """(field, weights, part of all that comes to this ledger) of each ledger."""
    there = [pool for pool in roster.pools if pool.seats]
    total = sum(pool.share for pool in there)
    if roster.has_levels and there:
        yield GROUPS, {pool.key: pool.share for pool in there}, 1.0
    for pool in there:
        if pool.scope is not None:
            part = pool.share / total if roster.has_levels else 1.0
            yield _field_of(pool), {s.employee_id: s.weight for s in pool.seats}, part


def _field_of(pool: Pool) -> str:
    return f"groups.{pool.key.removeprefix('group:')}" if pool.key else "employees"
