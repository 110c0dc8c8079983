"""What a call of ours leaves behind when it broke off on our own side, before the client could answer or not."""

from __future__ import annotations

from typing import Any

import pytest

from routing.calls.model import Call, FailedSide
from routing.conditions import Condition
from routing.effects import AddNote, AttachCall
from routing.matrix.actions import Attach, MakeNote
from routing.matrix.decide import CELLS, Matrix, MatrixTable, SelectionRule, decide
from routing.settings import AccountSettings
from tests.unit.routing.matrix.situations import a_call, a_situation, an_entity, orders_of

CONTACT = an_entity("contact", "501", owner_id="11")
OURS = (FailedSide.EMPLOYEE_NOT_REACHED, FailedSide.EMPLOYEE_HUNG_UP)


def unanswered(side: FailedSide | None, direction: str = "outbound", **more: Any) -> Call:
    return a_call(direction=direction, got_to=side, **more)


def a_matrix(*actions: Attach | MakeNote, rules: tuple[SelectionRule, ...] = ()) -> Matrix:
    named = {cell: actions if ".missed." in cell else () for cell in CELLS}
    tables = {
        "default": MatrixTable(name="t", cells=named),
        "none": MatrixTable(name="n", cells=dict.fromkeys(CELLS, ())),
    }
    return Matrix(tables=tables, selection=rules)


def the_note(call: Call, language: str = "ru") -> AttachCall | AddNote:
    settings = AccountSettings.model_validate({"language": language})
    situation = a_situation(call, entities=(CONTACT,), settings=settings)
    (order,) = orders_of(decide(a_matrix(Attach()), situation)).values()
    assert isinstance(order, AttachCall | AddNote)
    return order


@pytest.mark.parametrize("side", [None, FailedSide.CLIENT_NOT_REACHED])
def test_a_client_who_was_not_reached_did_not_answer(side: FailedSide | None) -> None:
    note = the_note(unanswered(side))
    assert isinstance(note, AttachCall)
    assert (note.result, note.status) == ("Клиент не ответил", "no_answer")


@pytest.mark.parametrize(
    ("side", "russian", "english"),
    [
        (OURS[0], "Сотрудник не ответил", "The employee did not answer"),
        (
            OURS[1],
            "Сотрудник положил трубку раньше, чем дозвонились до клиента",
            "The employee hung up before the client was reached",
        ),
    ],
)
def test_a_call_that_broke_off_on_our_side_is_no_call_note_of_the_client(
    side: FailedSide, russian: str, english: str
) -> None:
    """A call note has a status, and each that the CRM knows is said of the client."""
    note = the_note(unanswered(side, disposition="busy"))
    assert isinstance(note, AddNote)
    assert (note.text, note.target) == (russian, CONTACT.ref)
    assert the_note(unanswered(side), "en").text == english  # type: ignore[union-attr]


def test_of_a_call_of_our_order_whose_end_nobody_heard_no_silence_of_the_client_is_noted() -> None:
    call = unanswered(None, attempt="0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c")
    note = the_note(call)
    assert isinstance(note, AddNote)
    assert note.text == "Чем закончился звонок, сделанный программой, неизвестно: АТС не сообщила"
    assert isinstance(the_note(call.model_copy(update={"direction": "inbound"})), AttachCall)


def test_without_anything_to_attach_it_to_that_is_said() -> None:
    decision = decide(a_matrix(Attach()), a_situation(unanswered(OURS[0])))
    assert (decision.reason, decision.steps[-2].because) == ("nothing_to_do", "nothing_to_attach_to")


def test_a_missed_call_of_a_client_who_asked_for_it_stays_a_missed_call() -> None:
    note = the_note(unanswered(OURS[0], direction="inbound", is_callback=True))
    assert isinstance(note, AttachCall)
    assert note.result == "Пропущенный звонок"


def test_a_rule_may_ask_whose_side_it_was() -> None:
    rule = SelectionRule(
        when=(Condition(parameter="failed_side", values=("employee_not_reached",)),), matrix="none"
    )
    matrix = a_matrix(Attach(), rules=(rule,))
    chosen = {side: decide(matrix, a_situation(unanswered(side))).matrix for side in (None, *FailedSide)}
    assert [side for side, table in chosen.items() if table == "none"] == [FailedSide.EMPLOYEE_NOT_REACHED]


def test_a_pbx_cannot_say_it_by_a_parameter_of_that_name() -> None:
    rule = SelectionRule(when=(Condition(parameter="failed_side", values=("x",)),), matrix="none")
    call = unanswered(None, params={"failed_side": "x"})
    assert decide(a_matrix(Attach(), rules=(rule,)), a_situation(call)).matrix == "default"


def test_a_text_may_name_it_and_the_trace_does() -> None:
    note = MakeNote(text="{{ call.failed_side | default('?') }}")
    decision = decide(a_matrix(note), a_situation(unanswered(OURS[1]), entities=(CONTACT,)))
    assert [e.order.text for e in decision.effects] == ["employee_hung_up"]  # type: ignore[union-attr]
    row = next(step for step in decision.steps if step.because == "call_kind")
    assert row.facts["failed_side"] == "employee_hung_up"
