"""Against the usual rules, on the same days: who flickers, joins or comes back costs nobody their turn."""

from __future__ import annotations

import pytest

from tests.unit.routing.distribution.compared import Table, compared, show

DEALS = 1000


@pytest.fixture(scope="module")
def table() -> Table:
    found = compared(DEALS)
    print("\n" + show(found, DEALS))
    return found


def test_the_ledger_is_off_by_at_most_a_deal_and_a_half_on_every_ordinary_day(table: Table) -> None:
    assert max(off for cells in table.values() for off, _ in [cells["ledger"]]) < 1.5


def test_in_a_row_it_is_off_by_less_than_the_largest_weight_on_ordinary_days(table: Table) -> None:
    assert max(off for cells in table.values() for off, _ in [cells["in a row"]]) < 6


def test_while_all_are_there_with_equal_weights_all_rules_are_one(table: Table) -> None:
    assert {(round(off, 6), run) for off, run in table["all present, equal"].values()} == {(0.875, 1)}


def test_a_plain_turn_gives_the_turns_of_the_absent_to_their_neighbour(table: Table) -> None:
    cells = table["one of three away at every second"]
    assert cells["ledger"][0] < 1
    assert cells["plain turn"][0] > DEALS / 10
    assert cells["nginx"][0] > DEALS / 20


def test_a_debt_made_among_many_drifts_where_raw_weights_are_added(table: Table) -> None:
    cells = table["there or not at random, percent"]
    assert cells["nginx"][0] > 5 * cells["ledger"][0]


def test_least_total_floods_who_joins_and_who_comes_back(table: Table) -> None:
    for stream in ("one joins after a quarter", "back from a leave"):
        assert table[stream]["least total"][1] > DEALS / 40
        assert table[stream]["ledger"][1] <= 2
