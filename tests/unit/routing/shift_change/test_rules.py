"""Shift change by its rules: who goes is relieved, who comes gets back what is theirs, and a person's own change stands."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.shift_change.deals import DUE_SOON, OwnedDeal, in_order, why_stays
from routing.shift_change.policy import ExcludedField, PolicyProblem, ShiftPolicy, problems
from routing.shift_change.returning import TakenDeal, why_kept
from tests.unit.routing.shift_change.world import POLICY, START, Company

WAIT = POLICY.wait_seconds


def _office(names: str = "ABC", deals: int = 9, **more: object) -> Company:
    office = Company(names, **more)  # type: ignore[arg-type]
    for n in range(deals):
        office.add(str(n), names[n % len(names)])
    return office


def _owners(office: Company) -> Counter[str]:
    return Counter(deal.owner for deal in office.deals.values())


def test_deals_of_who_leaves_are_split_among_those_left_and_come_back() -> None:
    """Case 42, the first part: nothing before the wait is over."""
    office = _office()
    office.leave("A")
    office.pass_time(WAIT - 30)
    assert _owners(office) == {"A": 3, "B": 3, "C": 3}
    office.pass_time(300)
    assert _owners(office)["A"] == 0
    assert sum(_owners(office).values()) == 9
    office.come("A")
    office.pass_time(WAIT + 300)
    assert {d.id: d.owner for d in office.deals.values()} == {
        d.id: d.created_for for d in office.deals.values()
    }


def test_who_is_back_before_the_wait_is_over_keeps_everything() -> None:
    office = _office()
    office.leave("A")
    office.pass_time(WAIT - 10)
    office.come("A")
    office.pass_time(3600)
    assert office.runs == []


def test_return_after_a_part_was_moved_cancels_the_rest() -> None:
    """Case 42: returns after 40 % moved."""
    office = _office(deals=30, piece=2)
    office.leave("A")
    office.pass_time(WAIT)
    office.pass_time(30)
    moved = 10 - _owners(office)["A"]
    assert 0 < moved < 10
    office.come("A")
    office.pass_time(30)
    assert office.runs[0].reason == "came_back"
    assert 10 - _owners(office)["A"] == moved, "nothing more is taken from who is there again"
    office.pass_time(WAIT + 600)
    assert _owners(office)["A"] == 10


def test_a_second_person_leaves_meanwhile_and_gets_back_only_their_own() -> None:
    """Case 42: second person leaves meanwhile."""
    office = _office("ABC", deals=12)
    office.leave("A")
    office.pass_time(WAIT)
    office.leave("B")
    office.pass_time(WAIT + 600)
    assert _owners(office) == {"C": 12}
    office.come("B")
    office.pass_time(WAIT + 600)
    assert _owners(office) == {"B": 4, "C": 8}, "what was A's stays where it is until A is back"
    office.come("A")
    office.pass_time(WAIT + 600)
    assert _owners(office) == {"A": 4, "B": 4, "C": 4}


def test_the_last_person_on_shift_moves_nothing_away() -> None:
    """Case 42: last one leaves."""
    office = _office("AB", deals=4)
    office.leave("A")
    office.pass_time(WAIT + 300)
    office.leave("B")
    office.pass_time(7200)
    assert _owners(office) == {"B": 4}
    office.come("A")
    office.pass_time(WAIT + 300)
    assert _owners(office) == {"A": 4}, "A is there, so that B's deals pass to A, and A's own are A's again"


def test_all_leave_at_once_and_nothing_moves_until_somebody_is_there() -> None:
    """Case 42: all leave at once."""
    office = _office()
    for name in "ABC":
        office.leave(name)
    office.pass_time(7200)
    assert office.runs == []
    office.come("B")
    office.pass_time(WAIT + 600)
    assert _owners(office) == {"B": 9}


def test_a_second_mass_move_waits_half_an_hour_and_new_deals_do_not() -> None:
    office = _office()
    office.leave("A")
    office.pass_time(WAIT + 120)
    office.come("A")
    office.pass_time(WAIT + 120)
    assert _owners(office)["A"] == 3
    office.leave("A")
    office.add("new", "A")
    office.pass_time(WAIT + 60)
    assert office.deals["new"].owner != "A"
    assert _owners(office)["A"] == 3, "too soon for the others"
    office.pass_time(POLICY.pause_minutes * 60)
    assert _owners(office)["A"] == 0


def test_only_new_deals_are_moved_where_that_is_set() -> None:
    """S1.13."""
    office = _office(policy=POLICY.model_copy(update={"new_only": True}))
    office.pass_time(60)
    office.leave("A")
    office.pass_time(WAIT + 60)
    office.add("new", "A")
    office.pass_time(7200)
    assert office.deals["new"].owner != "A"
    assert _owners(office)["A"] == 3
    office.come("A")
    office.pass_time(WAIT + 60)
    assert office.deals["new"].owner == "A"


def test_what_a_person_gives_back_to_who_is_away_stays_there() -> None:
    office = _office()
    office.leave("A")
    office.pass_time(WAIT + 300)
    office.give_by_hand("0", "A")
    office.pass_time(7200)
    assert office.deals["0"].owner == "A"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"taken_from": "B"}, "not_theirs"),
        ({"created_for": "B"}, "not_created_theirs"),
        ({"owner": "C"}, "given_on"),
        ({"was_changed": True}, "changed"),
        ({"is_open": False}, "closed"),
        ({"pipeline_id": "11"}, "other_pipeline"),
        ({"id": "77"}, "excluded_deal"),
    ],
)
def test_a_deal_comes_back_only_where_nothing_speaks_against_it(
    changes: dict[str, object], why: str | None
) -> None:
    """Case 43."""
    told: dict[str, object] = {
        "id": "7",
        "taken_from": "A",
        "created_for": "A",
        "given_to": "B",
        "owner": "B",
        "is_open": True,
        "pipeline_id": "10",
    }
    policy = POLICY.model_copy(update={"excluded_deals": ("77",)})
    assert why_kept(policy, TakenDeal(**(told | changes)), "A") == why  # type: ignore[arg-type]


def test_what_comes_back_is_a_setting() -> None:
    """Case 43: option off; and those that were theirs by a person's hand, where that is wanted."""
    deal = TakenDeal(
        id="7",
        taken_from="A",
        created_for="B",
        given_to="B",
        owner="B",
        is_open=True,
        pipeline_id="10",
    )
    kept = {
        how: why_kept(POLICY.model_copy(update={"returns": how}), deal, "A")
        for how in ("created", "taken", "off")
    }
    assert kept == {"created": "not_created_theirs", "taken": None, "off": "returns_off"}


