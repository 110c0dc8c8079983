"""The writer against real PostgreSQL and a CRM in memory: packing, neighbours, twins made by hand, lanes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta

import asyncpg
import pytest

from crm.effects.store.work import PgEffects
from crm.errors import CrmForbidden, CrmOutcomeUnknown, CrmRefused, CrmUnauthorised
from crm.lane import Lane
from crm.port import CrmEntity
from routing.client import EntityKind, Ref
from routing.effects import ChangeTask, CreateContact, CreateDeal, CreateTask, Effect, ShowCard, UpdateEntity
from routing.settings import NumberPolicy
from runtime.database.lease import LeaseLost
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import START, WriterBench, a_note, new_call
from tests.waiting import until

NUMBER = "+79161234567"


@pytest.fixture
async def bench(pool: asyncpg.Pool) -> WriterBench:
    return WriterBench(pool, FakeCrm())


async def test_a_new_clients_call_takes_three_requests_and_everything_hangs_together(
    bench: WriterBench,
) -> None:
    await bench.order(*new_call("c1", NUMBER))
    await bench.writer.drain()
    assert [r.method for r in bench.crm.requests] == [
        "create_deals_with_contacts",
        "attach_calls",
        "create_tasks",
    ]
    (contact,), (deal,) = bench.crm.all("contact"), bench.crm.all("deal")
    assert deal.contact_ids == (contact.id,)
    assert [n.target_id for n in bench.crm.all_notes()] == [deal.id]
    assert [t.target_id for t in bench.crm.all_tasks()] == [deal.id]
    assert set((await bench.states()).values()) == {"done"}
    assert (await bench.row("c1:contact"))["crm_id"] == contact.id


async def test_what_was_created_is_in_the_directory_at_once(bench: WriterBench) -> None:
    await bench.order(*new_call("c1", NUMBER))
    await bench.writer.drain()
    found = await bench.pool.fetch("SELECT kind FROM directory_entity ORDER BY kind")
    assert [r["kind"] for r in found] == ["contact", "deal"]
    assert await bench.pool.fetchval("SELECT number FROM directory_number") == 79161234567
    assert await bench.pool.fetchval("SELECT count(*) FROM directory_link") == 1


async def test_120_new_clients_are_packed_by_fifty_and_their_notes_and_tasks_together(
    bench: WriterBench,
) -> None:
    for i in range(120):
        number = f"+7916{i:07d}"
        await bench.order(*new_call(f"c{i}", number), client=number, lane=Lane.BACKFILL)
    await bench.writer.drain()
    assert bench.crm.count("create_deals_with_contacts") == 3
    assert (
        bench.crm.count("attach_calls_by_number") == 1
    )  # takes the time of the call, and hits the one open deal
    assert bench.crm.count("create_tasks") == 1
    deals = {d.id for d in bench.crm.all("deal")}
    assert {n.target_id for n in bench.crm.all_notes()} == deals
    assert len(bench.crm.all("contact")) == len(deals) == 120


async def test_a_contact_made_by_hand_meanwhile_is_used_and_not_doubled(bench: WriterBench) -> None:
    await bench.order(*new_call("c1", NUMBER))
    bench.crm.seed(CrmEntity(kind="contact", id="7", numbers=("8 (916) 123-45-67",), updated_at=START))
    await bench.writer.drain()
    assert [c.id for c in bench.crm.all("contact")] == ["7"]
    (deal,) = bench.crm.all("deal")
    assert deal.contact_ids == ("7",)
    assert (await bench.row("c1:contact"))["was_found"]


async def test_a_contact_and_deal_made_by_hand_take_the_note_and_the_task(bench: WriterBench) -> None:
    await bench.order(*new_call("c1", NUMBER))
    bench.crm.seed(
        CrmEntity(kind="contact", id="7", numbers=(NUMBER,), updated_at=START, deal_ids=("8",)),
        CrmEntity(kind="deal", id="8", contact_ids=("7",), updated_at=START, created_at=START),
    )
    await bench.writer.drain()
    assert [d.id for d in bench.crm.all("deal")] == ["8"]
    assert [n.target_id for n in bench.crm.all_notes()] == ["8"]
    assert set((await bench.states()).values()) == {"done"}


async def test_a_company_with_the_number_takes_the_place_of_the_contact(bench: WriterBench) -> None:
    contact = Ref(kind="contact", effect="c1:contact")
    await bench.order(
        Effect(key="c1:contact", order=CreateContact(name="x", number=NUMBER)),
        Effect(key="c1:note", order=a_note("c1", NUMBER, contact)),
        Effect(key="c1:deal", order=CreateDeal(name="d", contact=contact)),
    )
    bench.crm.seed(CrmEntity(kind="company", id="5", numbers=(NUMBER,), updated_at=START))
    await bench.writer.drain()
    assert set((await bench.states()).values()) == {"done"}
    assert bench.crm.all("contact") == []
    assert [(n.target_kind, n.target_id) for n in bench.crm.all_notes()] == [("company", "5")]
    assert bench.crm.all("deal")[0].company_ids == ("5",)


async def test_two_orders_for_the_same_new_number_make_one_contact_and_one_deal(bench: WriterBench) -> None:
    await bench.order(*new_call("c1", NUMBER))
    await bench.order(*new_call("c2", NUMBER))
    await bench.writer.drain()
    assert len(bench.crm.all("contact")) == len(bench.crm.all("deal")) == 1
    assert len(bench.crm.all_notes()) == 2
    assert set((await bench.states()).values()) == {"done"}


async def test_one_bad_deal_fails_nothing_but_itself_and_its_call_and_task_stand_on_the_contact(
    bench: WriterBench,
) -> None:
    for i in range(5):
        await bench.order(*new_call(f"c{i}", f"+7916000000{i}"), client=f"+7916000000{i}")
    bench.crm.refuse("c2:deal", "NotSupportedChoice", "pipeline_id")
    await bench.writer.drain()
    states = await bench.states()
    assert {k for k, s in states.items() if s == "dead"} == {"c2:deal"}
    assert {s for k, s in states.items() if not k.startswith("c2")} == {"done"}
    assert states["c2:contact"] == "done"
    assert len(bench.crm.all("contact")) == 5
    row = await bench.row("c2:deal")
    assert (row["error_code"], row["error_field"]) == ("NotSupportedChoice", "pipeline_id")
    contact = (await bench.row("c2:contact"))["crm_id"]
    [task] = [t for t in bench.crm.all_tasks() if t.target_kind == "contact"]
    [note] = [n for n in bench.crm.all_notes() if n.target_kind == "contact"]
    assert (task.target_id, note.target_id, note.uniq) == (contact, contact, "c2")


async def test_what_needs_a_deal_that_was_refused_before_goes_to_the_contact_too(bench: WriterBench) -> None:
    contact, deal, note, task = new_call("c1", "+79160000001")
    await bench.order(contact, deal, client="+79160000001")
    bench.crm.refuse("c1:deal", "NotSupportedChoice", "pipeline_id")
    await bench.writer.drain()
    await bench.order(note, task, client="+79160000001")
    await bench.writer.drain()
    assert {t.target_kind for t in bench.crm.all_tasks()} == {"contact"}
    assert {n.target_kind for n in bench.crm.all_notes()} == {"contact"}


async def test_a_task_that_the_crm_will_not_have_on_a_card_is_made_without_it_and_names_the_client(
    bench: WriterBench,
) -> None:
    order = CreateTask(target=Ref(kind="deal", id="7"), owner_id="11", text="Call back", due_at=START)
    bench.crm.refuse("t1", "NotSupportedChoice", "entity_id")
    await bench.order(Effect(key="t1", order=order), client="+79160000001")
    await bench.writer.drain()
    row = await bench.row("t1")
    assert row["order"]["target"] is None
    assert row["order"]["text"] == "Call back (+79160000001)"


async def test_a_bad_contact_takes_only_its_own_call_to_the_desk_and_not_its_task(bench: WriterBench) -> None:
    for i in range(3):
        await bench.order(*new_call(f"c{i}", f"+7916000000{i}"), client=f"+7916000000{i}")
    bench.crm.refuse("c1:contact", "NotSupportedChoice", "responsible_user_id")
    await bench.writer.drain()
    states = await bench.states()
    assert {k for k, s in states.items() if s == "dead"} == {f"c1:{x}" for x in ("contact", "deal", "note")}
    assert len(bench.crm.all("deal")) == 2
    assert [t.text for t in bench.crm.all_tasks() if t.target_id is None] == ["Call back (+79160000001)"]


async def test_a_refusal_that_names_nobody_is_cut_down_to_the_bad_one(bench: WriterBench) -> None:
    keys = [f"t{i}" for i in range(8)]
    for key in keys:
        await bench.order(
            Effect(key=key, order=CreateTask(target=None, owner_id=None, text=key, due_at=START)), client=key
        )
    real = bench.crm.create_tasks

    async def strict(items, lane):  # type: ignore[no-untyped-def]
        if any(item.key == "t5" for item in items):
            raise CrmRefused("no")
        return await real(items, lane)

    bench.crm.create_tasks = strict  # type: ignore[method-assign]
    await bench.writer.drain()
    assert {k for k, s in (await bench.states()).items() if s == "dead"} == {"t5"}
    assert sorted(t.text for t in bench.crm.all_tasks()) == [k for k in keys if k != "t5"]


async def test_live_effects_go_before_the_backfill(bench: WriterBench) -> None:
    await bench.order(*new_call("old", "+79160000001"), client="+79160000001", lane=Lane.BACKFILL)
    await bench.order(*new_call("live", "+79160000002"), client="+79160000002", lane=Lane.EVENTS)
    await bench.writer.drain()
    lanes = [r.lane for r in bench.crm.requests]
    assert lanes == sorted(lanes)
    assert lanes[0] == Lane.EVENTS


async def test_what_a_live_effect_needs_is_pulled_out_of_the_backfill(bench: WriterBench) -> None:
    contact, deal, *_ = new_call("old", NUMBER)
    await bench.order(contact, deal, lane=Lane.BACKFILL, held=True)
    await bench.order(
        Effect(key="live:note", order=a_note("live", NUMBER, Ref(kind="deal", effect="old:deal")))
    )
    await bench.writer.drain()
    assert set((await bench.states()).values()) == {"done"}
    assert {r.lane for r in bench.crm.requests} == {Lane.EVENTS}


async def test_not_before_is_waited_for(bench: WriterBench) -> None:
    task = CreateTask(target=None, owner_id=None, text="t", due_at=START)
    await bench.order(Effect(key="t", order=task, not_before=START + timedelta(seconds=10)))
    assert await bench.writer.drain() == 0
    bench.pass_time(10)
    assert await bench.writer.drain() == 1


async def test_a_late_card_is_never_shown(bench: WriterBench) -> None:
    await bench.order(Effect(key="card", order=ShowCard(number=NUMBER, user_ids=("1",))), lane=Lane.REALTIME)
    bench.pass_time(31)
    await bench.writer.drain()
    assert (await bench.states())["card"] == "skipped"
    assert bench.crm.cards == []


async def test_a_task_is_changed_by_the_key_of_its_effect_and_changes_keep_their_order(
    bench: WriterBench,
) -> None:
    await bench.order(
        Effect(key="t", order=CreateTask(target=None, owner_id="1", text="one", due_at=START)),
        Effect(key="t2", order=ChangeTask(task="t", text="two")),
        Effect(key="t3", order=ChangeTask(task="t", text="three", is_completed=True)),
    )
    bench.crm.fail("change_tasks", CrmOutcomeUnknown("lost"))
    await bench.settle()
    (task,) = bench.crm.all_tasks()
    assert (task.text, task.is_completed) == ("three", True)


async def test_an_update_goes_to_the_entity_and_is_simply_repeated_when_its_answer_was_lost(
    bench: WriterBench,
) -> None:
    bench.crm.seed(CrmEntity(kind="deal", id="8", owner_id="1", stage_id="10"))
    await bench.order(Effect(key="u", order=UpdateEntity(target=Ref(kind="deal", id="8"), owner_id="2")))
    bench.crm.fail("update_entities", CrmOutcomeUnknown("lost"), has_effect=True)
    await bench.settle()
    assert bench.crm.all("deal")[0].owner_id == "2"
    assert (await bench.states())["u"] == "done"


async def test_broken_authorisation_holds_everything_and_loses_nothing(bench: WriterBench) -> None:
    await bench.pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('a', 'A', 'http://x', 's')"
    )
    await bench.order(*new_call("c1", NUMBER))
    bench.crm.fail("create_deals_with_contacts", CrmUnauthorised("revoked"), times=2)
    await bench.writer.drain()
    assert await bench.pool.fetchval("SELECT state FROM account") == "on"  # one refusal may be a mistake
    bench.pass_time(10)
    await bench.writer.drain()
    assert await bench.pool.fetchval("SELECT state FROM account") == "broken"
    assert set((await bench.states()).values()) == {"held"}
    await bench.order(*new_call("c2", "+79160000002"), client="+79160000002")
    await bench.writer.drain()
    assert set((await bench.states()).values()) == {"held"}
    assert bench.crm.count("create_deals_with_contacts") == 2


async def test_one_refusal_of_the_key_breaks_nothing(bench: WriterBench) -> None:
    await bench.pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('a', 'A', 'http://x', 's')"
    )
    for call in range(3):
        await bench.order(*new_call(f"c{call}", f"+7916000000{call}"), client=f"+7916000000{call}")
        bench.crm.fail("create_deals_with_contacts", CrmUnauthorised("for a moment"))
        await bench.writer.drain()
        assert await bench.pool.fetchval("SELECT state FROM account") == "on"
        bench.pass_time(10)
        await bench.settle()
    assert set((await bench.states()).values()) == {"done"}


async def test_an_account_whose_authorisation_breaks_while_something_is_in_doubt_is_left_alone(
    bench: WriterBench,
) -> None:
    await bench.pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('a', 'A', 'http://x', 's')"
    )
    await bench.order(*new_call("c1", NUMBER))
    bench.crm.fail("create_deals_with_contacts", CrmOutcomeUnknown("lost"), has_effect=True)
    bench.crm.fail("page", CrmUnauthorised("revoked"), times=2)
    for _ in range(3):
        await bench.writer.drain()
        bench.pass_time(100)
    assert await bench.pool.fetchval("SELECT state FROM account") == "broken"
    asked = len(bench.crm.requests)
    bench.pass_time(1000)
    await bench.writer.drain()
    assert len(bench.crm.requests) == asked
    await bench.pool.execute("UPDATE account SET state = 'on'")
    await bench.writer.drain()
    assert (await bench.states())["c1:contact"] == "done"
    assert len(bench.crm.all("contact")) == 1


async def test_a_read_that_is_forbidden_is_not_asked_for_without_pause(bench: WriterBench) -> None:
    async def forbidden(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        bench.catch_ups += 1
        raise CrmForbidden("no right to read contacts")

    bench.catch_up = forbidden  # type: ignore[method-assign]
    bench.writer = bench.new_writer()
    await bench.order(*new_call("c1", NUMBER))
    for _ in range(60):
        await bench.writer.drain()
        bench.pass_time(1)
    assert bench.catch_ups <= 7
    assert set((await bench.states()).values()) == {"waiting"}
    assert bench.writer.status().reason == "crm-forbidden"


async def test_a_writer_without_its_lease_says_nothing(bench: WriterBench) -> None:
    await bench.order(*new_call("c1", NUMBER))
    bench.lease.take_away()
    with pytest.raises(LeaseLost):
        await bench.writer.drain()
    assert bench.crm.requests == []


async def test_a_running_writer_stops_sending_when_the_lease_is_lost(bench: WriterBench) -> None:
    gate = bench.crm.hold("create_deals_with_contacts")
    await bench.order(*new_call("c1", NUMBER))
    running = asyncio.create_task(bench.writer.run())
    await until(lambda: bench.crm.requests, "a request is under way")
    bench.lease.take_away()
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(running, 5)
    gate.set()
    assert (await bench.states())["c1:contact"] == "sending"
    bench.lease = type(bench.lease)()
    bench.writer = bench.new_writer()
    await bench.writer.recover_in_flight()
    assert (await bench.states())["c1:contact"] == "unknown"
    await bench.settle()
    assert len(bench.crm.all("contact")) == len(bench.crm.all("deal")) == len(bench.crm.all_tasks()) == 1


async def test_what_became_of_a_live_call_is_looked_for_before_what_became_of_the_backfill(
    bench: WriterBench,
) -> None:
    await bench.order(*new_call("stored", NUMBER), lane=Lane.BACKFILL)
    await bench.order(*new_call("live", "+79161234568"), client="+79161234568")
    await bench.pool.execute("UPDATE effect SET state = 'sending' WHERE what = 'create_contact'")
    effects = PgEffects(bench.pool, "a", NumberPolicy)
    assert await effects.recover_in_flight(START) == 2
    assert [stored.key for stored in await effects.unverified(START, 50)] == ["live:contact"]
    await bench.settle()
    assert len(bench.crm.all("contact")) == len(bench.crm.all("deal")) == 2


async def test_a_running_writer_hears_of_new_effects_and_ends_when_asked(bench: WriterBench) -> None:
    running = asyncio.create_task(bench.writer.run())
    await asyncio.sleep(0.05)
    await bench.order(*new_call("c1", NUMBER))
    bench.writer.wake()
    while set((await bench.states()).values()) != {"done"}:
        await asyncio.sleep(0.01)
    bench.writer.stop()
    await asyncio.wait_for(running, 5)


async def test_who_waits_for_what_is_under_way_sees_it_recorded_or_stops_waiting(bench: WriterBench) -> None:
    await bench.writer.recorded(60)  # nothing is
    gate = bench.crm.hold("create_deals_with_contacts")
    await bench.order(*new_call("c1", NUMBER))
    running = asyncio.create_task(bench.writer.run())
    await until(lambda: bench.crm.requests, "a request is under way")
    await bench.writer.recorded(0.05)
    assert (await bench.states())["c1:contact"] == "sending"
    waiting = asyncio.create_task(bench.writer.recorded(60))
    gate.set()
    await asyncio.wait_for(waiting, 5)
    assert (await bench.states())["c1:contact"] == "done"
    bench.writer.stop()
    await asyncio.wait_for(running, 5)
