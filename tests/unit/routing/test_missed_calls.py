"""Missed-call cases as values: events in, case and orders out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.client import Ref
from routing.effects import ChangeTask, CreateTask
from routing.missed_calls import (
    Case,
    CaseDecision,
    CaseOrder,
    Missed,
    Reached,
    Rules,
    answered,
    by_hand,
    missed,
    timer,
)
from routing.quiet_hours import after_quiet
from routing.settings import CasePolicy, WorkingTime
from routing.staff import Employee, Staff

NUMBER = "+79161234567"
NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 12:00 in Moscow
MOSCOW = ZoneInfo("Europe/Moscow")


def rules(**policy: object) -> Rules:
    return Rules(CasePolicy.model_validate(policy), WorkingTime(), MOSCOW)


def a_missed(call_id: str = "m1", at: datetime = NOON, seconds: float | None = None) -> Missed:
    task = CreateTask(
        target=Ref(kind="deal", id="601"),
        owner_id="11",
        text="Перезвонить",
        due_at=at + timedelta(hours=1),
        purpose="call_back",
    )
    ended_at = None if seconds is None else at + timedelta(seconds=seconds)
    return Missed(call_id=call_id, at=at, ended_at=ended_at, task=task)


def a_talk(at: datetime, call_id: str = "t1", minutes: float = 2) -> Reached:
    return Reached(call_id=call_id, at=at, until=at + timedelta(minutes=minutes), by="Анна")


def opened(**policy: object) -> Case:
    case = missed(None, a_missed(), None, NUMBER, rules(**policy)).case
    assert case is not None
    return case


def staff(*people: Employee) -> Staff:
    return Staff.of(people)


BOSS = Employee(id="boss", name="Босс", crm_user_id="1", is_senior=True)
SECOND = Employee(id="second", name="Второй", crm_user_id="2")
GONE = Employee(id="gone", name="Ушёл", crm_user_id="3", is_active=False)


def test_first_missed_call_opens_a_case_and_orders_the_matrixs_task_under_its_own_key() -> None:
    decided = missed(None, a_missed(), None, NUMBER, rules())
    assert decided.reason == "case_opened"
    (effect,) = decided.effects
    assert (effect.key, effect.order) == ("case:m1:task", a_missed().task)


def test_second_missed_call_changes_the_text_of_the_task() -> None:
    decided = missed(opened(), a_missed("m2", NOON + timedelta(minutes=9)), None, NUMBER, rules())
    (effect,) = decided.effects
    assert isinstance(effect.order, ChangeTask)
    assert effect.order.task == "case:m1:task"
    assert effect.order.text == "Перезвонить (пропущено звонков: 2, последний в 02.03 12:09)"


def test_text_of_a_client_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    case = opened().model_copy(update={"task_text": "от {count} {who"})
    decided = missed(case, a_missed("m2"), None, NUMBER, rules(count_text="{text} ×{count} {nothing}"))
    order = decided.effects[0].order
    assert isinstance(order, ChangeTask)
    assert order.text == "от {count} {who ×2 {nothing}"


def test_same_missed_call_again_changes_nothing() -> None:
    case = opened()
    assert missed(case, a_missed(), None, NUMBER, rules())[:3] == (case, (), "case_repeated")


@pytest.mark.parametrize(("talk_at", "reason"), [(+5, "client_reached_already"), (-5, "case_opened")])
def test_client_who_was_reached_after_the_missed_call_began_gets_no_case(talk_at: int, reason: str) -> None:
    talk = a_talk(NOON + timedelta(minutes=talk_at))
    assert missed(None, a_missed(), talk, NUMBER, rules()).reason == reason


def test_missed_second_line_during_a_talk_opens_no_case() -> None:
    talk = a_talk(NOON - timedelta(minutes=5), minutes=10)
    assert missed(None, a_missed(), talk, NUMBER, rules()).reason == "client_reached_already"


@pytest.mark.parametrize(("talk_ends", "reason"), [(8, "case_opened"), (31, "client_reached_already")])
def test_second_line_on_which_the_client_waits_on_after_the_talk_is_missed(
    talk_ends: int, reason: str
) -> None:
    """They talk on one line, ring on another at the 5th second and give up at the 30th."""
    talk = Reached(call_id="t1", at=NOON, until=NOON + timedelta(seconds=talk_ends))
    second = a_missed("m2", NOON + timedelta(seconds=5), seconds=25)
    assert missed(None, second, talk, NUMBER, rules()).reason == reason


def test_talk_on_another_line_that_was_over_first_closes_no_case_whichever_is_told_first() -> None:
    case = missed(None, a_missed(seconds=30), None, NUMBER, rules()).case
    talk = Reached(call_id="t1", at=NOON, until=NOON + timedelta(seconds=8))
    assert answered(case, talk, rules()).reason == "reached_before_missed"
    longer = talk.model_copy(update={"until": NOON + timedelta(seconds=30)})
    assert answered(case, longer, rules()).reason == "case_closed"
    counted = missed(case, a_missed("m2", NOON + timedelta(seconds=2), seconds=9), None, NUMBER, rules()).case
    assert answered(counted, longer, rules()).reason == "case_closed"
    assert answered(counted, talk, rules()).reason == "reached_before_missed"


def test_talk_closes_the_case_with_who_when_and_working_time_waited() -> None:
    at = NOON + timedelta(hours=24, minutes=30)  # Tuesday 12:30; the night is no working time
    decided = answered(opened(), a_talk(at), rules())
    assert decided.case is not None
    assert (decided.case.state, decided.case.closed_by, decided.case.waited_seconds) == (
        "closed",
        "Анна",
        9 * 3600 + 1800,
    )
    order = decided.effects[0].order
    assert isinstance(order, ChangeTask)
    assert (order.is_completed, order.result) == (True, "На связи: Анна, 03.03 12:30")


def test_talk_that_was_over_before_the_client_called_in_vain_closes_nothing() -> None:
    case = opened()
    decided = answered(case, a_talk(NOON - timedelta(hours=1)), rules())
    assert decided[:3] == (case, (), "reached_before_missed")


def test_talk_without_an_open_case_does_nothing() -> None:
    assert answered(None, a_talk(NOON), rules())[:3] == (None, (), "no_open_case")


def test_escalation_counts_working_time() -> None:
    friday_evening = datetime(2026, 3, 6, 14, 30, tzinfo=UTC)  # 17:30 in Moscow, half an hour of work is left
    case = missed(None, a_missed(at=friday_evening), None, NUMBER, rules(escalate_minutes=60)).case
    assert case is not None
    assert case.escalate_at == datetime(2026, 3, 9, 6, 30, tzinfo=UTC)  # Monday 09:30


def test_escalation_goes_to_the_next_senior_who_can_be_given_work() -> None:
    policy = {"escalate_minutes": 10, "seniors": ("boss", "gone", "second")}
    case = opened(**policy).model_copy(update={"owner_id": "1"})
    decided = timer(case, NOON + timedelta(minutes=10), staff(BOSS, SECOND, GONE), rules(**policy))
    order = decided.effects[0].order
    assert isinstance(order, ChangeTask)
    assert order.owner_id == "2"
    assert [s.because for s in decided.steps] == ["owner_inactive", "case_escalated"]


def test_escalation_ends_when_no_senior_is_left() -> None:
    policy = {"escalate_minutes": 10, "seniors": ("gone",), "max_escalations": 3}
    decided = timer(opened(**policy), NOON + timedelta(hours=1), staff(GONE), rules(**policy))
    assert decided.reason == "no_senior_left"
    assert decided.case is not None
    assert decided.case.escalate_at is None


def test_escalation_does_not_happen_before_its_time_or_without_the_setting() -> None:
    assert opened().escalate_at is None
    case = opened(escalate_minutes=10)
    early = timer(case, NOON + timedelta(minutes=9), staff(BOSS), rules(escalate_minutes=10))
    assert early[:3] == (case, (), "escalation_not_due")


NIGHT = {"escalate_minutes": 10, "quiet_hours": (("21:00", "09:00"),)}
ALL_DAY = WorkingTime(hours=dict.fromkeys(range(1, 8), (("00:00", "24:00"),)))


@pytest.mark.parametrize(
    ("missed_at", "escalated_at"),
    [
        ("2026-03-02T20:55", "2026-03-03T09:00"),
        ("2026-03-02T20:49", "2026-03-02T20:59"),
        ("2026-03-02T20:50", "2026-03-03T09:00"),
        ("2026-03-03T03:00", "2026-03-03T09:00"),
        ("2026-03-03T09:00", "2026-03-03T09:10"),
    ],
)
def test_nothing_is_escalated_in_quiet_hours(missed_at: str, escalated_at: str) -> None:
    night = Rules(CasePolicy.model_validate(NIGHT), ALL_DAY, MOSCOW)
    at = datetime.fromisoformat(missed_at).replace(tzinfo=MOSCOW)
    case = missed(None, a_missed(at=at), None, NUMBER, night).case
    assert case is not None
    assert case.escalate_at == datetime.fromisoformat(escalated_at).replace(tzinfo=MOSCOW)
    raised = timer(case, case.escalate_at, staff(BOSS), night)
    assert raised.reason == "case_escalated"


def test_a_case_that_is_due_when_quiet_hours_are_set_waits_for_their_end() -> None:
    night = Rules(CasePolicy.model_validate(NIGHT), ALL_DAY, MOSCOW)
    case = opened(escalate_minutes=10)
    late = datetime(2026, 3, 2, 22, tzinfo=MOSCOW)
    held = timer(case, late, staff(BOSS), night)
    assert (held.reason, held.effects) == ("escalation_quiet", ())
    assert held.case is not None
    assert held.case.escalate_at == datetime(2026, 3, 3, 9, tzinfo=MOSCOW)
    assert held.case.escalations == 0


def test_quiet_hours_that_follow_each_other_hold_until_the_last_and_endless_ones_hold_nothing() -> None:
    at = datetime(2026, 3, 2, 22, tzinfo=MOSCOW)
    assert after_quiet((("21:00", "24:00"), ("00:00", "07:00")), at, MOSCOW) == datetime(
        2026, 3, 3, 7, tzinfo=MOSCOW
    )
    assert after_quiet((("00:00", "12:00"), ("12:00", "24:00")), at, MOSCOW) == at


def test_every_decision_has_one_deciding_step_and_it_is_the_last() -> None:
    case = opened(escalate_minutes=1)
    decisions = [
        missed(None, a_missed(), None, NUMBER, rules()),
        missed(case, a_missed("m2"), None, NUMBER, rules()),
        answered(case, a_talk(NOON), rules()),
        timer(case, NOON + timedelta(hours=3), staff(BOSS), rules(escalate_minutes=1)),
    ]
    for decided in decisions:
        verdicts = [s.verdict for s in decided.steps]
        assert verdicts.count("decided") == 1
        assert verdicts[-1] == "decided"
        assert decided.steps[-1].because == decided.reason


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600)), max_size=12))
def test_any_traffic_gives_at_most_one_open_case_one_task_each_and_distinct_keys(
    traffic: list[tuple[bool, int]],
) -> None:
    case: Case | None = None
    talks: list[Reached] = []
    keys: list[str] = []
    for n, (is_answered, minute) in enumerate(traffic):
        at = NOON + timedelta(minutes=minute)
        if is_answered:
            talk = a_talk(at, f"t{n}")
            talks.append(talk)
            decided: CaseDecision = answered(case, talk, rules())
        else:
            latest = max(talks, key=lambda t: t.until, default=None)
            decided = missed(case, a_missed(f"m{n}", at), latest, NUMBER, rules())
        case = decided.case if decided.case and decided.case.state == "open" else None
        keys += [e.key for e in decided.effects]
    assert len(keys) == len(set(keys))
    opened_cases = sum(k.endswith(":task") for k in keys)
    closed_cases = sum(k.endswith(":done") for k in keys)
    assert opened_cases - closed_cases == (1 if case else 0)


def test_who_takes_a_case_here_gets_its_task_in_the_crm() -> None:
    order = CaseOrder(at=NOON + timedelta(minutes=5), by="Второй", owner_id="2")
    decided = by_hand(opened(), order, rules())
    assert decided.reason == "case_taken"
    assert decided.case is not None
    assert (decided.case.owner_id, decided.case.changes) == ("2", 1)
    assert [e.order for e in decided.effects] == [ChangeTask(task="case:m1:task", owner_id="2")]
    again = by_hand(decided.case, order, rules())
    assert (again.reason, again.effects) == ("task_as_known", ())


def test_a_case_that_is_closed_here_completes_its_task_with_the_note() -> None:
    order = CaseOrder(at=NOON + timedelta(minutes=5), by="Босс", note="wrong number")
    decided = by_hand(opened(), order, rules())
    assert decided.reason == "case_closed_by_hand"
    assert decided.case is not None
    assert (decided.case.closed_by, decided.case.closed_note) == ("Босс", "wrong number")
    assert decided.case.waited_seconds is None  # nobody called back: it is no figure of how fast they do
    done = ChangeTask(task="case:m1:task", is_completed=True, result="wrong number")
    assert [(e.key, e.order) for e in decided.effects] == [("case:m1:done", done)]
    late = by_hand(decided.case, order, rules())
    assert (late.reason, late.effects, late.case) == ("no_open_case", (), decided.case)
