"""What people do in the CRM with the task of a missed call, and what becomes of its case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crm.port import CrmEvent, Observed
from crm.store.news import record_news
from crm.sync.changes import apply_webhook
from gateway.crm_events.job import CrmEventJob
from gateway.crm_events.missed_call_tasks import NAME, follow_missed_call_tasks
from gateway.decisions.explain import explain
from gateway.pbx.push_format import parse_event
from routing.settings import NumberPolicy
from tests.integration.intake.office import ACCOUNT, CLIENT, LINE, START, Office, a_call


async def _told(office: Office, minutes: int, changed: str, **values: str) -> None:
    """A webhook about the case's task, told twice, and worked on."""
    (task,) = await office.effects("create_task")
    await office.pool.execute(
        "UPDATE effect SET state = 'done', crm_id = '900' WHERE effect_key = $1", task["effect_key"]
    )
    seen = Observed(
        kind="task",
        id="900",
        at=START + timedelta(minutes=minutes),
        values=values,
        is_changed=frozenset([changed]) & {"responsible"},
        target=("contact", "501"),
    )
    job = CrmEventJob(office.pool, {}, followers={NAME: follow_missed_call_tasks(office.jobs[0]._job)})
    async with office.pool.acquire() as conn:
        await job.sweep(conn)
    for _ in range(2):
        await apply_webhook(office.pool, ACCOUNT, [], NumberPolicy(), [seen])
        await job.run(ACCOUNT, "contact:501")