def test_deals_that_somebody_waits_for_go_first() -> None:
    deals = [
        OwnedDeal(id="old", owner="A", pipeline_id="10", created_at=START - timedelta(days=9)),
        OwnedDeal(id="new", owner="A", pipeline_id="10", created_at=START),
        OwnedDeal(id="due", owner="A", pipeline_id="10", task_due_at=START + DUE_SOON),
        OwnedDeal(id="later", owner="A", pipeline_id="10", task_due_at=START + 2 * DUE_SOON),
        OwnedDeal(id="overdue", owner="A", pipeline_id="10", task_due_at=START - timedelta(days=1)),
        OwnedDeal(id="wrote", owner="A", pipeline_id="10", waiting_since=START),
        OwnedDeal(id="wrote first", owner="A", pipeline_id="10", waiting_since=START - timedelta(hours=1)),
    ]
    assert [d.id for d in in_order(deals, START)] == [
        "wrote first", "wrote", "overdue", "due", "new", "old", "later"
    ]  # fmt: skip


def test_deals_are_left_out_by_id_tag_and_field() -> None:
    """S1.12."""
    policy = POLICY.model_copy(
        update={
            "excluded_deals": ("1",),
            "excluded_tags": ("vip",),
            "excluded_fields": (ExcludedField(field_id="5"), ExcludedField(field_id="6", value="нет")),
        }
    )

    def why(**told: object) -> str | None:
        return why_stays(policy, OwnedDeal(**{"id": "7", "owner": "A", "pipeline_id": "10", **told}), "A")  # type: ignore[arg-type]

    assert why() is None
    assert why(id="1") == "excluded_deal"
    assert why(tags=frozenset({"vip", "x"})) == "excluded_tag"
    assert why(fields={"5": "что-то"}) == "excluded_field"
    assert why(fields={"6": "нет"}) == "excluded_field"
    assert why(fields={"6": "да", "5": ""}) is None
    assert why(pipeline_id="11") == "other_pipeline"
    assert why(is_open=False) == "closed"
    assert why(owner="B") == "not_theirs"


