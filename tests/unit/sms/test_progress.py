"""How a message comes along, whatever order its reports come in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.model import SmsAccepted, SmsOutcome, SmsRefused, SmsReport, SmsState, SmsUnknown
from sms.progress import (
    FINAL_STATES,
    SETTLED_STATES,
    SmsProgress,
    answered,
    claimed,
    expired,
    given_up,
    reported,
)
from sms.reasons import CLASS_OF, FailureClass, SmsDoubt, SmsReason, retry_pause

S = SmsState
REPORTABLE = [s for s in S if s not in (S.QUEUED, S.SENDING)]
CERTAIN = sorted(SETTLED_STATES)
DOUBT = SmsUnknown(why=SmsDoubt.NO_ANSWER)


def sending(parts: int = 1) -> SmsProgress:
    return claimed(SmsProgress(reports_due=parts))


def accepted(*ids: str) -> SmsProgress:
    return answered(sending(len(ids)), SmsAccepted(ids=ids))


def report(id: str, state: SmsState, reason: SmsReason | None = None) -> SmsReport:
    return SmsReport(id=id, state=state, reason=reason)


def refused(reason: SmsReason) -> SmsRefused:
    return SmsRefused(reason=reason)


def told(progress: SmsProgress, reports: Iterable[SmsReport]) -> SmsProgress:
    return reduce(reported, reports, progress)


def test_the_usual_way_ends_delivered() -> None:
    states = [SmsProgress().state, sending().state, accepted("1").state]
    on_the_way = accepted("1")
    for state in (S.DEFERRED, S.SENT, S.DELIVERED):
        on_the_way = reported(on_the_way, report("1", state))
        states.append(on_the_way.state)
    assert states == [S.QUEUED, S.SENDING, S.ACCEPTED, S.DEFERRED, S.SENT, S.DELIVERED]


def test_a_message_that_does_not_wait_is_not_sent_again() -> None:
    for progress in (
        sending(),
        accepted("1"),
        answered(sending(), DOUBT),
        answered(sending(), refused(SmsReason.BAD_NUMBER)),
    ):
        with pytest.raises(ValueError, match="not sent again"):
            claimed(progress)


@pytest.mark.parametrize("reason", SmsReason)
def test_each_refusal_does_what_its_class_asks(reason: SmsReason) -> None:
    after = answered(sending(), refused(reason))
    if CLASS_OF[reason] is FailureClass.MESSAGE:
        assert (after.state, after.reason) == (S.REJECTED, reason)
    else:
        assert (after.state, after.reason) == (S.QUEUED, reason)
        assert claimed(after).state is S.SENDING
    assert after.tries == (CLASS_OF[reason] is FailureClass.LATER)


def test_a_provider_that_refuses_only_later_puts_the_message_back() -> None:
    """MANGO answers the request at once and says later that the money has ended."""
    assert answered(accepted("7"), refused(SmsReason.NO_MONEY)).state is S.QUEUED


def test_a_refusal_after_a_report_is_no_news() -> None:
    sent = reported(accepted("7"), report("7", S.SENT))
    assert answered(sent, refused(SmsReason.THROTTLED)) == sent


def test_an_answer_that_never_came_is_unknown_and_any_final_report_still_decides() -> None:
    doubted = answered(sending(), DOUBT)
    assert (doubted.state, doubted.doubt) == (S.UNKNOWN, SmsDoubt.NO_ANSWER)
    assert reported(doubted, report("1", S.SENT)).state is S.UNKNOWN
    for state in CERTAIN:
        after = reported(doubted, report("1", state))
        assert (after.state, after.doubt) == (state, None)


def test_a_report_before_the_answer_counts() -> None:
    early = reported(sending(), report("1", S.DELIVERED))
    assert early.state is S.DELIVERED
    assert answered(early, SmsAccepted(ids=("1",))).state is S.DELIVERED
    assert answered(early, DOUBT).state is S.DELIVERED


def test_an_early_report_on_the_way_takes_away_the_doubt() -> None:
    early = reported(sending(), report("1", S.SENT))
    assert answered(early, DOUBT).state is S.SENT


def test_delivered_then_undelivered_stays_delivered() -> None:
    assert told(accepted("1"), [report("1", S.DELIVERED), report("1", S.UNDELIVERED)]).state is S.DELIVERED


def test_a_part_that_was_delivered_stays_so_while_another_is_waited_for() -> None:
    contradicted = told(accepted("1", "2"), [report("1", S.DELIVERED), report("1", S.UNDELIVERED)])
    assert reported(contradicted, report("2", S.DELIVERED)).state is S.DELIVERED


def test_one_part_of_three_does_not_make_a_delivery() -> None:
    one = reported(accepted("1", "2", "3"), report("2", S.DELIVERED))
    assert one.state is S.ACCEPTED
    assert told(one, [report("1", S.DELIVERED), report("3", S.DELIVERED)]).state is S.DELIVERED


def test_a_report_before_the_answer_is_that_of_one_part_only() -> None:
    early = reported(sending(3), report("1", S.DELIVERED))
    assert early.state is S.ACCEPTED
    assert answered(early, SmsAccepted(ids=("1", "2", "3"))).state is S.ACCEPTED


def test_the_worst_part_decides_with_its_reason() -> None:
    reports = [
        report("1", S.DELIVERED),
        report("2", S.EXPIRED, SmsReason.EXPIRED),
        report("3", S.UNDELIVERED),
    ]
    after = told(accepted("1", "2", "3"), reports)
    assert (after.state, after.reason) == (S.EXPIRED, SmsReason.EXPIRED)


def test_what_nobody_told_is_unknown_in_the_end() -> None:
    after = given_up(reported(accepted("1", "2"), report("1", S.DELIVERED)))
    assert (after.state, after.doubt) == (S.UNKNOWN, SmsDoubt.NO_REPORT)
    assert reported(after, report("2", S.DELIVERED)).state is S.DELIVERED
    assert given_up(accepted("1")).state is S.UNKNOWN
    assert given_up(SmsProgress()).state is S.QUEUED


def test_a_part_that_failed_is_certain_although_another_is_not_known() -> None:
    assert given_up(reported(accepted("1", "2"), report("1", S.REJECTED))).state is S.REJECTED


def test_the_id_may_be_spelled_differently_in_a_report() -> None:
    spelled = SmsReport(id="255", state=S.DELIVERED, other_ids=("FF", "ff"))
    assert reported(accepted("FF"), spelled).state is S.DELIVERED


def test_what_waited_too_long_here_expires_and_what_is_out_does_not() -> None:
    assert expired(SmsProgress()).state is S.EXPIRED
    assert expired(sending()).state is S.SENDING


@pytest.mark.parametrize("state", [S.QUEUED, S.SENDING])
def test_our_own_states_are_not_reported(state: SmsState) -> None:
    with pytest.raises(ValueError, match="reports"):
        reported(accepted("1"), report("1", state))


def test_pauses_follow_the_plan_and_the_provider() -> None:
    assert [retry_pause(n) for n in (0, 1, 2, 3, 4, 9)] == [5, 5, 15, 45, 120, 120]
    assert retry_pause(1, 60) == 60
    assert retry_pause(4, 1) == 120


IDS = ("1", "2", "3")


@st.composite
def stories(draw: st.DrawFn) -> tuple[int, list[SmsReport]]:
    """For each part: any states on the way, and one end or none."""
    count = draw(st.integers(1, 3))
    reports = []
    for id in IDS[:count]:
        ways = draw(st.lists(st.sampled_from([S.ACCEPTED, S.DEFERRED, S.SENT]), max_size=3))
        end = draw(st.sampled_from([*CERTAIN, None]))
        reports += [report(id, state) for state in (*ways, *([end] if end else []))]
    return count, reports


@given(stories(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_and_any_repetition_end_the_same(
    story: tuple[int, list[SmsReport]], chance: random.Random, twice: int
) -> None:
    count, reports = story
    shuffled = [*reports, *reports[:twice]]
    chance.shuffle(shuffled)
    in_order, mixed = (told(accepted(*IDS[:count]), r) for r in (reports, shuffled))
    assert in_order.state is mixed.state


OUTCOMES: Sequence[SmsOutcome] = (
    SmsAccepted(ids=("1", "2")),
    SmsAccepted(ids=("1",)),
    DOUBT,
    SmsUnknown(why=SmsDoubt.LINK_LOST, ids=("1",)),
    refused(SmsReason.BAD_NUMBER),
    refused(SmsReason.NO_MONEY),
    refused(SmsReason.THROTTLED),
)
EVENTS = st.sampled_from(OUTCOMES) | st.builds(report, st.sampled_from(IDS[:2]), st.sampled_from(REPORTABLE))


@given(st.integers(1, 2), st.lists(EVENTS, max_size=12), st.integers(0, 12))
def test_whatever_happens_a_final_state_stays(
    count: int, events: list[SmsOutcome | SmsReport], end: int
) -> None:
    progress = sending(count)
    for at, event in enumerate(events):
        before = progress
        progress = reported(progress, event) if isinstance(event, SmsReport) else answered(progress, event)
        progress = given_up(progress) if at == end else progress
        if before.state in SETTLED_STATES:
            assert progress.state is before.state
        if before.state is S.UNKNOWN:
            assert progress.state in FINAL_STATES
        if progress.state is S.DELIVERED and before.state is not S.DELIVERED:
            assert len(progress.parts) >= count
            assert all(part.state is S.DELIVERED for part in progress.parts)
        if before.state not in (S.QUEUED, S.UNKNOWN) and progress.state is S.QUEUED:
            assert isinstance(event, SmsRefused), "only a plain refusal may lead to a second sending"
