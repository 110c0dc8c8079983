"""A client who was missed is called back where the cell says so, and in no other case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from routing.matrix.actions import CallClientBack
from routing.matrix.decide import decide
from routing.matrix.presets import PRESETS
from tests.unit.routing.matrix.situations import CLIENT, a_call, a_situation, an_entity, orders_of
from tests.unit.routing.matrix.test_decide import a_matrix

KNOWN = a_matrix(inbound_missed_known_with_deal__end=(CallClientBack(connection="main"),))
OWNED = (an_entity("contact", "501", owner_id="11"), an_entity("deal", "601", owner_id="11"))


def a_missed(**changes: Any) -> Any:
    client = a_situation().client.model_copy(update={"entities": OWNED})
    return a_situation(client=client, client_kind="known_with_deal", **changes)


def test_the_responsible_is_rung_for_a_client_who_was_missed() -> None:
    order = orders_of(decide(KNOWN, a_missed()))["call-client"]
    assert (order.number, order.employee_id, order.connection) == (CLIENT, "petr", "main")
    assert (order.deal_id, order.contact_id) == ("601", "501")


def test_once_ordered_it_is_not_ordered_again() -> None:
    assert orders_of(decide(KNOWN, a_missed(ordered=("c-1:call-client",)))) == {}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"late": timedelta(hours=2)}, "missed_too_long_ago"),
        ({"responsible": "employee:new"}, "ordered"),  # unmapped: the senior is rung
    ],
)
def test_each_step_says_why_it_is_not(changes: dict[str, Any], why: str) -> None:
    action = CallClientBack(connection="main", responsible=changes.get("responsible", "owner"))
    matrix = a_matrix(inbound_missed_known_with_deal__end=(action,))
    started = a_situation().now - changes.get("late", timedelta(minutes=1))
    found = decide(matrix, a_missed(call=a_call(started_at=started)))
    assert [step.because for step in found.steps if "call_back" in step.rule] == [why]


def test_no_preset_calls_anybody() -> None:
    for preset in PRESETS.values():
        for table in preset().tables.values():
            assert not any(isinstance(a, CallClientBack) for cell in table.cells.values() for a in cell)
