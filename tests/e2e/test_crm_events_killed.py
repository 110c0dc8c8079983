"""One change of a stage, told by webhook (twice), poll and feed, is one event, worked on once, through kill -9."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.e2e.stack import ACCOUNT, Stack, running_stack
from tests.waiting import until

DEALS = 40
ROUNDS = 5  # 200 changes

# Stands for what a consumer writes: it is committed, or not, with the fact that the event is done.
JOURNAL = """
CREATE TABLE journal (event_id bigint NOT NULL, consumer text NOT NULL);
CREATE FUNCTION note_work() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO journal VALUES (OLD.event_id, OLD.consumer); RETURN OLD; END $$;
CREATE TRIGGER note_work AFTER DELETE ON crm_event_work FOR EACH ROW EXECUTE FUNCTION note_work();
"""


@pytest.fixture
async def stack(tmp_path: Path, database_url: str) -> AsyncIterator[Stack]:
    env = {"CALLMATRIX_POLL_SECONDS": "1"}
    async with running_stack(tmp_path, database_url, contacts=200, workers=2, env=env) as running:
        yield running


async def _until(stack: Stack, sql: str, seconds: float = 30) -> None:
    await until(lambda: stack.pool.fetchval(sql), sql, seconds=seconds)


async def _kill_now_and_then(stack: Stack, random: Random) -> None:
    while True:
        await asyncio.sleep(random.uniform(0.5, 2.5))
        worker = stack.process(f"worker{random.randrange(2)}")
        worker.kill()
        worker.start()


async def _tell_again(stack: Stack, told: set[int], random: Random) -> None:
    """Every webhook a second time, in any order."""
    deliveries = (await stack.sandbox("deliveries"))["deliveries"]
    fresh = [d for d in deliveries if d["id"] not in told]
    random.shuffle(fresh)
    for delivery in fresh:
        told.add(delivery["id"])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with stack.http.post(
            delivery["destination"], data=delivery["form"].encode(), headers=headers
        ) as r:
            assert r.status == 200, await r.text()


async def _change_all(stack: Stack, deals: list[dict[str, Any]], stages: list[int], random: Random) -> Any:
    """What was changed: by deal, its stages in order, the first of them the one it began with."""
    course = {deal["id"]: [deal["status_id"]] for deal in deals}
    told: set[int] = set()
    for _ in range(ROUNDS):
        for deal in deals:
            stage = random.choice([s for s in stages if s != course[deal["id"]][-1]])
            course[deal["id"]].append(stage)
            change = {"do": "set_status", "kind": "deal", "id": deal["id"], "status": stage}
            await stack.act("act", {**change, "pipeline": deal["pipeline_id"]})
            await asyncio.sleep(0.05)
        await _tell_again(stack, told, random)
    await _tell_again(stack, told, random)
    return course


@pytest.mark.slow
async def test_a_change_told_in_every_way_is_one_event_worked_on_once_though_workers_are_killed(
    stack: Stack,
) -> None:
    random = Random(9)
    await stack.pool.execute(JOURNAL)
    await _until(stack, "SELECT count(*) > 0 FROM crm_event_consumer")
    rows = [row for row in await stack.rows("deal") if not row.get("is_deleted")]
    pipeline = rows[0]["pipeline_id"]
    open_deals = [r for r in rows if r["pipeline_id"] == pipeline and r["status_id"] not in (142, 143)]
    deals = open_deals[:DEALS]
    stages = sorted({row["status_id"] for row in open_deals})
    assert len(deals) == DEALS
    assert len(stages) > 2, stages
    ids = [str(deal["id"]) for deal in deals]
    await until(
        lambda: stack.pool.fetchval(
            "SELECT count(*) = $2 FROM directory_entity WHERE kind = 'deal' AND entity_id = ANY($1)",
            ids,
            DEALS,
        ),
        "the deals are known",
        seconds=30,
    )
    await stack.register_webhook()
    killing = asyncio.create_task(_kill_now_and_then(stack, random))
    course = await _change_all(stack, deals, stages, Random(10))
    killing.cancel()
    await asyncio.gather(killing, return_exceptions=True)

    stage = "FROM crm_event WHERE aspect = 'stage'"
    await _until(stack, f"SELECT count(*) >= 200 AND bool_and(feed_id IS NOT NULL) {stage}", 40)
    await _until(stack, "SELECT count(*) = 0 FROM crm_event_work", 30)
    events = await stack.pool.fetch(
        f"SELECT entity_id, old_value, new_value, by_user, event_id, first_told_by {stage} ORDER BY at, event_id"
    )
    changes: dict[str, list[tuple[str, str]]] = {id: [] for id in ids}
    for event in events:
        changes[event["entity_id"]].append((event["old_value"], event["new_value"]))
    for id, all_stages in course.items():
        named = [f"{pipeline}/{s}" for s in all_stages]
        assert changes[str(id)] == list(pairwise(named)), id
    assert all(event["by_user"] for event in events)
    assert {event["first_told_by"] for event in events} >= {"webhook"}
    # Each consumer works on each event: once.
    unlike_once = await stack.pool.fetch(
        "SELECT e.event_id, c.name, count(j.event_id) FROM crm_event e CROSS JOIN crm_event_consumer c"
        " LEFT JOIN journal j ON j.event_id = e.event_id AND j.consumer = c.name"
        " WHERE e.account_id = $1 GROUP BY e.event_id, c.name HAVING count(j.event_id) <> 1",
        ACCOUNT,
    )
    assert unlike_once == []
