"""A channel's new deals are handed out by the template that it names, and dialogue and contact go with the deal."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import Any

import pytest

from crm.effects.owners import OWNER_REFUSED
from gateway.at_work import AtWork
from gateway.distribution.availability import AccountHours
from gateway.distribution.give import Giver
from gateway.health.message_checks import rule_misfits
from gateway.store.admin.matrix_catalogue import template_people
from gateway.store.admin.staff import staff_of
from gateway.store.channels.access import rights_in_channels, set_rights
from routing.dialogues.rule_problems import right_problems
from routing.distribution.template import TemplateHours
from routing.presence import Presence, PresenceState
from routing.settings import DialoguePolicy
from routing.staff import Employee
from tests.fakes.channels.sandbox import client_message
from tests.integration.channels.crm import ShopCrm, by_weights
from tests.integration.channels.shop import RULES, ChatShop
from tests.integration.intake.office import ACCOUNT, CLIENT, SENIOR

BRUCE, SCROOGE, TONY, CONSTANTINE = (
    Employee(id=id, name=id, crm_user_id=user)
    for id, user in (("bruce", "21"), ("scrooge", "22"), ("tony", "23"), ("constantine", "24"))
)
BY_TEMPLATE = RULES.model_copy(update={"owner": "template", "template": "chats"})
LAST_CLOSED = BY_TEMPLATE.model_copy(update={"after_closing": "last_closed"})


@pytest.fixture
async def crm(shop: ChatShop) -> ShopCrm:
    made = ShopCrm(shop)
    template = by_weights((BRUCE, 1), (SCROOGE, 1), (TONY, 2), (CONSTANTINE, 1))
    await made.begin(template, SENIOR, BRUCE, SCROOGE, TONY, CONSTANTINE)
    await shop.change(rules=BY_TEMPLATE)
    return made


async def _writes(shop: ChatShop, n: int, text: str = "Здравствуйте") -> None:
    await shop.told(client_message(f"m{n}-{text}", chat=f"chat-{n}", text=text, phone=f"+7916000000{n}"))


async def _two(shop: ChatShop) -> list[dict[str, Any]]:
    """The dialogue of the client with a number, and that of the one without."""
    return await shop.rows("SELECT * FROM dialogue WHERE chat_id IN ('7', 'nameless') ORDER BY chat_id")


async def test_case_36_weights_give_items_1_2_3_to_4_and_5_whatever_is_restarted_in_the_middle(
    shop: ChatShop, crm: ShopCrm
) -> None:
    for n in range(1, 4):
        await _writes(shop, n)
    await asyncio.gather(
        crm.handouts.turn(), ShopCrm(shop).handouts.turn()
    )  # nothing yet: the CRM has no deal
    assert await crm.owners() == [None] * 3
    await crm.gives()
    crm.restart()
    for n in range(4, 6):
        await _writes(shop, n)
        await crm.gives()
    await _writes(shop, 4, "ещё одно")  # the same deal: nothing is given again
    await asyncio.gather(crm.gives(), ShopCrm(shop).turns())
    assert await crm.owners() == ["bruce", "scrooge", "tony", "tony", "constantine"]
    items = await shop.rows("SELECT state, source, employee_id FROM distribution_item ORDER BY entered_at")
    assert [(i["state"], i["source"]) for i in items] == [("given", "chat")] * 5
    given = {
        (c["ordered"]["target"]["kind"], c["ordered"]["owner_id"])
        for c in await shop.office.effects("update_entity")
    }
    assert given == {(kind, user) for kind in ("deal", "contact") for user in ("21", "22", "23", "24")}
    decided = await shop.rows("SELECT reason, steps FROM decision WHERE kind = 'distribution'")
    assert len(decided) == 5
    assert all(d["reason"] and d["steps"] for d in decided)


async def _may_write(shop: ChatShop, *people: Employee) -> None:
    async with shop.pool.acquire() as conn:
        everybody = dict.fromkeys(("bruce", "scrooge", "tony", "constantine"), None)
        await set_rights(conn, ACCOUNT, "c1", {**everybody, **{one.id: "send" for one in people}})


async def test_who_may_not_write_in_the_channel_is_passed_over_and_the_walk_says_why(
    shop: ChatShop, crm: ShopCrm
) -> None:
    await _may_write(shop, SCROOGE, CONSTANTINE)
    for n in range(1, 5):
        await _writes(shop, n)
    await crm.gives()
    assert await crm.owners() == ["scrooge", "constantine"] * 2
    (first, *_) = await shop.rows(
        "SELECT inputs, steps FROM decision WHERE kind = 'distribution' ORDER BY at"
    )
    said = {s["facts"]["employee"]: s["because"] for s in first["steps"] if s["verdict"] == "excluded"}
    assert said == dict.fromkeys(("bruce", "tony"), "no_channel_right")
    assert first["inputs"]["item"]["no_right"] == ["bruce", "tony"], "so that it can be computed again"
    await _may_write(shop)
    await _writes(shop, 5)
    await crm.gives()
    assert (await crm.owners())[4] is not None, "where nobody may, all have their turns"


async def test_who_of_a_template_may_not_write_is_told_of(shop: ChatShop, crm: ShopCrm) -> None:
    saved = await shop.channel("c1")

    async def misfits() -> list[tuple[str, str]]:
        async with shop.pool.acquire() as conn:
            staff = await staff_of(conn, ACCOUNT)
            templates = await template_people(conn, ACCOUNT, staff)
            rights = await rights_in_channels(conn, ACCOUNT)
            told = right_problems(saved.id, saved.rules, templates, rights, ("tony",), staff)
            found = (await rule_misfits(conn, {ACCOUNT: [saved]}))["c1"]
        assert {p.code for p in found} >= {p.code for p in told}
        return [(p.code, p.value) for p in told]

    await _may_write(shop, BRUCE, SCROOGE, TONY)
    assert await misfits() == [("template-no-right", "tony, constantine")]
    await _may_write(shop)
    assert await misfits() == [("template-nobody", "bruce, scrooge, tony, constantine")]


async def test_case_37_everybody_off_shift_the_dialogue_waits_and_is_given_to_who_comes(
    shop: ChatShop, crm: ShopCrm
) -> None:
    states = dict.fromkeys(("bruce", "scrooge"), PresenceState.OFFLINE)
    at_work = AtWork(presence_of=lambda _: Presence(MappingProxyType(dict(states))))
    hours = TemplateHours(mode="online", gather_minutes=0, per_minute=100)
    await crm.begin(by_weights((BRUCE, 1), (SCROOGE, 1), working_time=hours), SENIOR, BRUCE, SCROOGE)
    crm.restart(Giver(AccountHours(at_work)))
    for n in range(1, 4):
        await _writes(shop, n)
    await crm.gives()
    assert await crm.owners() == [None] * 3
    assert {i["state"] for i in await shop.rows("SELECT state FROM distribution_item")} == {"waiting"}
    await _writes(shop, 1, "кто-нибудь?")
    states["scrooge"] = PresenceState.AVAILABLE
    await crm.gives()
    assert await crm.owners() == ["scrooge"] * 3
    assert len(await shop.rows("SELECT 1 FROM distribution_item")) == 3


async def test_case_35_who_is_deactivated_meanwhile_keeps_no_client(shop: ChatShop, crm: ShopCrm) -> None:
    await _writes(shop, 1)
    await crm.carries_out()
    await crm.turns()
    assert await crm.owners() == ["bruce"]
    await shop.pool.execute(
        "UPDATE effect SET state = 'dead', attempts = 1, error_code = $1 WHERE what = 'update_entity'",
        OWNER_REFUSED,
    )
    await crm.turns()
    assert await crm.owners() == ["scrooge"]  # the CRM would not have the first one
    await crm.gives()
    await crm.has_users(**{"1": True, "21": True, "22": False, "23": True, "24": True})
    await _writes(shop, 1, "вы там?")  # they left after it was theirs
    await crm.gives()
    (owner,) = await crm.owners()
    assert owner in ("bruce", "tony", "constantine")
    (deal,) = await shop.rows("SELECT owner_id FROM directory_entity WHERE kind = 'deal'")
    assert deal["owner_id"] == {"bruce": "21", "tony": "23", "constantine": "24"}[owner]


async def test_case_38_after_closing_the_last_deal_is_taken_or_a_new_one_is_handed_out(
    shop: ChatShop, crm: ShopCrm
) -> None:
    async def closes() -> None:
        await shop.pool.execute(
            "UPDATE directory_entity SET is_open = false, closed_at = now(), stage_id = '142' WHERE kind = 'deal'"
        )

    await _writes(shop, 1)
    await crm.gives()
    await closes()
    await shop.change(rules=LAST_CLOSED)
    await _writes(shop, 1, "спасибо")
    await crm.gives()
    (dialogue,) = await shop.dialogues()
    assert (dialogue["place_reason"], dialogue["owner"]) == ("last-closed-deal", "bruce")
    await shop.change(rules=BY_TEMPLATE)
    await _writes(shop, 1, "ещё заказ")
    assert await crm.owners() == [None]
    await crm.carries_out()
    await closes()  # between the message and the hand-out
    await crm.turns()
    assert [
        i["reason"] for i in await shop.rows("SELECT reason FROM distribution_item WHERE state = 'cancelled'")
    ] == ["deal_closed"]
    await _writes(shop, 1, "алло")
    await crm.gives()
    (dialogue,) = await shop.dialogues()
    assert (dialogue["place_reason"], dialogue["owner"]) == ("after-closing", "scrooge")
    assert len(await shop.office.effects("create_deal")) == 3


async def test_case_38_a_deleted_deal_is_made_anew_and_a_merged_contact_is_the_one_that_is_left(
    shop: ChatShop, crm: ShopCrm
) -> None:
    await shop.told(client_message("m1", phone=CLIENT), client_message("n1", chat="nameless"))
    await crm.gives()
    await _writes(shop, 1)  # somebody else
    await shop.told(client_message("m2", phone=CLIENT), client_message("n2", chat="nameless"))
    before = await _two(shop)
    await shop.pool.execute("UPDATE effect SET done_at = now() - interval '1 hour'")
    for n, dialogue in enumerate(before):
        left = f"merged-{n}"
        await crm.tells("contact", left, numbers=(CLIENT,) if n == 0 else ())
        await shop.pool.execute(
            "UPDATE directory_link SET entity_id = $1 WHERE entity_id = $2", left, dialogue["contact"]["id"]
        )
        await shop.pool.execute(
            "DELETE FROM directory_number WHERE entity_id = $1", dialogue["contact"]["id"]
        )
        await shop.pool.execute(
            "DELETE FROM directory_entity WHERE entity_id = $1", dialogue["contact"]["id"]
        )
    await shop.told(client_message("m3", phone=CLIENT), client_message("n3", chat="nameless"))
    after = await _two(shop)
    assert [d["contact"]["id"] for d in after] == ["merged-0", "merged-1"]
    assert [d["deal"] for d in after] == [d["deal"] for d in before]
    assert [d["owner"] for d in after] == [d["owner"] for d in before]
    made = len(await shop.office.effects("create_deal"))
    for dialogue in after:
        await shop.pool.execute("DELETE FROM directory_entity WHERE entity_id = $1", dialogue["deal"]["id"])
    await shop.told(client_message("m4", phone=CLIENT), client_message("n4", chat="nameless"))
    await crm.gives()
    assert len(await shop.office.effects("create_deal")) == made + 2
    again = await _two(shop)
    assert [d["contact"]["id"] for d in again] == ["merged-0", "merged-1"]
    assert all(d["owner"] for d in again)


async def test_a_known_clients_dialogue_is_whose_the_deal_is_and_follows_it(
    shop: ChatShop, crm: ShopCrm
) -> None:
    await shop.office.know_client(CLIENT, owner="23")
    await shop.told(client_message("m1", phone=CLIENT))
    await crm.gives()
    assert await crm.owners() == ["tony"]
    assert await shop.rows("SELECT 1 FROM distribution_item") == []
    await crm.gives_by_hand("601", "24", "23", "1")
    assert await crm.owners() == ["constantine"]


async def test_case_44_the_deal_of_an_observer_is_handed_out(shop: ChatShop, crm: ShopCrm) -> None:
    await shop.office.change_settings(dialogues=DialoguePolicy(observers=("tony",)))
    await shop.office.know_client(CLIENT, owner="23")
    await shop.told(client_message("m1", phone=CLIENT))
    await crm.gives()
    (owner,) = await crm.owners()
    assert owner in ("bruce", "scrooge", "constantine")
