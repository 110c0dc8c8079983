"""What holds of the ledger of turns whatever happens: who is there, joins, leaves, comes back, and with which weights."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.distribution.ledger import (
    EMPTY,
    UNIT,
    LedgerEntry,
    LedgerRule,
    TurnLedger,
    in_order,
    pick,
    replay,
    shares,
    undo,
)
from tests.unit.routing.distribution.streams import Hostile, Weights, names, ordinary

PEOPLE = names(6)
RULES: tuple[LedgerRule, ...] = ("credit", "in_a_row", "open_deals")
weights_of_some = st.dictionaries(st.sampled_from(PEOPLE), st.integers(1, 30), min_size=1)
streams = st.lists(weights_of_some, max_size=25)
rules = st.sampled_from(RULES)


def run(stream: list[Weights], rule: LedgerRule = "credit") -> Iterator[tuple[LedgerEntry, TurnLedger]]:
    """Each entry with the ledger after it."""
    ledger = EMPTY
    for weights in stream:
        entry, ledger = pick(ledger, weights, rule)
        yield entry, ledger


def last_of(stream: list[Weights], rule: LedgerRule = "credit") -> tuple[list[LedgerEntry], TurnLedger]:
    entries, ledger = [], EMPTY
    for entry, after in run(stream, rule):
        entries.append(entry)
        ledger = after
    return entries, ledger


@given(weights_of_some)
def test_a_deal_is_split_exactly_and_in_proportion(weights: Weights) -> None:
    found = shares(weights)
    assert sum(found.values()) == UNIT
    total = sum(weights.values())
    assert all(abs(found[p] - UNIT * w / total) <= 1 for p, w in weights.items())


@given(streams, rules)
def test_i1_the_sum_of_all_credits_is_zero_after_every_decision(
    stream: list[Weights], rule: LedgerRule
) -> None:
    assert all(sum(ledger.credits.values()) == 0 for _, ledger in run(stream, rule))


@given(streams)
def test_i2_whoever_gets_it_was_there_and_nobody_there_had_more(stream: list[Weights]) -> None:
    before = EMPTY
    for entry, after in run(stream):
        stood = {p: before.credits.get(p, 0) + entry.shares[p] for p in entry.weights}
        assert stood[entry.winner] == max(stood.values())
        before = after


@given(streams, rules)
def test_i2_the_journal_played_again_gives_the_same_integers(stream: list[Weights], rule: LedgerRule) -> None:
    entries, ledger = last_of(stream, rule)
    assert replay(entries) == ledger
    kept = [LedgerEntry.of_json(json.loads(json.dumps(e.as_json()))) for e in entries]
    assert TurnLedger.of_json(json.loads(json.dumps(replay(kept).as_json()))) == ledger


@pytest.mark.parametrize("number", [3, 5, 8, 12])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_i3_no_enemy_drives_anybody_as_far_as_their_number_less_one(number: int, seed: int) -> None:
    worst = 0
    enemy = Hostile(number, seed)
    for _ in range(800):
        _, enemy.ledger = pick(enemy.ledger, enemy.shows())
        worst = max(worst, *map(abs, enemy.ledger.credits.values()), 0)
    assert worst < (number - 1) * UNIT


@pytest.mark.parametrize(("number", "bound"), [(2, 0.5), (3, 0.8334)])
def test_i3_of_two_and_three_every_possible_course_stays_within_the_exact_worst_case(
    number: int, bound: float
) -> None:
    """Every state that any sequence of presences leads to; states that differ by less than a millionth are one."""
    people = names(number)
    presences = [c for size in range(1, number + 1) for c in itertools.combinations(people, size)]
    met: set[tuple[object, ...]] = set()
    front, worst = [EMPTY], 0
    while front:
        ledger = front.pop()
        for there in presences:
            _, after = pick(ledger, dict.fromkeys(there, 1))
            worst = max(worst, *map(abs, after.credits.values()), 0)
            by_age = sorted(people, key=lambda p: after.last.get(p, 0))
            state = (*(round(after.credits.get(p, 0) / UNIT, 6) for p in people), *by_age)
            if state not in met:
                met.add(state)
                front.append(after)
    assert len(met) >= (3 if number == 2 else 50)
    assert bound - 0.01 < worst / UNIT <= bound


@pytest.mark.parametrize(
    ("name", "stream"), list(ordinary(800, seed=5).items()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_i3_on_ordinary_days_nobody_is_off_by_more_than_a_deal_and_a_half(
    name: str, stream: list[Weights]
) -> None:
    assert max(abs(c) for _, ledger in run(stream) for c in ledger.credits.values()) < 1.5 * UNIT


@given(streams)
def test_i4_nobody_is_ever_served_far_ahead(stream: list[Weights]) -> None:
    before = EMPTY
    for entry, after in run(stream):
        held = sum(before.credits.get(p, 0) for p in entry.weights)
        assert after.credits.get(entry.winner, 0) >= (UNIT + held) // len(entry.weights) - UNIT
        before = after


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_i5_while_all_are_there_a_full_round_gives_everybody_exactly_their_weight(weights: list[int]) -> None:
    people = dict(zip(names(len(weights)), weights, strict=True))
    got: Counter[str] = Counter()
    for entry, ledger in run([people] * sum(weights)):
        got[entry.winner] += 1
        assert min(ledger.credits.values(), default=0) > -UNIT
    assert got == people


@given(st.integers(1, 12), st.integers(0, 60))
def test_i5_with_equal_weights_counts_never_differ_by_more_than_one(number: int, deals: int) -> None:
    people = dict.fromkeys(names(number), 1)
    got = dict.fromkeys(people, 0)
    for entry, _ in run([people] * deals):
        got[entry.winner] += 1
        assert max(got.values()) - min(got.values()) <= 1


@given(streams, rules)
def test_i6_who_is_absent_earns_and_owes_nothing(stream: list[Weights], rule: LedgerRule) -> None:
    before = EMPTY
    for entry, after in run(stream, rule):
        for person in set(PEOPLE) - entry.weights.keys():
            assert after.credits.get(person) == before.credits.get(person)
            assert after.last.get(person) == before.last.get(person)
        before = after


@given(streams, st.integers(2, 6))
def test_i7_nobody_who_is_there_starves(stream: list[Weights], number: int) -> None:
    """From whatever came before: with share p, at most 2(n - 1)/p deals pass by."""
    _, ledger = last_of(stream)
    there = dict.fromkeys(PEOPLE[:number], 1)
    waited = dict.fromkeys(there, 0)
    for _ in range(2 * (len(PEOPLE) - 1) * number + 1):
        entry, ledger = pick(ledger, there)
        for person in there:
            waited[person] = 0 if person == entry.winner else waited[person] + 1
            assert waited[person] <= 2 * (len(PEOPLE) - 1) * number


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8), st.integers(0, 50), st.integers(1, 40))
def test_i8_who_joins_is_not_flooded(weights: list[int], before: int, deals: int) -> None:
    people = dict(zip(names(len(weights)), weights, strict=True))
    joiner = names(len(weights))[-1]
    _, ledger = last_of([{p: w for p, w in people.items() if p != joiner}] * before)
    got = 0
    for _ in range(deals):
        entry, ledger = pick(ledger, people)
        got += entry.winner == joiner
    assert got <= deals * people[joiner] // sum(weights) + 1


@given(streams, weights_of_some, rules)
def test_i9_decided_and_undone_is_as_if_it_had_never_happened(
    stream: list[Weights], weights: Weights, rule: LedgerRule
) -> None:
    _, before = last_of(stream, rule)
    entry, after = pick(before, weights, rule)
    assert undo(after, entry)._replace(number=before.number) == before
    again, _ = pick(undo(after, entry), weights, rule)
    assert again.winner == entry.winner


@given(streams, rules, st.data())
def test_i9_an_undoing_subtracts_exactly_its_entry_whatever_came_after(
    stream: list[Weights], rule: LedgerRule, data: st.DataObject
) -> None:
    entries, ledger = last_of(stream, rule)
    gone = data.draw(st.lists(st.sampled_from(entries), unique_by=lambda e: e.number)) if entries else []
    undone = {}
    for entry in gone:
        ledger = undo(ledger, entry)
        undone[entry.number] = ledger.number
    kept = Counter[str]()
    for entry in entries:
        if entry.number not in undone:
            kept.update(entry.shares)
            kept[entry.winner] -= UNIT
    assert ledger.credits == {p: c for p, c in kept.items() if c}
    assert replay(entries, undone) == ledger


@given(streams)
def test_i9_all_undone_from_the_newest_back_leaves_an_empty_ledger(stream: list[Weights]) -> None:
    entries, ledger = last_of(stream, "in_a_row")
    for entry in reversed(entries):
        ledger = undo(ledger, entry)
    assert ledger._replace(number=0) == EMPTY


@given(streams)
def test_i10_in_a_row_nobody_is_further_off_than_the_bound(stream: list[Weights]) -> None:
    worst = max((abs(c) for _, ledger in run(stream, "in_a_row") for c in ledger.credits.values()), default=0)
    assert worst <= (len(PEOPLE) - 1 + 30) * UNIT


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_i10_in_a_row_under_an_enemy_stays_within_the_bound(seed: int) -> None:
    worst = 0
    enemy = Hostile(5, seed)
    for _ in range(800):
        wide = {p: 1 + (int(p[1:]) * 7) % 30 for p in enemy.shows()}
        _, enemy.ledger = pick(enemy.ledger, wide, "in_a_row")
        worst = max(worst, *map(abs, enemy.ledger.credits.values()), 0)
    assert worst <= (5 - 1 + 30) * UNIT


@example([20, 8, 27, 24, 17])
@example([27, 25, 10, 4, 8, 4, 18])
@given(st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_i10_in_a_row_blocks_are_whole_and_in_the_lists_order_while_all_are_there(weights: list[int]) -> None:
    people = dict(zip(names(len(weights)), weights, strict=True))
    got = [entry.winner for entry, _ in run([people] * (3 * sum(weights)), "in_a_row")]
    assert got == [p for p, w in people.items() for _ in range(w)] * 3


@given(streams, rules)
def test_i11_as_many_are_given_as_are_decided_and_numbers_are_one_serial_order(
    stream: list[Weights], rule: LedgerRule
) -> None:
    entries, ledger = last_of(stream, rule)
    assert [e.number for e in entries] == list(range(1, len(stream) + 1))
    assert ledger.number == len(stream)


@given(
    streams,
    weights_of_some,
    rules,
    st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 5)),
    st.integers(0, 1),
)
def test_the_order_of_asking_begins_with_whom_the_pick_takes_and_names_everybody_once(
    stream: list[Weights], weights: Weights, rule: LedgerRule, open_deals: dict[str, int], catch_up: int
) -> None:
    _, ledger = last_of(stream, rule)
    absent = {p: 3 for p in PEOPLE if p not in weights}
    entry, _ = pick(ledger, weights, rule, open_deals=open_deals, absent=absent, catch_up=catch_up)
    asked = in_order(ledger, weights, rule, open_deals=open_deals, absent=absent, catch_up=catch_up)
    assert asked[0] == entry.winner
    assert sorted(asked) == sorted(weights)


@given(streams, st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 5)))
def test_by_open_deals_the_fewest_go_first_and_credit_decides_between_equals(
    stream: list[Weights], open_deals: dict[str, int]
) -> None:
    ledger = EMPTY
    for weights in stream:
        entry, after = pick(ledger, weights, "open_deals", open_deals=open_deals)
        fewest = min(open_deals.get(p, 0) for p in weights)
        equals = [p for p in weights if open_deals.get(p, 0) == fewest]
        assert entry.winner in equals
        assert all(
            ledger.credits.get(entry.winner, 0) + entry.shares[entry.winner]
            >= ledger.credits.get(p, 0) + entry.shares[p]
            for p in equals
        )
        ledger = after


@given(streams, st.integers(1, 3))
def test_absence_that_is_not_forgiven_earns_up_to_the_cap_and_no_more(
    stream: list[Weights], cap: int
) -> None:
    ledger = EMPTY
    for weights in stream:
        absent = {p: 1 for p in PEOPLE if p not in weights}
        before = ledger
        entry, ledger = pick(ledger, weights, absent=absent, catch_up=cap)
        assert entry.winner in weights
        assert sum(ledger.credits.values()) == 0
        for person in absent:
            assert before.credits.get(person, 0) <= ledger.credits.get(person, 0)
            assert ledger.credits.get(person, 0) <= max(cap * UNIT, before.credits.get(person, 0))
        assert (
            max(map(abs, ledger.credits.values()), default=0) < (len(PEOPLE) - 1 + cap * len(PEOPLE)) * UNIT
        )


def test_somebody_back_from_leave_is_owed_one_deal_where_absence_earns_and_none_where_it_does_not() -> None:
    people = dict.fromkeys(["a", "b", "c"], 1)
    for cap, first_six in ((0, 2), (1, 3)):
        ledger = EMPTY
        for _ in range(300):
            _, ledger = pick(ledger, {"a": 1, "b": 1}, absent={"c": 1}, catch_up=cap)
        got = 0
        for _ in range(6):
            entry, ledger = pick(ledger, people)
            got += entry.winner == "c"
        assert got == first_six


@given(st.lists(st.tuples(weights_of_some, st.booleans()), max_size=25), rules)
def test_a_new_day_starts_from_zero_and_keeps_who_was_last(
    stream: list[tuple[Weights, bool]], rule: LedgerRule
) -> None:
    entries: list[LedgerEntry] = []
    ledger, day = EMPTY, 1
    for weights, is_new_day in stream:
        day += is_new_day
        before = ledger
        entry, ledger = pick(ledger, weights, rule, day=f"2026-03-{day:02d}")
        entries.append(entry)
        assert entry.is_reset == (is_new_day and bool(before.number))
        assert sum(ledger.credits.values()) == 0
        if entry.is_reset:
            assert ledger.credits.keys() <= weights.keys()
        assert {p: n for p, n in ledger.last.items() if p != entry.winner} == {
            p: n for p, n in before.last.items() if p != entry.winner
        }
    assert replay(entries) == ledger


def test_an_entry_of_yesterday_undone_today_takes_nothing_from_today() -> None:
    yesterday, ledger = pick(EMPTY, {"a": 1, "b": 1}, day="2026-03-01")
    today, ledger = pick(ledger, {"a": 1, "b": 1}, day="2026-03-02")
    after = undo(ledger, yesterday)
    assert after.credits == ledger.credits
    assert replay([yesterday, today], {1: after.number}) == after
    assert undo(after, today).credits == {}


def test_a_turn_goes_on_over_midnight_though_credits_start_from_zero() -> None:
    """Two deals a day among three: without `last` the first two would get everything."""
    ledger, got = EMPTY, ""
    for day in range(1, 10):
        for _ in range(2):
            entry, ledger = pick(ledger, dict.fromkeys("abc", 1), day=f"2026-03-{day:02d}")
            got += entry.winner
    assert got == "abc" * 6


def test_a_day_that_comes_again_resets_nothing() -> None:
    """The account moved to a zone further west: its date goes back for some hours."""
    ledger = EMPTY
    for day in ("2026-03-02", "2026-03-01", "2026-03-02"):
        entry, ledger = pick(ledger, {"a": 1, "b": 2}, day=day)
        assert not entry.is_reset
    assert ledger.day == "2026-03-02"
