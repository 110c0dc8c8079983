"""A client whom somebody passed on, and whom nobody took over: the call stays answered, and everybody is told."""

from __future__ import annotations

from routing.calls.model import Call
from routing.conditions import Condition
from routing.effects import AttachCall
from routing.matrix.actions import Attach
from routing.matrix.decide import CELLS, Matrix, MatrixTable, SelectionRule, decide
from routing.matrix.model import Moment
from routing.matrix.situation import facts_of
from tests.unit.routing.matrix.situations import a_call, a_situation, an_entity, orders_of

CONTACT = an_entity("contact", "501", owner_id="11")


def left_waiting(is_left: bool = True) -> Call:
    return a_call(answered_by="101").model_copy(update={"is_left_waiting": is_left})


def test_the_note_says_that_nobody_took_over_and_the_trace_has_it_as_a_fact() -> None:
    cells = {cell: (Attach(),) if cell.endswith("/end") else () for cell in CELLS}
    matrix = Matrix(tables={"default": MatrixTable(name="t", cells=cells)})
    for is_left in (True, False):
        situation = a_situation(left_waiting(is_left), entities=(CONTACT,), moment=Moment.END)
        decided = decide(matrix, situation)
        (order,) = orders_of(decided).values()
        assert isinstance(order, AttachCall)
        assert ("Клиента перевели дальше, и никто не ответил" in (order.result or "")) is is_left
        assert order.status == "talked"
        assert any(step.facts.get("left_waiting") is True for step in decided.steps) is is_left


def test_a_rule_can_choose_another_table_for_such_calls() -> None:
    rule = SelectionRule(
        name="left",
        when=(Condition(parameter="left_waiting", test="equals", values=("yes",)),),
        matrix="other",
    )
    tables = {name: MatrixTable(name=name, cells=dict.fromkeys(CELLS, ())) for name in ("default", "other")}
    matrix = Matrix(tables=tables, selection=(rule,))
    assert decide(matrix, a_situation(left_waiting())).matrix == "other"
    said_by_the_pbx = left_waiting(is_left=False).model_copy(update={"params": {"left_waiting": "yes"}})
    assert decide(matrix, a_situation(said_by_the_pbx)).matrix == "default"
    assert "left_waiting" not in facts_of(a_situation(said_by_the_pbx))
