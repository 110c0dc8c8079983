"""What a client is known by is deleted, merged or closed in the CRM while they call: the call does not vanish."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.features.office import Left, Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def act(office: Office, **what: Any) -> None:
    await office.stack.act("act", what)


async def forgotten(office: Office, kind: str, id: int | None) -> None:
    """The directory has heard of it."""

    async def is_gone() -> bool:
        sql = "SELECT count(*) FROM directory_entity WHERE kind = $1 AND entity_id = $2"
        return not await office.stack.pool.fetchval(sql, kind, str(id))

    await office.until(is_gone)


async def left(office: Office, client: str) -> Left:
    """What stands in the CRM in the end, without what was deleted; nothing stays on the desk."""

    async def is_over() -> bool:
        await office.idle()
        sql = (
            "SELECT EXISTS (SELECT 1 FROM call WHERE client = $1)"
            " AND NOT EXISTS (SELECT 1 FROM call WHERE client = $1 AND (due_at IS NOT NULL OR NOT is_over))"
            " AND NOT EXISTS (SELECT 1 FROM effect WHERE client = $1 AND state IN ('waiting', 'dead'))"
        )
        return bool(await office.stack.pool.fetchval(sql, f"+{client}"))

    await office.until(is_over)
    found = await office.left(client)
    return found._replace(
        contacts=[c for c in found.contacts if not c["is_deleted"]],
        deals=[d for d in found.deals if not d["is_deleted"]],
    )


@pytest.mark.parametrize("is_heard", [True, False], ids=["and the directory knows", "at the last moment"])
async def test_a_contact_deleted_while_we_talk_is_made_anew_with_deal_and_call(
    office: Office, is_heard: bool
) -> None:
    await office.use("recommended")
    client, contact, deal = await office.known(extension=103)
    call = await office.ring(client)
    await office.answer(call, "103")
    await act(office, do="delete", kind="contact", id=contact)
    await act(office, do="delete", kind="deal", id=deal)
    if is_heard:
        await forgotten(office, "contact", contact)
        await forgotten(office, "deal", deal)
    await office.hang_up(call, answered=True)
    found = await left(office, client)
    assert found.numbers == (1, 1, 0, 1)
    assert found.contacts[0]["id"] != contact
    assert found.calls[0]["entity_id"] == found.deals[0]["id"]


async def test_a_contact_deleted_before_a_missed_call_is_settled_is_made_anew_with_task_and_call(
    office: Office,
) -> None:
    await office.use("recommended")
    client, contact, _ = await office.known(extension=103, with_deal=False)
    call = await office.ring(client)
    await office.hang_up(call, answered=False)
    await act(office, do="delete", kind="contact", id=contact)
    found = await left(office, client)
    assert found.numbers == (1, 1, 1, 1)
    assert found.tasks[0]["entity_id"] == found.deals[0]["id"]


async def test_a_deal_deleted_while_we_talk_leaves_the_call_with_the_client(office: Office) -> None:
    await office.use("recommended")
    client, contact, deal = await office.known(extension=104)
    call = await office.ring(client)
    await office.answer(call, "104")
    await act(office, do="delete", kind="deal", id=deal)
    await office.hang_up(call, answered=True)
    found = await left(office, client)
    assert [c["id"] for c in found.contacts] == [contact]
    assert len(found.calls) == 1
    assert found.calls[0]["entity_id"] in {contact, *(d["id"] for d in found.deals)}


async def test_a_deal_closed_while_we_talk_keeps_the_client_and_makes_no_second_deal(office: Office) -> None:
    await office.use("recommended")
    client, contact, deal = await office.known(extension=104)
    call = await office.ring(client)
    await office.answer(call, "104")
    await office.crm("PATCH", "leads", [{"id": deal, "status_id": 142}])

    async def is_closed() -> bool:
        sql = "SELECT NOT is_open FROM directory_entity WHERE kind = 'deal' AND entity_id = $1"
        return bool(await office.stack.pool.fetchval(sql, str(deal)))

    await office.until(is_closed)
    await office.hang_up(call, answered=True)
    found = await left(office, client)
    assert ([c["id"] for c in found.contacts], [d["id"] for d in found.deals]) == ([contact], [deal])
    assert len(found.calls) == 1


async def test_a_contact_merged_away_while_we_talk_leaves_the_call_with_the_survivor(office: Office) -> None:
    await office.use("recommended")
    client, contact, _ = await office.known(extension=103, with_deal=False)
    _, survivor, _ = await office.known(extension=103, with_deal=False)
    call = await office.ring(client)
    await office.answer(call, "103")
    await act(office, do="merge", kind="contact", id=survivor, **{"from": contact})
    await office.hang_up(call, answered=True)
    found = await left(office, client)
    assert [c["id"] for c in found.contacts] == [survivor]
    assert len(found.calls) == 1


async def test_what_we_made_for_the_last_call_and_somebody_deleted_is_made_anew_for_the_next(
    office: Office,
) -> None:
    await office.use("recommended")
    client = office.new_number()
    await office.answered(client, "103")
    first = await left(office, client)
    assert first.numbers == (1, 1, 0, 1)
    for kind, rows in (("deal", first.deals), ("contact", first.contacts)):
        await act(office, do="delete", kind=kind, id=rows[0]["id"])
        await forgotten(office, kind, rows[0]["id"])
    await office.answered(client, "103")
    second = await left(office, client)
    assert (len(second.contacts), len(second.deals)) == (1, 1)
    assert second.contacts[0]["id"] != first.contacts[0]["id"]
