"""From a text that waits to what stands in the client's card."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from crm.errors import CrmUnavailable
from gateway.store.outbound import do_not_call
from tests.integration.sms_sending.desk import ACCOUNT, CLIENT, Desk


@pytest.fixture
async def desk(pool: asyncpg.Pool) -> Desk:
    made = Desk(pool)
    await made.open()
    return made


async def test_a_text_is_written_sent_reported_and_stands_in_the_card_once(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.deal()
    await desk.order(
        template="{{maincontact.first_name}}, {{deal.name}}: {{user.name}}, {{maincontact.email}}"
    )
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 2)
        [sms] = await desk.messages()
        assert (sms["text"], sms["number"]) == ("Олег, Кухня 7: Анна, oleg@x.example", CLIENT)
        assert (sms["state"], await desk.item()) == ("accepted", ("sending", ""))
        await desk.turns(sender, 6, step=5)
    [sms] = await desk.messages()
    assert (sms["state"], sms["price"] > 0) == ("delivered", True)
    assert await desk.item() == ("succeeded", "delivered")
    assert await desk.notes() == [("sms_out", sms["text"])]
    assert (await desk.saved()).balance is not None


async def test_the_client_and_a_responsible_with_their_number_get_one_text_and_others_are_told_of(
    desk: Desk,
) -> None:
    saved = await desk.connect()
    await desk.deal(owner_id="12")
    await desk.order(to={"client": True, "responsible": True, "employees": ["anna", "anna", "vera"]})
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 2)
    assert sorted(m["number"] for m in await desk.messages()) == ["+79031112233", CLIENT]
    service = [text for form, text in await desk.notes() if form == "service"]
    assert service == [
        "Борис SMS не получает: у сотрудника нет мобильного номера\nВера SMS не получает: у сотрудника нет внутреннего номера"
    ]
    assert [form for form, _ in await desk.notes()].count("sms_out") == 1


async def test_at_night_it_waits_for_the_morning_of_the_client_and_is_written_then(desk: Desk) -> None:
    saved = await desk.connect()
    desk.now = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)  # half past nine in the evening
    await desk.deal(price=1000)
    await desk.order(template="К оплате {{deal.price}}")
    await desk.order("now", template="Код 1", any_hour=True)
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 2)
        assert await desk.item() == ("waiting", "window_closed")
        assert [m["text"] for m in await desk.messages()] == ["Код 1"]
        await desk.deal(price=2000)
        desk.now = datetime(2026, 3, 3, 6, 0, 1, tzinfo=UTC)
        await desk.turns(sender, 2)
    assert "К оплате 2000" in [m["text"] for m in await desk.messages()]


async def test_what_must_not_go_out_ends_with_its_reason_and_nothing_is_sent(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.deal("1")
    await desk.deal("2", number="+74957654321")
    await desk.deal("3", number=None)
    await desk.deal("4", number="+79031112233")
    await desk.deal("5", number="+74951230000")
    await desk.deal("6", number="+79165554433")
    await desk.deal("8", number="+79165554434")
    async with desk.pool.acquire() as conn:
        await do_not_call.add(conn, ACCOUNT, "+79165554433", source="admin", said_by="boss")
    await desk.order("long", "1", template="я" * 300)
    await desk.order("empty", "1", template="{{deal.cf_5}} ")
    await desk.order("landline", "2")
    await desk.order("no number", "3")
    await desk.order("employee", "4")
    await desk.order("own line", "5")
    await desk.order("asked not to", "6")
    await desk.order("no deal", "99")
    await desk.order("gone", "8", provider="nobody")
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 2)
    found = {
        id: await desk.item(id)
        for id in (
            "long",
            "empty",
            "landline",
            "no number",
            "employee",
            "own line",
            "asked not to",
            "no deal",
            "gone",
        )
    }
    assert found == {
        "long": ("failed", "too-long"),
        "empty": ("failed", "empty-text"),
        "landline": ("failed", "not-mobile"),
        "no number": ("dropped", "no_number"),
        "employee": ("failed", "employee-number"),
        "own line": ("dropped", "own_number"),
        "asked not to": ("dropped", "do_not_call"),
        "no deal": ("dropped", "deal_gone"),
        "gone": ("waiting", "connection_unfit"),
    }
    assert await desk.messages() == []
    assert all(text.startswith("SMS не отправлено: ") for _, text in await desk.notes())
    assert len(await desk.notes()) == 4


async def test_while_the_crm_is_silent_a_written_text_goes_out_and_others_wait_for_it(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.deal()
    await desk.order("written")
    await desk.texts.turn()
    desk.crm.fail("by_ids", CrmUnavailable("down"))
    await desk.order("later")
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 1)
        assert (await desk.item("written"), await desk.item("later")) == (
            ("sending", ""),
            ("waiting", "waits_for_crm"),
        )
        desk.later(seconds=30)
        await desk.turns(sender, 3, step=10)
    assert (await desk.item("written"), await desk.item("later")) == (
        ("succeeded", "delivered"),
        ("succeeded", "delivered"),
    )
    assert [form for form, _ in await desk.notes()] == ["sms_out", "sms_out"]


async def test_notes_about_one_deal_have_a_second_each(desk: Desk) -> None:
    saved = await desk.connect()
    await desk.deal()
    for n in range(3):
        await desk.order(f"i{n}", template=f"Текст {n}")
    async with desk.sending(saved) as sender:
        await desk.turns(sender, 3, step=0.2)
    rows = await desk.pool.fetch("SELECT \"order\"->>'at' AS at FROM effect")
    assert len({row["at"] for row in rows}) == 3
