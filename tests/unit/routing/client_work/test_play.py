from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings

from routing.calls.model import Call
from routing.client_work.play import Played, same_orders
from routing.matrix.actions import Card, SetFields
from routing.matrix.decide import CELLS, Matrix, MatrixTable, Moment, Situation, decide
from routing.matrix.presets import recommended, unsorted, update_only
from tests.unit.routing.matrix.situations import NOW, a_call, a_situation, an_entity
from tests.unit.routing.matrix.situations import played as play
from tests.unit.routing.matrix.test_decide import MATRICES, SITUATIONS

CONTACT = an_entity("contact", "501", owner_id="11")


def keys(played: Played) -> list[list[str]]:
    return [[e.key for e in d.effects] for d in played.decisions]


def test_an_answered_call_of_a_new_client_is_played_from_ring_to_end() -> None:
    played = play(recommended(), a_situation(a_call(answered_by="101", talk_seconds=60)))
    assert [d.moment for d in played.decisions] == [Moment.RING, Moment.ANSWER, Moment.END]
    assert keys(played) == [[], ["c-1:contact", "c-1:deal"], ["c-1:call"]]
    assert played.effects[-1].after == ("c-1:deal",)
    assert played.counts == {"create_contact": 1, "create_deal": 1, "attach_call": 1}


def test_a_missed_call_is_decided_when_it_is_settled() -> None:
    played = play(recommended(), a_situation(a_call(), entities=(CONTACT,)))
    assert keys(played) == [[], ["c-1:task:call_back"]]
    settled = NOW + timedelta(seconds=90 + 10)
    assert played.effects[0].order.due_at == settled + timedelta(minutes=60)  # type: ignore[union-attr]


def test_at_answer_neither_length_nor_recording_is_known() -> None:
    call = a_call(answered_by="101", talk_seconds=60, recording="https://pbx.example/1.mp3")
    lead = play(unsorted(), a_situation(call)).effects[0].order
    assert (lead.talk_seconds, lead.recording) == (0, None)  # type: ignore[union-attr]


def test_while_it_rings_nobody_has_answered() -> None:
    cells = {c: (Card(),) if c == "inbound.ringing.new/ring" else () for c in CELLS}
    matrix = Matrix(tables={"default": MatrixTable(name="t", cells=cells)})
    call = a_call(answered_by="101", rung=("101", "102"))
    assert play(matrix, a_situation(call)).effects[0].order.user_ids == ("11", "12")  # type: ignore[union-attr]


def test_waiting_for_another_integration_is_over_at_once() -> None:
    played = play(update_only(), a_situation(a_call(answered_by="101")))
    assert [d.reason for d in played.decisions] == ["empty_cell", "empty_cell", "nothing_to_update"]


def test_what_others_make_during_the_call_is_there_from_that_moment_on() -> None:
    situation = a_situation(a_call(answered_by="101"))
    at_end = play(update_only(), situation, {Moment.END: (CONTACT,)})
    assert [d.reason for d in at_end.decisions] == ["empty_cell", "empty_cell", "ordered"]
    assert [e.order.target for e in at_end.effects] == [CONTACT.ref]  # type: ignore[union-attr]
    at_answer = play(recommended(), situation, {Moment.ANSWER: (CONTACT,)})
    assert keys(at_answer) == [[], ["c-1:deal"], ["c-1:call"]], "his contact is used"


def test_an_internal_call_leaves_nothing() -> None:
    assert play(recommended(), a_situation(a_call(direction="internal"))).decisions == ()


def test_two_matrices_leave_the_same_when_their_orders_are_equal() -> None:
    def played(matrix: Matrix, call: Call | None = None) -> Played:
        return play(matrix, a_situation(call, entities=(CONTACT,)))

    answered = a_call(answered_by="101")
    assert same_orders(played(recommended(), answered), played(unsorted(), answered))
    assert not same_orders(played(recommended()), played(unsorted()))
    cells = {
        **recommended().tables["default"].cells,
        "inbound.ringing.known_without_deal/ring": (SetFields(),),
    }
    idle = Matrix(tables={"default": MatrixTable(name="t", cells=cells)})
    assert same_orders(played(recommended()), played(idle))


@given(MATRICES, SITUATIONS)
@settings(max_examples=100, deadline=None)
def test_a_played_call_orders_nothing_twice_and_refers_only_backwards(
    matrix: Matrix, situation: Situation
) -> None:
    played = play(matrix, situation.model_copy(update={"ordered": ()}))
    seen: list[str] = []
    for effect in played.effects:
        assert effect.key not in seen
        assert set(effect.after) <= set(seen)
        seen.append(effect.key)


def test_the_last_decision_of_a_played_call_is_what_the_live_one_would_be() -> None:
    situation = a_situation(a_call(answered_by="101"), entities=(CONTACT,), moment="end")
    assert play(recommended(), situation).decisions[-1] == decide(recommended(), situation)