async def test_a_person_completes_the_task_in_the_crm_and_the_case_is_closed(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    await _told(office, 5, "", completed="0", responsible="11")
    assert [case["state"] for case in await office.cases()] == ["open"]
    await _told(office, 20, "completed", completed="1", responsible="11")
    (case,) = await office.cases()
    assert (case["state"], case["closed_at"]) == ("closed", START + timedelta(minutes=20))
    assert await office.effects("change_task") == []  # the CRM knows already


async def _explained(office: Office, key: str) -> list[str]:
    return [item["message"] for item in await _in_full(office, key)]


async def _in_full(office: Office, key: str) -> list[dict[str, Any]]:
    async with office.pool.acquire() as conn:
        told = await explain(conn, (await office.call(key))["call_id"], language="en")
    return [item for item in told if item["kind"] == "case"]


async def test_the_explanation_of_a_call_tells_who_completed_its_task_in_the_crm(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    assert len(await _explained(office, "m1")) == 1
    await _told(office, 5, "", completed="0", responsible="11")
    await _told(office, 20, "completed", completed="1", responsible="11")
    _, closed = await _explained(office, "m1")
    closing = "a person completed the task in the CRM: the case is closed, by"
    assert closed == f"{closing} somebody whom the CRM does not name (case_closed_in_crm)"
    await office.pool.execute("UPDATE crm_event SET by_user = '11' WHERE aspect = 'completed'")
    _, closed = await _explained(office, "m1")
    assert closed == f"{closing} Анна Менеджер (case_closed_in_crm)", "as the CRM's feed told later"


async def _who_completed(office: Office, user: str) -> tuple[str, str]:
    """What the explanation says of it in its sentence, and beside its step."""
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    await _told(office, 5, "", completed="0", responsible="11")
    await _told(office, 20, "completed", completed="1", responsible="11")
    await office.pool.execute("UPDATE crm_event SET by_user = $1 WHERE aspect = 'completed'", user)
    _, closed = await _in_full(office, "m1")
    return closed["message"], closed["steps"][-1]["facts_message"]


async def test_sentence_and_facts_name_the_same_person(office: Office) -> None:
    sentence, facts = await _who_completed(office, "11")
    assert "by Анна Менеджер" in sentence
    assert "CRM user: Анна Менеджер" in facts
    assert "not known yet" not in facts


async def test_a_person_who_is_no_employee_has_the_name_that_the_crm_gives_them(office: Office) -> None:
    sentence, facts = await _who_completed(office, "77")
    assert ("by 77" in sentence, "CRM user: 77" in facts) == (True, True)
    await office.pool.execute(
        "INSERT INTO crm_user (account_id, user_id, name, is_active) VALUES ($1, '77', 'Ольга Юрист', true)",
        ACCOUNT,
    )
    _, closed = await _in_full(office, "m1")
    assert "by Ольга Юрист" in closed["message"]
    assert "CRM user: Ольга Юрист" in closed["steps"][-1]["facts_message"]


async def test_the_explanation_of_a_missed_call_tells_the_call_that_closed_its_case(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    office.clock.now = later = START + timedelta(minutes=9)
    await office.tell_all(a_call("t1", at=later, answered_by="101"))
    await office.settle()
    _, closed = await _explained(office, "m1")
    talk = (await office.call("t1"))["call_id"]
    assert closed.endswith(f"by Анна Менеджер, in call {talk} (case_closed)")


async def test_a_task_that_is_given_to_somebody_else_takes_its_case_along(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    await _told(office, 5, "responsible", completed="0", responsible="12")
    (case,) = await office.cases()
    assert (case["state"], case["owner_id"]) == ("open", "12")
    assert await office.effects("change_task") == []


async def test_a_missed_call_that_a_mailbox_took_makes_the_call_back_task_and_no_other(
    office: Office,
) -> None:
    await office.know_client()
    sides = {"callId": "v1", "from": CLIENT, "to": LINE, "direction": "in"}
    for told in (
        {"event": "newCall", "user": ["Anna", "voicemail"]},
        {"event": "answer", "user": "voicemail", "answeringNumber": "4921199"},
        {"event": "hangup", "user": "voicemail", "cause": "normalClearing", "billsec": 14},
    ):
        await office.tell_all(
            parse_event({**sides, **told, "at": START.isoformat()}, "", START, office.connection)
        )
    await office.settle()
    (task,) = await office.effects("create_task")
    assert "voicemail" not in str(task["ordered"])
    assert [(case["state"], case["owner_id"]) for case in await office.cases()] == [("open", "11")]


def _given(id: str, before: str, after: str) -> CrmEvent:
    """What the CRM's feed tells of the case's task, a second of its own for none."""
    at = START + timedelta(minutes=5)
    return CrmEvent(
        id=id,
        kind="owner_changed",
        at=at,
        entity_kind="task",
        entity_id="900",
        by_user="12",
        before=before,
        after=after,
    )


async def _heard(office: Office, *events: CrmEvent) -> None:
    job = CrmEventJob(office.pool, {}, followers={NAME: follow_missed_call_tasks(office.jobs[0]._job)})
    async with office.pool.acquire() as conn, conn.transaction():
        await record_news(conn, ACCOUNT, told_by="feed", heard=events)
    await job.run(ACCOUNT, "contact:501")


async def _owner(office: Office) -> str:
    (case,) = await office.cases()
    return str(case["owner_id"])


async def test_what_the_feed_adds_in_between_does_not_give_the_case_away_again(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    await _told(
        office, 5, "responsible", completed="0", responsible="14"
    )  # the webhooks of 12 and 11 are lost
    await _heard(office, _given("e1", "11", "12"), _given("e2", "12", "11"), _given("e3", "11", "14"))
    assert await _owner(office) == "14"


async def test_of_one_second_the_feed_says_whose_the_task_is_though_it_tells_nothing_new(
    office: Office,
) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    await _told(office, 5, "responsible", completed="0", responsible="14")
    await _told(office, 5, "responsible", completed="0", responsible="12")  # came late: it was before
    assert await _owner(office) == "12"
    await _heard(office, _given("e1", "11", "12"), _given("e2", "12", "14"))
    assert await _owner(office) == "14"
    assert len(await office.pool.fetch("SELECT 1 FROM crm_event WHERE aspect = 'responsible'")) == 2


async def test_who_gave_the_task_away_is_explained_when_only_the_feed_tells(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    await _told(office, 5, "responsible", completed="0", responsible="14")
    assert "CRM user: not known yet" in await _last_facts(office)
    await _heard(office, _given("e1", "11", "14"))
    assert "CRM user: 12" in await _last_facts(office)


async def _last_facts(office: Office) -> str:
    async with office.pool.acquire() as conn:
        told = await explain(conn, (await office.call("m1"))["call_id"], language="en")
    return str(told[-1]["steps"][-1]["facts_message"])


async def test_an_owner_whom_we_have_yet_to_send_is_not_lost_to_what_the_crm_told_before(
    office: Office,
) -> None:
    await office.know_client()
    await office.tell_all(a_call("m1", at=START))
    await office.settle()
    (case,) = await office.cases()
    await office.pool.execute("UPDATE missed_case SET changes = 1, owner_id = '13'")
    await office.pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, what, "order", state, lane)'
        " SELECT account_id, $1, decision_id, client, 'change_task', $2, 'waiting', lane FROM effect WHERE what = 'create_task'",
        f"case:{case['case_id']}:change:1",
        {"what": "change_task", "task": f"case:{case['case_id']}:task", "owner_id": "13"},
    )
    await _told(office, 5, "responsible", completed="0", responsible="12")
    assert await _owner(office) == "13"
    await office.pool.execute(
        "UPDATE effect SET state = 'done', sent_at = $1 WHERE what = 'change_task'",
        START + timedelta(minutes=6),
    )
    await _told(office, 6, "responsible", completed="0", responsible="14")
    assert await _owner(office) == "14", "a person was faster than our change"
    await _told(office, 6, "responsible", completed="0", responsible="13")
    assert await _owner(office) == "13", "as the CRM has it since our own change"
