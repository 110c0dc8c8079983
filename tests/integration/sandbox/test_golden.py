"""The sandbox is held to the sample exchanges in tests/cases/amocrm (how: the README there)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api, a_phone
from tests.integration.sandbox.receiver import Receiver
from tests.paths import CASES as ALL_CASES

FOLDER = ALL_CASES / "amocrm"
CASES = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
EXCHANGES = [case for case in CASES if not case["name"].startswith("hook_")]
HOOKS = [case for case in CASES if case["name"].startswith("hook_") and case["name"] != "hook_two_in_one"]

# allowed beside the sample: keys of the vendor's model that the sample leaves out
MODEL_KEYS = {
    # the account's times and currency: the vendor's own library reads them, its documents leave them out
    *("created_at", "created_by", "updated_at", "updated_by", "currency", "currency_symbol", "date_format"),
    *("mobile_feature_version", "files_access", "is_need_to_trigger_digital_pipeline", "server_time", "hint"),
    *(
        "first",
        "prev",
        "next",
        "last",
        "triggers",
        "lang",
        "group_id",
        "is_unsorted",
        "first_name",
        "last_name",
    ),
    *(
        "email",
        "duration",
        "errors",
        "_total_items",
        "_page_count",
        "source_uid",
        "source_name",
        "_links",
        "detail",
    ),
    *("enum_id", "enum_code", "companies", "contacts", "catalog_access", "is_main", "is_predefined", "code"),
    *(
        "trace_id",
        "is_api_only",
        "tags",
        "name",
        "request_id",
        "type",
        "status",
        "call_responsible",
        "service_code",
    ),
}


class Given:
    """What a sample's ids and needs stand for in a fresh sandbox."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def id(self, meaning: str, case: Mapping[str, Any]) -> Any:
        api = self.api
        match meaning:
            case "user":
                return seed.manager(101)
            case "pipeline":
                return seed.PIPELINE
            case "status":
                return seed.OPEN_STAGES[0]
            case "contact" | "contact with a number":
                return seed.CONTACTS + 1
            case "its contact" | "lead with a contact" | "lead" | "lead without notes":
                return seed.CONTACTS + 3 if meaning == "its contact" else seed.LEADS + 3
            case "lead with a note of an incoming call":
                await a_call_note(api)
                return seed.LEADS + 3
            case "field PHONE of contacts":
                return seed.PHONE_CONTACT
            case "enum WORK of PHONE":
                return seed.PHONE_CONTACT * 10
            case "number of a contact without an open lead":
                return "+79000000001"
            case "number of a contact with exactly one open lead":
                return "+79000000003"
            case "open task":
                return await a_task(api)
            case "task completed with a result":
                task = await a_task(api)
                await api.patch(f"tasks/{task}", {"is_completed": True, "result": {"text": "Готово"}})
                return task
            case "uid of an unsorted of category sip":
                return (await api.get("leads/unsorted")).body["_embedded"]["unsorted"][0]["uid"]
            case "client id":
                return seed.CLIENT_ID
            case "client secret":
                return seed.CLIENT_SECRET
            case "redirect uri":
                return "https://example.com/crm/oauth"
            case "fresh code":
                return await a_code(api)
            case "unused refresh token":
                return (await a_pair(api))["refresh_token"]
            case "used refresh token":
                pair = await a_pair(api)
                await refresh(api, pair["refresh_token"])
                return pair["refresh_token"]
        raise AssertionError(f"{case['name']}: what is {meaning!r}?")


async def a_call_note(api: Api) -> None:
    params: dict[str, Any] = {
        "uniq": "n-1",
        "duration": 4,
        "source": "Test",
        "link": "https://example.com/1.mp3",
        "phone": "+7999",
    }
    note = {"entity_id": seed.LEADS + 3, "note_type": "call_in", "params": params}
    params["call_responsible"] = seed.manager(101)
    assert (await api.post("leads/notes", [note])).status == 200


async def a_task(api: Api) -> int:
    item = {
        "text": "Перезвонить",
        "complete_till": 1700003600,
        "entity_id": seed.LEADS + 3,
        "entity_type": "leads",
    }
    return await api.make("tasks", **item)


async def a_code(api: Api) -> str:
    query = urlencode(
        {"client_id": seed.CLIENT_ID, "redirect_uri": "https://example.com/crm/oauth", "approve": 1}
    )
    answer = await api.get(f"/oauth?{query}")
    code: str = dict(parse_qsl(answer.headers["Location"].split("?", 1)[1]))["code"]
    return code


def proof(**values: str) -> dict[str, str]:
    own = {"client_id": seed.CLIENT_ID, "client_secret": seed.CLIENT_SECRET}
    return {**own, "redirect_uri": "https://example.com/crm/oauth", **values}


async def a_pair(api: Api) -> Any:
    body = proof(grant_type="authorization_code", code=await a_code(api))
    return (await api.post("/oauth2/access_token", body)).body


