"""What an attempt came to does not depend on the order in which it was told, and each outcome asks for its own."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.outbound.attempts import (
    Attempt,
    AttemptOutcome,
    AttemptReason,
    AttemptSide,
    AttemptState,
    attempt_id_in,
    ended,
    reached,
)
from routing.outbound.retries import AttemptTries, RetryTable, after_attempt, with_try

OUR_ID = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
TABLE = RetryTable()
STATES = st.sampled_from(get_args(AttemptState)[:-1])
OUTCOMES = st.builds(
    AttemptOutcome,
    side=st.sampled_from(get_args(AttemptSide)),
    reason=st.sampled_from(get_args(AttemptReason)),
)


def _told(told: list[AttemptState | AttemptOutcome]) -> Attempt:
    attempt = Attempt()
    for one in told:
        attempt = ended(attempt, one) if isinstance(one, AttemptOutcome) else reached(attempt, one)
    return attempt


@given(st.lists(STATES | OUTCOMES, max_size=8), st.randoms(use_true_random=False))
def test_the_end_is_the_same_in_any_order_and_repetition(
    told: list[AttemptState | AttemptOutcome], chance: object
) -> None:
    again = [*told, *told]
    chance.shuffle(again)  # type: ignore[attr-defined]
    first, second = _told(told), _told(again)
    assert first.state == second.state
    sides = [o and o.side for o in (first.outcome, second.outcome)]
    assert sides[0] == sides[1]


@given(st.lists(STATES | OUTCOMES, max_size=8))
def test_a_talk_is_never_taken_back_and_what_is_over_stays_over(
    told: list[AttemptState | AttemptOutcome],
) -> None:
    talked = AttemptOutcome(side="talked", reason="talked")
    after = _told([talked, *told])
    assert (after.state, after.outcome) == ("over", talked)
    assert _told([*told, talked]).outcome == talked or any(
        isinstance(o, AttemptOutcome) and o.side == "talked" for o in told
    )


@pytest.mark.parametrize(
    ("side", "reason", "minutes", "most", "against"),
    [
        ("client", "busy", 5, 3, "client"),
        ("client", "no_answer", 60, 3, "client"),
        ("client", "declined", 240, 1, "client"),
        ("client", "unreachable", 60, 2, "client"),
        ("client", "machine", 60, 2, "client"),
        ("operator", "busy", 2, 3, "operator"),
        ("operator", "no_answer", 2, 3, "operator"),
        ("operator", "declined", 2, 3, "operator"),
        ("operator", "hung_up", 5, 1, "operator"),
    ],
)
def test_the_table_of_retries(
    side: AttemptSide, reason: AttemptReason, minutes: int, most: int, against: str
) -> None:
    tries, outcome = AttemptTries(), AttemptOutcome(side=side, reason=reason)
    for _ in range(most):
        after = after_attempt(outcome, TABLE, tries)
        assert (after.do, after.after, after.counts_against) == ("retry", timedelta(minutes=minutes), against)
        assert after.other_employee is (side == "operator")
        tries = with_try(tries, after.rule)
    assert after_attempt(outcome, TABLE, tries).do == "fail"


def test_an_employee_who_does_not_answer_costs_the_client_no_try() -> None:
    tries = AttemptTries()
    for _ in range(3):
        tries = with_try(
            tries, after_attempt(AttemptOutcome(side="operator", reason="busy"), TABLE, tries).rule
        )
    after = after_attempt(AttemptOutcome(side="client", reason="busy"), TABLE, tries)
    assert (after.do, after.counts_against) == ("retry", "client")


@pytest.mark.parametrize(
    ("outcome", "do", "more"),
    [
        (AttemptOutcome(side="talked", reason="talked"), "succeed", {}),
        (AttemptOutcome(side="unknown", reason="never_heard_of"), "ask", {}),
        (AttemptOutcome(side="client", reason="bad_number"), "fail", {}),
        (AttemptOutcome(side="refused", reason="pbx_refused"), "retry", {"stops_connection": True}),
        (AttemptOutcome(side="refused", reason="pbx_limit"), "retry", {"slower": True}),
    ],
)
def test_what_is_no_question_of_trying_again(outcome: AttemptOutcome, do: str, more: dict[str, bool]) -> None:
    after = after_attempt(outcome, TABLE, AttemptTries())
    assert after.do == do
    assert {name: getattr(after, name) for name in more} == more


@given(OUTCOMES, st.dictionaries(st.text(max_size=10), st.integers(0, 5)))
def test_unknown_is_never_tried_again_and_every_item_comes_to_an_end(
    outcome: AttemptOutcome, by_rule: dict[str, int]
) -> None:
    after = after_attempt(outcome, TABLE, AttemptTries(by_rule=by_rule))
    if outcome.side == "unknown":
        assert after.do == "ask"
    tries, turns = AttemptTries(by_rule=by_rule), 0
    while after.do == "retry" and after.counts_against != "nobody":
        tries, turns = with_try(tries, after.rule), turns + 1
        after = after_attempt(outcome, TABLE, tries)
        assert turns <= 20


@pytest.mark.parametrize(
    ("told", "known_as"),
    [
        (OUR_ID, OUR_ID),
        (OUR_ID.upper(), OUR_ID),
        (f" {OUR_ID}", OUR_ID),
        ("1795262400.7", None),
        ("cm-4f2a-1795262400-1", None),
        (f"{OUR_ID};x", None),
        (None, None),
    ],
)
def test_our_id_is_told_from_a_pbxs_own_by_its_form(told: str | None, known_as: str | None) -> None:
    assert attempt_id_in(told) == known_as
