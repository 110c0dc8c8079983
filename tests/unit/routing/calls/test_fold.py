"""Events folded into calls: any order, any repetition, and who wins where they disagree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calls.fold import fold
from routing.calls.lost import close_lost, lost_at
from routing.calls.model import Call, CallEvent, Disposition, EventKind, FailedSide

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PATIENCE = timedelta(hours=2)


def an_event(kind: str, second: float = 0, **fields: Any) -> CallEvent:
    fields.setdefault("call_key", "c1")
    return CallEvent(kind=EventKind(kind), at=NOON + timedelta(seconds=second), **fields)


def answered_call() -> list[CallEvent]:
    return [
        an_event("started", 0, direction="inbound", client="+79001234567", line="+74951234567"),
        an_event("rang", 1, party="101"),
        an_event("answered", 5, party="101"),
        an_event("ended", 35),
    ]


_seconds = st.integers(-300, 300)
_events = st.builds(
    lambda kind, second, leg, party, cause, talk, wait, seq, direction, client, answered, side, attempt, word: (
        an_event(
            kind,
            second,
            leg=leg,
            party=party,
            cause=cause,
            talk_seconds=talk,
            wait_seconds=wait,
            seq=seq,
            direction=direction,
            client=client,
            failed_side=side,
            attempt=attempt,
            number_word=word,
            answered_at=None if answered is None else NOON + timedelta(seconds=answered),
            params={"utm_source": party} if party else {},
        )
    ),
    st.sampled_from([kind.value for kind in EventKind]),
    _seconds,
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, "101", "102"]),
    st.sampled_from([None, *Disposition]),
    st.sampled_from([None, 0, 30]),
    st.sampled_from([None, 3]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, "inbound", "outbound", "internal"]),
    st.sampled_from([None, "+79001234567", "+79007654321"]),
    st.one_of(st.none(), _seconds),
    st.sampled_from([None, *FailedSide]),
    st.sampled_from([None, "first attempt", "second attempt"]),
    st.sampled_from([None, "no_such_number", "machine"]),
)


@given(st.lists(_events, min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_the_same_call(events: list[CallEvent], random: Any) -> None:
    repeated = [event for event in events for _ in range(random.randint(1, 3))]
    random.shuffle(repeated)
    assert fold(repeated) == fold(events)


@given(st.lists(_events, min_size=1, max_size=9))
def test_no_call_has_a_negative_duration_whatever_the_clocks_say(events: list[CallEvent]) -> None:
    call = fold(events)
    assert call.talk_seconds is None or call.talk_seconds >= 0
    assert call.wait_seconds is None or call.wait_seconds >= 0
    assert call.answered_at is None or call.answered_at >= call.started_at
    assert call.ended_at is None or call.ended_at >= (call.answered_at or call.started_at)
    for talk in call.talks:
        assert talk.started_at >= call.started_at
        assert talk.ended_at is None or talk.ended_at >= talk.started_at
        assert call.ended_at is None or talk.ended_at is None or talk.ended_at <= call.ended_at


@given(st.lists(_events, min_size=1, max_size=9))
def test_the_parts_of_a_call_agree_with_each_other(events: list[CallEvent]) -> None:
    call = fold(events)
    assert call.is_answered == bool(call.talks)
    assert call.is_answered == (call.disposition in (Disposition.ANSWERED, Disposition.TALKING))
    assert call.is_over == (call.ended_at is not None)
    assert call.is_over == (call.disposition not in (Disposition.RINGING, Disposition.TALKING))


@given(st.lists(_events, min_size=1, max_size=9), _seconds)
def test_closing_a_lost_call_ends_it_and_a_second_time_changes_nothing(
    events: list[CallEvent], second: int
) -> None:
    call = fold(events)
    closed = close_lost(call, NOON + timedelta(seconds=second))
    assert closed.is_over
    assert closed.is_answered == call.is_answered
    assert closed.ended_at is not None
    assert closed.ended_at >= closed.started_at
    assert close_lost(closed, NOON + timedelta(days=1)) == closed


def test_an_answered_call_knows_who_when_and_how_long() -> None:
    call = fold(answered_call())
    assert (call.disposition, call.answered_by, call.talk_seconds, call.wait_seconds) == (
        "answered",
        "101",
        30,
        5,
    )
    assert (call.client, call.line, call.direction) == ("+79001234567", "+74951234567", "inbound")
    assert call.talks[0].ended_at == call.ended_at == NOON + timedelta(seconds=35)


@given(st.permutations(range(4)))
def test_an_ordered_call_keeps_its_attempt_whichever_message_carried_it(order: list[int]) -> None:
    for carrier in range(4):
        told = [
            event.model_copy(update={"attempt": "ours"}) if n == carrier else event
            for n, event in enumerate(answered_call())
        ]
        assert fold([told[n] for n in order]).attempt == "ours"
    assert fold(answered_call()).attempt is None


def test_a_late_answer_beats_an_earlier_missed() -> None:
    missed = [an_event("started"), an_event("ended", 20, cause=Disposition.NO_ANSWER)]
    assert fold(missed).disposition is Disposition.NO_ANSWER
    late = fold([*missed, an_event("answered", 12, party="102")])
    assert (late.disposition, late.answered_by, late.talk_seconds) == (Disposition.ANSWERED, "102", 8)


def test_ring_all_that_nobody_takes_is_one_missed_call_naming_all_phones() -> None:
    legs = [an_event("rang", n, party=f"10{n}", leg=f"l{n}") for n in (1, 2, 3)]
    gone = [an_event("leg_ended", 20, party=f"10{n}", leg=f"l{n}") for n in (1, 2, 3)]
    call = fold([an_event("started"), *legs, *gone, an_event("ended", 21)])
    assert (call.disposition, call.rung, call.talks, call.talk_seconds) == (
        Disposition.NO_ANSWER,
        ("101", "102", "103"),
        (),
        0,
    )


def test_one_busy_phone_of_a_group_does_not_make_the_call_busy() -> None:
    legs = [
        an_event("leg_ended", 5, leg="a", cause=Disposition.BUSY),
        an_event("leg_ended", 20, leg="b", cause=Disposition.NO_ANSWER),
    ]
    assert fold([an_event("started"), *legs, an_event("ended", 21)]).disposition is Disposition.NO_ANSWER
    assert fold([an_event("started"), legs[0], an_event("ended", 21)]).disposition is Disposition.BUSY


def test_a_transfer_keeps_one_call_with_its_talkers_in_order() -> None:
    call = fold(
        [
            an_event("started"),
            an_event("answered", 5, party="101", leg="a"),
            an_event("leg_ended", 20, party="101", leg="a"),
            an_event("answered", 25, party="102", leg="b", transferred_from="a"),
            an_event("ended", 60),
        ]
    )
    told = [
        (t.party, (t.started_at - NOON).seconds, (t.ended_at - NOON).seconds)
        for t in call.talks
        if t.ended_at
    ]
    assert told == [("101", 5, 20), ("102", 25, 60)]
    assert call.talk_seconds == 15 + 35


@pytest.mark.parametrize(
    "then",
    [
        [an_event("ended", 5, cause=Disposition.CANCELLED), an_event("ended", 5.1, talk_seconds=0)],
        [an_event("ended", 5, cause=Disposition.CANCELLED)],
        [an_event("ended", 5.4, talk_seconds=0)],
        [an_event("summary", 6, cause=Disposition.ANSWERED, talk_seconds=0)],
    ],
    ids=["cancelled, then a hangup", "cancelled", "hung up at once", "reported"],
)
def test_a_phone_that_was_picked_up_as_the_client_went_was_picked_up_by_nobody(then: list[CallEvent]) -> None:
    rings = [an_event("started", direction="inbound"), an_event("rang", 1, party="101")]
    call = fold([*rings, an_event("answered", 5.01, party="101"), *then])
    assert (call.is_answered, call.talks, call.talk_seconds, call.rung) == (False, (), 0, ("101",))
    is_given_up = then[0].cause is Disposition.CANCELLED
    assert call.disposition is (Disposition.CANCELLED if is_given_up else Disposition.NO_ANSWER)


def test_a_talk_that_lasted_was_one_though_nothing_was_billed() -> None:
    talked = [an_event("answered", 5, party="101"), an_event("ended", 35, talk_seconds=0)]
    assert fold(talked).is_answered
    short = [an_event("answered", 5, party="101"), an_event("ended", 5.5)]
    assert fold(short).is_answered, "nobody says that nothing was talked"
    late = [an_event("ended", 30, cause=Disposition.CANCELLED), an_event("answered", 5, party="101")]
    assert fold(late).is_answered


# What was talked, and by whom


def talked_and_left(*then: CallEvent) -> list[CallEvent]:
    """101 talks from the 5th to the 15th second."""
    talk = [an_event("answered", 5, party="101"), an_event("leg_ended", 15, party="101")]
    return [an_event("started", 0, direction="inbound"), *talk, *then]


def stretches(call: Call) -> list[tuple[str | None, float, float]]:
    return [
        (t.party, (t.started_at - NOON).total_seconds(), (t.ended_at - NOON).total_seconds())
        for t in call.talks
        if t.ended_at
    ]


@pytest.mark.parametrize("billed", [None, 70])
def test_what_comes_after_the_employee_has_gone_is_no_talk_whatever_is_billed(billed: int | None) -> None:
    """A queue that nobody answers, a mailbox, a survey."""
    call = fold(talked_and_left(an_event("ended", 75, talk_seconds=billed)))
    assert (stretches(call), call.talk_seconds) == ([("101", 5, 15)], 10)
    report = an_event("summary", 75, talk_seconds=billed, cause=Disposition.ANSWERED)
    assert fold(talked_and_left(report)).talk_seconds == 10


@pytest.mark.parametrize(
    ("then", "is_left"),
    [
        ([an_event("rang", 15.2, party="102")], True),
        ([an_event("rang", 20)], True),
        ([an_event("rang", 8, party="102"), an_event("leg_ended", 40, party="102")], True),
        ([an_event("rang", 8, party="102"), an_event("leg_ended", 12, party="102")], False),
        ([an_event("rang", 20, party="102"), an_event("answered", 25, party="102")], False),
        ([], False),
    ],
    ids=["rings out", "a queue", "consulted, then rings out", "consulted in vain", "taken over", "a survey"],
)
def test_a_client_who_was_passed_on_to_nobody_was_left_waiting(then: list[CallEvent], is_left: bool) -> None:
    call = fold(talked_and_left(*then, an_event("ended", 75)))
    assert (call.is_answered, call.is_left_waiting) == (True, is_left)
    together = [an_event("rang", 1, party="102"), *talked_and_left(an_event("ended", 75))]
    assert not fold(together).is_left_waiting, "who rang before the talk is no transfer"


def test_where_nobody_was_heard_to_leave_the_length_is_what_is_billed() -> None:
    heard = [an_event("started"), an_event("answered", 5, party="101"), an_event("ended", 35)]
    assert fold([*heard, an_event("ended", 35, talk_seconds=28)]).talk_seconds == 28
    other = an_event("answered", 20, party="102")
    assert fold([*heard, other]).talk_seconds == 30


def test_two_who_talk_at_once_are_counted_once() -> None:
    both = [an_event("answered", 10, party="102", leg="b"), an_event("leg_ended", 12, party="102", leg="b")]
    call = fold(talked_and_left(*both, an_event("ended", 60)))
    assert call.talk_seconds == 10
    stays = [an_event("answered", 3, party="101"), an_event("answered", 4, party="102")]
    conference = fold([*stays, an_event("leg_ended", 11, party="102"), an_event("ended", 15)])
    assert conference.talk_seconds == 12


def test_who_fetches_the_client_back_talks_again() -> None:
    call = fold(
        talked_and_left(an_event("answered", 30, party="101"), an_event("ended", 60, talk_seconds=55))
    )
    assert (stretches(call), call.talk_seconds) == ([("101", 5, 15), ("101", 30, 60)], 40)


def test_who_took_over_unheard_comes_after_who_was_heard() -> None:
    """An answer has the time of receipt, the report whole seconds: 11 s before the end is not before 15.2."""
    heard = [an_event("started"), an_event("answered", 15.2, party="105")]
    report = an_event("summary", 25, party="106", talk_seconds=11, cause=Disposition.ANSWERED)
    call = fold([*heard, report])
    assert ([talk.party for talk in call.talks], call.answered_by, call.talk_seconds) == (
        ["105", "106"],
        "105",
        11,
    )
    assert stretches(fold([*heard, an_event("rang", 20, party="106"), report])) == [
        ("105", 15.2, 20),
        ("106", 20, 25),
    ]
    hangup = an_event("ended", 24.1, party="106", talk_seconds=9)
    assert [talk.party for talk in fold([*heard, hangup]).talks] == ["105", "106"]


def test_a_hold_and_its_end_are_one_talk() -> None:
    call = fold(
        [an_event("answered", 5, party="101", leg="a"), an_event("answered", 15, party="101", leg="a")]
    )
    assert [talk.party for talk in call.talks] == ["101"]
    assert call.disposition is Disposition.TALKING
    assert call.talk_seconds is None


def test_a_report_without_talk_beats_an_answer_of_the_voice_menu() -> None:
    ivr = [an_event("started"), an_event("answered", 1, leg="ivr"), an_event("ended", 9)]
    report = an_event("summary", 9, talk_seconds=0, party="101")
    assert fold(ivr).is_answered
    call = fold([*ivr, report])
    assert (call.is_answered, call.disposition, call.rung) == (False, Disposition.NO_ANSWER, ("101",))


def test_a_report_alone_is_a_whole_call() -> None:
    report = an_event(
        "summary",
        60,
        direction="inbound",
        client="+79001234567",
        party="103",
        started_at=NOON,
        talk_seconds=40,
    )
    call = fold([report])
    assert (call.answered_by, call.talk_seconds, call.wait_seconds) == ("103", 40, 20)
    assert (call.answered_at, call.ended_at) == (NOON + timedelta(seconds=20), NOON + timedelta(seconds=60))


def test_a_report_names_the_first_talker_whose_answer_was_lost() -> None:
    call = fold(
        [
            an_event("answered", 25, party="102", leg="b"),
            an_event("summary", 60, party="101", talk_seconds=55, answered_at=NOON + timedelta(seconds=5)),
        ]
    )
    assert [talk.party for talk in call.talks] == ["101", "102"]


def test_a_recording_after_the_end_is_kept_and_does_not_move_the_end() -> None:
    late = an_event("recording", 400, recording="https://pbx/r1")
    call = fold([*answered_call(), late])
    assert call.recording == "https://pbx/r1"
    assert call.ended_at == NOON + timedelta(seconds=35)


def test_a_lost_start_leaves_the_earliest_known_time() -> None:
    call = fold(answered_call()[1:])
    assert call.started_at == NOON + timedelta(seconds=1)
    assert call.direction == "inbound"


def test_direction_and_client_come_from_whichever_event_knows_them() -> None:
    call = fold(
        [
            an_event("started"),
            an_event("ended", 9, direction="outbound", client="+79001234567"),
        ]
    )
    assert (call.direction, call.client) == ("outbound", "+79001234567")


def test_an_answer_on_an_outbound_call_is_the_employees_talk() -> None:
    call = fold(
        [
            an_event("started", direction="outbound", party="101"),
            an_event("answered", 7),
            an_event("ended", 9),
        ]
    )
    assert call.answered_by == "101"
    assert call.rung == ()


def test_a_lost_hangup_of_an_answered_call_is_closed_as_answered_with_unknown_length() -> None:
    closed = close_lost(fold(answered_call()[:3]), NOON + timedelta(hours=4))
    assert (closed.disposition, closed.talk_seconds, closed.is_end_lost) == (Disposition.ANSWERED, None, True)


def test_a_lost_hangup_of_a_ringing_call_is_closed_as_missed() -> None:
    closed = close_lost(fold(answered_call()[:2]), NOON + timedelta(hours=4))
    assert (closed.disposition, closed.talk_seconds, closed.is_over) == (Disposition.NO_ANSWER, 0, True)


def test_no_events_and_events_of_two_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fold([])
    with pytest.raises(ValueError, match="different calls"):
        fold([an_event("started"), an_event("started", call_key="c2")])


def test_a_call_whose_last_leg_left_is_closed_soon_and_with_its_length_known() -> None:
    legs = [
        an_event("rang", 1, leg="a", party="101"),
        an_event("answered", 5, leg="a", party="101"),
        an_event("leg_ended", 35, leg="a", party="101"),
    ]
    call = fold([an_event("started", leg="a"), *legs])
    assert not call.is_over
    heard_at = NOON + timedelta(seconds=40)
    assert lost_at(call, heard_at, PATIENCE) == heard_at + timedelta(minutes=1)
    assert lost_at(call, heard_at, timedelta(seconds=9)) == heard_at + timedelta(seconds=9)
    closed = close_lost(call, NOON + timedelta(hours=1))
    assert (closed.talk_seconds, closed.ended_at, closed.is_end_lost) == (
        30,
        NOON + timedelta(seconds=35),
        False,
    )
    assert lost_at(closed, heard_at, PATIENCE) is None


def test_a_call_whose_last_leg_left_was_talked_as_long_as_anybody_was_there() -> None:
    legs = [
        an_event("answered", 5, leg="a", party="101"),
        an_event("leg_ended", 15, leg="a", party="101"),
        an_event("rang", 15, leg="b", party="102"),
        an_event("leg_ended", 60, leg="b", party="102"),
    ]
    closed = close_lost(fold([an_event("started", leg="a"), *legs]), NOON + timedelta(hours=1))
    assert (closed.ended_at, closed.talk_seconds) == (NOON + timedelta(seconds=60), 10)


def test_a_leg_that_is_still_there_keeps_the_call_open_until_long_after() -> None:
    call = fold([*answered_call()[:3], an_event("leg_ended", 9, leg="x"), an_event("rang", 9, leg="y")])
    assert call.legs_gone_at is None
    assert lost_at(call, NOON, PATIENCE) == NOON + PATIENCE
    assert lost_at(fold(answered_call()[:2]), NOON, PATIENCE) == NOON + PATIENCE


def test_a_callback_that_the_client_asked_for_stays_inbound_though_the_pbx_dialled() -> None:
    call = fold(
        [
            an_event("started", direction="inbound", is_callback=True),
            an_event("summary", 9, direction="outbound", talk_seconds=3),
        ]
    )
    assert (call.direction, call.is_callback) == ("inbound", True)


# Whose side it was


def outgoing(*events: CallEvent, **fields: Any) -> list[CallEvent]:
    return [an_event("started", 0, direction="outbound", client="+79001234567", **fields), *events]


def test_the_furthest_that_a_call_of_ours_came_says_whose_side_it_was() -> None:
    employee, hung_up, client = FailedSide
    steps = [an_event("rang", n, party="101", failed_side=side) for n, side in enumerate(FailedSide)]
    for told, side in ((steps[:1], employee), (steps[:2], hung_up), (steps, client)):
        assert fold(outgoing(*told, an_event("ended", 9))).failed_side is side


def test_the_report_knows_whose_side_it_was_better() -> None:
    rang = an_event("rang", 1, failed_side=FailedSide.CLIENT_NOT_REACHED)
    report = an_event("summary", 9, cause=Disposition.BUSY, failed_side=FailedSide.EMPLOYEE_NOT_REACHED)
    assert fold(outgoing(rang, report)).failed_side is FailedSide.EMPLOYEE_NOT_REACHED


def test_no_side_failed_in_a_call_that_goes_on_was_answered_or_came_from_outside() -> None:
    rang = an_event("rang", 1, party="101", failed_side=FailedSide.EMPLOYEE_NOT_REACHED)
    assert fold(outgoing(rang)).failed_side is None
    assert (
        fold(outgoing(rang, an_event("answered", 3, party="101"), an_event("ended", 9))).failed_side is None
    )
    incoming = [an_event("started", direction="inbound"), rang, an_event("ended", 9)]
    assert fold(incoming).failed_side is None


def test_a_callback_that_the_client_asked_for_has_sides_though_it_counts_as_incoming() -> None:
    rang = an_event("rang", 1, party="101", failed_side=FailedSide.EMPLOYEE_NOT_REACHED)
    asked = an_event("started", direction="inbound", is_callback=True)
    assert fold([asked, rang, an_event("ended", 9)]).failed_side is FailedSide.EMPLOYEE_NOT_REACHED


def test_a_call_whose_hangup_was_lost_keeps_its_side() -> None:
    call = fold(outgoing(failed_side=FailedSide.CLIENT_NOT_REACHED))
    assert close_lost(call, NOON + PATIENCE).failed_side is FailedSide.CLIENT_NOT_REACHED
