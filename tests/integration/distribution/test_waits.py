"""What waits is given when that on which it waits has come: the deal is read, somebody is there, the directory has caught up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from crm.store.cursors import ask_reread, finish_rereads, waiting_rereads
from gateway.at_work import AtWork
from gateway.distribution.availability import AccountHours
from gateway.distribution.give import Giver
from routing.calls.model import Call, Disposition, Talk
from routing.distribution.template import RepeatControl, TakenToWork, TemplateHours
from routing.presence import Presence, PresenceState
from tests.integration.distribution.shop import ACCOUNT, BORIS, Shop, turn


async def _told_of(shop: Shop, deal: str) -> None:
    """A webhook made it known, without its contacts; a worker is to read it."""
    async with shop.pool.acquire() as conn:
        await ask_reread(conn, ACCOUNT, [("deal", deal)])


async def _read(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await finish_rereads(conn, ACCOUNT, await waiting_rereads(conn, ACCOUNT, 10))


async def test_whose_client_it_is_is_asked_once_the_new_deal_has_been_read(shop: Shop) -> None:
    contact = await shop.contact("c1")
    await shop.deal(owner_id=BORIS.crm_user_id, contact_ids=(contact,))
    await shop.serve(turn(repeat=RepeatControl(by="contacts")))
    deal = await shop.deal(stage="20")
    await _told_of(shop, deal)
    await shop.made(deal)
    await shop.work(deal)
    assert (await shop.item(deal)).state == "waiting"
    await shop.deal(deal, contact_ids=(contact,))
    await _read(shop)
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.state, item.employee_id) == ("kept", "boris")


async def test_a_deal_that_has_no_contacts_goes_by_turn_once_it_has_been_read(shop: Shop) -> None:
    await shop.serve(turn(also_change=("contact",)))
    deal = await shop.deal(stage="20")
    await _told_of(shop, deal)
    await shop.made(deal)
    await shop.work(deal)
    assert (await shop.item(deal)).state == "waiting"
    await _read(shop)
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    assert await shop.owner(deal) == "anna"


async def test_who_does_not_look_at_clients_waits_for_no_reading(shop: Shop) -> None:
    await shop.serve(turn(also_change=("deal_tasks",)))
    deal = await shop.deal(stage="20")
    await _told_of(shop, deal)
    await shop.made(deal)
    await shop.work(deal)
    assert await shop.owner(deal) == "anna"


async def test_what_waited_for_somebody_online_does_not_all_go_to_the_first_who_comes(shop: Shop) -> None:
    states = dict.fromkeys(("anna", "boris", "vera"), PresenceState.OFFLINE)
    at_work = AtWork(presence_of=lambda _: Presence(MappingProxyType(dict(states))))
    shop.giver = Giver(AccountHours(at_work))
    shop.__post_init__()
    hours = TemplateHours(mode="online", gather_minutes=5, per_minute=1)
    await shop.serve(turn(working_time=hours))
    deals = [await shop.came_in() for _ in range(3)]
    await shop.distributor.turn()
    states["boris"] = PresenceState.AVAILABLE
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    assert [await shop.owner(deal) for deal in deals] == [None] * 3, "they are gathered first"
    states["anna"] = PresenceState.AVAILABLE
    await shop.time_passes(minutes=6)
    await shop.distributor.turn()
    assert sorted(filter(None, [await shop.owner(deal) for deal in deals])) == ["anna", "boris"]
    assert await shop.owner(deals[2]) is None, "one each within a minute"


async def test_that_nobody_took_it_is_noticed_though_the_directory_was_late(shop: Shop) -> None:
    await shop.serve(turn(taken=TakenToWork(minutes=10)))
    deal = await shop.came_in()
    assert await shop.owner(deal) == "anna"
    await shop.pool.execute(
        "UPDATE effect SET state = 'done', attempts = 1, sent_at = now(), done_at = now()"
    )
    await shop.time_passes(minutes=13)
    await shop.distributor.turn()
    assert await shop.owner(deal) == "anna"
    await shop.written()
    await shop.deal(deal, owner_id="11")
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    assert await shop.owner(deal) == "boris"


async def test_a_talk_counts_as_taken_though_the_clock_of_its_pbx_is_behind(shop: Shop) -> None:
    contact = await shop.contact("c1", numbers=("+79161234567",))
    await shop.serve(turn(taken=TakenToWork(minutes=10)))
    deal = await shop.came_in(contact_ids=(contact,))
    await shop.written()
    await shop.distributor.turn()
    behind = timedelta(hours=1)
    at = datetime.now(UTC) - behind
    call = Call(
        call_key="c",
        direction="inbound",
        line=None,
        is_over=True,
        client="+79161234567",
        started_at=at,
        answered_at=at,
        disposition=Disposition.ANSWERED,
        talks=(Talk(party="11", started_at=at),),
    )
    await shop.pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
        " started_at, answered_at, facts, clock_offset)"
        " VALUES ($1, 'c', 'p', 'c', '+79161234567', 'inbound', 'answered', true, $2, $2, $3, $4)",
        ACCOUNT,
        at,
        call.model_dump(mode="json"),
        behind,
    )
    await shop.pool.execute("UPDATE distribution_item SET due_at = now()")
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.employee_id, item.taken_at is not None) == ("anna", True)


async def test_a_deal_that_leaves_the_stage_or_is_closed_waits_no_longer(shop: Shop) -> None:
    await shop.works(False)
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    left, closed, stays = [await shop.came_in() for _ in range(3)]
    assert {(await shop.item(d)).state for d in (left, closed, stays)} == {"waiting"}
    for deal, stage in ((left, "30"), (closed, "142")):
        await shop.moved(deal, "20", stage)
        await shop.deal(deal, stage=stage, is_open=stage != "142")
        await shop.work(deal)
    await shop.distributor.turn()
    assert [((i := await shop.item(d)).state, i.reason) for d in (left, closed)] == [
        ("cancelled", "left_stage"),
        ("cancelled", "deal_closed"),
    ]
    item = await shop.item(stays)
    assert item.state == "waiting"
    assert item.due_at is not None
    assert item.due_at > datetime.now(UTC) + timedelta(hours=1)


async def test_a_template_that_is_saved_while_deals_wait_to_be_read_holds_none_of_them_up(shop: Shop) -> None:
    """They wait for the directory, and for no hour: nothing of them is gathered and handed out one a minute."""
    await shop.serve(turn(repeat=RepeatControl(by="contacts")))
    deals = [await shop.deal(stage="20") for _ in range(6)]
    for deal in deals:
        await _told_of(shop, deal)
        await shop.made(deal)
        await shop.work(deal)
    await shop.save(turn(repeat=RepeatControl(by="both")))
    await shop.distributor.turn()
    assert {(i.state, i.reason, i.opens_at) for i in await shop.items()} == {("waiting", "not_read", None)}
    await _read(shop)
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    assert await shop.given() == {"anna": 2, "boris": 2, "vera": 2}


async def test_who_can_take_more_since_a_limit_was_raised_gets_all_that_waits_at_once(shop: Shop) -> None:
    await shop.serve(turn(open_deals_limit=0))
    deals = [await shop.came_in() for _ in range(6)]
    await shop.distributor.turn()
    assert {item.state for item in await shop.items()} == {"waiting"}
    await shop.save(turn(open_deals_limit=100))
    later = await shop.came_in()
    await shop.distributor.turn()
    assert [await shop.owner(deal) for deal in (*deals, later)] == ["anna", "boris", "vera"] * 2 + ["anna"]
