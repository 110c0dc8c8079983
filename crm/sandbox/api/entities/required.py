"""Custom fields that must be filled, where the account imposes that on the API as on its pages (switch `required_fields`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.replies import Fault
from crm.sandbox.state import State


def check_required(state: State, plural: str, item: Mapping[str, Any], prefix: str = "") -> list[Fault]:
    """Refuse a new entity that lacks one; of leads a field may be required in some stages only."""
    if state.profile.required_fields == "ignore":
        return []
    fields, filled = state.fields(plural), item.get("custom_fields_values") or ()
    given = {one.get("field_id") for one in filled} | {one.get("field_code") for one in filled}
    stage = _stage_of(state, item) if plural == "leads" else None
    path = f"{prefix}custom_fields_values"
    return [
        ("FieldMissing", path, f"The field {field['name']} ({field['id']}) is required.")
        for field in fields.values()
        if _is_required(field, stage) and field["id"] not in given and (field["code"] or "") not in given
    ]


def _is_required(field: Mapping[str, Any], stage: int | None) -> bool:
    stages = {one.get("status_id") for one in field.get("required_statuses") or ()}
    return bool(field.get("is_required")) or stage in stages


def _stage_of(state: State, item: Mapping[str, Any]) -> int | None:
    if item.get("status_id") is not None:
        return int(item["status_id"])
    pipeline = (
        state.pipelines().get(item["pipeline_id"]) if item.get("pipeline_id") else state.main_pipeline()
    )
    return next((one["id"] for one in (pipeline or {}).get("statuses", ()) if one["type"] == 0), None)
