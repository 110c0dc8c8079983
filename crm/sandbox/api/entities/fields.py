"""Custom fields: their definitions, and how values are checked, stored and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.replies import Fault
from crm.sandbox.api.schema import Rule, check_keys, not_supported
from crm.sandbox.state import ACCOUNT_ID, State
from crm.sandbox.store import SandboxRow

_ITEM = {
    "field_id": Rule("int", nullable=True),
    "field_code": Rule("str", nullable=True),
    "field_name": Rule("str", nullable=True),
    "field_type": Rule("str", nullable=True),
    "is_computed": Rule("bool"),
    "values": Rule("list", required=True, nullable=True),
}
_VALUE = {
    "value": Rule("any", nullable=True),
    "enum_id": Rule("int", nullable=True),
    "enum_code": Rule("str", nullable=True),
}
_CHOSEN = {"select", "multiselect", "radiobutton", "category"}
_STRINGS = {"text", "textarea", "multitext", "url", "tracking_data", "streetaddress"}
Stored = dict[str, list[dict[str, Any]]]


def check_fields(state: State, entity_type: str, values: Any, path: str) -> tuple[Stored, list[Fault]]:
    """Sent `custom_fields_values` as stored values by field id (an empty list clears), and every error."""
    if values is None:
        return {str(id): [] for id in state.fields(entity_type)}, []
    if not isinstance(values, list):
        return {}, [("InvalidType", path, "This value should be of type array.")]
    stored: Stored = {}
    faults: list[Fault] = []
    for index, item in enumerate(values):
        own = f"{path}.{index}"
        if not isinstance(item, dict):
            faults.append(("InvalidType", own, "This value should be of type array."))
            continue
        found = check_keys(item, _ITEM, own)
        field = _field_of(state, entity_type, item)
        if field is None:
            found.append(not_supported(f"{own}.{'field_id' if item.get('field_id') else 'field_code'}"))
        faults.extend(found)
        if found or field is None:
            continue
        values_path, most = f"{own}.values", state.profile.text_limit
        stored[str(field["id"])], more = _check_values(field, item["values"] or [], values_path, most)
        faults.extend(more)
    return stored, faults


def _field_of(state: State, entity_type: str, item: Mapping[str, Any]) -> SandboxRow | None:
    fields = state.fields(entity_type)
    if isinstance(item.get("field_id"), int):
        return fields.get(item["field_id"])
    code = item.get("field_code")
    return next((field for field in fields.values() if code and field["code"] == code), None)


def _check_values(
    field: SandboxRow, values: Sequence[Any], path: str, most: int
) -> tuple[list[dict[str, Any]], list[Fault]]:
    stored, faults = [], []
    for index, item in enumerate(values):
        own = f"{path}.{index}"
        if not isinstance(item, dict):
            faults.append(("InvalidType", own, "This value should be of type array."))
            continue
        found = check_keys(item, _VALUE, own)
        if not found:
            value, found = _checked(field, item, own)
            found = found or _too_long(field, item.get("value"), f"{own}.value", most)
            if value is not None:
                stored.append(value)
        faults.extend(found)
    return stored, faults


def _checked(
    field: SandboxRow, item: Mapping[str, Any], path: str
) -> tuple[dict[str, Any] | None, list[Fault]]:
    value, enums = item.get("value"), field.get("enums") or []
    if field["type"] in _CHOSEN or item.get("enum_id") is not None or item.get("enum_code") is not None:
        enum, fault = _enum(field, enums, item, path)
        if fault is not None:
            return None, [fault]
    else:
        enum = enums[0] if field["type"] == "multitext" else None
    if field["type"] in _CHOSEN:
        return {"value": enum["value"], "enum_id": enum["id"]} if enum else None, []
    if value is None:
        return None, []
    if (expected := _wrong_type(field["type"], value)) is not None:
        return None, [("InvalidType", f"{path}.value", f"This value should be of type {expected}.")]
    if field["type"] == "numeric":
        value = str(value)
    return ({"value": value, "enum_id": enum["id"]} if enum else {"value": value}), []


def _too_long(field: SandboxRow, value: Any, path: str, most: int) -> list[Fault]:
    """Say whether a text is too long: a page of the CRM takes longer ones, its API does not; a textarea has no limit."""
    if field["type"] != "text" or not most or not isinstance(value, str) or len(value) <= most:
        return []
    return [("TooLong", path, f"This value is too long. It should have {most} characters or less.")]


def _enum(
    field: SandboxRow, enums: Sequence[Mapping[str, Any]], item: Mapping[str, Any], path: str
) -> tuple[Mapping[str, Any] | None, Fault | None]:
    """Return the enum that an item names by id, by code or (selects) by value."""
    for key, sent in (("id", "enum_id"), ("code", "enum_code")):
        if item.get(sent) is not None:
            found = next((enum for enum in enums if enum.get(key, enum["value"]) == item[sent]), None)
            return found, None if found else not_supported(f"{path}.{sent}")
    if item.get("value") is None:
        return None, None
    found = next((enum for enum in enums if enum["value"] == item["value"]), None)
    return found, None if found else not_supported(f"{path}.value")


def _wrong_type(type: str, value: Any) -> str | None:
    """Return the name of the type that it should have."""
    if type in _STRINGS:
        return None if isinstance(value, str) else "string"
    if type == "checkbox":
        return None if isinstance(value, bool) else "bool"
    if type == "numeric":
        return None if _is_number(value) else "numeric"
    if type in ("date", "date_time", "birthday"):
        return None if isinstance(value, int | str) and not isinstance(value, bool) else "int"
    return None


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def merged(old: Stored, new: Stored) -> Stored:
    """Merge what is written: it replaces the whole list of a field; an empty list removes it."""
    result = {**old, **new}
    return {id: values for id, values in result.items() if values}


def phones_of(state: State, entity_type: str, stored: Stored) -> list[str]:
    for field in state.fields(entity_type).values():
        if field["code"] == "PHONE":
            return [str(value["value"]) for value in stored.get(str(field["id"]), [])]
    return []


def read_fields(state: State, entity_type: str, stored: Stored) -> list[dict[str, Any]] | None:
    """`custom_fields_values` as the API shows them; null when none is filled."""
    if not stored:
        return None
    fields = state.fields(entity_type)
    return [_read(fields[int(id)], values) for id, values in stored.items() if int(id) in fields] or None


def _read(field: SandboxRow, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    codes = {enum["id"]: enum.get("code", enum["value"]) for enum in field.get("enums") or []}
    shown = []
    for value in values:
        one = dict(value)
        if "enum_id" in one:
            one["enum_code"] = codes.get(one["enum_id"]) if field["type"] == "multitext" else None
        shown.append(one)
    return {
        "field_id": field["id"],
        "field_name": field["name"],
        "field_code": field["code"],
        "field_type": field["type"],
        "values": shown,
    }


def is_predefined(field: SandboxRow) -> bool:
    """Brought by the CRM; a client's own field may not take these codes."""
    return field["code"] in ("PHONE", "EMAIL", "POSITION", "WEB", "ADDRESS")


def field_model(field: SandboxRow, self_link: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's definition as GET …/custom_fields shows it."""
    predefined = is_predefined(field)
    return {
        "id": field["id"],
        "name": field["name"],
        "type": field["type"],
        "account_id": ACCOUNT_ID,
        "code": field["code"],
        "sort": field["sort"],
        "is_api_only": bool(field.get("is_api_only")),
        "enums": field.get("enums"),
        "group_id": field.get("group_id") or ("statistic" if field["type"] == "tracking_data" else None),
        "required_statuses": field.get("required_statuses") or [],
        "is_deletable": not predefined and field["type"] != "tracking_data",
        "is_predefined": predefined,
        "entity_type": field["entity_type"],
        "tracking_callback": field.get("tracking_callback") or "",
        "remind": field.get("remind"),
        "triggers": [],
        "currency": field.get("currency"),
        "hidden_statuses": field.get("hidden_statuses") or [],
        "chained_lists": field.get("chained_lists"),
        "_links": self_link,
    }
