"""What clients send beyond the schema, as the switches of the profile take it or refuse it."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api

ROWS = [
    f"leads/{seed.LEADS + 3}",
    f"contacts/{seed.CONTACTS + 3}",
    f"companies/{seed.COMPANIES + seed.SPECIAL + 3}",
]


@pytest.mark.parametrize("path", ROWS)
async def test_a_fetched_row_comes_back_with_one_value_changed(path: str, api: Api) -> None:
    before = (await api.get(path)).body
    saved = await api.patch(path, {**before, "name": "Новое имя"})
    assert saved.status == 200, saved.body
    after = (await api.get(path)).body
    assert after["name"] == "Новое имя"
    same = {"custom_fields_values", "_embedded", "responsible_user_id", "created_at"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    whole = (await api.get(path.split("/")[0])).body["_embedded"][path.split("/")[0]]
    assert (await api.patch(path.split("/")[0], whole)).status == 200


async def test_a_fetched_task_and_note_come_back(api: Api) -> None:
    task = await api.make("tasks", text="Перезвонить", complete_till=1800000000)
    fetched = (await api.get(f"tasks/{task}")).body
    assert (await api.patch(f"tasks/{task}", {**fetched, "text": "Не звонить"})).status == 200
    assert (await api.get(f"tasks/{task}")).body["text"] == "Не звонить"
    note = {"note_type": "common", "params": {"text": "Было"}}
    made = await api.post(f"leads/{seed.LEADS + 3}/notes", [note])
    path = f"leads/{seed.LEADS + 3}/notes/{made.body['_embedded']['notes'][0]['id']}"
    fetched = (await api.get(path)).body
    assert (await api.patch(path, {**fetched, "params": {"text": "Стало"}})).status == 200
    assert (await api.get(path)).body["params"] == {"text": "Стало"}


@pytest.mark.parametrize("path", ROWS)
async def test_a_strict_profile_refuses_the_keys_that_only_reading_gives(path: str, api: Api) -> None:
    await api.control("profile", {"read_only_keys": "refuse"})
    refused = await api.patch(path, (await api.get(path)).body)
    [errors] = refused.body["validation-errors"]
    assert {one["code"] for one in errors["errors"]} == {"FieldNotExpected"}
    assert "account_id" in [one["path"] for one in errors["errors"]]


async def test_a_key_that_nothing_knows_is_refused_all_the_same(api: Api) -> None:
    refused = await api.patch(ROWS[0], {"account_id": 1, "nickname": "x"})
    [errors] = refused.body["validation-errors"]
    assert [one["path"] for one in errors["errors"]] == ["nickname"]


async def test_seconds_with_a_fraction_are_cut_or_refused(api: Api) -> None:
    task = {"text": "Перезвонить", "complete_till": 1800000000.75}
    id = await api.make("tasks", **task)
    assert (await api.get(f"tasks/{id}")).body["complete_till"] == 1800000000
    await api.control("profile", {"fractional_times": "refuse"})
    refused = await api.post("tasks", [task])
    assert refused.body["validation-errors"][0]["errors"][0]["code"] == "InvalidType"


def _city(text: str) -> dict[str, Any]:
    return {"custom_fields_values": [{"field_id": 800104, "values": [{"value": text}]}]}


async def test_a_text_field_takes_256_characters_and_nothing_of_a_longer_one(api: Api) -> None:
    assert (await api.post("contacts", [_city("я" * 256)])).status == 200
    refused = await api.post("contacts", [_city("x"), _city("я" * 257)])
    assert refused.status == 400
    [errors] = refused.body["validation-errors"]
    assert errors["request_id"] == "1"
    [error] = errors["errors"]
    assert (error["code"], error["path"]) == ("TooLong", "custom_fields_values.0.values.0.value")
    assert (await api.patch(ROWS[1], _city("я" * 257))).status == 400
    await api.control("profile", {"text_limit": 0})
    assert (await api.patch(ROWS[1], _city("я" * 70_000))).status == 200


async def test_a_long_value_of_a_fetched_row_refuses_the_whole_row_but_not_a_part_of_it(api: Api) -> None:
    """A page of the CRM took it; who sends back only what changed is not hindered."""
    await api.control("profile", {"text_limit": 0})
    await api.patch(ROWS[1], _city("я" * 300))
    await api.control("profile", {"text_limit": 256})
    fetched = (await api.get(ROWS[1])).body
    assert (await api.patch(ROWS[1], {**fetched, "name": "Имя"})).status == 400
    assert (await api.patch(ROWS[1], {"name": "Имя"})).status == 200


async def test_a_textarea_has_no_limit(api: Api) -> None:
    values = [{"field_code": "ADDRESS", "values": [{"value": "я" * 5000}]}]
    assert (await api.post("companies", [{"custom_fields_values": values}])).status == 200


METADATA = {"phone": "+7999", "called_at": 1, "duration": 0, "link": "", "service_code": "x", "uniq": "u"}
CALL = {"source_uid": "u", "source_name": "x", "metadata": METADATA}


@pytest.mark.parametrize(
    ("path", "item", "status"),
    [
        ("leads", {"_embedded": []}, 200),
        ("contacts", {"_embedded": [], "custom_fields_values": []}, 200),
        ("leads/complex", {"_embedded": []}, 200),
        ("leads/complex", {"_embedded": {"metadata": []}}, 400),
        ("leads/complex", {"_embedded": {"contacts": [], "companies": []}}, 200),
        ("leads/unsorted/sip", {**CALL, "_embedded": []}, 200),
        ("leads/unsorted/sip", {**CALL, "metadata": []}, 400),
        (f"leads/{seed.LEADS + 3}/notes", {"note_type": "common", "params": []}, 400),
        (f"leads/{seed.LEADS + 3}/link", {"to_entity_id": seed.CONTACTS + 1, "metadata": []}, 400),
        ("roles", {"name": "x", "rights": []}, 201),
        ("roles", {"name": "x", "rights": {"leads": []}}, 400),
        (
            "leads/pipelines",
            {"name": "x", "sort": 1, "is_main": False, "is_unsorted_on": True, "_embedded": []},
            200,
        ),
    ],
)
async def test_an_empty_list_where_an_object_belongs_is_an_empty_object(
    path: str, item: dict[str, Any], status: int, api: Api
) -> None:
    assert (await api.post(path, [item])).status == status


@pytest.mark.parametrize("number", [2**63, -(2**70), 10**30])
async def test_a_number_beyond_every_id_is_refused_and_breaks_nothing(number: int, api: Api) -> None:
    raw = f'[{{"id": {number}, "name": "x"}}]'
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    url = f"{api.sandbox.url}/api/v4/leads"
    async with api.session.patch(url, data=raw, headers=headers) as response:
        assert response.status == 400
    assert (await api.get(f"leads/{abs(number)}")).status == 404
