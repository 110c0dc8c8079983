"""Calls, notes, tasks, the call card, the events feed, Unsorted."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api, a_phone

LEAD, CONTACT = seed.LEADS + 3, seed.CONTACTS + 3


def a_call(phone: str, **more: Any) -> dict[str, Any]:
    return {"direction": "inbound", "duration": 5, "source": "Test", "phone": phone, **more}


async def types(api: Api, **filters: Any) -> list[str]:
    query = "&".join(f"filter[{name}]={value}" for name, value in filters.items())
    answer = await api.get(f"events?limit=100&{query}")
    return [one["type"] for one in answer.body["_embedded"]["events"]] if answer.status == 200 else []


async def test_call_goes_to_the_only_open_deal_else_to_the_contact(api: Api) -> None:
    answer = await api.post("calls", [a_call("8 900 000-00-03"), a_call("+79000000001")])
    calls = answer.body["_embedded"]["calls"]
    assert [(one["entity_type"], one["entity_id"]) for one in calls] == [
        ("lead", LEAD),
        ("contact", seed.CONTACTS + 1),
    ]
    await api.make("leads", name="second", _embedded={"contacts": [{"id": CONTACT}]})
    [one] = (await api.post("calls", [a_call("79000000003")])).body["_embedded"]["calls"]
    assert (one["entity_type"], one["entity_id"]) == ("contact", CONTACT)


async def test_calls_without_match_are_400_and_mixed_ones_follow_the_profile(api: Api) -> None:
    nobody = await api.post("calls", [a_call("+79999999999")])
    assert (nobody.status, nobody.body["errors"][0]["title"]) == (400, "Entity not found")
    assert "validation-errors" not in nobody.body
    items = [a_call("+79999999999", request_id="x"), a_call("+79000000001")]
    mixed = await api.post("calls", items)
    assert (mixed.status, mixed.body["_total_items"], mixed.body["errors"][0]["request_id"]) == (200, 1, "x")
    await api.control("profile", {"calls_mixed_batch": "refuse_400"})
    assert (await api.post("calls", items)).status == 400
    assert len(await api.rows("call")) == 1


@pytest.mark.parametrize(("profile", "status"), [("amocrm", 400), ("kommo", 200)])
async def test_how_many_digits_calls_compare_is_a_switch(api: Api, profile: str, status: int) -> None:
    await api.control("profile", {"name": profile})
    assert (await api.post("calls", [a_call("+7 910 000-00-01")])).status == status


async def test_calls_keep_their_own_time_and_uniq_is_refused_where_told(api: Api) -> None:
    item = a_call("+79000000001", uniq="u", created_at=1700000000)
    assert (await api.post("calls", [item])).status == 200
    assert [row["created_at"] for row in await api.rows("call", uniq="u")] == [1700000000]
    await api.control("profile", {"duplicate_call_uniq": "refuse"})
    assert (await api.post("calls", [item])).status == 400


@pytest.mark.parametrize(
    ("rule", "status", "kept"), [("accept", 200, True), ("ignore", 200, False), ("refuse", 400, False)]
)
async def test_whether_notes_take_a_date_is_a_switch(api: Api, rule: str, status: int, kept: bool) -> None:
    await api.control("profile", {"notes_created_at": rule})
    note = {"note_type": "common", "params": {"text": "x"}, "created_at": 1700000000}
    answer = await api.post(f"contacts/{CONTACT}/notes", [note])
    assert answer.status == status
    assert [row["created_at"] == 1700000000 for row in await api.rows("note")] == [kept] * (status == 200)


async def test_notes_are_read_newest_first_changed_and_filtered(api: Api) -> None:
    for text in ("a", "b"):
        await api.post("leads/notes", [{"entity_id": LEAD, "note_type": "common", "params": {"text": text}}])
    notes = (await api.get(f"leads/{LEAD}/notes?order[id]=desc")).body["_embedded"]["notes"]
    assert [one["params"]["text"] for one in notes] == ["b", "a"]
    await api.patch(f"leads/{LEAD}/notes/{notes[0]['id']}", {"params": {"text": "c"}})
    assert (await api.get(f"leads/notes/{notes[0]['id']}")).body["params"]["text"] == "c"
    assert (await api.get("leads/notes?filter[note_type]=call_in")).status == 204


def an_unsorted(**more: Any) -> dict[str, Any]:
    metadata = {"phone": "+79995556677", "from": "+79995556677", "called_at": 1, "duration": 0}
    metadata |= {"service_code": "x", "uniq": "u", "link": ""}
    contact = {"name": "Новый", "custom_fields_values": a_phone("+79995556677")}
    parts = {"leads": [{"name": "Звонок", "responsible_user_id": seed.manager(105)}], "contacts": [contact]}
    return {"source_uid": "s-1", "source_name": "Test", "metadata": metadata, "_embedded": parts, **more}


async def test_unsorted_hides_deal_and_contact_until_acceptance(api: Api) -> None:
    made = (await api.post("leads/unsorted/sip", [an_unsorted()])).body["_embedded"]["unsorted"][0]
    assert (await api.get("contacts?query=9995556677")).status == 204
    assert (await api.post("calls", [a_call("+79995556677")])).status == 400
    lead = made["_embedded"]["leads"][0]["id"]
    assert (await api.get(f"leads/{lead}")).body["responsible_user_id"] == seed.manager(105)
    accepted = await api.post(f"leads/unsorted/{made['uid']}/accept", {"user_id": seed.manager(106)})
    assert accepted.status == 200
    assert (await api.get("contacts?query=9995556677")).status == 200
    shown = (await api.get(f"leads/{lead}")).body
    assert (shown["responsible_user_id"], shown["status_id"]) == (seed.manager(106), seed.OPEN_STAGES[0])
    assert (await api.post(f"leads/unsorted/{made['uid']}/accept", {})).status == 404
    assert (await api.get("leads/unsorted/summary")).body["accepted"] == 1


async def test_declined_lead_goes_to_the_trash(api: Api) -> None:
    made = (await api.post("leads/unsorted/sip", [an_unsorted()])).body["_embedded"]["unsorted"][0]
    declined = await api.call("DELETE", f"leads/unsorted/{made['uid']}/decline", {"user_id": seed.ADMIN})
    assert (declined.status, declined.body["uid"]) == (200, made["uid"])
    assert (await api.get(f"leads/{made['_embedded']['leads'][0]['id']}")).status == 204
    assert "lead_deleted" in await types(api)


async def test_same_source_uid_is_refused_unless_the_profile_accepts_it(api: Api) -> None:
    assert (await api.post("leads/unsorted/sip", [an_unsorted()])).status == 200
    assert (await api.post("leads/unsorted/sip", [an_unsorted()])).status == 400
    await api.control("profile", {"duplicate_source_uid": "accept"})
    assert (await api.post("leads/unsorted/sip", [an_unsorted()])).status == 200


@pytest.mark.parametrize(("taken", "status"), [(True, 200), (False, 400)])
async def test_whether_a_lead_takes_a_call_note_before_acceptance_is_a_switch(
    api: Api, taken: bool, status: int
) -> None:
    await api.control("profile", {"notes_on_unsorted": taken})
    made = (await api.post("leads/unsorted/sip", [an_unsorted()])).body["_embedded"]["unsorted"][0]
    params = {"duration": 7, "source": "Test", "phone": "+79995556677"}
    note = {"entity_id": made["_embedded"]["leads"][0]["id"], "note_type": "call_in", "params": params}
    assert (await api.post("leads/notes", [note])).status == status


async def test_with_unsorted_off_a_call_becomes_a_deal_at_once(api: Api) -> None:
    await api.control("profile", {"unsorted_on": False})
    made = (await api.post("leads/unsorted/sip", [an_unsorted()])).body["_embedded"]["unsorted"][0]
    shown = (await api.get(f"leads/{made['_embedded']['leads'][0]['id']}")).body
    assert shown["status_id"] == seed.OPEN_STAGES[0]
    assert (await api.get("account")).body["is_unsorted_on"] is False


async def test_task_is_completed_with_a_result_and_tells_the_feed(api: Api) -> None:
    task = await api.make(
        "tasks", text="Перезвонить", complete_till=1800000000, entity_id=LEAD, entity_type="leads"
    )
    assert (await api.get(f"tasks/{task}")).body["result"] == []
    await api.patch(f"tasks/{task}", {"is_completed": True, "result": {"text": "Дозвонился"}})
    assert (await api.get(f"tasks/{task}")).body["result"] == {"text": "Дозвонился"}
    assert await types(api, entity="task") == ["task_result_added", "task_completed", "task_added"]
    assert (await api.get("tasks?filter[is_completed]=0")).status == 204
    assert (await api.get(f"tasks?filter[entity_id]={LEAD}")).status == 400


async def test_feed_tells_what_no_webhook_carries(api: Api) -> None:
    for act in ("delete", "restore"):
        await api.control("act", {"do": act, "kind": "contact", "id": CONTACT})
    await api.control("act", {"do": "merge", "kind": "contact", "id": CONTACT, "from": CONTACT + 1})
    body = [{"to_entity_id": CONTACT, "to_entity_type": "contacts"}]
    await api.post(f"leads/{LEAD}/unlink", body)
    await api.post(f"leads/{LEAD}/link", body)
    await api.control("act", {"do": "set_responsible", "kind": "deal", "id": LEAD, "user": seed.manager(110)})
    await api.patch(f"leads/{LEAD}", {"status_id": 142, "pipeline_id": seed.PIPELINE})
    assert await types(api, entity="lead") == [
        "lead_status_changed",
        "entity_responsible_changed",
        "lead_linked",
        "lead_unlinked",
    ]
    wanted = ["contact_linked", "contact_unlinked", "entity_merged", "contact_restored", "contact_deleted"]
    assert await types(api, entity="contact", entity_id=CONTACT) == wanted


async def test_feed_has_pages_of_100_and_filters_by_time_and_type(api: Api) -> None:
    await api.post("contacts", [{"name": "x"}] * 120)
    first = (await api.get("events?limit=250")).body
    assert len(first["_embedded"]["events"]) == 100
    assert "next" in first["_links"]
    assert len(await types(api, type="contact_added,contact_deleted")) == 100
    assert await types(api, **{"created_at][from": 4_000_000_000}) == []
    one = first["_embedded"]["events"][0]
    assert (await api.get(f"events/{one['id']}")).body == one
    assert (await api.get("events?filter[entity_id]=1")).status == 400


async def test_card_is_recorded_with_who_should_see_it(api: Api) -> None:
    card = {"type": "phone_call", "phone_number": "+79000000003", "users": [seed.manager(101)]}
    [item] = (await api.post("/api/v2/events", {"add": [card]})).body["_embedded"]["items"]
    assert (item["element_type"], item["element_id"]) == (2, LEAD)
    [seen] = (await api.control("cards"))["cards"]
    assert (seen["users"], seen["phone_number"]) == ([seed.manager(101)], "+79000000003")


async def test_deactivated_person_can_own_nothing_more(api: Api) -> None:
    await api.control("act", {"do": "deactivate_user", "user": seed.manager(101)})
    assert (await api.post("leads", [{"responsible_user_id": seed.manager(101)}])).status == 400
    await api.control("act", {"do": "activate_user", "user": seed.manager(101)})
    assert (await api.post("leads", [{"responsible_user_id": seed.manager(101)}])).status == 200


async def test_a_person_gives_a_task_away_and_completes_it(api: Api) -> None:
    task = await api.make(
        "tasks", text="call back", complete_till=1_900_000_000, entity_id=CONTACT, entity_type="contacts"
    )
    other = seed.manager(110)
    await api.control("act", {"do": "give_task", "id": task, "user": other})
    await api.control("act", {"do": "complete_task", "id": task, "by": other, "result": "talked"})
    seen = (await api.get(f"tasks/{task}")).body
    assert (seen["is_completed"], seen["responsible_user_id"], seen["updated_by"]) == (True, other, other)
    assert seen["result"] == {"text": "talked"}
    told = await types(api, entity="task", entity_id=task)
    assert {"task_completed", "task_result_added", "entity_responsible_changed"} <= set(told)
