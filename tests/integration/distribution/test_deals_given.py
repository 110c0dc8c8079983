"""A deal comes into a stage, and one of the people of its template gets it: once, booked, ordered, explained."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.effects.model import ENTITY_GONE
from crm.effects.outcomes import CHANGED_MEANWHILE, CLOSED_MEANWHILE
from crm.effects.owners import OWNER_REFUSED
from gateway.at_work import AtWork
from gateway.distribution.availability import AccountHours
from gateway.distribution.distributor import Distributor
from gateway.distribution.give import Giver
from gateway.store.admin.schedules import save_schedule
from gateway.store.distribution.items import try_again
from gateway.store.distribution.ledgers import ledgers_of, replayed
from gateway.timetables import Timetables
from routing.distribution.template import RepeatControl, TakenToWork, TemplateHours, WindowLimit, WorkingMode
from routing.schedules.model import Leave, Schedule, WorkPlan
from routing.schedules.timetable import Timetable
from tests.integration.distribution.shop import ACCOUNT, ANNA, BORIS, BOSS, VERA, Shop, people_of, turn


async def test_deals_that_come_in_go_to_one_after_the_other(shop: Shop) -> None:
    await shop.serve(turn())
    deals = [await shop.came_in() for _ in range(6)]
    assert [await shop.owner(d) for d in deals] == ["anna", "boris", "vera"] * 2
    (change,) = await shop.effects(deals[1])
    assert change["order"]["owner_id"] == "12"
    assert change["order"]["target"]["id"] == deals[1]
    async with shop.pool.acquire() as conn:
        ledgers = await ledgers_of(conn, ACCOUNT, "t")
        assert sum(ledgers[""].credits.values()) == 0
        assert await replayed(conn, ACCOUNT, "t") == ledgers


async def test_a_deal_told_twice_by_hook_and_sweep_is_given_once(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.moved(deal)
    await shop.work(deal)
    await shop.pool.execute("UPDATE crm_event SET received_at = now() - interval '1 hour'")
    await shop.distributor.sweep()
    await shop.distributor.turn()
    assert len(await shop.items()) == 1


async def test_a_deal_that_comes_back_into_the_stage_is_given_again(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.deal(deal, stage="30")
    await shop.moved(deal, "20", "30", at=datetime.now(UTC) + timedelta(seconds=1))
    await shop.moved(deal, "30", "20", at=datetime.now(UTC) + timedelta(seconds=2))
    await shop.deal(deal, stage="20")
    await shop.work(deal)
    assert people_of(await shop.items()) == ["anna", "boris"]


@pytest.mark.parametrize("is_open", [True, False], ids=["given at once", "waits first"])
async def test_a_deal_that_came_in_several_times_before_it_was_looked_at_is_given_once(
    shop: Shop, is_open: bool
) -> None:
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    await shop.works(is_open)
    deal = await shop.deal(stage="30")
    start = datetime.now(UTC)
    for n in range(3):
        await shop.moved(deal, "30", "20", at=start + timedelta(milliseconds=2 * n))
        await shop.moved(deal, "20", "30", at=start + timedelta(milliseconds=2 * n + 1))
    await shop.moved(deal, "30", "20", at=start + timedelta(milliseconds=6))
    await shop.deal(deal, stage="20")
    await shop.work(deal)
    if not is_open:
        assert [i.state for i in await shop.items()].count("waiting") == 1
        await shop.works(True)
        await shop.time_passes(hours=96)
        await shop.distributor.turn()
    assert (await shop.given()).total() == 1, await shop.items()
    assert await shop.pool.fetchval("SELECT count(*) FROM distribution_journal") == 1
    assert len(await shop.effects(deal)) == 1


async def test_a_deal_that_came_in_again_untold_while_it_waited_is_given_once(shop: Shop) -> None:
    """Its second entry is found by the sweep alone."""
    await shop.works(False)
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    deal = await shop.came_in()
    await shop.time_passes(hours=1)
    await shop.moved(deal, "20", "30", at=datetime.now(UTC) + timedelta(seconds=1))
    await shop.moved(deal, "30", "20", at=datetime.now(UTC) + timedelta(seconds=2))
    await shop.pool.execute("DELETE FROM crm_event_work")
    await shop.pool.execute("UPDATE crm_event SET received_at = now() - interval '1 hour'")
    await shop.pool.execute("UPDATE distribution_attachment SET since = since - interval '1 day'")
    assert await shop.distributor.sweep() == 1
    assert [i.state for i in await shop.items()].count("waiting") == 1
    await shop.works(True)
    await shop.time_passes(hours=96)
    await shop.distributor.turn()
    assert (await shop.given()).total() == 1


async def test_a_deal_made_in_the_stage_is_given_where_that_is_wanted(shop: Shop) -> None:
    await shop.save(turn())
    await shop.attach(entered=False, created=True)
    made = await shop.deal()
    await shop.made(made)
    await shop.work(made)
    assert await shop.owner(made) == "anna"
    moved = await shop.came_in()
    assert [i.entity_id for i in await shop.items()] == [made], moved


async def test_fifty_deals_at_once_are_decided_one_after_the_other(shop: Shop) -> None:
    await shop.serve(turn())
    deals = []
    for _ in range(50):
        id = await shop.deal(stage="10")
        await shop.moved(id)
        await shop.deal(id)
        deals.append(id)
    await asyncio.gather(*(shop.work(id) for id in deals))
    await shop.distributor.turn()
    assert sorted((await shop.given()).values()) == [16, 17, 17]
    numbers = await shop.pool.fetch("SELECT number FROM distribution_journal ORDER BY number")
    assert [row["number"] for row in numbers] == list(range(1, 51))


async def test_what_the_template_says_is_changed_along_with_the_deal(shop: Shop) -> None:
    await shop.serve(turn(also_change=("contact", "deal_tasks")))
    await shop.contact("5")
    deal = await shop.came_in(contact_ids=("5",), main_contact_id="5")
    owner, contact, tasks = await shop.effects(deal)
    assert (contact["order"]["target"]["kind"], contact["order"]["owner_id"]) == ("contact", "11")
    assert (tasks["what"], tasks["order"]["owner_before"], tasks["order"]["owner_id"]) == (
        "give_tasks",
        "10",
        "11",
    )
    assert contact["after"] == tasks["after"] == [owner["effect_key"]]


async def test_a_client_who_is_somebodys_already_stays_theirs_and_costs_no_turn(shop: Shop) -> None:
    await shop.serve(turn(repeat=RepeatControl(by="contacts")))
    await shop.contact("5")
    await shop.deal("900", stage="30", owner_id="13", contact_ids=("5",))
    deal = await shop.came_in(contact_ids=("5",))
    item = await shop.item(deal)
    assert (item.state, item.employee_id, item.reason) == ("kept", "vera", "repeat_owner")
    assert await shop.owner(await shop.came_in()) == "anna"
    assert await shop.pool.fetchval("SELECT count(*) FROM distribution_journal") == 1


async def test_who_the_crm_will_not_have_is_taken_back_and_the_next_one_gets_it(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    async with shop.pool.acquire() as conn:
        before = await ledgers_of(conn, ACCOUNT, "t")
    await shop.refuse(deal, OWNER_REFUSED)
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.state, item.employee_id, item.refused) == ("given", "boris", ("anna",))
    assert [e["state"] for e in await shop.effects(deal)] == ["skipped", "waiting"]
    async with shop.pool.acquire() as conn:
        after = await ledgers_of(conn, ACCOUNT, "t")
        assert after[""].credits != before[""].credits
        assert after[""].credits.get("anna", 0) == 0
        assert await replayed(conn, ACCOUNT, "t") == after


async def test_a_deal_that_was_deleted_meanwhile_costs_nobody_a_turn(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.refuse(deal, ENTITY_GONE, "id")
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.state, item.reason) == ("cancelled", "deal_gone")
    assert await shop.owner(await shop.came_in()) == "anna"


async def test_who_gives_the_deal_by_hand_before_our_change_left_has_the_last_word(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.owned(deal, "13")
    await shop.work(deal)
    item = await shop.item(deal)
    assert (item.state, item.reason, item.overridden_by) == ("cancelled", "overridden", "13")
    assert [e["state"] for e in await shop.effects(deal)] == ["skipped"]
    assert await shop.owner(await shop.came_in()) == "anna"


async def test_what_was_read_before_our_change_and_is_told_after_it_overrides_nothing(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.written()
    await shop.owned(deal, "11")
    await shop.owned(deal, "10", before="11")
    await shop.work(deal)
    item = await shop.item(deal)
    assert (item.state, item.overridden_by) == ("given", None)
    await shop.owned(deal, "13", before="10")
    await shop.work(deal)
    assert (await shop.item(deal)).overridden_by == "13"


async def test_who_it_was_may_be_told_later_than_the_hand_that_gave_a_deal_that_waits(shop: Shop) -> None:
    await shop.works(False)
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    by_person, by_robot = await shop.came_in(), await shop.came_in()
    for deal in (by_person, by_robot):
        await shop.owned(deal, "13")
        await shop.work(deal)
    assert {i.state for i in await shop.items()} == {"waiting"}, "nobody knows yet who it was"
    await shop.pool.execute(
        "UPDATE crm_event SET by_user = CASE WHEN entity_id = $1 THEN '10' ELSE '777' END WHERE aspect = 'responsible'",
        by_person,
    )
    await shop.works(True)
    await shop.time_passes(hours=96)
    await shop.distributor.turn()
    item = await shop.item(by_person)
    assert (item.state, item.reason, item.overridden_by) == ("cancelled", "overridden", "13")
    assert await shop.owner(by_robot) == "anna"
    async with shop.pool.acquire() as conn:
        await try_again(conn, ACCOUNT, item.item_id)
    await shop.distributor.turn()
    assert await shop.owner(by_person) == "boris"


@pytest.mark.parametrize(
    ("code", "reason"), [(CHANGED_MEANWHILE, "overridden"), (CLOSED_MEANWHILE, "deal_closed")]
)
async def test_what_the_crm_held_when_our_change_came_stands_and_costs_nobody_a_turn(
    shop: Shop, code: str, reason: str
) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.pool.execute("UPDATE effect SET state = 'skipped', attempts = 1, error_code = $1", code)
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.state, item.reason) == ("cancelled", reason)
    assert await shop.owner(await shop.came_in()) == "anna"


async def test_another_automation_right_after_us_is_told_and_not_fought(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.written()
    await shop.owned(deal, "13", before="11")
    await shop.work(deal)
    item = await shop.item(deal)
    assert (item.state, item.employee_id, item.overridden_by) == ("given", "anna", "13")
    assert len(await shop.items()) == 1


async def test_our_own_change_of_the_owner_starts_nothing_again(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    await shop.written()
    await shop.owned(deal, "11")
    await shop.work(deal)
    assert (await shop.item(deal)).overridden_by is None
    assert len(await shop.items()) == 1


async def test_what_nobody_took_to_work_goes_to_the_next_and_in_the_end_to_the_senior(shop: Shop) -> None:
    await shop.serve(turn(taken=TakenToWork(minutes=10, rounds=2)))
    deal = await shop.came_in()
    owners = []
    for _ in range(3):
        await shop.written()
        await shop.distributor.turn()
        owners.append(await shop.owner(deal))
        await shop.time_passes(minutes=13)
        await shop.distributor.turn()
    assert owners == ["anna", "boris", "boss"]
    assert (await shop.item(deal)).reason == "rounds_over"
    async with shop.pool.acquire() as conn:
        assert (await ledgers_of(conn, ACCOUNT, "t"))[""].credits == {}


async def test_who_moved_the_deal_in_time_keeps_it(shop: Shop) -> None:
    await shop.serve(turn(taken=TakenToWork(minutes=10)))
    deal = await shop.came_in()
    await shop.written()
    await shop.distributor.turn()
    await shop.pool.execute(
        "INSERT INTO crm_event (account_id, subject, entity_kind, entity_id, aspect, what, new_value, at, told_at,"
        " first_told_by, by_user) VALUES ($1, 'deal:' || $2, 'deal', $2, 'price', 'price_changed', '5', now(), now(), 'feed', '11')",
        ACCOUNT,
        deal,
    )
    await shop.pool.execute("UPDATE distribution_item SET due_at = now()")
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.employee_id, item.taken_at is not None, item.due_at) == ("anna", True, None)


async def test_a_deal_that_nobody_told_of_is_found(shop: Shop) -> None:
    await shop.serve(turn())
    await shop.pool.execute("UPDATE distribution_attachment SET since = now() - interval '1 hour'")
    deal = await shop.deal(created_at=datetime.now(UTC) - timedelta(minutes=10))
    old = await shop.deal(created_at=datetime.now(UTC) - timedelta(hours=2))
    assert await shop.distributor.sweep() == 1
    await shop.distributor.turn()
    assert await shop.owner(deal) == "anna"
    assert [i.entity_id for i in await shop.items()] == [deal], old
    await shop.moved(deal, at=datetime.now(UTC))  # told after all
    await shop.work(deal)
    assert len(await shop.items()) == 1


async def test_a_full_window_makes_it_wait_and_the_oldest_goes_first(shop: Shop) -> None:
    await shop.serve(turn(window=WindowLimit(deals=1, minutes=60)))
    deals = [await shop.came_in() for _ in range(5)]
    assert [await shop.owner(d) for d in deals] == ["anna", "boris", "vera", None, None]
    assert (await shop.item(deals[3])).reason == "waits_for_somebody"
    await shop.pool.execute(
        "UPDATE distribution_item SET decided_at = decided_at - interval '2 hours' WHERE employee_id = 'vera'"
    )
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    assert [await shop.owner(d) for d in deals[3:]] == ["vera", None]


async def test_a_deal_that_left_the_stage_while_it_waited_is_nobodys_to_give(shop: Shop) -> None:
    await shop.serve(turn(window=WindowLimit(deals=1, minutes=60)))
    deals = [await shop.came_in() for _ in range(4)]
    await shop.deal(deals[3], stage="30")
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    item = await shop.item(deals[3])
    assert (item.state, item.reason) == ("cancelled", "left_stage")


async def test_who_is_not_there_any_more_gets_nothing_and_a_changed_template_goes_on_where_it_was(
    shop: Shop,
) -> None:
    await shop.serve(turn())
    assert await shop.owner(await shop.came_in()) == "anna"
    await shop.save(turn(BORIS, VERA))
    assert [await shop.owner(await shop.came_in()) for _ in range(4)] == ["boris", "vera", "boris", "vera"]
    assert {ANNA.id, BOSS.id}.isdisjoint([i.employee_id for i in (await shop.items())[1:]])


async def test_an_account_that_is_off_gives_nothing_and_loses_nothing(shop: Shop) -> None:
    await shop.serve(turn())
    await shop.pool.execute("UPDATE account SET state = 'off'")
    deal = await shop.came_in()
    await shop.distributor.turn()
    assert (await shop.item(deal)).state == "waiting"
    await shop.pool.execute("UPDATE account SET state = 'on'")
    await shop.distributor.turn()
    assert await shop.owner(deal) == "anna"


async def test_what_came_outside_of_working_time_waits_and_is_not_all_given_to_the_first(shop: Shop) -> None:
    """The account works at all hours but this one."""
    await shop.works(False)
    await shop.serve(turn(working_time=TemplateHours(mode="common", gather_minutes=5, per_minute=1)))
    deals = [await shop.came_in() for _ in range(5)]
    items = [await shop.item(d) for d in deals]
    assert {i.reason for i in items[:1]} == {"waits_for_working_time"}
    await shop.distributor.turn()
    items = [await shop.item(d) for d in deals]
    assert {i.reason for i in items} == {"waits_for_working_time"}
    assert len({i.due_at for i in items}) == 1
    due_at, opens_at = items[0].due_at, items[0].opens_at
    assert due_at is not None
    assert opens_at is not None
    assert due_at - opens_at == timedelta(minutes=5)
    await shop.works(True)
    await shop.pool.execute(
        "UPDATE distribution_item SET due_at = now(), opens_at = now() - interval '5 minutes'"
    )
    await shop.distributor.turn()
    assert [await shop.owner(d) for d in deals] == ["anna", "boris", "vera", None, None]
    await shop.time_passes(minutes=2)
    await shop.pool.execute("UPDATE distribution_item SET due_at = now() WHERE state = 'waiting'")
    await shop.distributor.turn()
    assert [await shop.owner(d) for d in deals] == ["anna", "boris", "vera", "anna", "boris"]


async def test_what_waits_for_the_morning_goes_out_when_the_hours_are_changed_the_oldest_first(
    shop: Shop,
) -> None:
    await shop.works(False)
    hours: dict[str, object] = {ACCOUNT: object()}
    worker = Distributor(shop.pool, shop.giver, lambda: dict(hours))
    await worker.turn()
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    deals = [await shop.came_in() for _ in range(3)]
    await worker.turn()
    await shop.works(True)
    await worker.turn()
    assert not await shop.given()
    hours[ACCOUNT] = object()
    await worker.turn()
    assert [await shop.owner(d) for d in deals] == ["anna", "boris", "vera"]


async def test_what_waits_for_the_morning_goes_out_when_the_template_does_not_wait_for_it(shop: Shop) -> None:
    await shop.works(False)
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    deals = [await shop.came_in() for _ in range(2)]
    await shop.save(turn())
    later = await shop.came_in()
    await shop.distributor.turn()
    assert [await shop.owner(d) for d in (*deals, later)] == ["anna", "boris", "vera"]


async def test_a_template_whose_schedule_was_removed_gives_by_the_accounts_working_time(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await save_schedule(conn, ACCOUNT, "shifts", Schedule(everybody=WorkPlan()), by="test")
    closed = Timetable(Schedule(everybody=WorkPlan()), ZoneInfo("UTC"))
    known = Timetables(closed, {}, None)
    night = Shop(shop.pool, Giver(AccountHours(AtWork(lambda _account_id: known))))
    await night.serve(turn(working_time=TemplateHours(mode="individual", schedule="shifts")))
    deal = await night.came_in()
    assert (await night.item(deal)).state == "waiting"


async def test_a_move_that_the_feed_tells_before_the_directory_has_it_is_given_all_the_same(
    shop: Shop,
) -> None:
    await shop.serve(turn())
    deal = await shop.deal(stage="10")
    await shop.moved(deal)  # the directory still has it where it was
    await shop.work(deal)
    assert await shop.owner(deal) == "anna"


@pytest.mark.parametrize("mode", ["always", "online", "common", "individual"])
async def test_who_is_on_leave_gets_no_deal_by_whatever_hours_a_template_goes(
    shop: Shop, mode: WorkingMode
) -> None:
    """As the phone and the missed call have it."""
    all_day = dict.fromkeys(range(1, 8), (("00:00", "24:00"),))
    today = datetime.now(UTC).date()
    leave = Leave(first=today - timedelta(days=2), last=today + timedelta(days=2))
    plans = {"anna": WorkPlan(hours=all_day, leave=(leave,))}
    schedule = Schedule(everybody=WorkPlan(hours=all_day), people=plans)
    async with shop.pool.acquire() as conn, conn.transaction():
        await save_schedule(conn, ACCOUNT, "shifts", schedule, "test")
    shifts = Timetable(schedule, ZoneInfo("UTC"))
    known = Timetables(shifts, {"shifts": shifts}, None)
    away = Shop(shop.pool, Giver(AccountHours(AtWork(lambda _account_id: known))))
    await away.serve(turn(working_time=TemplateHours(mode=mode, schedule="shifts")))
    deals = [await away.came_in() for _ in range(4)]
    assert [await away.owner(deal) for deal in deals] == ["boris", "vera"] * 2