def test_a_policy_that_cannot_work_is_told_why() -> None:
    found = problems(
        ShiftPolicy(is_on=True, pipelines=("10", "99"), group="нет", template="нет"),
        pipelines=["10"],
        groups=["sales"],
        templates=["всем"],
    )
    assert found == [
        PolicyProblem("pipelines", "shift-no-such-pipeline", "99"),
        PolicyProblem("group", "shift-no-such-group", "нет"),
        PolicyProblem("template", "shift-no-such-template", "нет"),
    ]
    empty = problems(ShiftPolicy(is_on=True), pipelines=None, groups=[], templates=[])
    assert [one.code for one in empty] == ["shift-no-pipeline", "shift-no-template"]
    assert problems(ShiftPolicy(), pipelines=[], groups=[], templates=[]) == []


_NAMES = st.sampled_from("ABC")
_DEALS = st.integers(0, 8).map(str)
_ACTS = st.one_of(
    st.tuples(st.just("leave"), _NAMES),
    st.tuples(st.just("come"), _NAMES),
    st.tuples(st.just("hand"), _DEALS, _NAMES),
    st.tuples(st.just("close"), _DEALS),
    st.tuples(st.just("add"), _NAMES),
    st.tuples(st.just("pass"), st.sampled_from([20, 60, WAIT, 600, 1800, 4000])),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_ACTS, max_size=25), st.integers(1, 4))
def test_whatever_people_do_nothing_is_lost_nor_taken_from_their_own_changes(
    acts: list[tuple[object, ...]], piece: int
) -> None:
    office = _office(piece=piece)
    by_hand: dict[str, int] = {}
    for act in acts:
        match act:
            case ("leave", str(name)):
                office.leave(name)
            case ("come", str(name)):
                office.come(name)
            case ("hand", str(id), str(name)):
                office.give_by_hand(id, name)
                by_hand[id] = len(office.journal)
            case ("close", str(id)):
                office.deals[id].is_open = False
            case ("add", str(name)):
                office.add(f"new {len(office.deals)}", name)
            case ("pass", int(seconds)):
                office.pass_time(seconds)
    for name in "ABC":
        office.come(name)
    office.pass_time(4 * 3600)

    for id, since in by_hand.items():
        moves = [move for move in office.journal[since:] if move[0] == id]
        assert not moves or moves[0][3] != "return", "what a person did is not undone by a move of before"
    for deal in office.deals.values():
        untouched = deal.id not in by_hand
        if untouched and deal.is_open:
            assert deal.owner == deal.created_for, deal
    assert not [run for run in office.runs if run.run.is_open]
    for name in "ABC":
        mass = [r.run.started_at for r in office.runs if r.run.kind == "away" and r.run.employee_id == name]
        pauses = [b - a for a, b in pairwise(mass)]
        assert all(pause >= timedelta(minutes=POLICY.pause_minutes) for pause in pauses)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["leave", "come"]), _NAMES), max_size=15))
def test_whoever_has_a_deal_while_somebody_is_there_is_there_in_the_end(acts: list[tuple[str, str]]) -> None:
    office = _office()
    for do, name in acts:
        (office.leave if do == "leave" else office.come)(name)
        office.pass_time(40 * 60)
    there = {name for name, person in office.people.items() if person.is_on}
    if there:
        assert {deal.owner for deal in office.deals.values()} <= there
    assert len(office.deals) == 9
