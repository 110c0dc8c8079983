"""What became of an attempt is read from its call: the side, the reason, and nothing that nobody told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calls.fold import fold
from routing.calls.model import Call, CallEvent, Disposition, EventKind, FailedSide
from routing.outbound.outcome import outcome_of

START = datetime(2026, 7, 1, 9, tzinfo=UTC)
EMPLOYEE, HUNG_UP, CLIENT = FailedSide


def an_event(kind: EventKind, second: int, **fields: object) -> CallEvent:
    about = {"kind": kind, "call_key": "a", "at": START + timedelta(seconds=second), "leg": "a"}
    return CallEvent.model_validate({**about, **fields})


def an_attempt(side: FailedSide | None = None, cause: Disposition | None = None) -> list[CallEvent]:
    """Whose side, and what the leg that decides it said."""
    leg = "b" if side is CLIENT else "a"
    rung = [an_event(EventKind.RANG, 3, leg="b")] if side is CLIENT else []
    return [
        an_event(EventKind.STARTED, 0, direction="outbound", client="+79161234567"),
        *rung,
        an_event(EventKind.LEG_ENDED, 9, leg=leg, cause=cause),
        an_event(EventKind.ENDED, 10, leg=None, failed_side=side),
    ]


def a_talk() -> list[CallEvent]:
    begun, *_, ended = an_attempt()
    return [begun, an_event(EventKind.ANSWERED, 5, leg="b", party="101"), ended]


@pytest.mark.parametrize(
    ("side", "cause", "is_known_as"),
    [
        (EMPLOYEE, Disposition.BUSY, ("operator", "busy")),
        (EMPLOYEE, Disposition.REJECTED, ("operator", "declined")),
        (EMPLOYEE, Disposition.FAILED, ("operator", "unreachable")),
        (EMPLOYEE, None, ("operator", "no_answer")),
        (HUNG_UP, Disposition.BUSY, ("operator", "hung_up")),
        (CLIENT, Disposition.BUSY, ("client", "busy")),
        (CLIENT, Disposition.NO_ANSWER, ("client", "no_answer")),
        (CLIENT, Disposition.REJECTED, ("client", "declined")),
        (CLIENT, Disposition.FAILED, ("client", "unreachable")),
        (CLIENT, Disposition.CANCELLED, ("client", "cancelled")),
        (None, Disposition.BUSY, ("unknown", "never_heard_of")),
    ],
)
def test_side_and_reason(
    side: FailedSide | None, cause: Disposition | None, is_known_as: tuple[str, str]
) -> None:
    outcome = outcome_of(fold(an_attempt(side, cause)))
    assert outcome is not None
    assert (outcome.side, outcome.reason) == is_known_as


def test_who_talked_has_talked_whatever_failed_on_the_way() -> None:
    outcome = outcome_of(fold(a_talk()))
    assert outcome is not None
    assert outcome.side == "talked"


def test_while_it_goes_on_there_is_no_outcome() -> None:
    assert outcome_of(fold(a_talk()[:1])) is None
    assert outcome_of(fold(a_talk()[:2])) is None


def test_of_what_nobody_heard_nobody_knows() -> None:
    outcome = outcome_of(None)
    assert outcome is not None
    assert (outcome.side, outcome.reason) == ("unknown", "never_heard_of")


def test_a_silent_call_whose_end_was_lost_may_have_become_a_talk() -> None:
    call: Call = fold(an_attempt(CLIENT)).model_copy(update={"is_end_lost": True})
    outcome = outcome_of(call)
    assert outcome is not None
    assert outcome.side == "unknown"


_CAUSES = (Disposition.BUSY, Disposition.NO_ANSWER, Disposition.REJECTED, Disposition.FAILED)
ATTEMPTS = [
    a_talk(),
    *(an_attempt(side, cause) for side in (*FailedSide, None) for cause in (*_CAUSES, None)),
]


@given(st.sampled_from(ATTEMPTS), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_outcome_is_the_same_in_any_order_and_repetition(
    told: list[CallEvent], chance: Random, times: int
) -> None:
    again = [*told * times]
    chance.shuffle(again)
    assert outcome_of(fold(again)) == outcome_of(fold(told))
