"""What the vendor's own PHP library sends and expects, as exchanges written down by hand: no registry of ours has it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Answer, Api
from tests.integration.sandbox.test_golden import a_code, proof

LEAD, CONTACT, COMPANY = seed.LEADS + 3, seed.CONTACTS + 5, seed.COMPANIES + seed.SPECIAL + 3
# What its account model reads without asking whether it is there, and as which type.
ACCOUNT = {
    **dict.fromkeys(("id", "created_by", "created_at", "updated_by", "updated_at", "current_user_id"), int),
    **dict.fromkeys(("name", "subdomain", "country", "currency", "currency_symbol", "customers_mode"), str),
    **dict.fromkeys(("is_unsorted_on", "is_loss_reason_enabled", "is_helpbot_enabled"), bool),
    "mobile_feature_version": int,
    "is_technical_account": bool,
    "contact_name_display_order": int,
}
DATES = ("date_pattern", "short_date_pattern", "short_time_pattern", "date_format", "time_format")


async def exchanged(api: Api, **values: str) -> Answer:
    """A token request as its OAuth client makes one: a form, not JSON."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = api.sandbox.url + "/oauth2/access_token"
    async with api.session.post(url, data=urlencode(proof(**values)), headers=headers) as response:
        return Answer(response.status, response.content_type, await response.json(), response.headers)


async def test_a_code_is_exchanged_by_a_form_and_the_pair_refreshes_by_a_form(api: Api) -> None:
    pair = await exchanged(api, grant_type="authorization_code", code=await a_code(api))
    assert (pair.status, pair.content_type) == (200, "application/json")
    assert {"access_token", "refresh_token", "expires_in", "token_type"} <= pair.body.keys()
    again = await exchanged(api, grant_type="refresh_token", refresh_token=pair.body["refresh_token"])
    assert again.status == 200
    api.token = again.body["access_token"]
    assert (await api.get("account")).status == 200
    used = await exchanged(api, grant_type="refresh_token", refresh_token=pair.body["refresh_token"])
    assert (used.status, used.body["hint"]) == (401, "Token has been revoked")


async def test_the_ledger_knows_whose_form_it_was(api: Api) -> None:
    await exchanged(api, grant_type="authorization_code", code=await a_code(api))
    requests = (await api.control("ledger"))["requests"]
    mine = [one for one in requests if one["path"] == "/oauth2/access_token"]
    assert [(one["integration"], one["status"]) for one in mine] == [("callmatrix", 200)]


async def test_a_form_without_a_secret_is_refused_as_json_without_one(api: Api) -> None:
    code = await a_code(api)
    sent = dict(proof(grant_type="authorization_code", code=code))
    del sent["client_secret"]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = api.sandbox.url + "/oauth2/access_token"
    async with api.session.post(url, data=urlencode(sent), headers=headers) as response:
        as_form = (response.status, await response.json())
    as_json = await api.post("/oauth2/access_token", sent)
    assert as_form == (400, as_json.body)


@pytest.mark.parametrize("profile", ["amocrm", "kommo"])
async def test_an_account_has_everything_that_its_model_reads(profile: str, api: Api) -> None:
    await api.control("profile", {"name": profile, "requests_per_second": 1000})
    answer = await api.get("account?with=datetime_settings,users_groups,task_types,amojo_rights,version,uuid")
    wrong = {
        key: answer.body.get(key) for key, kind in ACCOUNT.items() if type(answer.body.get(key)) is not kind
    }
    assert wrong == {}
    settings = answer.body["_embedded"]["datetime_settings"]
    assert [
        name for name in (*DATES, "timezone", "timezone_offset") if not isinstance(settings.get(name), str)
    ] == []


# An item of its link model: what the path says already is sent as null.
def a_link(to: tuple[str, int], metadata: Any = None) -> dict[str, Any]:
    return {
        "to_entity_id": to[1],
        "to_entity_type": to[0],
        "metadata": metadata,
        "entity_id": None,
        "entity_type": None,
    }


@pytest.mark.parametrize("metadata", [None, [], {"is_main": True}, {"updated_by": seed.manager(101)}])
async def test_link_and_unlink_take_its_nulls(metadata: Any, api: Api) -> None:
    linked = await api.post(f"leads/{LEAD}/link", [a_link(("contacts", CONTACT), metadata)])
    assert linked.status == 200, linked.body
    [link] = linked.body["_embedded"]["links"]
    assert (link["entity_id"], link["to_entity_id"], link["to_entity_type"]) == (LEAD, CONTACT, "contacts")
    read = await api.get(f"leads/{LEAD}/links")
    assert CONTACT in [one["to_entity_id"] for one in read.body["_embedded"]["links"]]
    gone = await api.post(f"leads/{LEAD}/unlink", [a_link(("contacts", CONTACT), metadata)])
    assert gone.status == 204
    left = await api.get(f"leads/{LEAD}/links")
    assert CONTACT not in [one["to_entity_id"] for one in left.body["_embedded"]["links"]]


