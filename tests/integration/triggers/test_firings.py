"""What a change of a deal starts: once for a cause, however it is told, and never without a reason."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from crm.errors import CrmUnavailable
from crm.port import CrmEvent
from crm.store.news import record_news
from gateway.triggers.reading import TriggerFirings
from tests.integration.triggers.office import ACCOUNT, Office, call_back


@pytest.fixture
async def office(pool: asyncpg.Pool) -> Office:
    opened = Office(pool)
    await opened.open()
    return opened


async def fed(office: Office, before: str, after: str, *, aspect: str = "stage", id: str = "e1") -> None:
    """The feed tells, late, of what happened at the time of the latest webhook."""
    event = CrmEvent(
        id=id,
        kind="stage_changed" if aspect == "stage" else "changed",
        at=office.now.replace(microsecond=0),
        entity_kind="deal",
        entity_id="7",
        by_user="11",
        aspect=None if aspect == "stage" else aspect,
        before=before,
        after=after,
    )
    async with office.pool.acquire() as conn, conn.transaction():
        await record_news(conn, ACCOUNT, heard=[event], told_by="feed")
    await office.work()


async def test_case_1_one_move_told_by_webhook_its_retry_the_feed_and_a_hook_fires_once(
    office: Office,
) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved()
    await office.moved(at=office.now)
    await fed(office, "1/10", "1/20")
    assert await office.hook() == 0
    assert await office.hook(stage=None) == 0
    assert (await office.reasons(), await office.items()) == (["fires"], ["waiting"])


async def test_case_1_a_hook_that_comes_first_is_the_entrance_that_the_webhook_tells_of(
    office: Office,
) -> None:
    await office.save(call_back())
    await office.deal()
    assert await office.hook() == 1
    assert await office.hook() == 0
    await office.moved()
    await fed(office, "1/10", "1/20")
    assert (await office.reasons(), await office.items()) == (["fires"], ["waiting"])
    assert await office.pool.fetchval("SELECT cause_key FROM firing") == (
        "stage:1/20@"
        + str(await office.pool.fetchval("SELECT event_id FROM crm_event WHERE aspect = 'stage'"))
    )


async def test_case_2_a_deal_that_leaves_and_comes_back_fires_again(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved()
    await office.moved("20", "10")
    await office.moved("10", "20")
    assert await office.reasons() == ["fires", "fires"]


async def test_case_2_a_hook_after_the_deal_came_back_is_another_entrance(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.hook()
    await office.moved()
    office.now += timedelta(minutes=1)
    await office.moved("20", "10")
    assert await office.hook() == 1
    assert await office.reasons() == ["fires", "fires"]


async def test_case_3_a_budget_fires_at_the_crossing_only(office: Office) -> None:
    await office.save(call_back(events=[{"on": "price_crossed", "amount": 50_000}]))
    await office.deal()
    for old, new in (("49999", "50001"), ("50001", "60000")):
        await office.told({"price": new}, {"price": old})
    assert await office.reasons() == ["fires"]


async def test_case_3_what_the_feed_tells_later_of_prices_in_between_is_no_second_crossing(
    office: Office,
) -> None:
    await office.save(call_back(events=[{"on": "price_crossed", "amount": 50_000}]))
    await office.deal()
    await office.told({"price": "60000"}, {"price": "49999"})
    office.now -= timedelta(seconds=2)
    await fed(office, "49999", "50001", aspect="price", id="e1")
    office.now += timedelta(seconds=2)
    await fed(office, "50001", "60000", aspect="price", id="e2")
    assert await office.pool.fetchval("SELECT count(*) FROM crm_event WHERE aspect = 'price'") == 2
    assert await office.reasons() == ["fires"]


@pytest.mark.parametrize("text", ["", "a lot", "50,000"])
async def test_case_4_a_number_that_cannot_be_read_is_no_error_and_meets_nothing(
    office: Office, text: str
) -> None:
    condition = {"of": "deal.cf_5", "test": "above", "values": ["1"]}
    await office.save(call_back(conditions=[condition]))
    await office.deal(fields=f'{{"5":"{text}"}}' if text else "{}")
    await office.moved()
    assert (await office.reasons(), await office.items()) == (["not_met"], [])


async def test_case_4_a_number_with_spaces_and_a_comma_is_read(office: Office) -> None:
    condition = {"of": "deal.cf_5", "test": "above", "values": ["50 000"]}
    await office.save(call_back(conditions=[condition]))
    await office.deal(fields='{"5":"50 000,50"}')
    await office.moved()
    assert await office.reasons() == ["fires"]


async def test_case_5_two_triggers_of_one_stage_fire_once_each(office: Office) -> None:
    await office.save(call_back("a"))
    await office.save(call_back("b", action={"do": "sms", "template": "Hello", "provider": "main"}))
    await office.deal()
    await office.moved()
    await office.moved(at=office.now)
    assert await office.reasons() == ["fires", "fires"]


async def test_case_5_the_same_action_to_one_client_of_two_triggers_goes_out_once(office: Office) -> None:
    await office.save(call_back("a"))
    await office.save(call_back("b", conditions=[{"of": "price", "test": "above", "values": ["1"]}]))
    await office.deal()
    await office.moved()
    assert sorted(await office.reasons()) == ["fires", "same_action_lately"]
    assert await office.items() == ["waiting"]


async def test_what_is_more_than_may_wait_is_kept_as_dropped_with_its_reason(office: Office) -> None:
    await office.save(call_back())
    await office.pool.execute('UPDATE account SET settings = \'{"outbound": {"queue_most": 2}}\'')
    for id in ("7", "8", "9"):
        await office.deal(id, contact_ids=(f"7{id}",), main_contact_id=f"7{id}")
        await office.moved(id=id)
    items = await office.pool.fetch(
        "SELECT state, reason, ended_at IS NULL FROM outbound_item ORDER BY created_at"
    )
    assert [tuple(item) for item in items] == [("waiting", "", True)] * 2 + [("dropped", "queue_full", False)]


async def test_case_7_our_own_moves_fire_too_and_a_circle_stops_after_five(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    for _ in range(7):
        await office.moved(work=False)
        await office.pool.execute("UPDATE crm_event SET is_ours = true")
        await office.work()
        await office.moved("20", "10")
    assert await office.reasons() == ["fires"] * 5 + ["loop"] * 2


async def test_case_8_what_a_trigger_that_is_switched_off_has_queued_is_dropped(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved()
    await office.save(call_back(is_on=False))
    assert await office.items() == ["dropped"]
    await office.moved("20", "10")
    await office.moved("10", "20")
    assert await office.reasons() == ["fires"]


async def test_case_8_what_is_queued_keeps_the_version_that_it_was_queued_by(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved()
    await office.save(call_back(action={"do": "callback", "connection": "other"}))
    order: dict[str, Any] = await office.pool.fetchval('SELECT "order" FROM outbound_item')
    assert (order["version"], order["action"]["connection"]) == (1, "main")
    assert await office.items() == ["waiting"]


@pytest.mark.parametrize(("is_removed", "why"), [(True, "removed"), (False, "switched_off")])
async def test_case_8_a_trigger_that_goes_before_the_deal_is_read_starts_nothing(
    office: Office, is_removed: bool, why: str
) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved(work=False)
    await office.job.run(ACCOUNT, "deal:7")
    await (office.remove() if is_removed else office.save(call_back(is_on=False)))
    await office.reader.turn()
    assert (await office.reasons(), await office.items()) == ([why], [])


async def test_case_9_a_deal_that_was_deleted_is_left_out(office: Office) -> None:
    await office.save(call_back())
    await office.moved()
    assert await office.reasons() == ["deal_gone"]


async def test_case_9_a_deal_that_moved_on_before_it_was_read_is_left_out(office: Office) -> None:
    await office.save(call_back())
    await office.deal(stage_id="30")
    await office.moved()
    assert await office.reasons() == ["elsewhere"]


async def test_case_10_the_client_is_the_main_contact_when_it_is_read(office: Office) -> None:
    await office.save(call_back())
    await office.deal(main_contact_id="71", contact_ids=("70", "71"))
    await office.moved()
    assert await office.pool.fetchval("SELECT contact_id FROM outbound_item") == "71"


async def test_what_came_before_the_trigger_was_on_is_left_alone(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved(at=office.now - timedelta(hours=1))
    assert await office.reasons() == []


async def test_a_client_who_writes_fires_for_the_open_deals_of_the_contact(office: Office) -> None:
    await office.save(call_back(events=[{"on": "client_wrote"}]))
    await office.deal(is_known=True)
    event = CrmEvent(
        id="m1",
        kind="message",
        at=office.now,
        entity_kind="contact",
        entity_id="70",
        by_user=None,
        aspect="incoming",
        after="88",
    )
    async with office.pool.acquire() as conn, conn.transaction():
        await record_news(conn, ACCOUNT, heard=[event], told_by="feed")
    await office.job.run(ACCOUNT, "contact:70")
    await office.reader.turn()
    assert await office.reasons() == ["fires"]


async def test_a_deal_of_another_stage_makes_no_firing_of_what_happens_to_it(office: Office) -> None:
    await office.save(call_back(events=[{"on": "responsible_changed"}]))
    await office.deal(stage_id="30", is_known=True)
    await office.told({"responsible": "12"}, {"responsible": "11"})
    assert await office.reasons() == []


async def test_while_the_crm_is_down_a_firing_waits_and_says_so_and_fires_when_it_answers(
    office: Office,
) -> None:
    await office.save(call_back())
    await office.deal()
    office.crm.fail("by_ids", CrmUnavailable("down"))
    await office.moved()
    assert (await office.reasons(), await office.items()) == (["waits_for_crm"], [])
    await office.pool.execute("UPDATE firing SET next_try_at = now()")
    await office.reader.turn()
    assert (await office.reasons(), await office.items()) == (["fires"], ["waiting"])


async def test_after_a_day_of_a_silent_crm_a_firing_is_given_up_with_its_reason(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    office.crm.fail("by_ids", CrmUnavailable("down"), times=2)
    await office.moved()
    await office.pool.execute(
        "UPDATE firing SET next_try_at = now(), created_at = now() - interval '25 hours'"
    )
    await office.reader.turn()
    row = await office.pool.fetchrow("SELECT state, reason, ended_at IS NOT NULL AS is_over FROM firing")
    assert row is not None
    assert tuple(row) == ("failed", "crm_silent", True)


async def test_a_hundred_deals_are_read_in_two_requests(office: Office) -> None:
    await office.save(call_back())
    for number in range(100):
        await office.deal(str(number))
        await office.moved(id=str(number), work=False)
        await office.job.run(ACCOUNT, f"deal:{number}")
    await office.reader.turn()
    assert office.crm.count("by_ids") == 2
    assert sorted(set(await office.reasons())) == ["fires", "same_action_lately"]


async def test_two_readers_at_once_decide_a_firing_once(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved(work=False)
    await office.job.run(ACCOUNT, "deal:7")
    other = Office(office.pool, office.crm)
    await asyncio.gather(office.reader.turn(), other.reader.turn())
    assert (await office.reasons(), await office.items()) == (["fires"], ["waiting"])


async def test_the_loop_of_a_worker_reads_a_firing_within_a_second(office: Office) -> None:
    await office.save(call_back())
    await office.deal()
    await office.moved(work=False)
    await office.job.run(ACCOUNT, "deal:7")
    firings = TriggerFirings(office.pool)
    with firings.served(ACCOUNT, office.crm):
        running = asyncio.create_task(firings.loop.run())
        async with asyncio.timeout(1):
            while await office.items() != ["waiting"]:
                await asyncio.sleep(0.02)
    running.cancel()
    assert await office.reasons() == ["fires"]


async def test_a_saved_version_is_never_changed(office: Office) -> None:
    await office.save(call_back())
    with pytest.raises(asyncpg.RaiseError):
        await office.pool.execute("UPDATE pipeline_trigger_version SET saved_by = 'x'")
