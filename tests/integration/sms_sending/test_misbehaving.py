"""Providers that misbehave, and workers that are killed: nothing is lost, nothing goes out twice, one alarm for one cause."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from decimal import Decimal

import asyncpg
import pytest

from gateway.admin.outbound.items import item_in_full
from gateway.admin.outbound.why_not import why_in_words, why_not_now
from gateway.at_work import AtWork
from gateway.configuration import read_snapshot
from gateway.outbound.around import calling_account
from gateway.pbx.kinds import KINDS
from gateway.store.outbound import do_not_call
from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.turns import look_again
from gateway.texts.sentences import TEXTS
from sms.kinds import SMS_KINDS
from sms.model import OutboundSms, SmsOutcome, SmsReport, SmsState
from sms.port import SmsNews
from sms.providers.sandbox.adapter import SandboxProvider
from sms.reasons import SmsReason
from tests.fakes.sms.server import Fault, serving
from tests.integration.sms.offices import VENDORS
from tests.integration.sms_sending.desk import ACCOUNT, CLIENT, Desk

COUNT = 40
FAULTS: tuple[Fault, ...] = ("throttle", "busy", "hang up", "bad gateway", "page")


@pytest.fixture
async def desk(pool: asyncpg.Pool) -> Desk:
    made = Desk(pool)
    await made.open()
    return made


async def _connected(desk: Desk, vendor: str, url: str) -> SavedSmsConnection:
    of = VENDORS[vendor]
    return await desk.connect(
        vendor, keys=of.keys, **{**of.settings, "base_url": url + of.path, "answer_seconds": 1}
    )


async def _ordered(desk: Desk, count: int) -> None:
    for n in range(count):
        await desk.deal(str(n), number=f"+7916000{1000 + n}")
        await desk.order(f"i{n}", str(n), template=f"Заказ {n} готов")


@pytest.mark.parametrize("vendor", ["smsc", "smsru"])
async def test_money_that_ends_stops_the_provider_once_and_what_waits_goes_out_when_there_is_some(
    desk: Desk, vendor: str
) -> None:
    chance = random.Random(vendor)
    async with serving(VENDORS[vendor].fake()) as fake:
        fake.money = Decimal("2.50") * (COUNT // 2)
        fake.faults.extend(chance.choices([*FAULTS, None], [10, 5, 5, 3, 2, 75], k=200))
        saved = await _connected(desk, vendor, fake.url)
        await _ordered(desk, COUNT)
        async with desk.sending(saved) as sender:
            await desk.turns(sender, COUNT * 3, step=0.5)
            stopped = (await desk.saved()).stop
            assert stopped is not None
            assert stopped.reason == "no-money"
            asked = fake.asked
            await desk.turns(sender, 5)
            assert fake.asked == asked
            assert (await desk.saved()).stop == stopped
            fake.money += Decimal("2.50") * COUNT
            desk.later(minutes=6)
            await desk.turns(sender, COUNT * 3, step=5)
            assert (await desk.saved()).stop is None
    taken = Counter(sms.text for sms in fake.taken)
    assert set(taken.values()) == {1}
    messages = {m["item_id"]: m for m in await desk.messages()}
    assert len(messages) == COUNT
    states = {id: m["state"] for id, m in messages.items()}
    assert set(states.values()) <= {"accepted", "deferred", "unknown"}
    for n in range(COUNT):
        is_taken = f"Заказ {n} готов" in taken
        assert is_taken or states[f"i{n}"] == "unknown"


async def test_money_that_is_back_is_seen_within_a_minute_or_when_a_person_asks(desk: Desk) -> None:
    """Though the provider had more when it was last asked, so that the balance did not grow."""
    async with serving(VENDORS["smsru"].fake()) as fake:
        fake.money = Decimal("500")
        saved = await _connected(desk, "smsru", fake.url)
        await _ordered(desk, 2)
        async with desk.sending(saved) as sender:
            await sender.turn()
            assert (await desk.saved()).balance is not None
            for stops in range(2):
                fake.money = Decimal(0)
                await desk.order(f"j{stops}", "0", template=f"Ещё {stops}")
                await desk.turns(sender, 4)
                assert (await desk.saved()).stop is not None
                fake.money = Decimal("100")
                if stops:  # for another reason, which money does not end
                    await desk.pool.execute("UPDATE sms_connection SET stop_reason = 'service-off'")
                    async with desk.pool.acquire() as conn:
                        await look_again(conn, ACCOUNT, "texts", desk.now)
                else:
                    desk.later(seconds=90)
                await desk.turns(sender, 4)
                assert (await desk.saved()).stop is None, stops
    assert {m["state"] for m in await desk.messages()} == {"accepted"}


async def test_what_waits_for_money_too_long_expires_and_says_so(desk: Desk) -> None:
    async with serving(VENDORS["smsc"].fake()) as fake:
        fake.money = Decimal(0)
        saved = await _connected(desk, "smsc", fake.url)
        await _ordered(desk, 2)
        async with desk.sending(saved) as sender:
            await desk.turns(sender, 3)
            said = await _why_not(desk, "i0")
            assert "waits to be sent" in said
            assert "the provider “texts” sends nothing since 2026-03-02 12:00" in said
            assert "money at the provider has ended" in said
            desk.later(hours=25)
            await desk.turns(sender, 3)
    assert (await desk.item("i0"), await desk.item("i1")) == (("expired", "expired"), ("expired", "expired"))
    assert fake.taken == []
    assert [form for form, _ in await desk.notes()] == ["service", "service"]


async def _why_not(desk: Desk, item_id: str) -> str:
    async with desk.pool.acquire() as conn:
        around = calling_account(await read_snapshot(desk.pool), ACCOUNT, KINDS, AtWork())
        assert around is not None
        why = await why_not_now(conn, around, item_id)
        full = await item_in_full(conn, ACCOUNT, item_id)
        assert [text.state for text in full.texts] == ["queued"]
        return why_in_words(why, around.staff, around.zone, TEXTS["en"])


class _Killed(SandboxProvider):
    """Its process dies as it sends: before the message is out, or after."""

    is_out = False

    async def send(self, message: OutboundSms) -> SmsOutcome:
        if self.is_out:
            await super().send(message)
        await asyncio.sleep(3600)
        raise AssertionError


@pytest.mark.parametrize("is_out", [False, True])
async def test_a_worker_that_is_killed_while_it_sends_leaves_nothing_that_is_sent_twice(
    desk: Desk, is_out: bool
) -> None:
    saved = await desk.connect()
    await desk.deal()
    await desk.order()
    opened = desk.sandbox.open(None, saved.connection, desk.told)  # type: ignore[arg-type]
    dying = _Killed(opened._sent, lambda: desk.now, opened._delivered_after)
    dying.is_out = is_out
    await desk.texts.turn()
    async with desk.sending(saved, provider=dying) as sender:
        await sender.turn()
        await asyncio.sleep(0.05)
        for task in list(sender._live.values()):
            task.cancel()
        await asyncio.sleep(0)
    [sms] = await desk.messages()
    assert sms["state"] == "sending"
    desk.later(seconds=1)
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 12, step=20)
        for _ in range(3):
            desk.later(minutes=11)
            await desk.turns(sender, 1)
    [sms] = await desk.messages()
    assert len(desk.sandbox.sent(saved.connection)) == is_out
    assert (sms["state"], await desk.item()) == (
        ("delivered", ("succeeded", "delivered")) if is_out else ("unknown", ("unknown", "no-answer"))
    )
    assert [form for form, _ in await desk.notes()].count("service") == (not is_out)


async def test_reports_that_come_early_twice_late_or_of_nobody_settle_it_once(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.deal()
    await desk.order()
    async with desk.sending(saved) as sender:
        await desk.texts.turn()
        [sms] = await desk.messages()
        early = SmsReport(id=str(sms["own_id"]), state=SmsState.SENT)
        await desk.told(saved, SmsNews(reports=(early, SmsReport(id="42", state=SmsState.DELIVERED))))
        await sender.turn()
        await sender.close()
        assert (await desk.messages())[0]["state"] == "sent"
        done = SmsReport(id=str(sms["own_id"]), state=SmsState.DELIVERED)
        for _ in range(2):
            await desk.told(saved, SmsNews(reports=(done,)))
        await desk.told(saved, SmsNews(reports=(SmsReport(id=done.id, state=SmsState.UNDELIVERED),)))
    assert (await desk.messages())[0]["state"] == "delivered"
    assert await desk.item() == ("succeeded", "delivered")
    assert [form for form, _ in await desk.notes()] == ["sms_out"]
    assert await desk.pool.fetchval("SELECT count(*) FROM sms_early") == 1


async def test_a_stop_list_of_the_provider_puts_the_number_on_ours(desk: Desk) -> None:
    async with serving(VENDORS["smsru"].fake()) as fake:
        saved = await _connected(desk, "smsru", fake.url)
        await desk.deal()
        await desk.order("one")
        async with desk.sending(saved) as sender:
            await desk.turns(sender, 1)
            [sms] = await desk.messages()
            blocked = SmsReport(
                id=sms["provider_ids"][0], state=SmsState.REJECTED, reason=SmsReason.BLOCKED_NUMBER
            )
            await desk.order("two")
            await desk.told(saved, SmsNews(reports=(blocked,)))
            await desk.turns(sender, 1)
    row = await desk.pool.fetchrow("SELECT number, source FROM do_not_call WHERE account_id = $1", ACCOUNT)
    assert row is not None
    assert (row["source"], await desk.item("one"), await desk.item("two")) == (
        "provider",
        ("failed", "blocked-number"),
        ("dropped", "do_not_call"),
    )


async def test_who_comes_onto_the_list_while_their_text_waits_at_the_provider_gets_none(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.deal()
    await desk.order()
    await desk.texts.turn()
    async with desk.pool.acquire() as conn, conn.transaction():
        await do_not_call.add(conn, ACCOUNT, CLIENT, source="client", said_by="phone")
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 2)
    assert not desk.sandbox.sent(saved.connection)
    assert await desk.item() == ("failed", "blocked-number")


async def test_two_senders_at_once_keep_one_pace_and_send_each_message_once(desk: Desk) -> None:
    saved = await desk.connect()
    await _ordered(desk, 12)
    async with desk.sending(saved) as one, desk.sending(saved) as other:
        for _ in range(12):
            await desk.texts.turn()
            await asyncio.gather(one.turn(), other.turn())
            await asyncio.gather(one.close(), other.close())
            assert len(desk.sandbox.sent(saved.connection)) <= _ + 1
            desk.later(milliseconds=100)
    sent = [sms.message.own_id for sms in desk.sandbox.sent(saved.connection)]
    assert len(sent) == len(set(sent)) == 12


def test_every_kind_that_reports_by_our_id_reads_what_is_pushed_by_it() -> None:
    assert {name for name, kind in SMS_KINDS.items() if kind.capabilities.reports_own_id} == {
        "sandbox",
        "mango",
        "smsc",
    }
