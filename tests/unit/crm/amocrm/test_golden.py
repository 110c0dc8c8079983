"""`wire*.py` and `webhooks.py` against sample exchanges that were written apart from them (tests/cases/amocrm)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from crm.amocrm import wire_oauth, wire_read, wire_write
from crm.amocrm.fields import Node
from crm.amocrm.rows import events as event_rows
from crm.amocrm.rows.page import page_of
from crm.amocrm.tables import PLURAL
from crm.amocrm.webhooks import parse_webhook
from crm.amocrm.wire import Reply, Request, error_of, read_answer
from crm.errors import (
    CrmBlocked,
    CrmError,
    CrmForbidden,
    CrmNotFound,
    CrmOutcomeUnknown,
    CrmRefused,
    CrmThrottled,
    CrmTooLarge,
    CrmUnauthorised,
    CrmUnavailable,
    CrmUnpaid,
)
from routing.client import Ref
from routing.effects import (
    AttachCall,
    ChangeTask,
    CreateContact,
    CreateDeal,
    CreateLead,
    ShowCard,
    UpdateEntity,
)
from tests.paths import CASES as ALL_CASES

CASES = ALL_CASES / "amocrm"
NAMES = sorted(path.stem for path in CASES.glob("*.json"))
AT = datetime.fromtimestamp(1700000000, UTC)

ERRORS: dict[str, type[CrmError] | tuple[type[CrmError], ...]] = {
    "batch_too_large_422": CrmRefused,
    "blocked_403_html": CrmBlocked,
    "calls_no_match_400": CrmRefused,
    "empty_body_400": CrmRefused,
    "gateway_504_html": (CrmTooLarge, CrmUnavailable),
    "notes_null_param_400": CrmRefused,
    "route_unknown_404": CrmNotFound,
    "server_error_500": (CrmOutcomeUnknown, CrmUnavailable),
    "subscription_ended_402": CrmUnpaid,
    "task_missing_text_400": CrmRefused,
    "throttled_429_html": CrmThrottled,
    "throttled_429_json": CrmThrottled,
    "token_invalid_401": CrmUnauthorised,
    "token_malformed_400": CrmRefused,
    "token_refresh_used_401": CrmUnauthorised,
    "token_wrong_secret_401": CrmUnauthorised,
    "unsorted_unknown_404": CrmNotFound,
    "unsorted_without_category_405": CrmRefused,
    "users_not_admin_403": CrmForbidden,
    "webhook_delete_unknown_404": CrmNotFound,
}


def case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text())
    return found


def exchange(name: str) -> tuple[Request, Reply]:
    sample = case(name)
    asked, answered = sample["request"], sample["response"]
    body = answered.get("body")
    raw = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    request = Request(method=asked["method"], path=asked["path"], body=asked.get("body"))
    return request, Reply(status=answered["status"], content_type=answered.get("content_type", ""), body=raw)


def answer(name: str) -> Node | None:
    return read_answer(*exchange(name))


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("hook_")])
def test_every_sample_answer_is_read_as_what_its_name_says(name: str) -> None:
    request, reply = exchange(name)
    if reply.status >= 300:
        expected: type[CrmError] | tuple[type[CrmError], ...] = (
            CrmRefused if name.startswith("validation_") else ERRORS[name]
        )
        assert isinstance(error_of(request, reply), expected)
        return
    node = answer(name)
    assert (node is None) == (reply.status in (202, 204) or not reply.body)


LISTS: dict[str, tuple[str, Callable[[Node], Any]]] = {
    "contacts_list": ("contacts", wire_read.entity_reader("contact")),
    "companies_list": ("companies", wire_read.entity_reader("company")),
    "leads_list": ("leads", wire_read.entity_reader("deal")),
    "leads_only_deleted": ("leads", wire_read.entity_reader("deal")),
    "leads_list_empty_204": ("leads", wire_read.entity_reader("deal")),
    "unsorted_list": ("unsorted", wire_read.lead),
    "users": ("users", wire_read.user),
    "pipelines": ("pipelines", wire_read.pipeline),
    "custom_fields_contacts": ("custom_fields", wire_read.field),
    "tasks_list": ("tasks", wire_read.task),
    "notes_list": ("notes", lambda n: wire_read.note(n, "deal")),
    "notes_empty_204": ("notes", lambda n: wire_read.note(n, "deal")),
    "events": ("events", event_rows.event),
    "webhooks_list": ("webhooks", wire_read.webhook),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_sample_list_is_read_whole_and_ends_where_next_is_missing(name: str) -> None:
    plural, read = LISTS[name]
    page = page_of(answer(name), plural, read)
    sample = case(name)["response"].get("body")
    assert len(page.items) == (len(sample["_embedded"][plural]) if sample else 0)
    assert page.has_next == (sample is not None and "next" in sample["_links"])


def test_a_contact_keeps_its_number_as_spelled_and_its_deals() -> None:
    [contact] = page_of(answer("contacts_list"), "contacts", wire_read.entity_reader("contact")).items
    assert (contact.id, contact.numbers, contact.deal_ids) == ("3", ("+7 (916) 123-45-67",), ("19619",))
    assert contact.updated_at == datetime.fromtimestamp(1700000100, UTC)


def test_a_deal_knows_its_main_contact_and_stage() -> None:
    node = answer("lead_one")
    assert node is not None
    deal = wire_read.entity("deal", node)
    assert (deal.contact_ids, deal.main_contact_id) == (("3",), "3")
    assert (deal.pipeline_id, deal.stage_id, deal.is_open) == ("3177727", "32392159", True)


def test_an_unsorted_lead_has_both_numbers_and_the_deal_inside_it() -> None:
    [lead] = page_of(answer("unsorted_list"), "unsorted", wire_read.lead).items
    assert (lead.numbers, lead.deal_id, lead.source_uid) == (("+79161234567",), "10185156", "call-1")
    assert lead.owner_id is None


def test_events_are_told_in_our_words() -> None:
    events = page_of(answer("events"), "events", event_rows.event).items
    assert [(e.kind, e.entity_kind, e.entity_id) for e in events] == [
        ("owner_changed", "deal", "19619"),
        ("deleted", "contact", "4"),
        ("linked", "deal", "19619"),
        ("stage_changed", "deal", "19619"),
        ("merged", "contact", "3"),
        ("other", "contact", "3"),
    ]
    assert events[2].other == ("contact", "3")


def test_the_account_tells_its_zone_filters_and_task_types() -> None:
    node = answer("account")
    assert node is not None
    account = wire_read.account(node)
    assert (account.id, account.time_zone, account.are_filters_on) == ("31000001", "Europe/Moscow", False)
    assert account.task_types == {"1": "FOLLOW_UP", "2": "MEETING"}


def test_a_validation_error_names_item_field_and_code() -> None:
    err = error_of(*exchange("validation_second_item_400"))
    assert isinstance(err, CrmRefused)
    assert err.problems == (("bad", "responsible_user_id", "NotSupportedChoice", "…"),)


def test_429_tells_how_long_where_it_does() -> None:
    plain, told = error_of(*exchange("throttled_429_html")), error_of(*exchange("throttled_429_json"))
    assert isinstance(plain, CrmThrottled)
    assert plain.retry_after is None
    assert isinstance(told, CrmThrottled)
    assert told.retry_after == 300


def test_calls_without_a_match_are_told_from_other_refusals() -> None:
    err = error_of(*exchange("calls_no_match_400"))
    assert isinstance(err, CrmRefused)
    assert err.problems == (("q3", "phone", "not-found", "Entity not found"),)
    matched = wire_write.matched_calls(_placed("calls_ok", "calls"))
    assert matched == {0: ("10195155", "deal", "19619")}


def _placed(name: str, plural: str) -> Node:
    """The sample with our own request ids, which are places in the batch."""
    body = case(name)["response"]["body"]
    items = body if isinstance(body, list) else body["_embedded"][plural]
    for place, item in enumerate(items):
        item["request_id"] = [str(place)] if isinstance(item["request_id"], list) else str(place)
    return Node(body)


ECHOES = {
    "contacts_create": "contacts",
    "companies_create": "companies",
    "leads_create": "leads",
    "tasks_create": "tasks",
    "notes_create_call": "notes",
    "notes_create_common": "notes",
}


@pytest.mark.parametrize("name", ECHOES)
def test_every_sample_echo_of_a_creation_gives_ids_by_place(name: str) -> None:
    items = case(name)["response"]["body"]["_embedded"][ECHOES[name]]
    found = wire_write.created_ids(_placed(name, ECHOES[name]), ECHOES[name])
    assert found == {place: str(item["id"]) for place, item in enumerate(items)}


def test_the_echo_of_complex_is_a_bare_array() -> None:
    assert wire_write.created_pairs(_placed("leads_complex", "")) == {0: ("10185153", "11070881")}
    assert wire_write.created_leads(_placed("unsorted_create_sip", "unsorted")).keys() == {0}


@pytest.mark.parametrize(
    ("name", "plural"), [("leads_update_batch", "leads"), ("tasks_update_batch", "tasks")]
)
def test_the_echo_of_a_change_names_its_entities(name: str, plural: str) -> None:
    sent = case(name)["request"]["body"]
    assert wire_write.updated_ids(answer(name), plural) == {str(item["id"]) for item in sent}


def a_call(**changes: object) -> AttachCall:
    values: dict[str, Any] = {
        "target": None,
        "uniq": "c-1",
        "direction": "inbound",
        "number": "+79161234567",
        "at": AT,
        "talk_seconds": 42,
        "status": "talked",
        "recording": "https://example.com/r/1.mp3",
        "owner_id": "504141",
    }
    return AttachCall(**(values | changes))


def the_request(name: str) -> Request:
    """What we write for what the sample's request says."""
    if name == "leads_complex":
        contact = wire_write.contact(
            CreateContact(name="+79161234567", number="+79161234567", owner_id="504141")
        )
        order = CreateDeal(
            name="Сделка: звонок", owner_id="504141", pipeline_id="3177727", stage_id="32392159"
        )
        return wire_write.batch("POST", "/leads/complex", [wire_write.deal(order, contact=contact)])
    if name == "leads_create":
        order = CreateDeal(
            name="Сделка: звонок +79161234567",
            contact=Ref(kind="contact", id="3"),
            owner_id="504141",
            pipeline_id="3177727",
            stage_id="32392159",
            tags=("звонок",),
        )
        return wire_write.batch("POST", "/leads", [wire_write.deal(order)])
    if name == "leads_update_batch":
        change = UpdateEntity(target=Ref(kind="deal", id="19619"), owner_id="504141")
        return wire_write.batch("PATCH", "/leads", [wire_write.change(change)])
    if name == "notes_create_call":
        note = wire_write.call_note(a_call(), "19619", source="Callmatrix", takes_dates=True)
        return wire_write.batch("POST", f"/{PLURAL['deal']}/notes", [note])
    if name == "calls_ok":
        return wire_write.batch("POST", "/calls", [wire_write.call(a_call(), source="Callmatrix")])
    if name == "unsorted_create_sip":
        lead = CreateLead(
            source_uid="call-1",
            source_name="Callmatrix",
            name="Звонок +79161234567",
            contact_name="+79161234567",
            number="+79161234567",
            pipeline_id="3177727",
            called_at=AT,
        )
        return wire_write.batch("POST", "/leads/unsorted/sip", [wire_write.lead(lead)])
    if name == "tasks_update_batch":
        later = ChangeTask(
            task="t", text="Перезвонить ещё раз", due_at=datetime.fromtimestamp(1700007200, UTC)
        )
        return wire_write.batch("PATCH", "/tasks", [wire_write.task_change("4745251", later)])
    assert name == "call_card"
    return wire_write.card(ShowCard(number="+79161234567", user_ids=("504141",)))