async def refresh(api: Api, token: str) -> Any:
    return await api.post("/oauth2/access_token", proof(grant_type="refresh_token", refresh_token=token))


async def _blocked(api: Api) -> None:
    await api.control("profile", {"requests_per_second": 1, "block_after_429s": 1})
    for _ in range(3):
        await api.get("account")


async def _throttled(api: Api, name: str) -> None:
    await api.control("profile", {"name": name})
    for _ in range(8):
        await api.get("account")


async def _deleted_lead(api: Api) -> None:
    await api.control("act", {"do": "delete", "kind": "deal", "id": seed.LEADS + 6})


async def _a_task(api: Api) -> None:
    await a_task(api)


async def _registered(api: Api) -> None:
    register = next(case for case in CASES if case["name"] == "webhook_register")
    assert (await api.post("webhooks", register["request"]["body"])).status == 201


async def _events(api: Api) -> None:
    lead = f"leads/{seed.LEADS + 3}"
    await api.patch(lead, {"responsible_user_id": seed.manager(102)})
    await api.patch(lead, {"status_id": 142, "pipeline_id": seed.PIPELINE})
    await api.post(f"{lead}/link", [{"to_entity_id": seed.CONTACTS + 1, "to_entity_type": "contacts"}])
    await api.control("act", {"do": "delete", "kind": "contact", "id": seed.CONTACTS + 2})
    await api.control(
        "act", {"do": "merge", "kind": "contact", "id": seed.CONTACTS + 1, "from": seed.CONTACTS + 4}
    )
    await a_call_note(api)


async def _ended(api: Api) -> None:
    await api.control("profile", {"subscription": "ended"})


async def _no_admin(api: Api) -> None:
    api.token = (await api.control(f"token?user={seed.manager(101)}"))["access_token"]


def _fault(kind: str) -> Callable[[Api], Awaitable[None]]:
    async def plan(api: Api) -> None:
        await api.control("faults", {"rules": [{"match": {}, "always": True, "fault": kind}]})

    return plan


NEEDS: Mapping[str, Callable[[Api], Awaitable[None]]] = {
    "blocked_403_html": _blocked,
    "throttled_429_html": lambda api: _throttled(api, "amocrm"),
    "throttled_429_json": lambda api: _throttled(api, "kommo"),
    "leads_only_deleted": _deleted_lead,
    "tasks_list": _a_task,
    "webhook_delete": _registered,
    "webhooks_list": _registered,
    "events": _events,
    "subscription_ended_402": _ended,
    "users_not_admin_403": _no_admin,
    "gateway_504_html": _fault("504"),
    "server_error_500": _fault("500"),
}
# elements after the first that the sample's first does not stand for
FURTHER = {"account": "/_embedded/task_types/2/code"}
NEEDLESS = {"fewer than 250 leads", "at least one loss reason"}


@pytest.mark.parametrize("case", EXCHANGES, ids=[case["name"] for case in EXCHANGES])
async def test_sandbox_answers_like_the_sample(case: Any, api: Api) -> None:
    await api.control("profile", {"notes_created_at": "accept"})
    request, response, given = case["request"], case["response"], Given(api)
    known = {value: await given.id(meaning, case) for value, meaning in (request.get("ids") or {}).items()}
    if case["name"] == "leads_list_empty_204" or not case.get("needs") or case["needs"] in NEEDLESS:
        pass
    else:
        await NEEDS[case["name"]](api)
    path = replaced(request["path"], known)
    if request.get("query"):
        path += "?" + urlencode([(key, replaced(value, known)) for key, value in request["query"]])
    body = request.get("body")
    if case["name"] == "batch_too_large_422":
        body = body * 251
    answer = await api.call(
        request["method"],
        path,
        replaced(body, known),
        headers=replaced(request.get("headers") or {}, known),
    )
    assert answer.status == response["status"], answer.body
    if "body" not in response:
        assert answer.status != 204 or answer.body == ""
        return
    wanted_type = response.get("content_type", "").split(";")[0]
    assert not wanted_type or answer.content_type == wanted_type
    if wanted_type != "text/html":
        found = differences(replaced(response["body"], known), answer.body, case)
        assert [one for one in found if not one.startswith(FURTHER.get(case["name"], "-"))] == []


