"""Requests in Unsorted that no API makes: the CRM's own mailbox and chats leave them."""

from __future__ import annotations

from crm.sandbox import seed
from tests.integration.sandbox.client import Api
from tests.integration.sandbox.receiver import Receiver


async def test_the_sample_account_holds_one_of_each(api: Api) -> None:
    found = await api.get("leads/unsorted?filter[category][]=mail&filter[category][]=chats")
    mail, chat = found.body["_embedded"]["unsorted"]
    assert mail["metadata"]["from"] == {"email": "olga@client.example", "name": "Ольга Письменная"}
    assert (chat["category"], chat["metadata"]["client"]["name"]) == ("chats", "Гость чата")
    summary = (await api.get("leads/unsorted/summary")).body["categories"]
    assert (summary["mail"], summary["chats"]) == ({"total": 1}, {"total": 1})


async def test_a_letter_is_told_as_the_vendor_tells_it_and_accepted(api: Api) -> None:
    async with Receiver() as receiver:
        await api.post("webhooks", {"destination": receiver.url, "settings": ["add_unsorted"]})
        letter = {
            "do": "receive_mail",
            "email": "ivan@client.example",
            "name": "Иван",
            "phone": "+79150000077",
        }
        made = await api.control("act", {**letter, "subject": "Счёт"})
        form = await receiver.form_with("unsorted")
    assert form["unsorted[add][0][source_data][from][email]"] == "ivan@client.example"
    assert form["unsorted[add][0][data][contacts][0][name]"] == "Иван"
    assert "unsorted[add][0][data][contacts][0][id]" not in form
    assert (await api.get("contacts?query=9150000077")).status == 204
    assert (await api.post(f"leads/unsorted/{made['uid']}/accept", {})).status == 200
    [contact] = (await api.get("contacts?query=9150000077")).body["_embedded"]["contacts"]
    assert contact["id"] == made["contact"]


async def test_a_chat_is_linked_to_a_lead_that_exists(api: Api) -> None:
    made = await api.control("act", {"do": "receive_chat", "name": "Пётр", "service": "whatsapp"})
    target = seed.LEADS + 3
    path = f"leads/unsorted/{made['uid']}/link"
    refused = await api.post(path, {"link": {"entity_id": 1, "entity_type": "leads"}})
    assert refused.body["validation-errors"][0]["errors"][0]["path"] == "link.entity_id"
    linked = await api.post(path, {"link": {"entity_id": target, "entity_type": "leads"}})
    assert linked.body["_embedded"]["leads"][0]["id"] == target
    links = (await api.get(f"leads/{target}/links")).body["_embedded"]["links"]
    assert made["contact"] in [one["to_entity_id"] for one in links]
    assert (await api.get(f"leads/{made['deal']}")).status == 204
    assert (await api.get(f"leads/unsorted/{made['uid']}")).status == 204
    chats = await api.get(f"contacts/chats?contact_id={made['contact']}")
    assert chats.body["_embedded"]["chats"][0]["chat_id"] == made["chat_id"]


async def test_a_call_cannot_be_linked(api: Api) -> None:
    [row] = await api.rows("lead", source_uid="seed-10")
    refused = await api.post(
        f"leads/unsorted/{row['uid']}/link", {"link": {"entity_id": seed.LEADS + 3, "entity_type": "leads"}}
    )
    assert refused.status == 400
