"""Whose a client in a messenger becomes, after closing too, and whose number is whose: S2 rows 8-9 and 17."""

from __future__ import annotations

import itertools

import pytest

from tests.e2e.features.chats import Chats
from tests.e2e.features.sales import Sales, person, user
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WON = 142


async def test_s2_08_new_clients_are_handed_out_by_weights_in_a_row(sales: Sales) -> None:
    weights = {101: 1, 102: 1, 103: 2, 104: 1}
    people = [{"employee_id": person(n), "weight": weight} for n, weight in weights.items()]
    await sales.save("s2-weights", employees=people, kind="turn", balance="in_a_row")
    chats = await Chats(sales, "s2-weights").connect(owner="template", template="s2-weights")
    for n in range(1, 6):
        await chats.write(f"{n}", f"+7903888000{n}", f"Заявка {n}")
    got = [101, 102, 103, 103, 104]
    dialogues = await chats.until_owned([person(n) for n in got])
    for dialogue, number in zip(dialogues, got, strict=True):
        (contact,) = await sales.stack.rows("contact", phone=dialogue["number"].lstrip("+"))
        (deal,) = [d for d in await sales.stack.rows("deal") if contact["id"] in d["contacts"]]
        await sales.until_owned({deal["id"]: user(number)})
        await sales.until_owned({contact["id"]: user(number)}, "contact")
        assert (await sales.result(deal["id"]))["source"] == "chat"
    await chats.remove()


async def test_s2_09_after_closing_the_last_deal_is_taken_or_a_new_one_is_made(sales: Sales) -> None:
    await sales.save("s2-closing", 105, 106)
    rules = {"owner": "template", "template": "s2-closing"}
    chats = await Chats(sales, "s2-closing").connect(**rules, after_closing="last_closed")
    await chats.write("1", "+79038881001", "Кухня")
    await chats.until_owned([person(105)])
    (contact,) = await sales.stack.rows("contact", phone="79038881001")

    async def deals() -> list[int]:
        return sorted(d["id"] for d in await sales.stack.rows("deal") if contact["id"] in d["contacts"])

    (first,) = await deals()
    await sales.until_owned({first: user(105)})
    await sales.move(first, WON)

    async def is_closed() -> bool:
        found: bool = await sales.stack.pool.fetchval(
            "SELECT NOT is_open FROM directory_entity WHERE kind = 'deal' AND entity_id = $1", str(first)
        )
        return found

    await until(is_closed, "the directory knows that the deal was closed", seconds=40)
    thanks = await chats.write("1", "+79038881001", "Спасибо")
    assert (thanks["place_reason"], thanks["owner"]) == ("last-closed-deal", person(105))
    assert await deals() == [first]
    await chats.change(**rules, after_closing="new_deal")
    again = await chats.write("1", "+79038881001", "Ещё одну")
    assert again["place_reason"] == "after-closing"
    await chats.until_owned([person(106)])
    assert len(await deals()) == 2
    await chats.remove()


async def test_s2_17_an_eight_is_plus_seven_where_that_is_on_and_numbers_of_asia_stay(sales: Sales) -> None:
    chats = await Chats(sales, "s2-eight").connect()
    count = itertools.count()
    told = {
        "+89038882001": "+79038882001",
        "+821038882001": "+821038882001",
        "+819038882001": "+819038882001",
        "+8613938882001": "+8613938882001",
    }
    for n, phone in enumerate(told):
        await chats.write(f"on{n}", phone, f"Привет {n}")
    assert [d["number"] for d in await chats.dialogues()] == list(told.values())
    await chats.change(eight_to_seven=False)

    async def is_off() -> bool:  # the gateway hears of the change within two seconds
        dialogue = await chats.write(f"off{next(count)}", "84912345678", f"Xin chao {next(count)}")
        return bool(dialogue["number"] == "+84912345678")

    await until(is_off, "the channel reads no 8 as +7", seconds=40)
    await chats.remove()
