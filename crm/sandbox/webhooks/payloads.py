"""The webhooks of leads, contacts and companies, and the events that a change of them leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.state import ACCOUNT_ID, SINGULAR, State
from crm.sandbox.store import SandboxRow
from crm.sandbox.webhooks.changes import emit, notify, tell_stage

# companies arrive under `contacts`, told apart by type
_UNDER = {"leads": "leads", "contacts": "contacts", "companies": "contacts"}


def entity(state: State, action: str, plural: str, row: SandboxRow, **more: Any) -> None:
    """Write the webhook's part of an entity. action: add, update, delete, restore, responsible, status."""
    payload = lead_part(state, row) if plural == "leads" else person_part(state, plural, row)
    notify(state, f"{action}_{SINGULAR[plural]}", {_UNDER[plural]: {action: [{**payload, **more}]}})
    if plural == "leads" and action in ("add", "status"):
        tell_stage(state, row, more)


def changed(state: State, plural: str, old: SandboxRow, new: SandboxRow, by: int) -> None:
    """Events and webhooks that follow from the difference between two versions of a row."""
    singular = SINGULAR[plural]
    more: dict[str, Any] = {}
    if plural == "leads" and (old["status_id"], old["pipeline_id"]) != (new["status_id"], new["pipeline_id"]):
        more = {"old_status_id": old["status_id"], "old_pipeline_id": old["pipeline_id"]}
        emit(state, "lead_status_changed", singular, new["id"], by, before=[_stage(old)], after=[_stage(new)])
        entity(state, "status", plural, new, **more)
    if old["responsible_user_id"] != new["responsible_user_id"]:
        owners = [{"responsible_user": {"id": row["responsible_user_id"]}} for row in (old, new)]
        emit(
            state, "entity_responsible_changed", singular, new["id"], by, before=owners[:1], after=owners[1:]
        )
        more["old_responsible_user_id"] = old["responsible_user_id"]
        entity(state, "responsible", plural, new, **more)
    if old["name"] != new["name"]:
        names = [{"name_field_value": {"name": row["name"]}} for row in (old, new)]
        emit(state, "name_field_changed", singular, new["id"], by, before=names[:1], after=names[1:])
    if plural == "leads" and old["price"] != new["price"]:
        prices = [{"sale_field_value": {"sale": row["price"]}} for row in (old, new)]
        emit(state, "sale_field_changed", singular, new["id"], by, before=prices[:1], after=prices[1:])
    _fields_changed(state, singular, old, new, by)
    _tags_changed(state, singular, old, new, by)
    entity(state, "update", plural, new, **more)


def _stage(row: SandboxRow) -> dict[str, Any]:
    return {"lead_status": {"id": row["status_id"], "pipeline_id": row["pipeline_id"]}}


def _fields_changed(state: State, singular: str, old: SandboxRow, new: SandboxRow, by: int) -> None:
    before, after = old.get("cf", {}), new.get("cf", {})
    for id in {**before, **after}:
        if before.get(id) == after.get(id):
            continue
        shown = [_field_values(int(id), values.get(id, [])) for values in (before, after)]
        type = f"custom_field_{id}_value_changed"
        emit(state, type, singular, new["id"], by, before=shown[0], after=shown[1])


def _field_values(id: int, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "custom_field_value": {
                "field_id": id,
                "field_type": 1,
                "enum_id": value.get("enum_id"),
                "text": str(value["value"]),
            }
        }
        for value in values
    ]


def _tags_changed(state: State, singular: str, old: SandboxRow, new: SandboxRow, by: int) -> None:
    before, after = set(old.get("tags") or []), set(new.get("tags") or [])
    for type, ids in (("entity_tag_added", after - before), ("entity_tag_deleted", before - after)):
        for id in sorted(ids):
            tag = state.table("tags").get(id)
            value = [{"tag": {"name": tag["name"] if tag else ""}}]
            emit(state, type, singular, new["id"], by, after=value)


def lead_part(state: State, row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "status_id": row["status_id"],
        "price": row["price"] or 0,
        "responsible_user_id": row["responsible_user_id"],
        **_times(row),
        "pipeline_id": row["pipeline_id"],
        "tags": _tags(state, row) or None,
        "custom_fields": _custom_fields(state, "leads", row) or None,
    }


def person_part(state: State, plural: str, row: SandboxRow) -> dict[str, Any]:
    leads = state.links.of(plural, row["id"], "leads")
    companies = state.links.of(plural, row["id"], "companies") if plural == "contacts" else []
    company = state.table("companies").get(companies[0]) if companies else None
    return {
        "id": row["id"],
        "name": row["name"],
        "responsible_user_id": row["responsible_user_id"],
        **_times(row),
        "company_name": company["name"] if company else "",
        "linked_company_id": company["id"] if company else "",
        "linked_leads_id": {id: {"ID": id} for id in leads} or None,
        "tags": _tags(state, row) or None,
        "custom_fields": _custom_fields(state, plural, row) or None,
        "type": SINGULAR[plural],
    }


def _times(row: SandboxRow) -> dict[str, Any]:
    return {
        "date_create": row["created_at"],
        "last_modified": row["updated_at"],
        "created_user_id": row["created_by"],
        "modified_user_id": row["updated_by"],
        "account_id": ACCOUNT_ID,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _tags(state: State, row: SandboxRow) -> list[dict[str, Any]]:
    if not row.get("tags"):
        return []
    tags = state.table("tags").select([("id", "in", row["tags"])])
    return [{"id": tag["id"], "name": tag["name"]} for tag in tags]


def _custom_fields(state: State, plural: str, row: SandboxRow) -> list[dict[str, Any]]:
    fields = state.fields(plural)
    return [
        {
            "id": id,
            "name": fields[int(id)]["name"],
            "code": fields[int(id)]["code"],
            "values": [_value(value) for value in values],
        }
        for id, values in row.get("cf", {}).items()
        if int(id) in fields
    ]


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": value["value"], "enum": value.get("enum_id")}
