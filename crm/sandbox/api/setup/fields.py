"""Writing of custom fields: created, changed, deleted; administrators only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.entities.fields import field_model, is_predefined
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check, not_supported
from crm.sandbox.api.setup.groups import knows
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

_OF_ALL = (
    *("text", "numeric", "checkbox", "select", "multiselect", "date", "url", "date_time", "textarea"),
    *("radiobutton", "streetaddress", "smart_address", "birthday", "legal_entity", "monetary", "file"),
)
TYPES: Mapping[str, tuple[str, ...]] = {
    "leads": (*_OF_ALL, "tracking_data", "chained_list"),
    "contacts": (*_OF_ALL, "multitext"),
    "companies": (*_OF_ALL, "multitext"),
}
_CHOSEN = ("select", "multiselect", "radiobutton")
_ENUM = Rule(
    "object",
    keys={
        "id": Rule("int", nullable=True),
        "value": Rule("str", required=True),
        "sort": Rule("int", nullable=True),
        "code": Rule("str", nullable=True),
    },
)
_STATUS = Rule("object", keys={"status_id": Rule("int"), "pipeline_id": Rule("int")})
_CHANGE: Mapping[str, Rule] = {
    "name": Rule("str"),
    "code": Rule("str", nullable=True),
    "sort": Rule("int", nullable=True),
    "group_id": Rule("str", nullable=True),
    "is_api_only": Rule("bool", nullable=True),
    "required_statuses": Rule("list", nullable=True, items=_STATUS),
    "hidden_statuses": Rule("list", nullable=True, items=_STATUS),
    "enums": Rule("list", nullable=True, items=_ENUM),
    "remind": Rule("str", nullable=True, choices=("never", "day", "week", "month")),
    "tracking_callback": Rule("str", nullable=True),
    **dict.fromkeys(
        ("is_deletable", "is_visible", "is_required"), Rule("bool", nullable=True)
    ),  # of catalogs
    "settings": Rule("any", nullable=True),
    "chained_lists": Rule("any", nullable=True),
    "currency": Rule("str", nullable=True),
    "request_id": Rule("int|str", nullable=True),
}
_COPIED = tuple(name for name in _CHANGE if name not in ("request_id", "enums", "is_deletable"))


def create_fields(exchange: SandboxExchange) -> SandboxReply:
    """201 with the models, as the vendor answers here."""
    exchange.require_admin()
    plural, items = exchange.args["entity"], exchange.items()
    keys = {**_CHANGE, "name": Rule("str", required=True)}
    keys["type"] = Rule("str", required=True, choices=TYPES[plural])
    errors = []
    for index, item in enumerate(items):
        faults = check(item, Rule("object", keys=keys)) or _check(exchange.state, plural, item, None)
        if not faults and item["type"] in _CHOSEN and not item.get("enums"):
            faults = [("FieldMissing", "enums", "This field is missing.")]
        errors.append((str(request_id_of(item, index)), faults))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    rows = [_add(exchange.state, plural, item) for item in items]
    exchange.state.delete_directory()
    return _models(exchange, plural, rows, items, 201)


def _check(state: State, plural: str, item: Mapping[str, Any], own: SandboxRow | None) -> list[Fault]:
    """Return what is wrong: a code belongs to one field, a group has to exist, and what the CRM brings keeps its code."""
    faults: list[Fault] = []
    code, others = item.get("code"), [row for row in state.fields(plural).values() if row != own]
    if code and code in [row["code"] for row in others]:
        faults.append(not_supported("code"))
    if own is not None and "code" in item and is_predefined(own) and code != own["code"]:
        faults.append(not_supported("code"))
    if item.get("group_id") is not None and not knows(state, plural, item["group_id"]):
        faults.append(not_supported("group_id"))
    return faults


def _add(state: State, plural: str, item: Mapping[str, Any]) -> SandboxRow:
    row: SandboxRow = {"entity_type": plural, "type": item["type"], "code": None}
    row["sort"] = 500 + len(state.fields(plural))
    row |= {name: item[name] for name in _COPIED if item.get(name) is not None}
    if item.get("enums"):
        row["enums"] = _enums(state, item["enums"], [])
    return state.table("fields").add(row)


def _enums(
    state: State, sent: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Choices with an id keep it, new ones get one, those not sent are gone."""
    known, made = {enum["id"] for enum in old}, []
    for index, enum in enumerate(sent):
        id = enum["id"] if enum.get("id") in known else state.next_number("enum", 9_000_000)
        one = {"id": id, "value": enum["value"], "sort": enum.get("sort") or index}
        made.append(one if enum.get("code") is None else {**one, "code": enum["code"]})
    return made


def change_fields(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    plural, items = exchange.args["entity"], exchange.items()
    errors = [
        (str(request_id_of(item, n)), _check_change(exchange.state, plural, item))
        for n, item in enumerate(items)
    ]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    rows = [_change(exchange.state, plural, item["id"], item) for item in items]
    exchange.state.delete_directory()
    return _models(exchange, plural, rows, items, 200)


def change_field(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    plural, id = exchange.args["entity"], exchange.number("id")
    if id not in exchange.state.fields(plural):
        raise refuse(404, "Not found")
    item = {**exchange.object(), "id": id}
    if faults := _check_change(exchange.state, plural, item):
        raise invalid([("0", faults)])
    row = _change(exchange.state, plural, id, item)
    exchange.state.delete_directory()
    return answer(_model(exchange, row))


def _check_change(state: State, plural: str, item: Any) -> list[Fault]:
    keys = {**_CHANGE, "id": Rule("int", required=True), "type": Rule("str")}
    if faults := check(item, Rule("object", keys=keys)):
        return faults
    row = state.fields(plural).get(item["id"])
    if row is None:
        return [not_supported("id")]
    if item.get("type", row["type"]) != row["type"]:
        return [not_supported("type")]
    return _check(state, plural, item, row)


def _change(state: State, plural: str, id: int, item: Mapping[str, Any]) -> SandboxRow:
    row = dict(state.fields(plural)[id])
    row |= {name: item[name] for name in _COPIED if name in item}
    if item.get("enums") is not None:
        row["enums"] = _enums(state, item["enums"], row.get("enums") or [])
    state.table("fields").put(row)
    return row


def delete_field(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row = exchange.state.fields(exchange.args["entity"]).get(exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    if is_predefined(row):
        raise refuse(400, "A predefined field cannot be deleted")
    exchange.state.table("fields").drop(row["id"])
    exchange.state.delete_directory()
    return no_content()


def _models(
    exchange: SandboxExchange, plural: str, rows: Sequence[SandboxRow], items: Sequence[Any], status: int
) -> SandboxReply:
    shown = [
        {**_model(exchange, row), "request_id": request_id_of(item, index)}
        for index, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    links = exchange.self_link(f"{plural}/custom_fields")
    return answer(
        {"_total_items": len(shown), "_links": links, "_embedded": {"custom_fields": shown}}, status=status
    )


def _model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return field_model(row, exchange.self_link(f"{row['entity_type']}/custom_fields/{row['id']}"))
