"""What is given from one user to another is given only as long as it is theirs, and is the other's as soon as the CRM said so."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from crm.effects.order import order
from crm.effects.sender import WriterSettings
from crm.errors import CrmOutcomeUnknown, CrmTooLarge
from crm.lane import Lane
from crm.port import CrmEntity
from crm.store.directory import apply_entities
from routing.client import EntityKind, Ref
from routing.effects import ChangeTask, CreateTask, Effect, UpdateEntity
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import START, WriterBench


@pytest.fixture
async def bench(pool: asyncpg.Pool) -> WriterBench:
    made = WriterBench(
        pool, FakeCrm(clock=lambda: made.now), WriterSettings(quiet_seconds=1, catch_up_seconds=0)
    )
    return made


def _deal(id: str, owner: str = "1", *, is_open: bool = True, at: int = 0) -> CrmEntity:
    when = START + timedelta(seconds=at)
    return CrmEntity(
        kind="deal",
        id=id,
        name="Сделка",
        owner_id=owner,
        pipeline_id="10",
        stage_id="20" if is_open else "142",
        is_open=is_open,
        created_at=START,
        updated_at=when,
    )


def _given(id: str, *, by: str = "1", to: str = "2", kind: EntityKind = "deal") -> Effect:
    return Effect(
        key=f"{kind}:{id}:{by}-{to}",
        order=UpdateEntity(target=Ref(kind=kind, id=id), owner_id=to, owner_was=by),
    )


async def _know(bench: WriterBench, *entities: CrmEntity, crm_too: bool = True) -> None:
    if crm_too:
        bench.crm.seed(*entities)
    async with bench.pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, "a", entities, NumberPolicy())


async def _order(bench: WriterBench, *effects: Effect) -> None:
    async with bench.pool.acquire() as conn, conn.transaction():
        for effect in effects:
            await order(
                conn,
                account_id="a",
                decision_id="move",
                call_id=None,
                client=effect.key,
                lane=Lane.MOVES,
                effects=[effect],
            )


async def _owner(bench: WriterBench, id: str) -> str | None:
    owner: str | None = await bench.pool.fetchval(
        "SELECT owner_id FROM directory_entity WHERE kind = 'deal' AND entity_id = $1", id
    )
    return owner


async def test_what_was_given_is_the_others_before_the_crm_tells_of_it(bench: WriterBench) -> None:
    await _know(bench, _deal("7"))
    await _order(bench, _given("7"))
    await bench.writer.drain()
    assert await bench.states() == {"deal:7:1-2": "done"}
    assert [e.owner_id for e in bench.crm.all("deal")] == ["2"]
    assert await _owner(bench, "7") == "2"


@pytest.mark.parametrize(
    ("now", "code"), [(_deal("7", "3"), "changed-meanwhile"), (_deal("7", is_open=False), "closed-meanwhile")]
)
async def test_what_a_person_did_before_it_was_sent_is_left_alone(
    bench: WriterBench, now: CrmEntity, code: str
) -> None:
    await _know(bench, now)
    await _order(bench, _given("7"))
    await bench.writer.drain()
    assert (await bench.row("deal:7:1-2"))["error_code"] == code
    assert await bench.states() == {"deal:7:1-2": "skipped"}
    assert not [asked for asked in bench.crm.requests if asked.method == "update_entities"]


@pytest.mark.parametrize("was_applied", [True, False])
async def test_after_an_answer_that_never_came_each_is_given_once(
    bench: WriterBench, was_applied: bool
) -> None:
    deals = [_deal(str(n)) for n in range(100, 140)]
    await _know(bench, *deals)
    await _order(bench, *(_given(deal.id) for deal in deals))
    bench.crm.fail("update_entities", CrmTooLarge("504"), has_effect=was_applied)
    await bench.writer.drain()
    assert set((await bench.states()).values()) == {"unknown"}
    await _know(bench, _deal("105", "9", at=60))  # somebody took one of them meanwhile
    await bench.settle()
    states = await bench.states()
    assert states.pop("deal:105:1-2") == "skipped"
    assert set(states.values()) == {"done"}
    assert {e.id: e.owner_id for e in bench.crm.all("deal")} == {
        deal.id: "9" if deal.id == "105" else "2" for deal in deals
    }


async def test_what_the_crm_has_told_meanwhile_is_not_sent_again(bench: WriterBench) -> None:
    await _know(bench, _deal("7"))
    await _order(bench, _given("7"))
    bench.crm.fail("update_entities", CrmOutcomeUnknown("lost"), has_effect=True)
    await bench.writer.drain()
    await _know(bench, _deal("7", "2", at=1), crm_too=False)
    await bench.settle()
    assert (await bench.row("deal:7:1-2"))["was_found"]
    assert len([asked for asked in bench.crm.requests if asked.method == "update_entities"]) == 1


async def test_a_task_that_is_not_ours_is_given_by_its_id(bench: WriterBench) -> None:
    task = Effect(key="t", order=CreateTask(target=None, owner_id="1", text="Позвонить", due_at=START))
    await bench.order(task)
    await bench.writer.drain()
    [made] = (await bench.crm.open_tasks("1", Lane.MOVES)).items
    change = ChangeTask(task_id=made.id, owner_id="2", owner_was="1")
    await _order(bench, Effect(key="task", order=change))
    await bench.writer.drain()
    assert [t.id for t in (await bench.crm.open_tasks("2", Lane.MOVES)).items] == [made.id]


async def test_an_account_that_is_off_gives_nothing_away_later(bench: WriterBench) -> None:
    await _know(bench, _deal("7"))
    await bench.pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret, state)"
        " VALUES ('a', 'A', 'http://crm', 's', 'off')"
    )
    await _order(bench, _given("7"))
    await bench.writer.drain()
    assert await bench.states() == {"deal:7:1-2": "skipped"}


async def test_moves_wait_for_a_backfill_and_for_whatever_is_live(bench: WriterBench) -> None:
    assert max(Lane) is Lane.MOVES
    deals = [_deal("7"), _deal("8")]
    await _know(bench, *deals)
    await _order(bench, _given("7"))
    async with bench.pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id="a",
            decision_id="d",
            call_id=None,
            client="c",
            lane=Lane.EVENTS,
            effects=[_given("8")],
        )
    await bench.writer.drain()
    sent = [asked.lane for asked in bench.crm.requests if asked.method == "update_entities"]
    assert sent == [Lane.EVENTS, Lane.MOVES]
