"""What is said in a messenger shows in the CRM's card: once, in its order, and without a second request of the same client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from crm.kinds import CrmChatMessage, CrmChatRefused, CrmChatSilent
from crm.sandbox.chat_ids import amojo_id_of
from crm.sandbox.control.chats import BOT_ID
from crm.sandbox.sample_account import manager
from gateway.crm_chats.account import FoundInChat
from sms.channels.model import MessageStatus
from tests.fakes.channels.sandbox import SentIntoChat, client_message, echo_of
from tests.integration.crm_chats.scene import CardShop, Killed, MortalChats, MortalLinks

THREE = [client_message(f"m{n}", text=text) for n, text in enumerate(("раз", "два", "три"))]


async def test_messages_show_in_their_order_in_the_card_of_the_clients_contact(cards: CardShop) -> None:
    before = await cards.requests_in_unsorted()
    await cards.says(*THREE)
    await cards.turns()
    card = await cards.card()
    assert await cards.shown() == ["раз", "два", "три"]
    (chat,) = card["chats"]
    (contact,) = [e["crm_id"] for e in await cards.shop.office.effects("create_contact")]
    assert [str(row["contact_id"]) for row in await cards.api.rows("chat", chat_id=chat["chat_id"])] == [
        contact
    ]
    assert [row["is_silent"] for row in card["messages"]] == [True, True, False], "one bell for all of them"
    assert await cards.requests_in_unsorted() == before
    assert not await cards.rows("SELECT 1 FROM crm_chat_message WHERE is_pending")


async def test_nothing_shows_before_contact_and_deal_stand_in_the_crm(cards: CardShop) -> None:
    await cards.shop.told(*THREE)
    await cards.turns()
    assert (await cards.card())["chats"] == []
    await cards.placed()
    await cards.turns()
    assert await cards.shown() == ["раз", "два", "три"]


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("when", ["dies_before", "dies_after"])
async def test_killed_anywhere_it_goes_on_where_it_was(cards: CardShop, when: str, number: int) -> None:
    """Requests: connect, chat, three messages; the sixth is never made."""
    before = await cards.requests_in_unsorted()
    await cards.says(*THREE)
    mortal = cards.mortal(**{when: number})
    if number < 6:
        with pytest.raises(Killed):
            await cards.turns(cards.worker(chats=mortal))
    else:
        await cards.turns(cards.worker(chats=mortal))
    await cards.turns()
    assert await cards.shown() == ["раз", "два", "три"]
    assert len((await cards.card())["chats"]) == 1
    assert await cards.requests_in_unsorted() == before


async def test_killed_after_the_chat_was_bound_it_goes_on(cards: CardShop) -> None:
    before = await cards.requests_in_unsorted()
    await cards.says(*THREE)
    with pytest.raises(Killed):
        await cards.turns(cards.worker(links=MortalLinks(cards.links(), dies_after_binding=True)))
    assert await cards.shown() == []
    await cards.turns()
    assert await cards.shown() == ["раз", "два", "три"]
    assert await cards.requests_in_unsorted() == before


async def test_two_workers_at_once_show_each_message_once(cards: CardShop) -> None:
    await cards.says(*THREE)
    await cards.turns(cards.worker())  # the connection
    await cards.says(*(client_message(f"n{n}", text=str(n)) for n in range(10)))
    await asyncio.gather(*(cards.turns(cards.worker()) for _ in range(2)))
    assert sorted(await cards.shown()) == sorted(["раз", "два", "три", *map(str, range(10))])
    assert await cards.shown() == ["раз", "два", "три", *map(str, range(10))]


async def test_edits_and_deletions_change_what_stands_there(cards: CardShop) -> None:
    await cards.says(client_message("m1", text="опечатко"), client_message("m2", text="тайна"))
    await cards.turns()
    now = datetime.now(UTC)
    await cards.shop.told(client_message("m1", text="опечатка", edit={"at": now.isoformat()}))
    await cards.shop.told({"told": "deleted", "ids": ["m2"], "chat_id": "7"})
    await cards.turns()
    assert await cards.shown() == ["опечатка", "[сообщение удалено]"]
    await cards.turns()
    assert [len(row["former"]) for row in (await cards.card())["messages"]] == [1, 1]


async def test_an_edit_before_it_shows_shows_once(cards: CardShop) -> None:
    await cards.says(client_message("m1", text="опечатко"))
    await cards.shop.told(client_message("m1", text="опечатка", edit={"at": datetime.now(UTC).isoformat()}))
    await cards.turns()
    assert await cards.shown() == ["опечатка"]
    assert [row["former"] for row in (await cards.card())["messages"]] == [[]]


async def test_files_stand_there_by_their_kind_and_name(cards: CardShop) -> None:
    part = {"kind": "image", "file": {"id": "f1", "name": "дом.jpg"}, "text": "наш дом"}
    await cards.says(client_message("m1", parts=[part]))
    await cards.turns()
    assert await cards.shown() == ["[фото: дом.jpg] наш дом"]


async def test_what_employees_write_stands_there_under_their_names(cards: CardShop) -> None:
    await cards.says(client_message("m1"))
    await cards.shop.told(
        {
            **echo_of(SentIntoChat("e1", "", "7", "с телефона")),
            "author": {"kind": "phone", "id": "phone-anna"},
        },
        {**echo_of(SentIntoChat("e2", "", "7", "от робота")), "author": {"kind": "robot"}},
    )
    await cards.turns()
    assert await cards.shown() == ["Hello"], "somebody else's word waits: it may be of one of ours"
    cards.now = datetime.now(UTC) + timedelta(seconds=6)
    await cards.turns()
    card = await cards.card()
    assert [row["message"]["text"] for row in card["messages"]] == ["Hello", "с телефона", "от робота"]
    refs = [row["sender"].get("ref_id") for row in card["messages"]]
    assert refs == [None, amojo_id_of(manager(101)), BOT_ID]
    assert [row["is_silent"] for row in card["messages"]] == [False, True, True]


async def test_groups_and_channels_that_take_no_part_do_not_show(cards: CardShop) -> None:
    await cards.shop.change(is_on=False)
    await cards.says(client_message("m1"))
    await cards.shop.change(is_on=True)
    await cards.says(client_message("g1", chat="g", kind="group"))
    await cards.turns()
    assert await cards.shown() == []
    assert await cards.rows("SELECT 1 FROM crm_chat_message") == []


async def test_what_was_said_before_it_was_switched_on_does_not_show(cards: CardShop) -> None:
    await cards.switch(on=False)
    await cards.says(client_message("m1", text="до"))
    await cards.switch(on=True)
    await cards.says(client_message("m2", text="после"))
    await cards.shop.told(client_message("m1", text="до!", edit={"at": datetime.now(UTC).isoformat()}))
    await cards.turns()
    assert await cards.shown() == ["после"]


async def test_switched_off_in_the_middle_nothing_more_shows_then_or_later(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    await cards.says(*THREE[1:2])
    await cards.switch(on=False)
    await cards.turns()
    assert (await cards.card())["connections"][0]["is_on"] == 0
    await cards.switch(on=True)
    await cards.says(*THREE[2:])
    await cards.turns()
    assert await cards.shown() == ["раз", "три"]


async def test_an_integration_that_was_installed_anew_is_connected_anew(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    await cards.api.control("chats/uninstall", {})
    await cards.says(*THREE[1:])
    await cards.turns()
    cards.now = datetime.now(UTC) + timedelta(minutes=1)
    await cards.turns()
    assert await cards.shown() == ["раз", "два", "три"]


async def test_an_outage_holds_up_nothing_else_and_the_rest_goes_on_after_it(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    fault = {"match": {"path": "/v2/origin/custom/*"}, "always": True, "fault": "502"}
    await cards.api.control("faults", {"rules": [fault]})
    await cards.says(*THREE[1:])
    await cards.turns()
    assert [m["direction"] for m in await cards.shop.messages()] == ["in"] * 3
    await cards.api.control("faults", {"rules": []})
    cards.now = datetime.now(UTC) + timedelta(minutes=1)
    await cards.turns()
    assert await cards.shown() == ["раз", "два", "три"]


async def test_an_answer_that_got_lost_leaves_one_message(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    scope = (await cards.card())["connections"][0]["scope_id"]
    lost = {"match": {"path": f"re:{scope}$", "method": "POST"}, "nth": 1, "fault": "answer_lost"}
    await cards.api.control("faults", {"rules": [lost]})
    await cards.says(*THREE[1:])
    await cards.turns()
    cards.now = datetime.now(UTC) + timedelta(minutes=1)
    await cards.turns()
    assert await cards.shown() == ["раз", "два", "три"]


async def test_one_message_that_is_refused_holds_up_nothing_and_is_counted(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    await cards.says(*THREE[1:])
    worker = cards.worker(chats=_Refusing(cards.mortal().chats))
    cards.now = datetime.now(UTC)
    for _ in range(4):
        await cards.turns(worker)
        cards.now += timedelta(minutes=1)
    assert await cards.shown() == ["раз", "три"]
    dead = await cards.rows("SELECT state, error FROM crm_chat_message WHERE state = 'dead'")
    assert [row["error"].partition(":")[0] for row in dead] == ["crm-chat-refused"]


async def test_what_was_taken_and_shows_late_is_found_and_no_trouble(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    await cards.says(*THREE[1:])
    late = _Late(cards.mortal().chats)
    cards.now = datetime.now(UTC)
    for _ in range(3):
        await cards.turns(cards.worker(chats=late))
        cards.now += timedelta(minutes=1)
    assert await cards.shown() == ["раз", "два", "три"]
    assert {row["state"] for row in await cards.rows("SELECT state FROM crm_chat_message")} == {"shown"}


async def test_a_message_that_always_fails_is_given_up_while_others_go(cards: CardShop) -> None:
    await cards.says(*THREE[:1])
    await cards.turns()
    await cards.says(client_message("x1", text="беда"), client_message("y1", chat="8", text="другой"))
    worker = cards.worker(chats=_Silent(cards.mortal().chats))
    cards.now = datetime.now(UTC)
    for turn in range(14):
        cards.now += timedelta(minutes=11)
        await cards.says(client_message(f"y{turn + 2}", chat="8", text=f"другой {turn}"))
        await cards.turns(worker)
    assert [
        row["state"] for row in await cards.rows("SELECT state FROM crm_chat_message WHERE state = 'dead'")
    ] == ["dead"]
    await cards.says(client_message("x2", text="дальше"))
    await cards.turns(worker)
    assert "дальше" in await cards.shown()
    assert "другой 13" in await cards.shown()


async def test_an_echo_that_turns_out_to_be_ours_shows_once(cards: CardShop) -> None:
    await cards.says(client_message("m1"))
    await cards.turns()
    await cards.answers("Ответ")
    await cards.turns()
    await cards.shop.told(echo_of(SentIntoChat("s1", "", "7", "Ответ")))  # before the answer tells the id
    await cards.sends()
    cards.now = datetime.now(UTC) + timedelta(minutes=1)
    await cards.turns()
    assert await cards.shown() == ["Hello", "Ответ"]
    assert [m["status"] for m in await cards.shop.messages()] == [MessageStatus.DELIVERED, MessageStatus.SENT]


async def test_a_closed_deal_rings_nobody_into_unsorted(cards: CardShop) -> None:
    """The deal was closed between the client's word and the moment at which it shows."""
    before = await cards.requests_in_unsorted()
    await cards.says(client_message("m1"))
    (deal,) = [e["crm_id"] for e in await cards.shop.office.effects("create_deal")]
    await cards.api.control("act", {"do": "set_status", "id": int(deal), "status": 143})
    await cards.pool.execute(
        "INSERT INTO directory_entity (account_id, kind, entity_id, name, owner_id, updated_at, is_open)"
        " VALUES ('main', 'deal', $1, 'x', '1', now(), false)",
        deal,
    )
    await cards.turns()
    assert await cards.shown() == ["Hello"]
    assert await cards.requests_in_unsorted() == before


@dataclass
class _Refusing(MortalChats):
    """Refuses one text, as amoCRM may for whatever reason."""

    text: str = "два"

    async def show(self, scope: str, message: CrmChatMessage) -> str:
        if message.text == self.text:
            raise CrmChatRefused("POST: 400 no such type")
        return await super().show(scope, message)


@dataclass
class _Silent(MortalChats):
    """Never answers to one text."""

    text: str = "беда"

    async def show(self, scope: str, message: CrmChatMessage) -> str:
        if message.text == self.text:
            raise CrmChatSilent("POST: 500")
        return await super().show(scope, message)


@dataclass
class _Late(MortalChats):
    """Takes a message whose answer gets lost, and has it in its history only when it is looked for a second time."""

    looks: int = 0

    async def show(self, scope: str, message: CrmChatMessage) -> str:
        id = await super().show(scope, message)
        if message.text == "два":
            raise CrmChatSilent("the answer was lost")
        return id

    async def find(self, scope: str, chat_id: str, own_id: str) -> FoundInChat | None:
        self.looks += 1
        return await self.chats.find(scope, chat_id, own_id) if self.looks > 1 else None
