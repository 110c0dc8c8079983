"""What is kept of messengers goes when its days are over, but for what is still to be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.store.channels.old import delete_chat_messages, delete_empty_dialogues, empty_chat_texts
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
        assert [await empty(conn) for empty in of_days] == [0, 0]
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
