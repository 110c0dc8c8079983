"""Who answered has it and the turn, whoever's it was; the ledgers stay in balance."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from routing.distribution.answered import taken_by
from routing.distribution.decide import distribute
from routing.distribution.item import Standing, WorkItem
from routing.distribution.ledger import LedgerEntry, TurnLedger, replay, undo
from routing.distribution.roster import Roster, roster_of
from routing.distribution.template import DistributionTemplate, TemplateGroup, TemplateMember
from routing.staff import Employee, Staff

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Moscow")
IDS = ("a", "b", "c", "d")
STAFF = Staff.of(
    [
        Employee(id=id, name=id, crm_user_id=id.upper(), group="one" if id in "ab" else "two")
        for id in (*IDS, "else")
    ]
)
RING = WorkItem(kind="ring", id="1", entered_at=NOW)
FLAT = {
    balance: roster_of(
        DistributionTemplate(
            name="t", balance=balance, employees=tuple(TemplateMember(employee_id=i, weight=2) for i in IDS)
        ),
        STAFF,
    )
    for balance in ("even", "in_a_row", "spread")
}
LEVELS = roster_of(
    DistributionTemplate(
        name="t",
        kind="load",
        balance="percent",
        groups=(TemplateGroup(name="one", percent=7000), TemplateGroup(name="two", percent=3000)),
    ),
    STAFF,
)
ROSTERS = [*FLAT.values(), LEVELS]


@given(
    st.sampled_from(ROSTERS),
    st.lists(
        st.tuples(st.sampled_from([None, *IDS]), st.sets(st.sampled_from(IDS), max_size=3)), max_size=30
    ),
)
def test_ledgers_sum_to_nothing_and_can_be_replayed_whoever_answers(
    roster: Roster, calls: list[tuple[str | None, set[str]]]
) -> None:
    ledgers: dict[str, TurnLedger] = {}
    entries: list[LedgerEntry] = []
    for who, off in calls:
        standings = {person: Standing(off="off_shift") for person in off}
        if who is None:
            found = distribute(roster, RING, ledgers, standings, NOW, ZONE)
        else:
            taken = taken_by(who, roster, RING, ledgers, standings, NOW, ZONE)
            assert taken is not None
            assert (taken.outcome, taken.employee_id) == ("given", who)
            assert taken.entries[-1].winner == who
            found = taken
        ledgers |= found.ledgers
        entries += found.entries
    for scope, ledger in ledgers.items():
        assert sum(ledger.credits.values()) == 0
        assert replay(e for e in entries if e.scope == scope) == ledger


def test_who_is_not_of_the_template_has_no_turn_of_it() -> None:
    for roster in FLAT.values():
        assert taken_by("else", roster, RING, {}, {}, NOW, ZONE) is None
        assert taken_by("nobody", roster, RING, {}, {}, NOW, ZONE) is None


def test_a_turn_taken_by_answering_can_be_taken_back() -> None:
    taken = taken_by("c", FLAT["even"], RING, {}, {}, NOW, ZONE)
    assert taken is not None
    assert undo(taken.ledgers[""], taken.entries[0]).credits == {}


def test_who_keeps_the_floor_keeps_it_while_another_answers() -> None:
    row = FLAT["in_a_row"]
    first = distribute(row, RING, {}, {}, NOW, ZONE)
    taken = taken_by("c", row, RING, first.ledgers, {}, NOW, ZONE)
    assert taken is not None
    assert distribute(row, RING, taken.ledgers, {}, NOW, ZONE).employee_id == first.employee_id
