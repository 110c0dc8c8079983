"""Which phones rang, when, who picked up and when each was gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import Call, CallEvent, Disposition, EventKind, Leg

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _event(kind: str, second: float, **fields: Any) -> CallEvent:
    return CallEvent(kind=EventKind(kind), call_key="c1", at=_at(second), **fields)


def _at(second: float | None) -> datetime:
    assert second is not None
    return NOON + timedelta(seconds=second)


def _leg(
    party: str | None,
    rang: float | None,
    answered: float | None,
    left: float | None,
    cause: str | None = None,
) -> Leg:
    return Leg(
        party=party,
        rang_at=None if rang is None else _at(rang),
        answered_at=None if answered is None else _at(answered),
        left_at=None if left is None else _at(left),
        cause=Disposition(cause) if cause else None,
    )


def _started() -> CallEvent:
    return _event("started", 0, direction="inbound", client="+79001234567", line="+74951234567")


def test_every_phone_of_a_group_has_its_own_times() -> None:
    call = fold(
        [
            _started(),
            _event("rang", 1, leg="a", party="101"),
            _event("rang", 1.5, leg="b", party="102"),
            _event("rang", 1.5, leg="b", party="102"),
            _event("leg_ended", 4, leg="b", party="102", cause=Disposition.BUSY),
            _event("answered", 9, leg="a", party="101"),
            _event("leg_ended", 30, leg="a", party="101"),
            _event("ended", 30),
        ]
    )
    assert call.legs == (_leg("101", 1, 9, 30), _leg("102", 1.5, None, 4, "busy"))


def test_a_phone_that_rings_again_is_a_leg_of_its_own() -> None:
    call = fold(
        [
            _started(),
            _event("rang", 1, party="101"),
            _event("leg_ended", 10, party="101", cause=Disposition.NO_ANSWER),
            _event("rang", 12, party="101"),
            _event("answered", 15, party="101"),
            _event("ended", 40),
        ]
    )
    assert call.legs == (_leg("101", 1, None, 10, "no_answer"), _leg("101", 12, 15, 40))


def test_who_took_over_without_ringing_has_a_leg_and_when_a_phone_stopped_is_not_invented() -> None:
    call = fold(
        [
            _started(),
            _event("rang", 1, party="101"),
            _event("rang", 1, party="102"),
            _event("answered", 5, leg="x", party="103"),
            _event("ended", 20),
        ]
    )
    assert call.legs == (_leg("101", 1, None, None), _leg("102", 1, None, None), _leg("103", None, 5, 20))


def test_a_call_whose_hangup_was_lost_ends_its_talk_and_not_the_phones_that_only_rang() -> None:
    call = fold(
        [
            _started(),
            _event("rang", 1, party="101"),
            _event("rang", 1, party="102"),
            _event("answered", 5, party="101"),
        ]
    )
    closed = close_lost(call, _at(900))
    assert closed.legs == (_leg("101", 1, 5, 900), _leg("102", 1, None, None))


def test_a_call_stored_before_legs_were_kept_is_read() -> None:
    facts = fold([_started(), _event("ended", 9)]).model_dump(mode="json", exclude={"legs"})
    assert Call.model_validate(facts).legs == ()
