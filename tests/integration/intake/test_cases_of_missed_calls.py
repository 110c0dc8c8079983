"""The life of a missed-call case, through the inbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.store.admin import accounts
from gateway.store.calls.missed_calls import case_figures, open_cases, overdue_cases
from routing.calls.model import FailedSide
from routing.settings import CasePolicy
from tests.integration.intake.office import ACCOUNT, CLIENT, START, Office, a_call

LATER = START + timedelta(minutes=30)


async def _missed(office: Office, key: str, *, after_minutes: float = 0) -> None:
    office.clock.now = START + timedelta(minutes=after_minutes)
    await office.tell_all(a_call(key, at=office.clock.now))
    await office.settle()


async def test_first_missed_call_opens_a_case_with_one_task(office: Office) -> None:
    await office.know_client()
    await _missed(office, "m1")
    (case,) = await office.cases()
    (task,) = await office.effects("create_task")
    assert task["effect_key"] == f"case:{case['case_id']}:task"
    assert (case["state"], case["client"], case["owner_id"]) == ("open", CLIENT, "11")


async def test_further_missed_calls_are_counted_on_the_one_task(office: Office) -> None:
    await office.know_client()
    for n in range(3):
        await _missed(office, f"m{n}", after_minutes=n * 5)
    (case,) = await office.cases()
    assert len(case["missed_calls"]) == 3
    assert len(await office.effects("create_task")) == 1
    changes = await office.effects("change_task")
    assert "3" in changes[-1]["ordered"]["text"]
    assert len(changes) == 2


async def test_missed_call_delivered_twice_is_counted_once(office: Office) -> None:
    await office.know_client()
    for event in a_call("m1"):
        await office.tell(event)
        await office.tell(event, copy=" again")
    await office.settle()
    for event in a_call("m1"):
        await office.tell(event, copy=" once more")
    await office.settle()
    assert [c["missed_calls"] for c in await office.cases()] == [[(await office.call("m1"))["call_id"]]]
    assert await office.whats() == ["create_task"]


async def test_outbound_talk_closes_the_case_and_completes_the_task_with_who_and_when(office: Office) -> None:
    await office.know_client()
    await _missed(office, "m1")
    await office.sent()
    office.clock.now = LATER
    await office.tell_all(a_call("o1", at=LATER, answered_by="102", direction="outbound"))
    await office.settle()
    (case,) = await office.cases()
    assert (case["state"], case["closed_by"]) == ("closed", "Пётр Второй")
    assert case["waited_seconds"] == 30 * 60 + 5
    (done,) = await office.effects("change_task")
    assert done["ordered"]["is_completed"] is True
    assert "Пётр Второй" in done["ordered"]["result"]


@pytest.mark.parametrize("side", FailedSide)
async def test_a_call_back_that_reached_nobody_leaves_the_case_as_it_is_and_stands_in_the_journal(
    office: Office, side: FailedSide
) -> None:
    await office.know_client()
    await _missed(office, "m1")
    await office.sent()
    before = await office.cases()
    office.clock.now = LATER
    events = a_call("o1", at=LATER, direction="outbound")
    ours = {"attempt": "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"}
    await office.tell_all(
        [events[0].model_copy(update=ours), events[1].model_copy(update={"failed_side": side})]
    )
    await office.settle()
    assert await office.cases() == before
    assert await office.whats() == ["create_task"]
    told = await office.call("o1")
    assert (told["failed_side"], told["attempt_id"]) == (side.value, ours["attempt"])
    missed = await office.call("m1")
    assert (missed["failed_side"], missed["attempt_id"]) == (None, None)


async def test_client_who_gets_through_himself_closes_the_case(office: Office) -> None:
    await office.know_client()
    await _missed(office, "m1")
    await office.sent()
    office.clock.now = LATER
    await office.tell_all(a_call("c2", at=LATER, answered_by="101"))
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["closed"]


async def test_task_that_the_crm_was_never_told_of_is_dropped_when_the_client_was_reached(
    office: Office,
) -> None:
    await office.know_client()
    async with office.pool.acquire() as conn:
        await accounts.set_account_state(conn, ACCOUNT, "broken", "test")
    await _missed(office, "m1")
    await _missed(office, "m2", after_minutes=5)
    office.clock.now = LATER
    await office.tell_all(a_call("o1", at=LATER, answered_by="102", direction="outbound"))
    await office.settle()
    states = {r["what"]: r["state"] for r in await office.effects("create_task", "change_task")}
    assert states == {"create_task": "skipped", "change_task": "skipped"}
    assert [c["state"] for c in await office.cases()] == ["closed"]


async def test_missed_call_after_the_case_was_closed_is_a_new_case_with_a_new_task(office: Office) -> None:
    await office.know_client()
    await _missed(office, "m1")
    await office.sent()
    office.clock.now = LATER
    await office.tell_all(a_call("o1", at=LATER, answered_by="102", direction="outbound"))
    await office.settle()
    await _missed(office, "m2", after_minutes=60)
    assert [c["state"] for c in await office.cases()] == ["closed", "open"]
    assert len(await office.effects("create_task")) == 2


async def test_missed_call_told_after_the_talk_that_returned_it_opens_no_case(office: Office) -> None:
    await office.know_client()
    office.clock.now = LATER
    await office.tell_all(a_call("o1", at=LATER, answered_by="102", direction="outbound"))
    await office.settle()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    assert await office.cases() == []
    assert await office.effects("create_task") == []
    reasons = [r["reason"] for r in await office.rows("SELECT reason FROM decision WHERE kind = 'case'")]
    assert reasons == ["client_reached_already"]


@pytest.mark.parametrize("late_seconds", [0, 24])
async def test_second_line_given_up_after_the_talk_on_the_first_is_a_missed_call(
    office: Office, late_seconds: int
) -> None:
    """They talk until the 8th second, ring on another line at the 2nd and give that up at the 30th. late_seconds: with which
    the end of the talk is told."""
    await office.know_client()
    talk = a_call("talk", answered_by="101", seconds=8)
    second = a_call("second", at=START + timedelta(seconds=2), seconds=28)
    told = [(event, event.at) for event in [*talk, *second]]
    told[len(talk) - 1] = talk[-1], talk[-1].at + timedelta(seconds=late_seconds)
    for event, at in sorted(told, key=lambda one: one[1]):
        office.clock.now = at
        await office.tell(event)
        await office.idle()
    office.clock.now = START + timedelta(minutes=2)
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["open"]
    office.clock.now = LATER
    await office.tell_all(a_call("again", at=LATER, answered_by="101"))
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["closed"]


async def test_case_that_waits_too_long_goes_to_the_next_senior_manager_once(office: Office) -> None:
    await office.change_settings(
        cases=CasePolicy(seniors=("boss", "second"), escalate_minutes=30, max_escalations=1)
    )
    await office.tell_all(a_call("m1"))
    await office.settle()
    assert (await office.cases())[0]["owner_id"] == "1"
    await office.settle(seconds=29 * 60)
    assert await office.effects("change_task") == []
    await office.settle(seconds=60)
    (change,) = await office.effects("change_task")
    assert change["ordered"]["owner_id"] == "2"
    await office.settle(seconds=8 * 3600)
    assert len(await office.effects("change_task")) == 1


async def test_cases_can_be_asked_for_open_overdue_and_median_time(office: Office) -> None:
    await office.know_client()
    await _missed(office, "m1")
    await office.sent()
    office.clock.now = LATER
    await office.tell_all(a_call("o1", at=LATER, answered_by="102", direction="outbound"))
    await office.tell_all(a_call("m2", at=LATER, client="+79160000001"))
    await office.settle()
    now = LATER + timedelta(hours=5)
    async with office.pool.acquire() as conn:
        figures = await case_figures(conn, ACCOUNT, since=START, now=now)
        opened = await open_cases(conn, ACCOUNT)
        overdue = await overdue_cases(conn, ACCOUNT, now)
    assert (figures.open, figures.overdue, figures.closed, figures.median_seconds) == (1, 1, 1, 1805.0)
    assert [c.client for c in opened] == [c.client for c in overdue] == ["+79160000001"]


async def test_ring_all_of_three_phones_is_one_missed_call(office: Office) -> None:
    from routing.calls.model import EventKind
    from tests.integration.intake.office import an_event

    await office.know_client()
    started, ended = a_call("m1")
    legs = [an_event(EventKind.RANG, "m1", leg=f"l{n}", party=f"10{n}") for n in range(3)]
    gone = [
        an_event(EventKind.LEG_ENDED, "m1", leg=f"l{n}", party=f"10{n}", at=START + timedelta(seconds=15))
        for n in range(3)
    ]
    await office.tell_all([started, *legs, *gone, ended])
    await office.settle()
    (case,) = await office.cases()
    assert len(case["missed_calls"]) == 1


async def test_a_case_is_of_whoever_got_its_task_when_the_crm_would_not_give_it_to_the_owner(
    office: Office,
) -> None:
    await office.know_client()
    await _missed(office, "m1")
    await office.sent()

    async def owners(of: str | None = None) -> list[str | None]:
        async with office.pool.acquire() as conn:
            return [case.owner_id for case in await open_cases(conn, ACCOUNT, owner_id=of)]

    async def given_on(key: str, refused: str, owner: str) -> None:
        told = {"refused_owners": refused, "owner": owner}
        sql = "UPDATE effect SET crm_extra = $2 WHERE effect_key LIKE $1"
        assert await office.pool.execute(sql, key, told) == "UPDATE 1"

    assert await owners() == ["11"]
    await given_on("case:%:task", "11; 2", "1")
    assert (await owners(), await owners("1"), await owners("11")) == (["1"], ["1"], [])
    await given_on("case:%:task", "11; 2; 1", "")
    assert await owners() == [None]
    await office.pool.execute("UPDATE missed_case SET owner_id = '7'")  # a person gave it away
    assert await owners() == ["7"]
    await _missed(office, "m2", after_minutes=5)  # reads and writes the case
    await office.pool.execute("UPDATE missed_case SET owner_id = '2'")
    await given_on("case:%:change:1", "2", "11")
    assert await owners() == ["11"]
