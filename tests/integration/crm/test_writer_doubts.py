"""What is in doubt holds up what must come after it, things that are alike are told apart, and a refusal costs whom it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import asyncpg
import pytest

from crm.errors import CrmOutcomeUnknown, CrmRefused
from crm.lane import Lane
from crm.port import CrmEntity, CrmNote, CrmTask
from routing.client import Ref
from routing.effects import AddNote, ChangeTask, CreateContact, CreateDeal, CreateTask, Effect, Order
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import START, WriterBench, new_call

_CONTACT = Ref(kind="contact", id="5")
_MANY = 2300  # more than lists are read for


def _contacts(at: datetime) -> Iterable[CrmEntity]:
    return (CrmEntity(kind="contact", id=str(10_000 + i), created_at=at, updated_at=at) for i in range(_MANY))


def _deals(at: datetime) -> Iterable[CrmEntity]:
    return (CrmEntity(kind="deal", id=str(10_000 + i), name="x", created_at=at) for i in range(_MANY))


def _task(id: str, at: datetime) -> CrmTask:
    return CrmTask(
        id=id,
        target_kind=None,
        target_id=None,
        owner_id=None,
        text="x",
        due_at=at,
        is_completed=False,
        created_at=at,
    )


def _note(id: str, at: datetime) -> CrmNote:
    return CrmNote(id=id, target_kind="contact", target_id="5", uniq=None, text="x", created_at=at)


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


@pytest.mark.parametrize(
    ("order", "method", "others"),
    [
        (CreateContact(name="Client", number="+79161234567", owner_id=None), "create_contacts", _contacts),
        (CreateDeal(name="Call", contact=_CONTACT, owner_id=None), "create_deals", _deals),
    ],
)
async def test_what_thousands_were_made_after_is_found_all_the_same(
    bench: WriterBench, order: Order, method: str, others: Callable[[datetime], Iterable[CrmEntity]]
) -> None:
    bench.crm.seed(CrmEntity(kind="contact", id="5"))
    await bench.order(Effect(key="one", order=order))
    bench.crm.fail(method, CrmOutcomeUnknown("lost"), has_effect=True)
    await bench.writer.drain()
    bench.crm.seed(*others(bench.now + timedelta(seconds=10)))
    await bench.settle()
    assert (await bench.states())["one"] == "done"
    assert len([request for request in bench.crm.requests if request.method == method]) == 1


@pytest.mark.parametrize(
    ("order", "method"),
    [
        (CreateTask(target=None, owner_id=None, text="Call", due_at=START), "create_tasks"),
        (AddNote(target=_CONTACT, text="Call"), "add_notes"),
        (CreateDeal(name="Call", contact=None, owner_id=None), "create_deals"),
    ],
)
async def test_what_stands_too_far_back_to_be_seen_is_not_made_again(
    bench: WriterBench, order: Order, method: str
) -> None:
    bench.crm.seed(CrmEntity(kind="contact", id="5"))
    await bench.order(Effect(key="one", order=order))
    bench.crm.fail(method, CrmOutcomeUnknown("lost"), has_effect=True)
    await bench.writer.drain()
    since = bench.now + timedelta(seconds=10)
    bench.crm.seed(*_deals(since))
    bench.crm.seed_task(*(_task(str(10_000 + i), since) for i in range(300)))
    bench.crm.seed_note(*(_note(str(20_000 + i), since) for i in range(300)))
    bench.pass_time(60)
    await bench.writer.drain()
    assert (await bench.states())["one"] == "unknown"
    assert len([request for request in bench.crm.requests if request.method == method]) == 1


async def test_a_deal_is_not_told_from_while_it_is_unknown_what_became_of_its_contact(
    bench: WriterBench, pool: asyncpg.Pool
) -> None:
    """The contact's row cannot be read for a while; the deal is looked for first after a restart of the worker."""
    effects = new_call("c", "+79161234567")
    await bench.order(*effects)
    lost = "create_deals_with_contacts"
    bench.crm.fail(lost, CrmOutcomeUnknown("lost"), has_effect=True)
    await bench.writer.drain()
    contact, deal = (e.key for e in effects if isinstance(e.order, CreateContact | CreateDeal))
    later = bench.now + timedelta(hours=1)
    await pool.execute("UPDATE effect SET next_try_at = $1 WHERE effect_key = $2", later, contact)
    bench.pass_time(600)
    await bench.new_writer().drain()
    assert (await bench.states())[deal] == "unknown"
    await bench.settle()
    assert set((await bench.states()).values()) == {"done"}
    assert len([r for r in bench.crm.requests if r.method in (lost, "create_contacts", "create_deals")]) == 1


async def test_a_deal_in_doubt_ends_with_the_contact_that_nobody_could_tell(
    bench: WriterBench, pool: asyncpg.Pool
) -> None:
    effects = new_call("c", "+79161234567")
    await bench.order(*effects, lane=Lane.BACKFILL)
    bench.crm.fail("create_deals_with_contacts", CrmOutcomeUnknown("lost"))
    await bench.writer.drain()
    contact, deal = (e.key for e in effects if isinstance(e.order, CreateContact | CreateDeal))
    await pool.execute(
        "UPDATE effect SET state = 'dead', error_code = 'crm-outcome-unknown' WHERE effect_key = $1", contact
    )
    await bench.settle()
    states = await bench.states()
    assert states[deal] == "dead"
    assert set(states.values()) <= {"dead", "done"}
