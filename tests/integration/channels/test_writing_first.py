"""We write first: the dialogue that arises is the one into which the client's answer comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.admin.channels.writing import FirstMessage, MessageNotTaken, write_first
from gateway.admin.refused import InputRefused
from gateway.calls.client_job import ClientJob
from gateway.channels.accepting import KeyOfAnother
from gateway.store.admin.accounts import account as account_of
from gateway.store.channels.messages import ChatMessage
from routing.dialogues.access import Onlooker
from routing.matrix.presets import recommended
from tests.fakes.channels.sandbox import SentIntoChat, client_message, echo_of
from tests.fakes.matrices import PublishedMatrix
from tests.integration.channels.shop import ChatShop
from tests.integration.channels.test_sending import OTHER, WRITES, sending, turned
from tests.integration.intake.office import ACCOUNT, CLIENT


async def first(
    shop: ChatShop, key: str, text: str = "Добрый день", who: Onlooker = WRITES, **to: str
) -> ChatMessage:
    job = ClientJob(shop.pool, PublishedMatrix(recommended()), now=lambda: datetime.now(UTC))
    async with shop.pool.acquire() as conn:
        account = await account_of(conn, ACCOUNT)
        told = FirstMessage(
            key=key, text=text, channel="c1", number=to.get("number", ""), chat=to.get("chat", "")
        )
        if not to:
            told = replace(told, number="8 (916) 123-45-67")
        return await write_first(conn, job, account, who, told)


async def with_client(shop: ChatShop) -> list[dict[str, Any]]:
    return await shop.rows(
        "SELECT * FROM dialogue WHERE chat_id <> '7'"
    )  # that is of whoever wrote at the start


async def test_case_10_the_answer_comes_into_the_dialogue_that_we_began(shop: ChatShop) -> None:
    async with sending(shop) as (fake, sender):
        before = len(await shop.office.effects())
        one, again = await first(shop, "k1"), await first(shop, "k1")
        assert (one.message_id, one.status) == (again.message_id, "waiting")
        await first(shop, "k2", "Вы писали на сайте")
        with pytest.raises(KeyOfAnother):
            await first(shop, "k1", number="+79160000000")
        assert len(await with_client(shop)) == 1  # nothing is left of what was refused
        await turned(sender)
        await turned(sender)
        assert [(m.text, m.chat_id) for m in fake.messages] == [
            ("Добрый день", CLIENT),
            ("Вы писали на сайте", CLIENT),
        ]
        (begun,) = await with_client(shop)
        assert (begun["chat_id"], begun["number"], begun["client_key"], begun["owner"]) == (
            CLIENT,
            CLIENT,
            CLIENT,
            "anna",
        )
        assert len(await shop.office.effects()) == before  # nothing is made before they answer
        await shop.told(client_message("a1", chat=CLIENT, phone=CLIENT, text="Да"))
    (answered,) = await with_client(shop)
    assert (answered["dialogue_id"], answered["place_reason"]) == (begun["dialogue_id"], "new-client")
    made = (await shop.office.effects("create_contact", "create_deal"))[-2:]
    assert {e["ordered"]["owner_id"] for e in made} == {"11"}  # of her who wrote first


@pytest.mark.parametrize("phone", [CLIENT, ""], ids=["the chat tells the number", "it tells none"])
async def test_case_10_whatever_is_told_before_the_messengers_answer_there_is_one_dialogue(
    shop: ChatShop, phone: str
) -> None:
    async with sending(shop) as (fake, sender):
        await first(shop, "k1")
        told = {"phone": phone} if phone else {}
        fake.opens = {CLIENT: "chat-9"}
        echo = echo_of(SentIntoChat("s1", "", "chat-9", "Добрый день"))
        await shop.told({**echo, "chat": {"id": "chat-9", **told}})
        await shop.told(client_message("a1", chat="chat-9", text="Да", **told))
        await turned(sender)
    (dialogue,) = await with_client(shop)
    assert (dialogue["chat_id"], dialogue["number"]) == ("chat-9", CLIENT)
    ours = await shop.rows(
        "SELECT * FROM chat_message WHERE dialogue_id = $1 ORDER BY message_id", dialogue["dialogue_id"]
    )
    assert sorted((m["direction"], m["outside_id"], m["own_key"]) for m in ours) == [
        ("in", "a1", None),
        ("out", "s1", "k1"),
    ]


async def test_case_10_the_answer_is_found_though_nobody_told_where_our_message_went(shop: ChatShop) -> None:
    async with sending(shop) as (fake, sender):
        fake.faults.append("hang up")
        await first(shop, "k1")
        await turned(sender)
        (begun,) = await with_client(shop)
        await shop.told(client_message("a1", chat="chat-9", phone=CLIENT, text="Да"))
    (dialogue,) = await with_client(shop)
    assert (dialogue["dialogue_id"], dialogue["chat_id"]) == (begun["dialogue_id"], "chat-9")


async def test_a_known_clients_deal_stays_whose_it_is_until_they_are_answered(shop: ChatShop) -> None:
    await shop.office.know_client(CLIENT, owner="2")
    one = await first(shop, "k1")
    (dialogue,) = await with_client(shop)
    assert (dialogue["deal"]["id"], dialogue["contact"]["id"], dialogue["owner"]) == ("601", "501", None)
    assert one.deal == {"kind": "deal", "id": "601", "effect": None}
    assert await shop.office.effects() == []


async def test_rights_limits_and_numbers_hold_for_the_first_message_too(shop: ChatShop) -> None:
    nobody = Onlooker(employee_id="boss", rights={"c1": "read"})
    with pytest.raises(MessageNotTaken) as refused:
        await first(shop, "k1", who=nobody)
    assert refused.value.problems == [{"reason": "no-right", "owner": None}]
    with pytest.raises(InputRefused, match="no number"):
        await first(shop, "k1", number="12")
    await shop.change(settings={"window_hours": "24"})
    with pytest.raises(MessageNotTaken) as closed:
        await first(shop, "k1")
    assert closed.value.problems == [{"reason": "window-closed", "owner": None}]
    await shop.change(settings={})
    assert await shop.dialogues() == []
    await first(shop, "k1", chat="@oleg")
    (dialogue,) = await shop.dialogues()
    assert (dialogue["chat_id"], dialogue["number"]) == ("@oleg", None)
    with pytest.raises(MessageNotTaken) as taken:
        await first(shop, "k2", chat="@oleg", who=OTHER)
    assert taken.value.problems == [{"reason": "taken", "owner": "anna"}]
