"""What is in doubt holds up what must come after it, things that are alike are told apart, and a refusal costs whom it names."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from crm.errors import CrmOutcomeUnknown, CrmRefused
from crm.port import CrmEntity
from routing.client import Ref
from routing.effects import AddNote, ChangeTask, CreateDeal, CreateTask, Effect, Order
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import START, WriterBench

_CONTACT = Ref(kind="contact", id="5")


@pytest.fixture
async def bench(pool: asyncpg.Pool) -> WriterBench:
    """Both by one clock: what is looked for is known by when it was made."""
    made = WriterBench(pool, FakeCrm(clock=lambda: made.now))
    return made


async def test_a_later_change_waits_for_an_earlier_one_in_doubt(bench: WriterBench) -> None:
    task = CreateTask(target=None, owner_id="1", text="one", due_at=START)
    await bench.order(Effect(key="t", order=task), Effect(key="t2", order=ChangeTask(task="t", text="two")))
    bench.crm.fail("change_tasks", CrmOutcomeUnknown("lost"))
    await bench.writer.drain()
    assert (await bench.states())["t2"] == "unknown"
    await bench.order(Effect(key="t3", order=ChangeTask(task="t", text="three")))
    await bench.writer.drain()
    assert (await bench.states())["t3"] == "waiting"
    await bench.settle()
    assert [task.text for task in bench.crm.all_tasks()] == ["three"]


@pytest.mark.parametrize(
    ("order", "method"),
    [
        (CreateDeal(name="Call", contact=_CONTACT, owner_id=None), "create_deals"),
        (
            CreateTask(target=_CONTACT, owner_id=None, text="Call", due_at=START + timedelta(hours=1)),
            "create_tasks",
        ),
        (AddNote(target=_CONTACT, text="Call"), "add_notes"),
    ],
)
async def test_of_two_alike_whose_answer_was_lost_each_is_found(
    bench: WriterBench, order: Order, method: str
) -> None:
    bench.crm.seed(CrmEntity(kind="contact", id="5"))
    for key in ("one", "other"):
        await bench.order(Effect(key=key, order=order), client=key)
    bench.crm.fail(method, CrmOutcomeUnknown("lost"), has_effect=True)
    await bench.settle()
    assert set((await bench.states()).values()) == {"done"}
    assert (await bench.row("one"))["crm_id"] != (await bench.row("other"))["crm_id"]
    assert len([request for request in bench.crm.requests if request.method == method]) == 1


async def test_whom_a_refusal_names_goes_to_the_desk_and_the_others_are_sent_again(
    bench: WriterBench,
) -> None:
    keys = [f"t{i}" for i in range(4)]
    for key in keys:
        task = CreateTask(target=None, owner_id=None, text=key, due_at=START)
        await bench.order(Effect(key=key, order=task), client=key)
    bench.crm.fail("create_tasks", CrmRefused("no", (("t2", "text", "NotSupportedChoice", "bad"),)))
    await bench.writer.drain()
    assert {key for key, state in (await bench.states()).items() if state == "dead"} == {"t2"}
    assert [task.text for task in bench.crm.all_tasks()] == ["t0", "t1", "t3"]
    assert len(bench.crm.requests) == 2
