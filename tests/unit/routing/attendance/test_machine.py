"""Presence: signs, the question, what a person or a schedule closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.attendance.machine import (
    answer,
    first_seen,
    judge,
    notice,
    see_call,
    see_dnd,
    see_pages,
    see_shift,
    switch,
)
from routing.attendance.model import Attendance, AttendanceReason, Sign, SignSource, state_of
from routing.presence import PresenceState
from routing.settings import PresencePolicy

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = PresencePolicy(is_on=True)


def at(minutes: float = 0, seconds: float = 0) -> datetime:
    return NINE + timedelta(minutes=minutes, seconds=seconds)


def here(source: SignSource = "crm", minutes: float = 0) -> Attendance:
    """Somebody who was seen at nine, or so many minutes later."""
    return notice(first_seen(NINE), Sign(source, at(minutes)), POLICY, at(minutes))


def asked() -> Attendance:
    return judge(here(), at(15), POLICY)


def state(attendance: Attendance) -> PresenceState:
    return state_of(attendance)


# 33: silence and the question


def test_fourteen_minutes_and_59_seconds_of_silence_ask_nothing_fifteen_do() -> None:
    assert judge(here(), at(14, 59), POLICY).mark == "on"
    question = judge(here(), at(15), POLICY)
    assert (question.mark, question.reason) == ("asked", AttendanceReason.SILENT)
    assert question.question is not None
    assert question.question.answer_by == at(16)
    assert state(question) is PresenceState.AVAILABLE


def test_an_answer_after_59_seconds_keeps_one_after_61_brings_back() -> None:
    in_time = answer(asked(), at(15), True, "anna", at(15, 59))
    assert (in_time.mark, in_time.reason, in_time.by) == ("on", AttendanceReason.ANSWERED, "anna")
    off = judge(asked(), at(16), POLICY)
    assert (off.mark, off.reason, state(off)) == ("off", AttendanceReason.NO_ANSWER, PresenceState.OFFLINE)
    late = answer(off, at(15), True, "anna", at(16, 1))
    assert (late.mark, late.since) == ("on", at(16, 1))


def test_an_answer_in_another_tab_changes_nothing_more() -> None:
    first = answer(asked(), at(15), True, "anna", at(15, 10))
    assert answer(first, at(15), True, "anna", at(15, 20)) == first
    assert answer(first, at(15), False, "anna", at(15, 20)) == first


def test_a_late_answer_does_not_undo_the_button() -> None:
    off = switch(asked(), False, "anna", at(15, 5))
    assert answer(off, at(15), True, "anna", at(15, 30)) == off


def test_whoever_says_no_is_off_until_the_button_says_otherwise() -> None:
    off = answer(asked(), at(15), False, "anna", at(15, 10))
    assert (off.mark, off.reason) == ("off", AttendanceReason.SAID_NO)
    moved = notice(off, Sign("page", at(15, 12)), POLICY, at(15, 12))
    assert moved.mark == "off"
    assert switch(moved, True, "anna", at(20)).mark == "on"


def test_whoever_talks_is_not_asked_and_a_call_answers_the_question() -> None:
    talking = see_call(here(), True, POLICY, at(1))
    assert state(talking) is PresenceState.BUSY
    assert judge(talking, at(200), POLICY).mark == "on"
    hung_up = see_call(talking, False, POLICY, at(200))
    assert judge(hung_up, at(214), POLICY).mark == "on"
    assert judge(hung_up, at(215), POLICY).mark == "asked"
    assert see_call(asked(), True, POLICY, at(15, 30)).mark == "on"


def test_any_sign_ends_the_question() -> None:
    for source in ("crm", "calls", "page"):
        seen = notice(asked(), Sign(source, at(15, 20)), POLICY, at(15, 20))
        assert (seen.mark, seen.question) == ("on", None)


def test_a_sign_that_was_told_late_takes_back_what_was_concluded_without_it() -> None:
    off = judge(asked(), at(16), POLICY)
    told_late = notice(off, Sign("crm", at(14)), POLICY, at(17))
    assert told_late.mark == "on"
    assert notice(off, Sign("crm", at(0.5)), POLICY, at(17)).mark == "off"
    assert judge(told_late, at(29), POLICY).mark == "asked"


def test_without_idle_minutes_nobody_is_asked() -> None:
    assert judge(here(), at(10_000), PresencePolicy(is_on=True, idle_minutes=None)).mark == "on"


def test_where_the_button_alone_counts_silence_means_nothing() -> None:
    button_only = PresencePolicy(is_on=True, sources=())
    on = switch(first_seen(NINE), True, "anna", NINE)
    assert judge(on, at(600), button_only).mark == "on"
    off = switch(on, False, "anna", at(600))
    assert notice(off, Sign("crm", at(601)), button_only, at(601)) == off


def test_of_whom_nothing_is_heard_since_the_beginning_is_asked_too() -> None:
    unseen = first_seen(NINE)
    assert state(unseen) is PresenceState.UNKNOWN
    assert judge(unseen, at(15), POLICY).mark == "asked"


# 37, 40: while nothing can be heard


def test_while_the_feed_is_late_nobody_is_asked_and_nobody_is_taken_off() -> None:
    assert judge(here(), at(500), POLICY, is_trusted=False).mark == "on"
    assert judge(asked(), at(500), POLICY, is_trusted=False).mark == "asked"


# 38: clocks


def test_a_clock_that_is_ahead_by_five_minutes_buys_no_time() -> None:
    ahead = notice(first_seen(NINE), Sign("crm", at(5)), POLICY, NINE)
    assert ahead.signs["crm"] == NINE
    assert judge(ahead, at(15), POLICY).mark == "asked"


# 41: pages


def test_a_page_that_is_gone_is_asked_about_only_where_nothing_else_is_known() -> None:
    page_alone = see_pages(here("page"), True, POLICY)
    assert judge(page_alone, at(2), POLICY).reason is AttendanceReason.PAGE_GONE
    in_the_crm_too = see_pages(notice(here("page"), Sign("crm", at(1)), POLICY, at(1)), True, POLICY)
    assert judge(in_the_crm_too, at(2), POLICY).mark == "on"
    assert judge(in_the_crm_too, at(16), POLICY).mark == "asked"


def test_one_of_two_tabs_closed_and_a_short_loss_of_the_network_change_nothing() -> None:
    page = see_pages(here("page"), False, POLICY)
    assert judge(page, at(14), POLICY) == page


def test_a_laptop_that_slept_is_back_with_the_first_touch() -> None:
    gone = see_pages(here("page"), True, POLICY)
    off = judge(judge(gone, at(2), POLICY), at(3), POLICY)
    assert off.mark == "off"
    awake = notice(see_pages(off, False, POLICY), Sign("page", at(60)), POLICY, at(60))
    assert (awake.mark, awake.reason) == ("on", AttendanceReason.PAGE_INPUT)


# ranks


def test_what_the_button_closed_no_activity_opens() -> None:
    off = switch(here(), False, "anna", at(1))
    for source in ("crm", "calls", "page"):
        assert notice(off, Sign(source, at(2)), POLICY, at(2)).mark == "off"
    assert state(see_call(off, True, POLICY, at(2))) is PresenceState.OFFLINE
    assert switch(off, True, "anna", at(3)).mark == "on"


def test_the_button_pressed_twice_is_pressed_once() -> None:
    off = switch(here(), False, "anna", at(1))
    assert switch(off, False, "boss", at(2)) == off
    on = switch(off, True, "anna", at(3))
    assert switch(on, True, "anna", at(4)).since == at(3)


def test_the_end_of_a_shift_closes_and_its_beginning_lets_signs_count_again() -> None:
    working = see_shift(here(), True, POLICY, at(1))
    over = see_shift(working, False, POLICY, at(2))
    assert (over.mark, over.reason, state(over)) == (
        "off",
        AttendanceReason.SHIFT_ENDED,
        PresenceState.OFF_SHIFT,
    )
    assert notice(over, Sign("crm", at(3)), POLICY, at(3)).mark == "off"
    overtime = switch(over, True, "anna", at(3))
    assert see_shift(overtime, False, POLICY, at(4)).mark == "on"
    morning = see_shift(over, True, POLICY, at(600))
    assert (morning.mark, state(morning)) == ("off", PresenceState.OFFLINE)
    assert notice(morning, Sign("crm", at(599.9)), POLICY, at(600)).mark == "off"
    assert notice(morning, Sign("crm", at(601)), POLICY, at(601)).mark == "on"


def test_the_button_of_yesterday_keeps_nobody_off_today() -> None:
    off = switch(see_shift(here(), True, POLICY, at(0)), False, "anna", at(1))
    night = see_shift(off, False, POLICY, at(2))
    assert night.reason is AttendanceReason.SWITCHED_OFF
    morning = see_shift(night, True, POLICY, at(600))
    assert notice(morning, Sign("crm", at(601)), POLICY, at(601)).mark == "on"


def test_a_schedule_that_is_taken_away_leaves_nobody_locked_out() -> None:
    night = see_shift(first_seen(NINE), False, POLICY, at(1))
    assert state(night) is PresenceState.OFF_SHIFT
    assert state(see_shift(night, None, POLICY, at(2))) is PresenceState.UNKNOWN


def test_do_not_disturb_goes_before_activity_and_after_the_button() -> None:
    dnd = see_dnd(here(), True, POLICY)
    assert state(notice(dnd, Sign("crm", at(1)), POLICY, at(1))) is PresenceState.DND
    pressed = switch(dnd, True, "anna", at(2))
    assert state(pressed) is PresenceState.AVAILABLE
    assert state(see_dnd(pressed, True, POLICY)) is PresenceState.AVAILABLE  # the same, told again
    again = see_dnd(see_dnd(pressed, False, POLICY), True, POLICY)
    assert state(again) is PresenceState.DND


def test_sources_that_do_not_count_change_nothing() -> None:
    none = PresencePolicy(is_on=True, sources=("crm",))
    seen = here()
    assert notice(seen, Sign("page", at(1)), none, at(1)) == seen
    assert see_dnd(seen, True, none) == seen
    assert see_call(seen, True, none, at(1)) == seen
    assert see_shift(seen, False, none, at(1)) == seen
    assert see_pages(seen, True, none) == seen


signs = st.lists(
    st.tuples(st.sampled_from(["crm", "calls", "page"]), st.integers(min_value=0, max_value=1200)),
    max_size=12,
)


@given(signs, st.randoms(use_true_random=False))
def test_signs_in_any_order_and_told_twice_leave_the_same(
    told: list[tuple[str, int]], random: object
) -> None:
    now = at(20)
    shuffled = [*told, *told]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def after(rows: list[tuple[str, int]]) -> tuple[object, ...]:
        attendance = first_seen(NINE)
        for source, seconds in rows:
            attendance = notice(attendance, Sign(source, at(seconds=seconds)), POLICY, now)  # type: ignore[arg-type]
        judged = judge(attendance, now, POLICY)
        return judged.mark, judged.signs, judged.question

    assert after(told) == after(shuffled)


@given(signs, st.integers(min_value=0, max_value=3600))
def test_nobody_is_off_by_silence_within_the_idle_time_of_a_sign_nor_without_a_question(
    told: list[tuple[str, int]], upto: int
) -> None:
    """Walked second by second in steps of ten, as the watch does it."""
    attendance, seen = first_seen(NINE), list[int]()
    was_asked = None
    for second in range(0, upto, 10):
        now = at(seconds=second)
        for source, moment in told:
            if second - 10 < moment <= second:
                attendance = notice(attendance, Sign(source, at(seconds=moment)), POLICY, now)  # type: ignore[arg-type]
                seen.append(moment)
        before, attendance = attendance, judge(attendance, now, POLICY)
        last = max(seen, default=0)
        if attendance.mark == "asked" and before.mark != "asked":
            was_asked = second
            assert second - last >= 15 * 60
        if attendance.mark == "off" and before.mark != "off":
            assert was_asked is not None
            assert second - was_asked >= 60
            assert last <= was_asked
        if second - last < 15 * 60:
            assert attendance.mark in ("on", "unknown")


@given(st.lists(st.sampled_from(["on", "off", "crm", "end", "start", "wait", "yes", "no"]), max_size=25))
def test_after_an_off_by_button_only_a_person_or_a_new_shift_opens(steps: list[str]) -> None:
    attendance = first_seen(NINE)
    is_closed = False
    for number, step in enumerate(steps, start=1):
        now, before = at(number), attendance
        match step:
            case "on" | "off":
                attendance = switch(attendance, step == "on", "anna", now)
                is_closed = step == "off"
            case "crm":
                attendance = notice(attendance, Sign("crm", now), POLICY, now)
            case "end" | "start":
                attendance = see_shift(attendance, step == "start", POLICY, now)
                if step == "start" and before.on_shift is False:
                    is_closed = False
            case "wait":
                attendance = judge(attendance, now, POLICY)
            case _ if attendance.question is not None:
                attendance = answer(attendance, attendance.question.asked_at, step == "yes", "anna", now)
                is_closed = is_closed or step == "no"
        assert attendance.since >= before.since
        if is_closed:
            assert attendance.mark == "off"
        if attendance.mark == "asked":
            assert attendance.question is not None
