"""Through the inbox and real workers to the rows of effects."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from gateway.calls.call import gone_from_crm
from gateway.store.admin import accounts
from gateway.store.admin.staff import staff_at
from gateway.store.decisions.decisions import explain, latest_decisions
from routing.calls.model import Disposition, EventKind
from routing.matrix.actions import MakeDeal
from routing.matrix.decide import MatrixTable, Situation, decide
from routing.matrix.places import GonePlaces
from routing.matrix.presets import recommended
from tests.integration.intake.office import ACCOUNT, CLIENT, START, Office, a_call, an_event


async def test_answered_new_client_becomes_contact_and_deal_of_who_answered_and_the_call_is_attached(
    office: Office,
) -> None:
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]
    assert {r["ordered"]["owner_id"] for r in await office.effects()} == {"11"}
    call = await office.call()
    assert (call["client"], call["client_kind"], call["matrix_version"]) == (CLIENT, "new", 1)
    assert set(call["moments"]) - {"ring"} == {"answer", "end"}  # a slow machine sees it ring
    assert call["due_at"] is None


@pytest.mark.parametrize("seed", range(4))
async def test_events_tripled_and_shuffled_on_two_workers_make_one_contact_and_one_deal(
    office: Office, seed: int
) -> None:
    messages = [e for e in a_call(answered_by="101") for _ in range(3)]
    random.Random(seed).shuffle(messages)
    answers = await asyncio.gather(*(office.tell(m) for m in messages))
    assert sum(not a.duplicate for a in answers) == 3
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]
    assert len(await office.rows("SELECT 1 FROM inbox WHERE state = 'applied'")) == 3


async def test_two_calls_of_a_new_number_20_ms_apart_make_one_contact_and_one_deal(office: Office) -> None:
    first = a_call("c1", answered_by="101")
    second = a_call("c2", at=START + timedelta(milliseconds=20), answered_by="102")
    await asyncio.gather(*(office.tell(e) for pair in zip(first, second, strict=True) for e in pair))
    await office.settle()
    assert await office.whats() == ["attach_call", "attach_call", "create_contact", "create_deal"]


async def test_many_new_numbers_at_once_each_get_their_own_contact(office: Office) -> None:
    numbers = [f"+7916000{i:04d}" for i in range(30)]
    events = [e for i, n in enumerate(numbers) for e in a_call(f"k{i}", client=n, answered_by="101")]
    random.Random(1).shuffle(events)
    await asyncio.gather(*(office.tell(e) for e in events))
    await office.settle()
    contacts = await office.effects("create_contact")
    assert sorted(r["client"] for r in contacts) == numbers
    assert len(await office.effects("create_deal")) == 30


async def test_hangup_before_answer_is_the_same_call(office: Office) -> None:
    started, answered, ended = a_call(answered_by="101")
    for event in (ended.model_copy(update={"cause": None}), started):
        await office.tell(event)
        await office.idle()
    assert await office.whats() == []
    await office.tell(answered)
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]
    assert (await office.call())["disposition"] == "answered"


async def test_lost_start_still_gives_the_whole_call(office: Office) -> None:
    await office.tell_all(a_call(answered_by="101")[1:])
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]


async def test_number_that_only_the_last_event_tells_is_found_for_all_events(office: Office) -> None:
    started, answered, ended = a_call(answered_by="101", client=None)
    await office.tell_all([started, answered])
    await office.idle()
    assert (await office.call())["client"] is None
    await office.tell(ended.model_copy(update={"client": CLIENT}))
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]
    assert (await office.call())["client"] == CLIENT
    assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []


async def test_late_events_without_number_join_the_call_of_the_known_client(office: Office) -> None:
    started, answered, ended = a_call(answered_by="101")
    await office.tell(started)
    await office.idle()
    await office.tell_all(
        [answered.model_copy(update={"client": None}), ended.model_copy(update={"client": None})]
    )
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]


async def test_missed_call_waits_for_the_settle_time(office: Office) -> None:
    await office.tell_all(a_call())
    await office.idle()
    assert await office.whats() == []
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal", "create_task"]
    (task,) = await office.effects("create_task")
    assert task["ordered"]["owner_id"] == "1"


async def test_late_answer_within_the_settle_time_wins(office: Office) -> None:
    started, answered, ended = a_call(answered_by="101")
    await office.tell_all([started, ended.model_copy(update={"cause": Disposition.NO_ANSWER})])
    await office.idle()
    office.clock.forward(seconds=5)
    await office.tell(answered)
    await office.settle()
    assert await office.effects("create_task") == []
    assert await office.cases() == []
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]


async def test_answer_that_comes_after_the_settle_time_completes_the_task(office: Office) -> None:
    await office.know_client()
    started, answered, ended = a_call(answered_by="101")
    await office.tell_all([started, ended.model_copy(update={"cause": Disposition.NO_ANSWER})])
    await office.settle()
    await office.sent()
    await office.tell(answered)
    await office.settle()
    assert await office.whats() == ["attach_call", "change_task", "create_task"]
    assert (await office.effects("change_task"))[0]["ordered"]["is_completed"] is True
    assert [c["state"] for c in await office.cases()] == ["closed"]


async def test_unknown_employee_gives_the_senior_manager_the_client_and_a_task_to_check(
    office: Office,
) -> None:
    await office.tell_all(a_call(answered_by="777"))
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal", "create_task"]
    (task,) = await office.effects("create_task")
    assert (task["ordered"]["purpose"], task["ordered"]["owner_id"]) == ("check_settings", "1")
    assert (await office.effects("create_deal"))[0]["ordered"]["owner_id"] == "1"
    assert await office.cases() == []


async def test_known_client_gets_no_second_contact(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    assert await office.whats() == ["attach_call"]
    assert (await office.effects())[0]["ordered"]["target"]["id"] == "601"


@pytest.mark.parametrize(
    ("client", "direction", "reason"),
    [
        ("anonymous", "inbound", "anonymous"),
        ("+74951230000", "inbound", "own_number"),
        ("102", "inbound", "internal"),
        ("102", "internal", "internal"),
        ("garbage", "inbound", "invalid_number"),
    ],
)
async def test_calls_of_nobody_are_kept_with_the_reason_and_leave_no_effects(
    office: Office, client: str, direction: str, reason: str
) -> None:
    await office.tell_all(a_call(client=client, direction=direction))  # type: ignore[arg-type]
    await office.settle()
    assert await office.effects() == []
    assert (await office.call())["client"] is None
    (decision,) = await office.rows("SELECT * FROM decision")
    assert decision["reason"] == reason


async def test_hangup_that_never_comes_is_replaced_by_a_timer(office: Office) -> None:
    await office.tell_all(a_call(answered_by="101")[:2])
    await office.settle()
    assert await office.whats() == ["create_contact", "create_deal"]
    await office.settle(seconds=121 * 60)
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]
    assert (await office.call())["is_over"] is True


async def test_account_that_is_off_decides_and_holds_everything(office: Office) -> None:
    async with office.pool.acquire() as conn:
        await accounts.set_account_state(conn, ACCOUNT, "off", "test")
    await office.tell_all(a_call())
    await office.settle()
    assert {r["state"] for r in await office.effects()} == {"held"}
    assert await office.whats() == ["attach_call", "create_contact", "create_deal", "create_task"]
    assert len(await office.rows("SELECT 1 FROM decision")) == 2


async def test_recording_that_comes_before_the_note_was_sent_goes_into_it(office: Office) -> None:
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    await office.tell(
        an_event(EventKind.RECORDING, at=START + timedelta(minutes=1), recording="https://pbx/r1.mp3")
    )
    await office.settle()
    assert await office.whats() == ["attach_call", "create_contact", "create_deal"]
    assert (await office.effects("attach_call"))[0]["ordered"]["recording"] == "https://pbx/r1.mp3"


async def test_recording_that_comes_after_the_note_was_sent_becomes_a_note_of_its_own(office: Office) -> None:
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    await office.sent()
    recording = an_event(EventKind.RECORDING, at=START + timedelta(minutes=1), recording="https://pbx/r1.mp3")
    await office.tell(recording)
    await office.tell(recording, copy="again")
    await office.settle()
    (note,) = await office.effects("add_note")
    assert "https://pbx/r1.mp3" in note["ordered"]["text"]
    assert note["ordered"]["target"]["kind"] == "deal"


async def test_decision_names_its_inputs_and_what_became_of_its_effects(office: Office) -> None:
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    await office.sent()
    call = await office.call()
    async with office.pool.acquire() as conn:
        explained = await explain(conn, ACCOUNT, call["call_id"])
    assert [e.decision.outcome["moment"] for e in explained] == ["answer", "end"]
    assert [[x.what for x in e.effects] for e in explained] == [
        ["create_contact", "create_deal"],
        ["attach_call"],
    ]
    assert all(x.crm_id for e in explained for x in e.effects)


async def test_call_keeps_the_kind_and_version_it_began_with(office: Office) -> None:
    started, answered, ended = a_call(answered_by="101")
    await office.tell(started)
    await office.idle()
    await office.know_client()
    await office.tell_all([answered, ended])
    await office.settle()
    assert (await office.call())["client_kind"] == "new"
    # The client is there by now: what the row of a new client orders is checked again before anything is created.
    assert await office.whats() == ["attach_call"]


async def test_every_stored_decision_is_computed_again_with_the_same_result(office: Office) -> None:
    await office.tell_all(a_call("c1", answered_by="101"))
    await office.tell_all(a_call("c2", client="+79160000002"))
    await office.tell_all(a_call("c3", client="+79160000003", answered_by="777"))
    await office.settle()
    async with office.pool.acquire() as conn:
        await conn.execute("UPDATE employee SET crm_user_id = '99'")  # what is so today must not matter
        decisions = await latest_decisions(conn, ACCOUNT, kind="matrix")
        assert len(decisions) == 5
        for stored in decisions:
            inputs = dict(stored.inputs)
            staff = await staff_at(conn, ACCOUNT, inputs.pop("staff_version"))
            matrix = recommended()
            assert matrix.version == inputs.pop("matrix_version")
            again = decide(matrix, Situation.model_validate({**inputs, "staff": staff}))
            assert again.model_dump(mode="json", exclude={"steps"}) == stored.outcome
            assert [s.as_json() for s in again.steps] == stored.steps


async def test_a_pipeline_that_was_deleted_in_the_crm_costs_no_deal_and_stands_in_the_trace(
    office: Office,
) -> None:
    await office.change_settings(default_pipeline_id="9")
    await office.tell_all(a_call("c1", client="+79161111111"))
    await office.settle()
    stages = [{"id": "10", "name": "x", "sort": 1, "is_closed": False, "is_unsorted": False}]
    await office.pool.execute(
        "INSERT INTO crm_pipeline VALUES ($1, '1', 'x', true, false, true, $2)", ACCOUNT, stages
    )
    await office.tell_all(a_call("c2", at=office.clock.now, client="+79162222222"))
    await office.settle()
    deals = [row["ordered"]["pipeline_id"] for row in await office.effects("create_deal")]
    assert deals == ["9", None], "before the CRM's pipelines are known the setting is believed"
    async with office.pool.acquire() as conn:
        account = await accounts.account(conn, ACCOUNT)
        named = MakeDeal(pipeline_id="1", stage_id="10"), MakeDeal(pipeline_id="2", stage_id="20")
        cells = {"inbound.missed.new/end": named}
        matrix = recommended().model_copy(update={"tables": {"default": MatrixTable(name="x", cells=cells)}})
        gone = await gone_from_crm(conn, account, matrix)
    assert gone == GonePlaces(pipelines=("2", "9"), stages=("20",))
    steps = await office.rows("SELECT steps FROM decision WHERE client = '+79162222222' AND kind = 'matrix'")
    facts = [step["facts"] for row in steps for step in row["steps"] if "pipeline_gone" in step["facts"]]
    assert [one["pipeline_gone"] for one in facts] == ["9"]
