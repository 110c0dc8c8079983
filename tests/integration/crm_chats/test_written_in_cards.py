"""What an employee writes in the CRM's card goes to the client once, as their own message; whoever may not is told so there."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson
import pytest

from crm.port import CrmUser
from crm.sandbox.chat_ids import amojo_id_of
from crm.sandbox.control.chats import SECRET
from crm.sandbox.sample_account import SENIOR, manager
from crm.store.metadata import store_users
from gateway.store.channels.messages import ChatMessage
from routing.dialogues.rules import ChannelRules
from tests.fakes.channels.sandbox import SentIntoChat, client_message, echo_of, status
from tests.integration.channels.shop import RULES
from tests.integration.channels.test_sending import write
from tests.integration.crm_chats.scene import CardShop, Killed
from tests.integration.intake.office import ACCOUNT

ANNA, PETR = manager(101), manager(102)


@pytest.fixture
async def card(cards: CardShop) -> CardShop:
    """A client has written, and it shows in the card."""
    await cards.says(client_message("m1"))
    await cards.turns()
    return cards


async def statuses(cards: CardShop) -> list[list[tuple[int, str]]]:
    """Of what was written in the card."""
    rows = (await cards.card())["messages"]
    return [[(s["code"], s["error"]) for s in row["statuses"]] for row in rows if not row["client_id"]]


async def a_hook(cards: CardShop, secret: str = SECRET, **changes: Any) -> tuple[int, bytes]:
    chat, scope = (await cards.card())["chats"][0], (await cards.card())["connections"][0]["scope_id"]
    message = {
        "receiver": {"id": "r", "phone": ""},
        "sender": {"id": amojo_id_of(ANNA)},
        "conversation": {"id": chat["chat_id"], "client_id": chat["conversation_id"]},
        "message": {"id": "h1", "type": "text", "text": "Добрый день"},
    }
    body = orjson.dumps({"account_id": "x", "time": 1, "message": {**message, **changes}})
    return await post(cards, body, scope, secret)


async def post(cards: CardShop, body: bytes, scope: str, secret: str = SECRET) -> tuple[int, bytes]:
    signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    url = cards.door_url.replace(":scope_id", scope)
    async with cards.api.session.post(url, data=body, headers={"X-Signature": signature}) as answer:
        return answer.status, await answer.read()


async def test_an_answer_goes_to_the_client_once_and_its_fate_comes_back(card: CardShop) -> None:
    told = await card.answers("Добрый день", ANNA)
    assert told["status"] == 200
    assert (await card.answers(id=told["message_id"]))["status"] == 200
    await card.turns()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Добрый день"]
    (_, ours) = await card.shop.messages()
    assert (ours["employee_id"], ours["author_kind"], ours["author_name"]) == (
        "anna",
        "employee",
        "Анна Менеджер",
    )
    await card.turns()
    await card.shop.told(status(ours["outside_id"] or "s1", "delivered"))
    await card.turns()
    await card.shop.told(status(ours["outside_id"] or "s1", "read"))
    await card.turns()
    assert await statuses(card) == [[(1, ""), (2, "")]]
    assert await card.shown() == ["Hello", "Добрый день"], "it does not show a second time"
    (dialogue,) = await card.shop.dialogues()
    assert (dialogue["owner"], dialogue["owner_how"]) == ("anna", "first-answer")
    assert [(r["state"], r["told"]) for r in await card.rows("SELECT * FROM crm_chat_hook")] == [
        ("taken", None)
    ]


async def test_the_messengers_word_of_it_is_no_second_message(card: CardShop) -> None:
    await card.answers("Добрый день", ANNA)
    await card.turns()
    await card.sends()
    await card.shop.told(echo_of(SentIntoChat("s1", "", "7", "Добрый день")))
    await card.turns()
    assert len(await card.shop.messages()) == 2
    assert await card.shown() == ["Hello", "Добрый день"]


async def test_killed_while_it_is_taken_it_goes_out_once(card: CardShop) -> None:
    await card.answers("Добрый день", ANNA)
    for _ in range(2):
        await card.turns()
        await card.sends()
    mortal = card.mortal(dies_after=1)
    await card.shop.told(status("s1", "delivered"))
    with pytest.raises(Killed):
        await card.turns(card.worker(chats=mortal))
    await card.turns()
    assert len(card.messenger.messages) == 1
    assert {code for (code, _) in (await statuses(card))[0]} == {1}


async def test_whoever_may_only_read_is_told_so_in_the_card(card: CardShop) -> None:
    await card.answers("Я тоже", PETR)
    await card.turns()
    await card.sends()
    assert card.messenger.messages == []
    ((code, words),) = (await statuses(card))[0]
    assert (code, "нельзя писать" in words) == (-1, True)
    assert len(await card.shop.messages()) == 1
    (row,) = await card.rows("SELECT * FROM crm_chat_hook")
    assert (row["state"], row["reason"], row["told"]) == ("refused", "no-right", None)


async def test_whoever_is_switched_off_in_the_crm_is_told_so_in_the_card(card: CardShop) -> None:
    async with card.shop.pool.acquire() as conn:
        await store_users(conn, ACCOUNT, [CrmUser(id=str(ANNA), name="Анна", email="", is_active=False)])
    await card.answers("Ещё тут", ANNA)
    await card.turns()
    await card.sends()
    assert card.messenger.messages == []
    ((code, words),) = (await statuses(card))[0]
    assert (code, "отключена" in words) == (-1, True)
    assert [row["reason"] for row in await card.rows("SELECT * FROM crm_chat_hook")] == ["gone"]


async def test_whoever_is_no_employee_is_told_so(card: CardShop) -> None:
    await card.answers("Кто я", manager(105))
    await card.turns()
    ((code, words),) = (await statuses(card))[0]
    assert (code, "вас не знает" in words) == (-1, True)


async def test_the_crms_robot_writes_and_owns_nothing(card: CardShop) -> None:
    await card.answers("Мы получили ваш вопрос", 0)
    await card.turns()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Мы получили ваш вопрос"]
    (dialogue,) = await card.shop.dialogues()
    assert dialogue["owner"] is None
    assert (await card.shop.messages())[1]["author_kind"] == "robot"


async def test_two_answers_have_one_owner_and_both_go_out(card: CardShop) -> None:
    """Whoever writes in the card sees what was written there, and means it."""
    await card.give(anna="send", second="send", boss="send")
    await card.answers("Я", ANNA)
    await card.answers("И я", PETR)
    await card.turns()
    await card.sends()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Я", "И я"]
    (dialogue,) = await card.shop.dialogues()
    assert dialogue["owner"] == "anna"


async def test_a_refusal_of_the_messenger_is_told_with_its_reason(card: CardShop) -> None:
    card.messenger.refuses = "blocked"
    await card.answers("Ау", ANNA)
    await card.turns()
    await card.sends()
    await card.turns()
    ((code, words),) = (await statuses(card))[0]
    assert (code, words) == (-1, "клиент нас заблокировал")


async def test_what_a_page_sends_shows_in_the_card_once(card: CardShop) -> None:
    assert isinstance(await write(card.shop, "k1", "Со страницы"), ChatMessage)
    await card.turns()
    assert await card.shown() == ["Hello"], "it is not said yet"
    await card.sends()
    await card.turns()
    rows = (await card.card())["messages"]
    assert [row["message"]["text"] for row in rows] == ["Hello", "Со страницы"]
    assert rows[1]["sender"]["ref_id"] == amojo_id_of(ANNA)


async def test_a_file_goes_by_its_address(card: CardShop) -> None:
    await card.answers("Смета", ANNA, media="https://drive.example/1", file_name="смета.pdf")
    await card.turns()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Смета\nсмета.pdf https://drive.example/1"]


async def test_a_conversation_that_was_begun_there_is_refused_where_it_is_not_known(card: CardShop) -> None:
    assert (await a_hook(card, conversation={"id": "unknown"}))[0] == 200
    await card.turns()
    (row,) = await card.rows("SELECT * FROM crm_chat_hook")
    assert (row["state"], row["reason"]) == ("refused", "no-such-dialogue")
    chat = (await card.card())["chats"][0]
    message = {"id": "h2", "type": "text", "text": "Знакомы"}
    assert (await a_hook(card, conversation={"id": chat["chat_id"]}, message=message))[0] == 200
    await card.turns()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Знакомы"]


async def test_only_what_is_signed_is_taken(card: CardShop) -> None:
    scope = (await card.card())["connections"][0]["scope_id"]
    assert (await a_hook(card, secret="wrong"))[0] == 404
    assert (await post(card, b"{}", "unknown"))[0] == 404
    url = card.door_url.replace(":scope_id", scope)
    async with card.api.session.post(url, data=b"{}") as unsigned:
        assert unsigned.status == 404
    assert (await post(card, b"[]", scope))[0] == 400
    assert (await post(card, orjson.dumps({"action": {"typing": {}}}), scope))[0] == 200
    assert (await post(card, b"x" * (2**20 + 1), scope))[0] == 413
    assert await card.rows("SELECT 1 FROM crm_chat_hook") == []


async def test_a_hook_is_kept_before_the_crm_is_thanked_whoever_works(card: CardShop) -> None:
    status, body = await a_hook(card)
    assert (status, orjson.loads(body)) == (200, {"accepted": True, "is_new": True})
    (row,) = await card.rows("SELECT * FROM crm_chat_hook")
    assert (row["state"], row["crm_id"]) == ("pending", "h1")
    status, body = await a_hook(card)
    assert (status, orjson.loads(body)) == (200, {"accepted": True, "is_new": False})


async def test_what_was_written_is_heard_while_the_chats_are_silent(card: CardShop) -> None:
    fault = {"match": {"path": "/v2/origin/custom/*"}, "always": True, "fault": "502"}
    await card.says(client_message("m2"))
    await card.api.control("faults", {"rules": [fault]})
    await card.turns()
    await a_hook(card)
    await card.turns()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Добрый день"]


async def test_what_somebody_new_writes_waits_until_the_crm_tells_who_it_is(card: CardShop) -> None:
    await card.pool.execute("DELETE FROM crm_chat_person")
    await card.pool.execute("UPDATE crm_chat_channel SET people_at = now() - interval '2 minutes'")
    await card.api.control(
        "faults", {"rules": [{"match": {"path": "/api/v4/users*"}, "always": True, "fault": "502"}]}
    )
    await a_hook(card)
    await card.turns()
    assert [r["state"] for r in await card.rows("SELECT state FROM crm_chat_hook")] == ["pending"]
    await card.api.control("faults", {"rules": []})
    await card.turns()
    assert [r["state"] for r in await card.rows("SELECT state FROM crm_chat_hook")] == ["taken"]


async def test_what_was_written_just_before_it_was_switched_off_goes_out(card: CardShop) -> None:
    await a_hook(card)
    await card.switch(on=False)
    await card.turns()
    await card.sends()
    assert [m.text for m in card.messenger.messages] == ["Добрый день"]
    assert (await a_hook(card, message={"id": "h2", "type": "text", "text": "Поздно"}))[0] == 404


async def test_a_channel_that_is_off_says_so_in_the_card(card: CardShop) -> None:
    await card.shop.change(is_on=False, rules=ChannelRules(**RULES.model_dump()))
    await card.answers("Ау", SENIOR)
    await card.give(boss="send")
    await card.turns()
    ((code, words),) = (await statuses(card))[0]
    assert (code, words) == (-1, "канал выключен: включит его тот, кто отвечает за систему")
