"""Responsible by distribution template: whose turn it is, booked once a call, whatever moments and actions ask."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from routing.distribution.item import Standing
from routing.distribution.ledger import UNIT, TurnLedger
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.matrix.actions import MakeContact, MakeDeal, MakeNote, MakeTask
from routing.matrix.by_template.turns import CallTurns, TemplateNow, named_templates
from routing.matrix.decide import Matrix, MatrixDecision, Situation, decide
from routing.staff import Staff
from tests.unit.routing.matrix.situations import (
    GONE,
    MARIA,
    OLEG,
    PETR,
    UNMAPPED,
    a_call,
    a_situation,
    an_entity,
    orders_of,
    played,
)
from tests.unit.routing.matrix.test_decide import a_matrix

BY_SALES: Any = "template:sales"
CALL_BACK = MakeTask(text="x", purpose="call_back", responsible=BY_SALES)
MISSED_NEW = a_matrix(
    inbound_missed_new__end=(MakeContact(responsible=BY_SALES), MakeDeal(responsible=BY_SALES), CALL_BACK)
)


def sales(
    *people: str,
    ledgers: dict[str, TurnLedger] | None = None,
    away: dict[str, Any] | None = None,
    **more: Any,
) -> TemplateNow:
    members = tuple(TemplateMember(employee_id=p) for p in people or ("petr", "maria"))
    return TemplateNow(
        version=3,
        template=DistributionTemplate(name="sales", employees=members, **more),
        ledgers=ledgers or {},
        standings={person: Standing(off=why) for person, why in (away or {}).items()},
    )


def known(now: TemplateNow | None = None, **more: Any) -> CallTurns:
    return CallTurns(templates={"sales": now or sales()}, **more)


def owners(decision: MatrixDecision) -> list[str | None]:
    return [e.order.owner_id for e in decision.effects]  # type: ignore[union-attr]


def because(decision: MatrixDecision) -> list[Any]:
    return [s.facts["owner_because"] for s in decision.steps if "owner_because" in s.facts]


def test_all_that_a_missed_call_orders_goes_to_the_one_whose_turn_it_is_and_is_booked_once() -> None:
    decision = decide(MISSED_NEW, a_situation(turns=known()))
    assert owners(decision) == ["11", "11", "11"]
    [turn] = decision.turns
    assert (turn.template, turn.version, turn.employee_id, turn.outcome) == ("sales", 3, "petr", "given")
    assert [e.winner for e in turn.entries] == ["petr"]
    assert turn.ledgers[""].credits == {"petr": -UNIT // 2, "maria": UNIT // 2}
    assert sum(turn.ledgers[""].credits.values()) == 0


def test_the_next_one_gets_the_next_call() -> None:
    first = decide(MISSED_NEW, a_situation(turns=known()))
    second = decide(MISSED_NEW, a_situation(turns=known(sales(ledgers=dict(first.turns[0].ledgers)))))
    assert owners(second) == ["12", "12", "12"]


def test_explain_names_everybody_who_was_considered_with_a_reason() -> None:
    staff = Staff.of([PETR, MARIA, OLEG, GONE, UNMAPPED])
    people = sales("petr", "maria", "gone", "new", "nobody", away={"petr": "on_leave"})
    decision = decide(MISSED_NEW, a_situation(turns=known(people), staff=staff))
    told = {s.facts["employee"]: s.because for s in decision.steps if s.rule == "person"}
    assert told == {
        "petr": "on_leave",
        "maria": "could_get_it",
        "gone": "inactive",
        "new": "unmapped",
        "nobody": "not_member",
    }
    assert owners(decision) == ["12", "12", "12"]
    assert [s.verdict for s in decision.steps].count("decided") == 1
    assert decision.steps[-1].verdict == "decided"


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (sales("gone"), "template_nobody"),
        (sales(away={"petr": "on_leave", "maria": "on_leave"}), "template_waits"),
    ],
)
def test_where_the_template_finds_nobody_the_senior_manager_gets_it_and_nothing_is_booked(
    now: TemplateNow, why: str
) -> None:
    decision = decide(MISSED_NEW, a_situation(turns=known(now)))
    assert (owners(decision), because(decision)) == (["10"] * 3, [why] * 3)
    assert decision.turns == ()
    assert {s.facts.get("employee") for s in decision.steps if s.rule == "person"} >= {
        m.employee_id for m in now.template.employees
    }


def test_a_template_that_is_gone_gives_way_to_the_senior_manager() -> None:
    decision = decide(MISSED_NEW, a_situation(turns=CallTurns()))
    assert (owners(decision), because(decision)) == (["10"] * 3, ["template_unknown"] * 3)


def test_who_answered_of_the_template_has_it_whoever_s_turn_it_was() -> None:
    matrix = a_matrix(inbound_answered_new__end=(MakeContact(responsible=BY_SALES),))
    decision = decide(matrix, a_situation(a_call(answered_by="102"), turns=known()))
    assert (owners(decision), because(decision)) == (["12"], ["template_answered"])
    assert decision.turns[0].ledgers[""].credits == {"maria": -UNIT // 2, "petr": UNIT // 2}
    by_another = decide(matrix, a_situation(a_call(answered_by="100"), turns=known()))
    assert (owners(by_another), because(by_another)) == (["11"], ["by_template"])


def test_who_answered_although_off_shift_has_it() -> None:
    matrix = a_matrix(inbound_answered_new__end=(MakeContact(responsible=BY_SALES),))
    away = sales(away={"maria": "on_leave"})
    decision = decide(matrix, a_situation(a_call(answered_by="102"), turns=known(away)))
    assert owners(decision) == ["12"]
    assert sum(decision.turns[0].ledgers[""].credits.values()) == 0


def test_a_whole_call_has_one_turn_at_whichever_moment_it_is_asked_first() -> None:
    matrix = a_matrix(
        inbound_ringing_new__ring=(MakeContact(responsible=BY_SALES),),
        inbound_answered_new__answer=(MakeDeal(responsible=BY_SALES),),
        inbound_answered_new__end=(MakeTask(text="x", responsible=BY_SALES),),
    )
    whole = played(matrix, a_situation(a_call(answered_by="102"), turns=known()))
    assert [owners(d) for d in whole.decisions] == [["11"], ["11"], ["11"]]
    assert [len(d.turns) for d in whole.decisions] == [1, 0, 0]
    assert because(whole.decisions[-1]) == ["template_picked_before"]


def test_nothing_is_booked_for_what_is_not_ordered() -> None:
    contact = an_entity("contact", "501", owner_id="12")
    matrix = a_matrix(inbound_missed_known_without_deal__end=(MakeContact(responsible=BY_SALES),))
    decision = decide(matrix, a_situation(entities=(contact,), turns=known()))
    assert (decision.effects, decision.turns) == ((), ())
    ordered = decide(
        MISSED_NEW, a_situation(turns=known(), ordered=("c-1:contact", "c-1:deal", "c-1:task:call_back"))
    )
    assert (ordered.effects, ordered.turns) == ((), ())


def test_who_is_to_call_back_already_does_and_no_turn_is_spent() -> None:
    matrix = a_matrix(inbound_missed_new__end=(CALL_BACK,))
    decision = decide(matrix, a_situation(turns=known(case_owner="12")))
    assert (owners(decision), because(decision), decision.turns) == (["12"], ["case_owner"], ())


def test_a_client_for_one_person_goes_to_that_person_and_no_turn_is_spent() -> None:
    decision = decide(MISSED_NEW, a_situation(turns=known(only="maria")))
    assert owners(decision) == ["12", "12", "12"]
    assert set(because(decision)) == {"only_this_person"}
    assert all(turn.entries == () for turn in decision.turns)


def test_a_client_for_one_person_is_called_back_by_them_whatever_the_action_says() -> None:
    matrix = a_matrix(
        inbound_missed_new__end=(MakeTask(text="x", purpose="call_back", responsible="senior"),)
    )
    assert owners(decide(matrix, a_situation(turns=CallTurns(only="maria")))) == ["12"]
    assert owners(decide(matrix, a_situation(turns=CallTurns(only="gone")))) == ["10"]


def test_a_client_who_is_somebody_s_stays_theirs_where_the_template_says_so() -> None:
    theirs = sales(repeat={"by": "contacts"})
    deal = an_entity("deal", "7", owner_id="12", is_open=True)
    matrix = a_matrix(inbound_missed_known_with_deal__end=(CALL_BACK,))
    decision = decide(matrix, a_situation(entities=(deal,), turns=known(theirs)))
    assert (owners(decision), because(decision)) == (["12"], ["template_kept"])
    assert decision.turns[0].entries == ()


def test_quiet_hours_of_the_template_give_the_senior_manager_the_task() -> None:
    quiet = sales(quiet_hours=(("12:00", "15:00"),))
    decision = decide(MISSED_NEW, a_situation(turns=known(quiet)))
    assert set(because(decision)) == {"template_waits"}


def test_a_stored_situation_is_decided_the_same_again() -> None:
    before = a_situation(
        turns=known(sales(ledgers={"": TurnLedger({"petr": -5, "maria": 5}, {"petr": 4}, 4)}))
    )
    stored = orjson.loads(orjson.dumps(before.model_dump(mode="json")))
    assert decide(MISSED_NEW, Situation.model_validate(stored)) == decide(MISSED_NEW, before)


def test_templates_that_a_matrix_names_are_found() -> None:
    matrix: Matrix = a_matrix(
        inbound_missed_new__end=(CALL_BACK, MakeNote(text="x", responsible="template:night")),
        inbound_answered_new__end=(MakeContact(responsible="senior"),),
    )
    assert named_templates(matrix) == {"sales", "night"}
    assert orders_of(decide(matrix, a_situation(turns=known())))
