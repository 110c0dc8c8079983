"""Leads, contacts and companies: strictness, reading, changing, links."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api, a_phone

LEAD, CONTACT = seed.LEADS + 3, seed.CONTACTS + 3


@pytest.mark.parametrize(
    ("plural", "item", "code", "path"),
    [
        ("leads", {"nam": "x"}, "FieldNotExpected", "nam"),
        ("leads", {"price": "5"}, "InvalidType", "price"),
        ("leads", {"responsible_user_id": None}, "NotNullable", "responsible_user_id"),
        ("leads", {"responsible_user_id": 5}, "NotSupportedChoice", "responsible_user_id"),
        ("leads", {"created_by": seed.DEACTIVATED}, "NotSupportedChoice", "created_by"),
        ("leads", {"status_id": 5}, "NotSupportedChoice", "status_id"),
        ("leads", {"status_id": 5000011}, "NotSupportedChoice", "status_id"),
        (
            "leads",
            {"pipeline_id": seed.SECOND_PIPELINE, "status_id": seed.OPEN_STAGES[0]},
            "NotSupportedChoice",
            "status_id",
        ),
        ("leads", {"loss_reason_id": 5}, "NotSupportedChoice", "loss_reason_id"),
        ("leads", {"_embedded": {"contacts": [{"id": 5}]}}, "NotSupportedChoice", "_embedded.contacts.0.id"),
        (
            "contacts",
            {"custom_fields_values": [{"field_id": 5, "values": []}]},
            "NotSupportedChoice",
            "custom_fields_values.0.field_id",
        ),
        (
            "contacts",
            {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "1", "enum": 1}]}]},
            "FieldNotExpected",
            "custom_fields_values.0.values.0.enum",
        ),
        (
            "contacts",
            {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": 79}]}]},
            "InvalidType",
            "custom_fields_values.0.values.0.value",
        ),
        (
            "leads",
            {"custom_fields_values": [{"field_id": 800403, "values": [{"value": "Нет такого"}]}]},
            "NotSupportedChoice",
            "custom_fields_values.0.values.0.value",
        ),
        ("contacts", {"price": 1}, "FieldNotExpected", "price"),
    ],
)
async def test_what_the_vendor_refuses_is_named_and_nothing_is_kept(
    api: Api, plural: str, item: dict[str, Any], code: str, path: str
) -> None:
    answer = await api.post(plural, [{"name": "good", "request_id": "g"}, {**item, "request_id": "b"}])
    assert answer.status == 400
    [group] = answer.body["validation-errors"]
    assert (group["request_id"], group["errors"][0]["code"], group["errors"][0]["path"]) == ("b", code, path)
    kind = "deal" if plural == "leads" else "contact"
    assert await api.rows(kind, name="good") == []


async def test_lists_walk_to_the_missing_next(api: Api) -> None:
    url, ids = "contacts?limit=25&order[updated_at]=desc", []
    while url:
        body = (await api.get(url)).body
        ids += [one["id"] for one in body["_embedded"]["contacts"]]
        url = body["_links"].get("next", {}).get("href", "").split("/api/v4/")[-1]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 60 + 7


async def test_limit_above_250_is_cut_or_refused_as_the_profile_says(api: Api) -> None:
    await api.control("seed", {"contacts": 300})
    assert len((await api.get("contacts?limit=500")).body["_embedded"]["contacts"]) == 250
    await api.control("profile", {"over_250_on_get": "refuse"})
    assert (await api.get("contacts?limit=500")).status == 400


async def test_filters_are_ignored_without_the_add_on_and_obeyed_with_it(api: Api) -> None:
    url = f"contacts?limit=250&filter[id][]={CONTACT}&filter[id][]={CONTACT + 1}"
    assert len((await api.get(url)).body["_embedded"]["contacts"]) == 67
    await api.control("profile", {"filters_on": True})
    assert [one["id"] for one in (await api.get(url)).body["_embedded"]["contacts"]] == [CONTACT, CONTACT + 1]
    assert (await api.get("account?with=is_api_filter_enabled")).body["is_api_filter_enabled"] is True
    assert (await api.get("leads?filter[updated_at]=1")).status == 204
    moved = f"leads?filter[statuses][0][pipeline_id]={seed.PIPELINE}&filter[statuses][0][status_id]=143"
    assert [one["id"] for one in (await api.get(moved)).body["_embedded"]["leads"]] == [
        seed.LEADS + seed.SPECIAL + 7
    ]


async def test_search_knows_no_country_code(api: Api) -> None:
    assert (await api.get("contacts?query=9000000002")).status == 200
    assert (await api.get("contacts?query=%2B79000000002")).status == 204
    await api.control("profile", {"query_match": "raw"})
    assert (await api.get("contacts?query=9000000002")).status == 204
    assert (await api.get("contacts?query=9000000003")).status == 200


async def test_closing_fills_closed_at_and_reopening_clears_it(api: Api) -> None:
    await api.patch(f"leads/{LEAD}", {"status_id": 143})
    assert (await api.get(f"leads/{LEAD}")).body["closed_at"] is not None
    await api.patch("leads", [{"id": LEAD, "status_id": seed.OPEN_STAGES[1]}])
    assert (await api.get(f"leads/{LEAD}")).body["closed_at"] is None


async def test_number_that_is_overwritten_is_found_no_more(api: Api) -> None:
    await api.patch(f"contacts/{CONTACT}", {"custom_fields_values": a_phone("8 (916) 123-45-67")})
    assert (await api.get("contacts?query=9000000003")).status == 204
    read = (await api.get("contacts?query=9161234567")).body["_embedded"]["contacts"][0][
        "custom_fields_values"
    ]
    assert read[0]["values"][0]["value"] == "8 (916) 123-45-67"
    await api.patch(
        f"contacts/{CONTACT}", {"custom_fields_values": [{"field_code": "PHONE", "values": None}]}
    )
    assert (await api.get(f"contacts/{CONTACT}")).body["custom_fields_values"] is None


async def test_tags_are_replaced_added_and_taken_away(api: Api) -> None:
    async def names() -> list[str]:
        return sorted(tag["name"] for tag in (await api.get(f"leads/{LEAD}")).body["_embedded"]["tags"])

    await api.patch(f"leads/{LEAD}", {"tags_to_add": [{"name": "a"}, {"name": "b"}]})
    await api.patch(f"leads/{LEAD}", {"tags_to_add": [{"name": "c"}], "tags_to_delete": [{"name": "a"}]})
    assert await names() == ["b", "c"]
    await api.patch(f"leads/{LEAD}", {"_embedded": {"tags": [{"name": "d"}]}})
    assert await names() == ["d"]
    await api.patch(f"leads/{LEAD}", {"_embedded": {"tags": None}})
    assert await names() == []


@pytest.mark.parametrize("plural", ["leads", "contacts", "companies"])
async def test_change_of_what_does_not_exist_is_refused(api: Api, plural: str) -> None:
    assert (await api.patch(f"{plural}/5", {"name": "x"})).status == 404
    answer = await api.patch(plural, [{"id": 5, "name": "x"}])
    assert answer.body["validation-errors"][0]["errors"][0]["path"] == "id"


async def test_deleted_is_gone_from_lists_and_only_deleted_shows_a_stub(api: Api) -> None:
    await api.control("act", {"do": "delete", "kind": "deal", "id": LEAD})
    assert (await api.get(f"leads/{LEAD}")).status == 204
    [stub] = (await api.get("leads?with=only_deleted")).body["_embedded"]["leads"]
    assert (stub["id"], stub["is_deleted"]) == (LEAD, True)
    await api.control("act", {"do": "restore", "kind": "deal", "id": LEAD})
    assert (await api.get(f"leads/{LEAD}")).status == 200


async def test_merge_moves_numbers_and_links_to_the_survivor(api: Api) -> None:
    await api.control("act", {"do": "merge", "kind": "contact", "id": CONTACT, "from": CONTACT + 3})
    merged = (await api.get(f"contacts/{CONTACT}?with=leads")).body
    assert {one["id"] for one in merged["_embedded"]["leads"]} == {LEAD, LEAD + 3}
    assert len(merged["custom_fields_values"][0]["values"]) == 2
    assert (await api.get(f"contacts/{CONTACT + 3}")).status == 204


async def test_complex_creates_and_links_lead_contact_and_company(api: Api) -> None:
    parts = {"contacts": [{"first_name": "Анна", "custom_fields_values": a_phone("+79991112233")}]}
    parts["companies"] = [{"name": "ООО"}]
    answer = await api.post("leads/complex", [{"name": "Сделка", "request_id": "r", "_embedded": parts}])
    [made] = answer.body
    assert made["request_id"] == ["r"]
    [contact] = await api.rows("contact", id=made["contact_id"])
    assert (contact["leads"], contact["companies"]) == ([made["id"]], [made["company_id"]])
    broken = await api.post("leads/complex", [{"_embedded": {"contacts": [{"nam": "x"}]}}])
    assert broken.body["validation-errors"][0]["errors"][0]["path"] == "_embedded.contacts.0.nam"


async def test_links_are_seen_from_both_sides_and_unlinked_with_204(api: Api) -> None:
    body = [{"to_entity_id": seed.COMPANIES + seed.SPECIAL + 3, "to_entity_type": "companies"}]
    assert (await api.post(f"contacts/{CONTACT}/link", body)).status == 200
    links = (await api.get(f"contacts/{CONTACT}/links")).body["_embedded"]["links"]
    assert {one["to_entity_type"] for one in links} == {"leads", "companies"}
    answer = await api.post(f"contacts/{CONTACT}/unlink", body)
    assert (answer.status, answer.body) == (204, "")
    links = (await api.get(f"companies/{body[0]['to_entity_id']}/links")).body["_embedded"]["links"]
    assert links == []


async def test_updates_by_a_long_list_of_new_contacts_stay_fast(api: Api) -> None:
    for start in range(0, 2000, 250):
        items = [
            {"name": f"n{start + n}", "custom_fields_values": a_phone(f"+7905{start + n:07d}")}
            for n in range(250)
        ]
        assert (await api.post("contacts", items)).status == 200
    assert (
        len((await api.get("contacts?order[updated_at]=desc&limit=250")).body["_embedded"]["contacts"]) == 250
    )