def replaced(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with every sample id by what it stands for: whole values, and parts of a path."""
    if isinstance(value, dict):
        return {replaced(key, known): replaced(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, known) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return known.get(str(value), value)
    if isinstance(value, str):
        if value in known:
            return str(known[value])
        return "/".join(str(known.get(part, part)) for part in value.split("/"))
    return value


def differences(sample: Any, got: Any, case: Mapping[str, Any]) -> list[str]:
    loose, exact = case.get("loose") or [], case.get("exact") or []
    return [*_differences(sample, got, "", loose), *_inexact(sample, got, exact)]


def _is_loose(pointer: str, loose: list[str]) -> bool:
    """Index 0 of a sample stands for every element."""
    parts = pointer.split("/")
    for pattern in loose:
        own = pattern.split("/")
        if len(own) == len(parts) and all(
            a == b or (a in ("*", "0") and b.isdigit()) for a, b in zip(own, parts, strict=True)
        ):
            return True
    return False


def _differences(sample: Any, got: Any, pointer: str, loose: list[str]) -> list[str]:
    if _is_loose(pointer, loose):
        return []
    if kind(sample) != kind(got):
        return [f"{pointer}: {kind(sample)} expected, got {got!r}"]
    if isinstance(sample, dict):
        found = []
        for key, value in sample.items():
            own = f"{pointer}/{key}"
            if key in got:
                found += _differences(value, got[key], own, loose)
            elif not _is_loose(own, loose):
                found.append(f"{own}: missing")
        extra = [key for key in got if key not in sample and key not in MODEL_KEYS]
        return found + [
            f"{pointer}/{key}: not in the sample" for key in extra if not _is_loose(f"{pointer}/{key}", loose)
        ]
    if isinstance(sample, list) and sample:
        if not got:
            return [f"{pointer}: empty"]
        return [
            one
            for index, item in enumerate(got)
            for one in _differences(stand_in(sample, item), item, f"{pointer}/{index}", loose)
        ]
    return []


def stand_in(sample: list[Any], item: Any) -> Any:
    """The first element, except where elements have a type of their own (events, statuses, fields)."""
    if isinstance(item, dict) and isinstance(item.get("type"), str) and "entity_id" in item:
        return next((one for one in sample if one["type"] == item["type"]), item)
    return sample[0]


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _inexact(sample: Any, got: Any, exact: list[str]) -> list[str]:
    return [
        f"{pointer}: {wanted!r} expected, got {have!r}"
        for pointer in exact
        if (wanted := at(sample, pointer)) != (have := at(got, pointer)) and str(wanted) != str(have)
    ]


def at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        if part == "*":
            part = "0"
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


async def _lead_add(api: Api) -> None:
    await api.make("leads", name="Сделка: звонок", tags_to_add=[{"name": "звонок"}])


async def _contact_update(api: Api) -> None:
    fields = a_phone("8 (916) 123-45-67")
    owner = seed.manager(109)
    await api.patch(
        f"contacts/{seed.CONTACTS + 3}", {"custom_fields_values": fields, "responsible_user_id": owner}
    )


async def _unsorted(api: Api) -> str:
    metadata = {"phone": "+79161234567", "from": "+79161234567", "called_at": 1, "duration": 0}
    metadata |= {"service_code": "x", "uniq": "c-1", "link": ""}
    item = {"source_uid": "c-1", "source_name": "Callmatrix", "metadata": metadata}
    parts = {"leads": [{"name": "Звонок"}], "contacts": [{"name": "Новый"}]}
    answer = await api.post("leads/unsorted/sip", [{**item, "_embedded": parts}])
    uid: str = answer.body["_embedded"]["unsorted"][0]["uid"]
    return uid


async def _unsorted_accept(api: Api) -> None:
    await api.post(f"leads/unsorted/{await _unsorted(api)}/accept", {})


async def _lead_responsible(api: Api) -> None:
    await api.patch(f"leads/{seed.LEADS + 3}", {"responsible_user_id": seed.manager(109)})


async def _lead_status(api: Api) -> None:
    await api.patch(f"leads/{seed.LEADS + 3}", {"status_id": 142, "pipeline_id": seed.PIPELINE})


async def _company_add(api: Api) -> None:
    await api.make("companies", name="ООО", custom_fields_values=a_phone("+74951234567"))


TRIGGERS: Mapping[str, Callable[[Api], Awaitable[Any]]] = {
    "hook_lead_add": _lead_add,
    "hook_contact_update": _contact_update,
    "hook_company_add": _company_add,
    "hook_lead_delete": _deleted_lead,
    "hook_lead_responsible": _lead_responsible,
    "hook_lead_status": _lead_status,
    "hook_task_add": a_task,
    "hook_unsorted_add": _unsorted,
    "hook_unsorted_accept": _unsorted_accept,
}


@pytest.mark.parametrize("case", HOOKS, ids=[case["name"] for case in HOOKS])
async def test_sandbox_delivers_like_the_sample(case: Any, api: Api) -> None:
    from crm.sandbox.api.webhooks import SETTINGS

    wanted = {shape(key) for key, _ in case["request"]["body"]}
    section = case["request"]["body"][0][0].split("][")[0]
    async with Receiver() as receiver:
        await api.post("webhooks", {"destination": receiver.url, "settings": sorted(SETTINGS)})
        await TRIGGERS[case["name"]](api)
        form = await receiver.form_with(section)
    missing = wanted - {shape(key) for key in form}
    assert {key for key in missing if "old_" not in key} == set()


def shape(key: str) -> str:
    """A form key without its numbers."""
    return "[".join("#]" if part[:-1].isdigit() else part for part in key.split("["))
