"""A deal goes to one of these people, and the walk says why."""

from __future__ import annotations

from tests.unit.routing.distribution.people import Office, a_staff, a_template, weighted


def test_three_people_who_are_all_there_are_served_in_turn() -> None:
    office = Office(a_template("A", "B", "C"), a_staff("A", "B", "C"))
    assert office.give_many(1000) == ("ABC" * 334)[:1000]


def test_weights_in_a_row_give_one_two_then_two_in_a_row_and_five() -> None:
    template = a_template(balance="in_a_row", employees=weighted(A=1, B=1, C=2, D=1))
    assert Office(template, a_staff("A", "B", "C", "D")).give_many(10) == "ABCCDABCCD"


def test_every_person_considered_has_one_step_and_the_last_step_decides() -> None:
    found = Office(a_template("A", "B", "C"), a_staff("A", "B")).give()
    told = [step.facts["employee"] for step in found.steps if step.rule == "person"]
    assert sorted(map(str, told)) == ["a", "b", "c"]
    assert [step.verdict for step in found.steps].count("decided") == 1
    assert found.steps[-1].verdict == "decided"
