"""A client who wrote in a messenger that tells no number: contact and deal are made once, whatever becomes of the answer."""

from __future__ import annotations

import pytest

from crm.effects.order import order
from crm.lane import Lane
from routing.client import Ref
from routing.effects import CreateContact, CreateDeal, Effect
from tests.integration.crm.test_writer_sandbox import COMPLEX, Shop, shop

__all__ = ["shop"]


@pytest.mark.parametrize("fault", [None, "answer_lost", "reset", "502"])
async def test_contacts_of_chats_are_made_once_each(shop: Shop, fault: str | None) -> None:
    if fault:
        await shop.faults({"match": {"method": "POST", "path": COMPLEX}, "nth": 1, "fault": fault})
    for chat in ("7", "8"):
        key = f"chat:c1:{chat}"
        contact = Effect(key=f"{key}:contact", order=CreateContact(name="Клиент из «Telegram»"))
        deal = CreateDeal(name="Чат", contact=Ref(kind="contact", effect=f"{key}:contact"))
        async with shop.pool.acquire() as conn, conn.transaction():
            await order(
                conn,
                account_id="a",
                decision_id=key,
                call_id=None,
                client=key,
                lane=Lane.EVENTS,
                effects=[contact, Effect(key=f"{key}:deal", order=deal)],
            )
    assert await shop.settled() == {"done": 4}
    await shop.faults()
    made = [e for e in (await shop.reader.page("contact", Lane.EVENTS, page=1)).items if "Telegram" in e.name]
    assert [(len(e.numbers), len(e.deal_ids)) for e in made] == [(0, 1)] * 2
    ids = {
        r["crm_id"] for r in await shop.pool.fetch("SELECT crm_id FROM effect WHERE what = 'create_contact'")
    }
    assert ids == {e.id for e in made}
