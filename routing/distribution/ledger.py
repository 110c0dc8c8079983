"""The ledger of turns: what each one was entitled to so far, less what they were given, in whole units of a deal.

Whoever may get a deal is credited their share of it, and the one with the greatest credit pays for it. Who is absent earns and
owes nothing. The sum of all credits is always zero, and nobody is ever more than their number less one ahead or behind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

UNIT = 10**9
"""One deal. No floats: the sum of credits is exactly zero after any number of decisions."""

_ALIKE = 10**5
"""Credits over weights that are less than a ten-thousandth of a deal below the greatest are a tie, which the list decides."""

LedgerRule = Literal["credit", "in_a_row", "open_deals"]
_NOBODY: Mapping[str, int] = {}


class TurnLedger(NamedTuple):
    """One scope of one template, after `number` entries.

    credits: by employee id (in the scope "groups" also "group:<name>"); who is missing has 0. last: number of the entry that
    last gave them something. number: of bookings and undoings so far. holder, left: who keeps the floor in a weighted turn, for
    how many deals more. day: local date of the newest entry where credits are reset daily. reset_at: number of the entry before
    which credits were last set to zero.
    """

    credits: Mapping[str, int] = {}
    last: Mapping[str, int] = {}
    number: int = 0
    holder: str | None = None
    left: int = 0
    day: str | None = None
    reset_at: int = 0

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "credits": dict(self.credits), "last": dict(self.last)}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> TurnLedger:
        return cls(**value)


class LedgerEntry(NamedTuple):
    """What the journal keeps of one pick: enough to undo it and to compute the ledger again.

    shares: what each was credited, together exactly one deal, which the winner paid. weights: of those who could have got it.
    last_before: the winner's. is_reset: credits were set to zero before it, since a new `day` had begun.
    """

    scope: str
    number: int
    rule: LedgerRule
    winner: str
    shares: Mapping[str, int]
    weights: Mapping[str, int]
    last_before: int = 0
    holder_before: str | None = None
    left_before: int = 0
    holder_after: str | None = None
    left_after: int = 0
    day: str | None = None
    is_reset: bool = False

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "shares": dict(self.shares), "weights": dict(self.weights)}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> LedgerEntry:
        return cls(**value)


EMPTY = TurnLedger()


def shares(weights: Mapping[str, int], last: Mapping[str, int] = _NOBODY) -> dict[str, int]:
    """Split one deal exactly in proportion to positive weights.

    The few billionths that are left over go to the largest remainders, and of equal ones to who was served longest ago, so that
    they never decide against a turn. last: as of `TurnLedger`.
    """
    total = sum(weights.values())
    is_even = len(set(weights.values())) == 1
    if is_even:
        found = dict.fromkeys(weights, UNIT // len(weights))
    else:
        found = {person: UNIT * weight // total for person, weight in weights.items()}
    over = UNIT - sum(found.values())
    if over:
        by_rest = sorted(weights, key=lambda p: (-(UNIT * weights[p] % total), last.get(p, 0)))
        for person in by_rest[:over]:
            found[person] += 1
    return found


def pick(
    ledger: TurnLedger,
    weights: Mapping[str, int],
    rule: LedgerRule = "credit",
    *,
    scope: str = "",
    open_deals: Mapping[str, int] = _NOBODY,
    absent: Mapping[str, int] = _NOBODY,
    catch_up: int = 0,
    day: str | None = None,
    taken_by: str | None = None,
) -> tuple[LedgerEntry, TurnLedger]:
    """Choose who gets the next deal; return the entry to book and the ledger after it.

    weights: positive, of those who may get it, in the order of the list; at least one. open_deals: for that rule; missing = 0.
    absent: weights of those who are away and yet earn, each up to `catch_up` deals of credit. day: local date (ISO) where
    credits start from zero every day, None = never. taken_by: one of them who has it already, whoever's turn it was.
    """
    ledger, is_reset = _of_day(ledger, day)
    earned = (
        shares(weights, ledger.last)
        if not (absent and catch_up)
        else _shares_with(ledger, weights, absent, catch_up)
    )
    credits = _credited(ledger, earned)
    if taken_by is not None:
        winner, left = taken_by, ledger.left
    elif rule == "in_a_row":
        winner, left = _in_a_row(ledger, credits, weights)
    else:
        winner, left = _greatest(ledger, credits, weights, open_deals if rule == "open_deals" else _NOBODY), 0
    credits[winner] -= UNIT
    entry = LedgerEntry(
        scope, ledger.number + 1, rule, winner, earned, weights, ledger.last.get(winner, 0),
        ledger.holder, ledger.left, winner if rule == "in_a_row" and not taken_by else ledger.holder,
        left if rule == "in_a_row" else ledger.left, day, is_reset,
    )  # fmt: skip
    return entry, _after(ledger, entry, credits)


def in_order(
    ledger: TurnLedger,
    weights: Mapping[str, int],
    rule: LedgerRule = "credit",
    *,
    open_deals: Mapping[str, int] = _NOBODY,
    absent: Mapping[str, int] = _NOBODY,
    catch_up: int = 0,
    day: str | None = None,
) -> tuple[str, ...]:
    """Return everybody in the order in which they would be asked for one deal. Books nothing; the first is whom `pick` takes."""
    if not weights:
        return ()
    first, _ = pick(ledger, weights, rule, open_deals=open_deals, absent=absent, catch_up=catch_up, day=day)
    ledger, _ = _of_day(ledger, day)
    credits = {p: ledger.credits.get(p, 0) + first.shares[p] for p in weights}
    rest = [p for p in weights if p != first.winner]
    return (first.winner, *sorted(rest, key=_key(ledger, credits, weights, rule, open_deals)))


def undo(ledger: TurnLedger, entry: LedgerEntry) -> TurnLedger:
    """Take back exactly what the entry booked, whatever came after it. It counts as one entry more.

    Of an entry before the last daily reset nothing is left to take back.
    """
    number = ledger.number + 1
    if entry.number < ledger.reset_at:
        return ledger._replace(number=number)
    credits = dict(ledger.credits)
    for person, share in entry.shares.items():
        credits[person] = credits.get(person, 0) - share
    credits[entry.winner] += UNIT
    last = dict(ledger.last)
    if last.get(entry.winner) == entry.number:
        last[entry.winner] = entry.last_before
    is_as_left = (ledger.holder, ledger.left) == (entry.holder_after, entry.left_after)
    return ledger._replace(
        credits=_without_zeros(credits),
        last=_without_zeros(last),
        number=number,
        holder=entry.holder_before if is_as_left else ledger.holder,
        left=entry.left_before if is_as_left else ledger.left,
    )


def replay(
    entries: Iterable[LedgerEntry], undone: Mapping[int, int] | None = None, *, start: TurnLedger = EMPTY
) -> TurnLedger:
    """Compute the ledger again from the journal of one scope.

    undone: number of an entry -> number that its undoing took (`TurnLedger.number` after it). start: the ledger before the
    oldest of these entries.
    """
    booked = {entry.number: entry for entry in entries}
    undoings = {at: booked[number] for number, at in (undone or {}).items()}
    ledger = start
    for number in sorted({*booked, *undoings}):
        ledger = _book(ledger, booked[number]) if number in booked else undo(ledger, undoings[number])
    return ledger


def _book(ledger: TurnLedger, entry: LedgerEntry) -> TurnLedger:
    if entry.is_reset:
        ledger = ledger._replace(credits={}, reset_at=entry.number)
    credits = _credited(ledger, entry.shares)
    credits[entry.winner] -= UNIT
    return _after(ledger, entry, credits)


def _credited(ledger: TurnLedger, earned: Mapping[str, int]) -> dict[str, int]:
    credits = dict(ledger.credits)
    for person, share in earned.items():
        credits[person] = credits.get(person, 0) + share
    return credits


def _after(ledger: TurnLedger, entry: LedgerEntry, credits: dict[str, int]) -> TurnLedger:
    return TurnLedger(
        _without_zeros(credits), {**ledger.last, entry.winner: entry.number}, entry.number,
        entry.holder_after, entry.left_after, max(entry.day or "", ledger.day or "") or None, ledger.reset_at,
    )  # fmt: skip


def _without_zeros(rows: dict[str, int]) -> dict[str, int]:
    """Leave out who is as one who was never there, so that an undone pick leaves no trace."""
    return rows if all(rows.values()) else {person: value for person, value in rows.items() if value}


def _of_day(ledger: TurnLedger, day: str | None) -> tuple[TurnLedger, bool]:
    """Return the ledger with which the day begins, and whether credits were set to zero for it. `last` and the floor stay."""
    if day is None or ledger.day is None or day <= ledger.day:
        return ledger, False
    return ledger._replace(credits={}, reset_at=ledger.number + 1), True


def _shares_with(
    ledger: TurnLedger, weights: Mapping[str, int], absent: Mapping[str, int], catch_up: int
) -> dict[str, int]:
    """Shares among those present and those of the absent whom theirs leaves within the cap."""
    earning = {p: w for p, w in absent.items() if p not in weights and w > 0}
    while True:
        found = shares({**weights, **earning}, ledger.last)
        over = [p for p in earning if ledger.credits.get(p, 0) + found[p] > catch_up * UNIT]
        if not over:
            return found
        for person in over:
            del earning[person]


def _greatest(
    ledger: TurnLedger, credits: Mapping[str, int], weights: Mapping[str, int], open_deals: Mapping[str, int]
) -> str:
    people: Collection[str] = weights
    if open_deals:
        has = {p: open_deals.get(p, 0) for p in weights}
        fewest = min(has.values())
        people = [p for p, count in has.items() if count == fewest]
    return _first({p: credits[p] for p in people}, ledger.last)


def _first(stood: Mapping[str, int], last: Mapping[str, int], alike: int = 0) -> str:
    """Return who stands highest; of equals who was served longest ago, then who is first in the list. alike: how far below the
    highest still is equal."""
    most = max(stood.values()) - alike
    first = [p for p, value in stood.items() if value >= most]
    return first[0] if len(first) == 1 else min(first, key=lambda p: last.get(p, 0))


def _in_a_row(ledger: TurnLedger, credits: Mapping[str, int], weights: Mapping[str, int]) -> tuple[str, int]:
    """Return the winner and for how many deals more they keep the floor.

    Somebody as many deals ahead as they get in a row gives it up: otherwise absences of others could feed one person for long.
    """
    holder = ledger.holder
    if (
        holder is not None
        and ledger.left
        and holder in weights
        and credits[holder] >= UNIT * (1 - weights[holder])
    ):
        return holder, ledger.left - 1
    by_weight = {p: credits[p] // weight for p, weight in weights.items()}
    winner = _first(by_weight, ledger.last, _ALIKE)
    return winner, weights[winner] - 1


def _key(
    ledger: TurnLedger,
    credits: Mapping[str, int],
    weights: Mapping[str, int],
    rule: LedgerRule,
    open_deals: Mapping[str, int],
) -> Callable[[str], tuple[int, ...]]:
    """Sort key, the first to be given something first; ties stay as listed."""
    last = ledger.last
    if rule == "open_deals":
        return lambda p: (open_deals.get(p, 0), -credits[p], last.get(p, 0))
    if rule == "in_a_row":
        return lambda p: (-credits[p] // (weights[p] * _ALIKE), last.get(p, 0))
    return lambda p: (-credits[p], last.get(p, 0))
