"""A campaign from its first number to its end, and what triggers add."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gateway.admin.campaigns.commands import NobodyToCall, add_member, remove_kept_open
from gateway.admin.campaigns.refused import CampaignNotUsable, CampaignStateForbids
from gateway.health.status import installation_status
from gateway.outbound.ending import end_with_effects
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns.turns import AT_ONCE
from gateway.store.outbound.do_not_call import add as do_not_call
from gateway.store.outbound.items import lock
from tests.integration.campaigns.scene import OWN, Scene, adds
from tests.integration.triggers.office import ACCOUNT

A, B, C = "+79160000001", "+79160000002", "+79160000003"


@pytest.fixture
async def scene(pool: asyncpg.Pool) -> Scene:
    made = Scene(pool)
    await made.open(adds())
    return made


async def test_a_campaign_runs_pauses_goes_on_and_ends_by_itself(scene: Scene) -> None:
    with pytest.raises(NobodyToCall):
        await scene.order("start")
    await scene.add(A, B)
    await scene.work.look()
    assert [state for _, state, _ in await scene.items()] == ["held", "held"]
    await scene.order("start")
    await scene.work.look()
    assert await scene.items() == [(A, "waiting", ""), (B, "waiting", "")]
    await scene.order("pause")
    await scene.work.look()
    assert [state for _, state, _ in await scene.items()] == ["held", "held"]
    await scene.order("start")
    await scene.work.look()
    await scene.ended(A, "succeeded", "talked")
    await scene.work.look()
    assert (await scene.row()).state == "running"
    await scene.ended(B, "failed", "no_answer")
    await scene.work.look()
    row = await scene.row()
    assert (row.state, row.reason, row.finished_at is not None) == ("finished", "all_done", True)
    for command in ("start", "plan", "pause", "stop", "finish"):
        at = datetime.now(UTC) + timedelta(days=1)
        with pytest.raises(CampaignStateForbids):
            await scene.order(command, starts_at=at)
    with pytest.raises(asyncpg.RaiseError):
        await scene.pool.execute("UPDATE campaign SET state = 'running'")


async def test_one_that_runs_and_cannot_dial_is_found_by_the_check(scene: Scene) -> None:
    async def found() -> list[tuple[str, int, str]]:
        status = await installation_status(scene.pool, datetime.now(UTC))
        return [(c.name, c.waiting, c.obstacle) for account in status.accounts for c in account.campaigns]

    await scene.add(A, B)
    assert await found() == []
    await scene.order("start")
    assert await found() == [("spring", 2, "connection")]


async def test_a_long_list_stands_in_nobodys_way(scene: Scene) -> None:
    await scene.add(*(f"+7916{n:07d}" for n in range(AT_ONCE + 20)))
    await scene.order("start")
    await scene.work.look()
    await scene.work.look()
    states = [state for _, state, _ in await scene.items()]
    assert states == ["waiting"] * AT_ONCE + ["held"] * 20


async def test_stop_lets_who_was_tried_be_tried_to_the_end_and_finish_does_not(scene: Scene) -> None:
    await scene.add(A, B, C)
    await scene.order("start")
    await scene.work.look()
    await scene.pool.execute("UPDATE outbound_item SET state = 'dialling' WHERE client = $1", A)
    await scene.pool.execute(
        "UPDATE outbound_item SET counters = '{\"client_busy\": 1}', not_before = now() + interval '1 hour' WHERE client = $1",
        B,
    )
    assert (await scene.order("stop")).state == "stopping"
    assert [(n, s) for n, s, _ in await scene.items()] == [(A, "dialling"), (C, "cleared"), (B, "waiting")]
    assert (await scene.order("finish")).state == "stopping"
    await scene.ended(A, "succeeded", "talked")
    await scene.work.look()
    assert ((await scene.row()).state, (await scene.row()).reason) == ("finished", "finished_by_hand")
    assert {s for _, s, _ in await scene.items()} == {"succeeded", "cleared"}


async def test_who_was_on_the_line_when_it_was_finished_is_not_tried_again(scene: Scene) -> None:
    await scene.add(A)
    await scene.order("start")
    await scene.work.look()
    await scene.pool.execute("UPDATE outbound_item SET state = 'dialling'")
    assert (await scene.order("finish")).state == "stopping"
    await scene.pool.execute("UPDATE outbound_item SET state = 'waiting', counters = '{\"client_busy\": 1}'")
    await scene.work.look()
    assert ((await scene.row()).state, await scene.items()) == (
        "finished",
        [(A, "cleared", "campaign_finished")],
    )


async def test_51_what_a_trigger_adds_to_a_finished_campaign_is_refused_with_its_reason(scene: Scene) -> None:
    await scene.add(A)
    await scene.order("finish")
    await scene.client("7", B)
    await scene.work.look()
    assert await scene.items() == [(A, "cleared", "campaign_finished"), (None, "failed", "campaign_finished")]
    [note] = await scene.pool.fetch("SELECT \"order\" FROM effect WHERE what = 'add_note'")
    assert note["order"]["target"]["id"] == "7"
    assert "spring" in note["order"]["text"]
    assert "кампания завершена" in note["order"]["text"]
    async with scene.pool.acquire() as conn:
        with pytest.raises(CampaignStateForbids):
            await add_member(conn, ACCOUNT, "spring", C, OWN)


async def test_where_the_pipeline_is_switched_off_what_a_trigger_adds_is_dropped(scene: Scene) -> None:
    await scene.pool.execute('UPDATE account SET settings = \'{"campaigns": {"from_pipeline": false}}\'')
    await scene.client("7", A)
    assert await scene.items() == [(None, "dropped", "pipeline_off")]
    assert await scene.pool.fetchval("SELECT count(*) FROM effect") == 0


async def test_52_the_first_add_keeps_the_campaign_open_until_a_person_takes_that_row_out(
    scene: Scene,
) -> None:
    await scene.client("7", A)
    made = (await scene.row()).kept_open_at
    assert made is not None
    await scene.order("start")
    await scene.ended(A, "succeeded", "talked")
    await scene.work.look()
    assert (await scene.row()).state == "running"
    await scene.client("8", B)
    assert (await scene.row()).kept_open_at == made
    async with scene.pool.acquire() as conn:
        row = await remove_kept_open(conn, ACCOUNT, "spring")
    assert not row.kept_open.holds
    await scene.client("9", C)
    assert not (await scene.row()).kept_open.holds
    assert (await scene.items())[-1] == (C, "waiting", "")
    await scene.ended(B, "failed", "no_answer")
    await scene.ended(C, "succeeded", "talked")
    await scene.work.look()
    assert (await scene.row()).state == "finished"


async def test_53_a_number_that_is_there_already_is_linked_and_one_that_was_called_is_called_anew(
    scene: Scene,
) -> None:
    await scene.client("7", A)
    await scene.client("8", A)
    assert await scene.items() == [(A, "held", ""), (A, "held", "linked")]
    await scene.order("start")
    await scene.work.look()
    assert [s for _, s, _ in await scene.items()] == ["waiting", "held"]
    await scene.work.look()
    assert [s for _, s, _ in await scene.items()] == ["waiting", "held"]
    await scene.pool.execute(
        "UPDATE outbound_item SET state = 'succeeded', ended_at = now() WHERE state = 'waiting'"
    )
    await scene.client("9", A)
    assert await scene.pool.fetchval("SELECT count(*) FROM campaign_member") == 1
    assert [s for _, s, _ in await scene.items()][-1] == "waiting"


async def test_own_numbers_and_those_who_do_not_want_it_do_not_come_in(scene: Scene) -> None:
    async with scene.pool.acquire() as conn, conn.transaction():
        await do_not_call(conn, ACCOUNT, B, source="client", said_by="phone", campaign="spring")
    await scene.client("7", "+74951230000")
    await scene.client("8", B)
    assert [item[1:] for item in await scene.items()] == [
        ("failed", "own_number"),
        ("dropped", "do_not_call"),
    ]


async def test_a_client_whom_the_directory_does_not_know_yet_is_waited_for(scene: Scene) -> None:
    await scene.office.deal("7")
    await scene.office.moved(id="7")
    await scene.work.look()
    assert await scene.items() == [(None, "held", "")]
    await scene.pool.execute("UPDATE outbound_item SET created_at = now() - interval '11 minutes'")
    await scene.work.look()
    assert await scene.items() == [(None, "failed", "no_number")]


async def test_a_trigger_that_goes_off_drops_only_what_has_not_come_in(scene: Scene) -> None:
    await scene.client("7", A)
    await scene.office.deal("8")
    await scene.office.moved(id="8")
    await scene.order("start")
    await scene.work.look()
    await scene.office.remove("t")
    assert [(n, s) for n, s, _ in await scene.items()] == [(A, "waiting"), (None, "dropped")]


async def test_a_planned_one_begins_at_its_time(scene: Scene) -> None:
    await scene.add(A)
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert (await scene.order("plan", starts_at=soon)).state == "planned"
    await scene.work.look()
    assert (await scene.row()).state == "planned"
    await scene.pool.execute("UPDATE campaign SET starts_at = now()")
    await scene.work.look()
    assert ((await scene.row()).state, (await scene.items())[0][1]) == ("running", "waiting")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("connection", {"connection": "none"}),
        ("target.employee_id", {"target": {"kind": "employee", "employee_id": "nobody"}}),
        ("target.name", {"target": {"kind": "template", "name": "none"}}),
        ("unreached.stage", {"unreached": {"stage": {"pipeline_id": "1", "stage_id": "999"}}}),
        ("topics", {"topics": {"is_on": True}}),
        ("engine", {"engine": "pbx"}),
    ],
)
async def test_what_a_campaign_names_must_be_there(
    scene: Scene, field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(CampaignNotUsable) as refused:
        await scene.campaign("other", **changes)
    assert refused.value.field == field


async def test_s3_11_who_was_not_reached_gets_what_each_trigger_says_once(pool: asyncpg.Pool) -> None:
    scene = Scene(pool)
    stage = {"pipeline_id": "1", "stage_id": "30"}
    await scene.open(adds(task=True, stage=stage), adds("u", task=True, stage=stage))
    await scene.client("7", A)
    await scene.client("8", A)
    await scene.order("start")
    await scene.work.look()
    item = await scene.pool.fetchrow("SELECT * FROM outbound_item WHERE state = 'waiting'")
    assert item is not None
    async with pool.acquire() as conn, conn.transaction():
        locked = await lock(conn, ACCOUNT, item["item_id"])
        assert locked is not None
        for _ in range(2):
            await end_with_effects(
                conn, await staff_of(conn, ACCOUNT), locked, "failed", "client_no_answer", datetime.now(UTC)
            )
    for _ in range(2):
        await scene.work.look()
    assert {item[1:] for item in await scene.items()} == {("failed", "client_no_answer")}
    found = await scene.pool.fetch(
        "SELECT what, \"order\"->'target'->>'id' AS deal FROM effect ORDER BY 1, 2"
    )
    assert [tuple(row) for row in found] == [("create_task", "7"), ("create_task", "8")]
