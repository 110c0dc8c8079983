"""What is kept of messengers goes when its days are over, but for what is still to be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.admin.channels.forget_chat import forget_chat
from gateway.admin.refused import InputRefused
from gateway.store.channels.old import (
    delete_chat_messages,
    delete_empty_dialogues,
    empty_chat_names,
    empty_chat_numbers,
    empty_chat_texts,
)
from gateway.worker.retention import emptiers
from routing.settings import PersonalDataPolicy
from tests.fakes.channels.sandbox import client_message
from tests.integration.channels.shop import ChatShop
from tests.integration.intake.office import ACCOUNT, CLIENT


async def test_texts_are_emptied_then_messages_go_and_their_dialogue_last(shop: ChatShop) -> None:
    await shop.told(client_message("m1", text="a secret", phone=CLIENT), client_message("m2", phone=CLIENT))
    await shop.pool.execute("UPDATE chat_message SET status = 'waiting' WHERE outside_id = 'm2'")
    now = datetime.now(UTC)
    of_days = tuple(emptiers(ACCOUNT, PersonalDataPolicy(text_days=3), now))
    before, later = now - timedelta(days=3), now + timedelta(seconds=1)
    async with shop.pool.acquire() as conn:
        assert [await empty(conn) for empty in of_days] == [0] * len(of_days)
        assert await empty_chat_texts(conn, account_id=ACCOUNT, before=later, limit=10) == 1
        assert next(m["parts"] for m in await shop.messages()) == []
        for delete in (delete_chat_messages, delete_empty_dialogues):
            assert await delete(conn, account_id=ACCOUNT, before=before, limit=10) == 0
        assert await delete_chat_messages(conn, account_id=ACCOUNT, before=later, limit=10) == 1
        assert await delete_empty_dialogues(conn, account_id=ACCOUNT, before=later, limit=10) == 0
        assert [m["outside_id"] for m in await shop.messages()] == ["m2"]
        await conn.execute("DELETE FROM chat_message")
        far = later + timedelta(days=10_000)
        assert await delete_empty_dialogues(conn, account_id=ACCOUNT, before=far, limit=10) == 1


async def test_numbers_chats_and_names_of_clients_go_and_who_writes_again_begins_anew(shop: ChatShop) -> None:
    await shop.told(
        client_message("m1", chat="79161234567", phone=CLIENT, name="Олег"),
        client_message("m2", chat="busy", phone="+79160000002", name="Пётр"),
        client_message("m3", chat="-5", kind="group", name="Отдел"),
    )
    await shop.pool.execute(
        "UPDATE chat_message SET status = 'waiting', direction = 'out' WHERE outside_id = 'm2'"
    )
    now = datetime.now(UTC)
    policy = PersonalDataPolicy(number_days=3, name_days=3)
    later = now + timedelta(seconds=1)
    async with shop.pool.acquire() as conn:
        assert [await empty(conn) for empty in emptiers(ACCOUNT, policy, now)].count(1) == 0
        assert await empty_chat_names(conn, account_id=ACCOUNT, before=later, limit=10) == 1
        assert await empty_chat_numbers(conn, account_id=ACCOUNT, before=later, limit=10) == 4
        assert await empty_chat_numbers(conn, account_id=ACCOUNT, before=later, limit=10) == 0
    old, busy, group = sorted(
        await shop.dialogues(), key=lambda d: (d["chat_id"][:1] != "e", d["kind"] == "group")
    )
    assert (old["number"], old["name"], old["chat_id"]) == (None, "", f"emptied:{old['dialogue_id']}")
    assert (busy["number"], busy["name"], group["name"]) == ("+79160000002", "Пётр", "Отдел")
    assert not await shop.rows(
        "SELECT 1 FROM chat_message WHERE dialogue_id = $1 AND (author_id <> '' OR author_name <> '')",
        old["dialogue_id"],
    )
    assert not await shop.rows("SELECT 1 FROM channel_update")
    await shop.told(client_message("m4", chat="79161234567", phone=CLIENT))
    assert [d["number"] for d in await shop.dialogues() if d["chat_id"] == "79161234567"] == [CLIENT]


async def test_a_client_without_a_number_is_forgotten_by_channel_and_chat(shop: ChatShop) -> None:
    await shop.told(
        client_message("m1", chat="nameless", name="Олег"), client_message("m2", chat="other", phone=CLIENT)
    )
    async with shop.pool.acquire() as conn:
        with pytest.raises(InputRefused, match="not finished"):
            await forget_chat(conn, ACCOUNT, "c1", "nameless")  # contact and deal are not made yet
        await shop.office.sent()
        for chat, why in (("none", "no chat"), ("other", "a number")):
            with pytest.raises(InputRefused, match=why):
                await forget_chat(conn, ACCOUNT, "c1", chat)
        await forget_chat(conn, ACCOUNT, "WhatsApp «Опт»", "nameless")
    assert [d["chat_id"] for d in await shop.dialogues()] == ["other"]
    assert not await shop.rows("SELECT 1 FROM channel_update WHERE told::text LIKE '%nameless%'")
    assert not [e for e in await shop.office.effects() if "Олег" in str(e["ordered"])]
    audit = await shop.rows("SELECT object, action FROM audit WHERE what = 'client'")
    assert [(a["object"], a["action"]) for a in audit] == [("WhatsApp «Опт»", "forgotten")]