# Keys of the vendor's samples that we leave to the CRM, and the one that we spell otherwise.
LEFT_OUT = {"created_by", "created_at", "first_name"}
OURS = {"name", "tags_to_add"}


def assert_says(ours: Any, theirs: Any, where: str = "") -> None:
    """ours has the sample's keys, with the same values, ids of requests and what we leave out excepted."""
    if isinstance(theirs, dict):
        missing = set(theirs) - set(ours) - LEFT_OUT
        assert not missing, f"{where}: {missing}"
        for key in set(theirs) & set(ours) - {"request_id", "uniq", "is_call_event_needed"}:
            assert_says(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        assert ours, where
        assert_says(ours[0], theirs[0], f"{where}.0")
    else:
        assert ours == theirs, where


@pytest.mark.parametrize(
    "name",
    [
        "leads_complex",
        "leads_create",
        "leads_update_batch",
        "notes_create_call",
        "calls_ok",
        "unsorted_create_sip",
        "tasks_update_batch",
        "call_card",
    ],
)
def test_what_we_write_says_what_the_sample_says(name: str) -> None:
    asked = case(name)["request"]
    request = the_request(name)
    assert (request.method, request.path) == (asked["method"], asked["path"])
    assert_says(json.loads(request.content() or b""), asked["body"])


def test_a_refresh_is_written_and_read_as_sampled() -> None:
    asked = case("token_by_refresh")["request"]["body"]
    request = wire_oauth.by_refresh(
        client_id=asked["client_id"],
        client_secret=asked["client_secret"],
        redirect_uri=asked["redirect_uri"],
        refresh_token=asked["refresh_token"],
    )
    assert request.body == asked
    granted = wire_oauth.granted(*exchange("token_by_refresh"))
    assert (granted.refresh_token, granted.expires_in) == ("def50200sample", 86400)
    claims = wire_oauth.claims(granted.access_token)
    assert claims.expires_at == datetime.fromtimestamp(1700086400, UTC)
    assert claims.api_domain == "api-b.amocrm.ru"
    assert wire_oauth.domain(*exchange("subdomain_by_refresh_token")) == "example.amocrm.ru"


def test_a_used_refresh_token_is_told_from_a_wrong_secret() -> None:
    reasons = [
        (wire_oauth.refusal(*exchange(name)) or ("", None))[0]
        for name in ("token_refresh_used_401", "token_wrong_secret_401", "token_malformed_400")
    ]
    assert reasons == ["token-used", "client-refused", "other"]


HOOKS = {
    "hook_lead_add": ("deal", "added", "19619"),
    "hook_lead_delete": ("deal", "deleted", "19619"),
    "hook_lead_responsible": ("deal", "owner_changed", "19619"),
    "hook_lead_status": ("deal", "stage_changed", "19619"),
    "hook_contact_update": ("contact", "updated", "3"),
    "hook_company_add": ("company", "added", "5"),
    "hook_task_add": ("task", "added", "4745251"),
    "hook_unsorted_add": ("lead", "added", None),
    "hook_unsorted_accept": ("lead", "deleted", None),
    "hook_two_in_one": ("deal", "deleted", "19619"),
}


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("hook_")])
def test_every_sample_delivery_is_read_as_what_its_name_says(name: str) -> None:
    body = urlencode([tuple(pair) for pair in case(name)["request"]["body"]]).encode()
    delivery = parse_webhook(body)
    assert (delivery.account_id, delivery.subdomain) == ("31000001", "example")
    change = delivery.told[0]
    kind, what, entity_id = HOOKS[name]
    assert (change.kind, change.what) == (kind, what)
    assert entity_id in (None, change.id)