async def test_many_links_name_their_own_side(api: Api) -> None:
    item = {**a_link(("companies", COMPANY)), "entity_id": LEAD, "entity_type": "leads"}
    linked = await api.post("leads/link", [item])
    assert [one["to_entity_id"] for one in linked.body["_embedded"]["links"]] == [COMPANY]
    assert (await api.post("leads/unlink", [item])).status == 204


@pytest.mark.parametrize("user", [seed.DEACTIVATED, 1])
@pytest.mark.parametrize("verb", ["link", "unlink"])
async def test_a_dismissed_author_of_a_link_is_the_only_complaint(verb: str, user: int, api: Api) -> None:
    item = a_link(("contacts", CONTACT), {"updated_by": user})
    refused = await api.post(f"leads/{LEAD}/{verb}", [item])
    [errors] = refused.body["validation-errors"]
    assert refused.status == 400
    assert [(one["code"], one["path"]) for one in errors["errors"]] == [
        ("NotSupportedChoice", "metadata.updated_by")
    ]


async def test_an_unknown_side_of_a_link_is_named_without_its_index(api: Api) -> None:
    items = [a_link(("contacts", CONTACT)), {**a_link(("contacts", 1)), "request_id": "second"}]
    refused = await api.post(f"leads/{LEAD}/link", items)
    [errors] = refused.body["validation-errors"]
    assert (errors["request_id"], errors["errors"][0]["path"]) == ("second", "to_entity_id")


async def test_its_nulls_in_a_call_are_refused_as_the_vendor_refuses_them(api: Api) -> None:
    call = {"direction": "inbound", "duration": 5, "source": "x", "phone": "+79000000003"}
    refused = await api.post("calls", [{**call, "link": None, "call_result": None, "call_status": None}])
    [errors] = refused.body["validation-errors"]
    assert {(one["code"], one["path"]) for one in errors["errors"]} == {
        ("NotNullable", "link"),
        ("NotNullable", "call_result"),
        ("NotNullable", "call_status"),
    }


async def test_a_lead_may_name_the_visitor_of_the_site(api: Api) -> None:
    made = await api.post(
        "leads", [{"name": "С сайта", "visitor_uid": "5692210d-58d0-468c-acb2-dce7f93eef87"}]
    )
    assert made.status == 200, made.body


async def test_the_speaker_of_a_token_is_told_where_its_example_asks(api: Api) -> None:
    api.token = (await api.control(f"token?user={seed.manager(104)}"))["access_token"]
    answer = await api.get("/v3/user")
    assert (answer.body["id"], answer.body["name"]) == (seed.manager(104), "Менеджер 104")


async def test_the_account_of_a_token_is_told_at_both_addresses(api: Api) -> None:
    pair = await exchanged(api, grant_type="authorization_code", code=await a_code(api))
    old = await api.get("/oauth2/account/subdomain")
    new = await api.get(
        "/oauth2/account/current/subdomain", headers={"X-Refresh-Token": pair.body["refresh_token"]}
    )
    assert old.body == new.body
    assert old.body["domain"] == api.sandbox.url.removeprefix("http://")
    api.token = "nobody's"
    assert (await api.get("/oauth2/account/subdomain")).status == 401


async def test_a_price_with_a_fraction_is_for_kommo_only(api: Api) -> None:
    assert (await api.post("leads", [{"price": 10.5}])).status == 400
    await api.control("profile", {"name": "kommo", "requests_per_second": 1000})
    id = await api.make("leads", price=10.5)
    assert (await api.get(f"leads/{id}")).body["price"] == 10.5


async def test_what_it_sends_beside_a_change_is_taken(api: Api) -> None:
    """Its models send their id, and request_id as null where one row is changed."""
    beside = {"request_id": None}
    group = await api.post("leads/custom_fields/groups", [{"name": "Прочее", "sort": 4, **beside}])
    key = group.body["_embedded"]["custom_field_groups"][0]["id"]
    field = await api.post("leads/custom_fields", [{"type": "text", "name": "Район", **beside}])
    field_id = field.body["_embedded"]["custom_fields"][0]["id"]
    source = await api.post(
        "sources", [{"name": "Сайт", "external_id": "s", "default": False, "request_id": "0"}]
    )
    source_id = source.body["_embedded"]["sources"][0]["id"]
    role = await api.post("roles", [{"name": "Новичок", "rights": {}, "request_id": 1}])
    role_id = role.body["_embedded"]["roles"][0]["id"]
    whole = {
        f"leads/custom_fields/groups/{key}": {"id": key, "name": "Разное", "sort": 5, "fields": [field_id]},
        f"leads/custom_fields/{field_id}": {"id": field_id, "type": "text", "name": "Город", "sort": 5},
        f"sources/{source_id}": {"id": source_id, "name": "Лендинг", "external_id": "s", "services": []},
        f"roles/{role_id}": {"id": role_id, "name": "Опытный", "rights": {}},
        f"leads/{LEAD}": {"id": LEAD, "name": "Сделка"},
        f"contacts/{CONTACT}": {"id": CONTACT, "name": "Контакт"},
    }
    for path, body in whole.items():
        changed = await api.patch(path, {**body, **beside})
        assert changed.status == 200, (path, changed.body)
        assert changed.body["id"] == body["id"]
