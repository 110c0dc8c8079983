"""What administrators set up through the API: fields and their groups, pipelines and stages, roles, sources, chats."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Answer, Api


def faults_of(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 400, answer.body
    found = [error for item in answer.body["validation-errors"] for error in item["errors"]]
    return [(error["code"], error["path"]) for error in found]


def first(answer: Answer, plural: str) -> dict[str, Any]:
    made: dict[str, Any] = answer.body["_embedded"][plural][0]
    return made


async def test_a_new_field_holds_values_until_it_is_deleted(api: Api) -> None:
    made = await api.post("leads/custom_fields", [{"name": "Район", "type": "text", "code": "DISTRICT"}])
    assert made.status == 201
    field = first(made, "custom_fields")
    value = [{"field_code": "DISTRICT", "values": [{"value": "Центр"}]}]
    lead = await api.make("leads", custom_fields_values=value)
    [read] = (await api.get(f"leads/{lead}")).body["custom_fields_values"]
    assert (read["field_id"], read["field_name"], read["values"]) == (
        field["id"],
        "Район",
        [{"value": "Центр"}],
    )
    renamed = await api.patch(f"leads/custom_fields/{field['id']}", {"name": "Район города", "sort": 7})
    assert (renamed.body["name"], renamed.body["sort"]) == ("Район города", 7)
    assert (await api.call("DELETE", f"leads/custom_fields/{field['id']}")).status == 204
    assert (await api.get(f"leads/{lead}")).body["custom_fields_values"] is None
    assert (await api.get(f"leads/custom_fields/{field['id']}")).status == 404


async def test_choices_keep_their_ids_and_those_not_sent_are_gone(api: Api) -> None:
    enums = [{"value": "Раз", "sort": 1}, {"value": "Два", "sort": 2}]
    field = first(
        await api.post("contacts/custom_fields", [{"name": "Счёт", "type": "select", "enums": enums}]),
        "custom_fields",
    )
    one = field["enums"][0]
    changed = await api.patch(
        "contacts/custom_fields", [{"id": field["id"], "enums": [one, {"value": "Три", "sort": 3}]}]
    )
    after = first(changed, "custom_fields")["enums"]
    assert [enum["value"] for enum in after] == ["Раз", "Три"]
    assert after[0]["id"] == one["id"] != after[1]["id"]


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ({"name": "x"}, ("FieldMissing", "type")),
        ({"name": "x", "type": "select"}, ("FieldMissing", "enums")),
        ({"name": "x", "type": "multitext"}, ("NotSupportedChoice", "type")),
        ({"name": "x", "type": "text", "code": "UTM_SOURCE"}, ("NotSupportedChoice", "code")),
        ({"name": "x", "type": "text", "group_id": "leads_1"}, ("NotSupportedChoice", "group_id")),
        ({"name": "x", "type": "text", "colour": "red"}, ("FieldNotExpected", "colour")),
    ],
)
async def test_a_wrong_field_is_refused(item: Any, fault: tuple[str, str], api: Api) -> None:
    before = (await api.get("leads/custom_fields")).body["_total_items"]
    refused = await api.post("leads/custom_fields", [{"name": "good", "type": "text"}, item])
    assert faults_of(refused) == [fault]
    assert (await api.get("leads/custom_fields")).body["_total_items"] == before


async def test_what_the_crm_brings_is_not_deleted(api: Api) -> None:
    assert (await api.call("DELETE", f"contacts/custom_fields/{seed.PHONE_CONTACT}")).status == 400
    assert (await api.call("DELETE", "leads/custom_fields/groups/default")).status == 400


async def test_a_group_takes_fields_and_gives_them_back(api: Api) -> None:
    made = await api.post("leads/custom_fields/groups", [{"name": "Прочее", "sort": 4}])
    assert made.status == 201
    key = first(made, "custom_field_groups")["id"]
    moved = await api.patch(f"leads/custom_fields/groups/{key}", {"fields": [800402], "name": "Разное"})
    assert (moved.body["fields"], moved.body["name"]) == ([800402], "Разное")
    assert (await api.get("leads/custom_fields/800402")).body["group_id"] == key
    listed = (await api.get("leads/custom_fields/groups")).body["_embedded"]["custom_field_groups"]
    assert [group["id"] for group in listed] == ["default", "statistic", key]
    assert (await api.call("DELETE", f"leads/custom_fields/groups/{key}")).status == 204
    assert (await api.get("leads/custom_fields/800402")).body["group_id"] is None


def a_pipeline(**more: Any) -> dict[str, Any]:
    stages = [{"id": 142, "name": "Ура"}, {"name": "Заявка", "sort": 20}, {"name": "Первая", "sort": 15}]
    base = {"name": "Опт", "sort": 30, "is_main": False, "is_unsorted_on": True}
    return {**base, "_embedded": {"statuses": stages}, **more}


async def test_leads_go_into_a_new_pipeline_and_keep_it_from_being_deleted(api: Api) -> None:
    pipeline = first(await api.post("leads/pipelines", [a_pipeline(request_id="p")]), "pipelines")
    assert pipeline["request_id"] == "p"
    stages = pipeline["_embedded"]["statuses"]
    assert [one["name"] for one in stages] == [
        "Неразобранное",
        "Первая",
        "Заявка",
        "Ура",
        "Закрыто и не реализовано",
    ]
    lead = await api.make("leads", pipeline_id=pipeline["id"])
    assert (await api.get(f"leads/{lead}")).body["status_id"] == stages[1]["id"]
    path = f"leads/pipelines/{pipeline['id']}"
    assert (await api.call("DELETE", path)).status == 422
    assert (await api.call("DELETE", f"{path}/statuses/{stages[1]['id']}")).status == 422
    await api.control("act", {"do": "delete", "kind": "deal", "id": lead})
    assert (await api.call("DELETE", path)).status == 204
    assert (await api.get(path)).status == 404


async def test_stages_are_added_moved_and_deleted(api: Api) -> None:
    path = f"leads/pipelines/{seed.PIPELINE}/statuses"
    made = first(await api.post(path, [{"name": "Замер", "sort": 25}]), "statuses")
    names = [one["name"] for one in (await api.get(path)).body["_embedded"]["statuses"]]
    assert names[:4] == ["Неразобранное", "Первичный контакт", "Замер", "Переговоры"]
    await api.patch(f"{path}/{made['id']}", {"name": "Выезд", "sort": 35, "color": "#ff8f92"})
    names = [one["name"] for one in (await api.get(path)).body["_embedded"]["statuses"]]
    assert names[:4] == ["Неразобранное", "Первичный контакт", "Переговоры", "Выезд"]
    assert (await api.call("DELETE", f"{path}/{made['id']}")).status == 204
    assert [(await api.call("DELETE", f"{path}/{id}")).status for id in (142, 5000011)] == [422, 422]


async def test_one_pipeline_is_the_main_one(api: Api) -> None:
    pipeline = first(await api.post("leads/pipelines", [a_pipeline(is_main=True)]), "pipelines")
    every = (await api.get("leads/pipelines")).body["_embedded"]["pipelines"]
    assert [one["id"] for one in every if one["is_main"]] == [pipeline["id"]]
    assert (await api.patch(f"leads/pipelines/{pipeline['id']}", {"is_main": False})).status == 422
    assert (await api.call("DELETE", f"leads/pipelines/{pipeline['id']}")).status == 422
    await api.patch(f"leads/pipelines/{seed.PIPELINE}", {"is_main": True, "name": "Главная"})
    every = (await api.get("leads/pipelines")).body["_embedded"]["pipelines"]
    assert [(one["id"], one["name"]) for one in every if one["is_main"]] == [(seed.PIPELINE, "Главная")]


async def test_a_source_is_its_integrations_own(api: Api) -> None:
    sent = [{"name": "Лендинг", "external_id": "site-1"}]
    made = first(await api.post("sources", sent), "sources")
    assert (made["pipeline_id"], made["default"], made["services"]) == (seed.PIPELINE, False, [])
    assert faults_of(await api.post("sources", sent)) == [("NotSupportedChoice", "external_id")]
    changed = await api.patch(f"sources/{made['id']}", {"name": "Сайт", "pipeline_id": seed.SECOND_PIPELINE})
    assert (changed.body["name"], changed.body["pipeline_id"]) == ("Сайт", seed.SECOND_PIPELINE)
    found = await api.get("sources?filter[external_id][]=site-1")
    assert first(found, "sources")["name"] == "Сайт"
    mine, api.token = api.token, (await api.control("token?integration=other"))["access_token"]
    assert (await api.get("sources")).status == 204
    assert (await api.call("DELETE", f"sources/{made['id']}")).status == 404
    api.token = mine
    assert (await api.call("DELETE", f"sources/{made['id']}")).status == 204
    assert (await api.get(f"sources/{made['id']}")).status == 204


async def test_a_chat_belongs_to_one_contact(api: Api) -> None:
    chat = "6cbab3d5-c4c1-46ff-b710-ad59ad10805f"
    for contact in (seed.CONTACTS + 1, seed.CONTACTS + 2):
        made = await api.post("contacts/chats", [{"chat_id": chat, "contact_id": contact}])
        assert first(made, "chats")["contact_id"] == contact
    assert (
        first(await api.get(f"contacts/chats?chat_id[]={chat}"), "chats")["contact_id"] == seed.CONTACTS + 2
    )
    assert (await api.get(f"contacts/chats?contact_id={seed.CONTACTS + 1}")).status == 204
    assert (await api.get("contacts/chats")).status == 400


async def test_a_note_is_pinned_under_its_entity_or_its_kind(api: Api) -> None:
    lead = f"leads/{seed.LEADS + 3}"
    made = await api.post(f"{lead}/notes", [{"note_type": "common", "params": {"text": "Важно"}}])
    id = first(made, "notes")["id"]
    for method, path in (
        ("POST", f"{lead}/notes/{id}/pin"),
        ("POST", f"{lead}/notes/{id}/unpin"),
        ("POST", f"leads/notes/{id}/pin"),
        ("DELETE", f"leads/notes/{id}/pin"),
    ):
        assert (await api.call(method, path)).status == 204
        pinned = method == "POST" and path.endswith("/pin")
        assert [row["is_pinned"] for row in await api.rows("note", id=id)] == [pinned]


async def test_nobody_but_an_administrator_sets_anything_up(api: Api) -> None:
    api.token = (await api.control(f"token?user={seed.manager(101)}"))["access_token"]
    asked = [
        ("POST", "leads/custom_fields", [{"name": "x", "type": "text"}]),
        ("POST", "leads/custom_fields/groups", [{"name": "x", "sort": 1}]),
        ("POST", "leads/pipelines", [a_pipeline()]),
        ("POST", f"leads/pipelines/{seed.PIPELINE}/statuses", [{"name": "x", "sort": 1}]),
        ("POST", "roles", [{"name": "x", "rights": {}}]),
        ("POST", "users", [{"name": "x", "email": "x@x.example", "password": "aA1aaa"}]),
        ("POST", "sources", [{"name": "x", "external_id": "x"}]),
        ("GET", "contacts/chats?contact_id=1", None),
        ("GET", "roles", None),
    ]
    assert [(await api.call(method, path, body)).status for method, path, body in asked] == [403] * len(asked)
