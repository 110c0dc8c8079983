"""Creating and changing leads, contacts and companies: checks first, all or nothing, then rows, events and webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.entities.fields import Stored, check_fields, merged, phones_of
from crm.sandbox.api.entities.required import check_required
from crm.sandbox.api.entities.rules import CHANGE, CREATE
from crm.sandbox.api.entities.tags import tag_ids
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, refuse
from crm.sandbox.api.rights import require_add, require_edit
from crm.sandbox.api.schema import Rule, check_keys, not_supported
from crm.sandbox.api.stages import check_stage, is_closed
from crm.sandbox.state import SINGULAR, State
from crm.sandbox.store import SandboxRow
from crm.sandbox.webhooks import payloads
from crm.sandbox.webhooks.changes import emit, tell_linked

_COPIED = (
    "name",
    "first_name",
    "last_name",
    "responsible_user_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "price",
    "closed_at",
    "loss_reason_id",
)
_USERS = ("responsible_user_id", "created_by", "updated_by")


def create_entities(exchange: SandboxExchange) -> SandboxReply:
    plural = exchange.args["entity"]
    require_add(exchange, plural)
    items = exchange.items()
    errors = []
    for index, item in enumerate(items):
        faults = check_entity(exchange.state, plural, item, CREATE[plural])
        faults = faults or [
            *_check_parts(exchange.state, item),
            *check_required(exchange.state, plural, item),
        ]
        errors.append((str(request_id_of(item, index)), faults))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    made = [(create(exchange, plural, item), item) for item in items]
    echo = [
        {
            "id": row["id"],
            "request_id": request_id_of(item, index),
            "_links": exchange.self_link(f"{plural}/{row['id']}"),
        }
        for index, (row, item) in enumerate(made)
    ]
    return answer({"_links": exchange.self_link(plural), "_embedded": {plural: echo}})


def check_entity(
    state: State, plural: str, item: Any, rules: Mapping[str, Rule], path: str = ""
) -> list[Fault]:
    """Every error of one sent entity: schema, users, custom fields, stage."""
    if not isinstance(item, dict):
        return [("InvalidType", path, "This value should be of type array.")]
    if state.profile.fractional_price and "price" in rules:
        rules = {**rules, "price": Rule("number", nullable=True)}
    faults = check_keys(item, rules, path)
    if faults:
        return faults
    prefix = f"{path}." if path else ""
    faults = check_users(state, item, prefix)
    if "custom_fields_values" in item:
        faults += check_fields(state, plural, item["custom_fields_values"], f"{prefix}custom_fields_values")[
            1
        ]
    if plural == "leads":
        faults += check_stage(state, item, prefix)
        reason = item.get("loss_reason_id")
        if reason is not None and state.table("loss_reasons").get(reason) is None:
            faults.append(not_supported(f"{prefix}loss_reason_id"))
    return faults


def check_users(
    state: State, item: Mapping[str, Any], prefix: str = "", names: Sequence[str] = _USERS
) -> list[Fault]:
    """Unknown and deactivated users are refused; 0 is the robot, which can own nothing."""
    faults = []
    for name in names:
        if name not in item or item[name] is None or (item[name] == 0 and name != "responsible_user_id"):
            continue
        user = state.users().get(item[name])
        if user is None or not user["is_active"]:
            faults.append(not_supported(f"{prefix}{name}"))
    return faults


def _check_parts(state: State, item: Mapping[str, Any]) -> list[Fault]:
    """Links that a lead is created with."""
    faults = []
    for type in ("contacts", "companies"):
        for index, ref in enumerate((item.get("_embedded") or {}).get(type) or []):
            row = state.table(type).get(ref["id"])
            if row is None or row["is_deleted"]:
                faults.append(not_supported(f"_embedded.{type}.{index}.id"))
    return faults


def create(
    exchange: SandboxExchange,
    plural: str,
    item: Mapping[str, Any],
    *,
    hidden: bool = False,
    quiet: bool = False,
) -> SandboxRow:
    """One checked entity with its links. hidden: in Unsorted until accepted. quiet: the caller announces it."""
    state, now = exchange.state, exchange.state.now()
    row: SandboxRow = {name: item[name] for name in _COPIED if item.get(name) is not None}
    row.setdefault("responsible_user_id", exchange.by)
    row.setdefault("created_by", exchange.by)
    row.setdefault("updated_by", row["created_by"])
    row.setdefault("created_at", now)
    row.setdefault("updated_at", now)
    row["is_deleted"], row["is_hidden"] = 0, int(hidden)
    row["cf"] = _stored(state, plural, item, {})
    row["tags"] = tag_ids(state, plural, [*_parts(item).get("tags", []), *(item.get("tags_to_add") or [])])
    if plural == "leads":
        _place(state, row, item, hidden=hidden)
    row["name"] = _name(plural, row)
    state.table(plural).add(row)
    if row["name"] == "":
        row["name"] = f"Сделка #{row['id']}" if plural == "leads" else ""
        state.table(plural).put(row)
    _index_phones(state, plural, row)
    if plural == "leads":
        _link_parts(exchange, row, item)
    if not (hidden or quiet):
        announce(state, plural, row)
    return row


def announce(state: State, plural: str, row: SandboxRow) -> None:
    """Tell the events and the webhook of something that has just appeared, with the links of a lead."""
    note = {"note": {"id": row["id"]}}
    emit(state, f"{SINGULAR[plural]}_added", SINGULAR[plural], row["id"], row["created_by"], after=[note])
    for other in ("contacts", "companies"):
        for id in state.links.of(plural, row["id"], other) if plural == "leads" else ():
            tell_linked(state, (plural, row["id"]), (other, id), row["created_by"])
            tell_linked(state, (other, id), (plural, row["id"]), row["created_by"])
    payloads.entity(state, "add", plural, row)


def _parts(item: Mapping[str, Any]) -> Mapping[str, Any]:
    parts = item.get("_embedded") or {}
    return {name: value for name, value in parts.items() if value is not None}


def _stored(state: State, plural: str, item: Mapping[str, Any], old: Stored) -> Stored:
    if "custom_fields_values" not in item:
        return old
    return merged(old, check_fields(state, plural, item["custom_fields_values"], "")[0])


def _name(plural: str, row: SandboxRow) -> str:
    """Return the name, for a contact made of first and last name where only these were sent."""
    if row.get("name"):
        return str(row["name"])
    if plural == "contacts":
        return " ".join(part for part in (row.get("first_name"), row.get("last_name")) if part)
    return ""


def _place(state: State, row: SandboxRow, item: Mapping[str, Any], *, hidden: bool) -> None:
    pipelines = state.pipelines()
    status, pipeline = item.get("status_id"), item.get("pipeline_id")
    if pipeline is None and status is not None and status not in (142, 143):
        pipeline = next(id for id, one in pipelines.items() if status in {s["id"] for s in one["statuses"]})
    own = pipelines[pipeline] if pipeline else state.main_pipeline()
    first = next(one["id"] for one in own["statuses"] if one["type"] == 0)
    unsorted = next(one["id"] for one in own["statuses"] if one["type"] == 1)
    row["pipeline_id"] = own["id"]
    row["status_id"] = unsorted if hidden else (status or first)
    row.setdefault("price", 0)
    if is_closed(row["status_id"]):
        row.setdefault("closed_at", state.now())


def _index_phones(state: State, plural: str, row: SandboxRow) -> None:
    if plural != "leads":
        state.links.set_phones(plural, row["id"], phones_of(state, plural, row["cf"]))


def _link_parts(exchange: SandboxExchange, row: SandboxRow, item: Mapping[str, Any]) -> None:
    for type in ("contacts", "companies"):
        for ref in _parts(item).get(type, []):
            exchange.state.links.add(("leads", row["id"]), (type, ref["id"]), bool(ref.get("is_main")))


def change_entities(exchange: SandboxExchange) -> SandboxReply:
    """PATCH of a batch: an array of objects with id."""
    plural = exchange.args["entity"]
    items = exchange.items()
    errors = []
    for index, item in enumerate(items):
        faults = check_entity(exchange.state, plural, item, CHANGE[plural])
        if not faults and "id" not in item:
            faults = [("FieldMissing", "id", "This field is missing.")]
        known = None if faults else _existing(exchange.state, plural, item["id"])
        if not faults and known is None and exchange.state.profile.patch_unknown_id == "refuse":
            faults = [not_supported("id")]
        errors.append((str(request_id_of(item, index)), faults))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    require_edit(exchange, plural, (_existing(exchange.state, plural, item["id"]) for item in items))
    echo = []
    for item in items:
        row = _existing(exchange.state, plural, item["id"])
        if row is not None:
            echo.append(_changed_echo(exchange, plural, change(exchange, plural, row, item)))
    return answer({"_links": exchange.self_link(plural), "_embedded": {plural: echo}})


def change_entity(exchange: SandboxExchange) -> SandboxReply:
    plural, item = exchange.args["entity"], exchange.object()
    faults = check_entity(exchange.state, plural, item, CHANGE[plural])
    if faults:
        raise invalid([("0", faults)])
    row = _existing(exchange.state, plural, exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    require_edit(exchange, plural, [row])
    return answer(_changed_echo(exchange, plural, change(exchange, plural, row, item)))


def _existing(state: State, plural: str, id: int) -> SandboxRow | None:
    row = state.table(plural).get(id)
    return None if row is None or row["is_deleted"] else row


def _changed_echo(exchange: SandboxExchange, plural: str, row: SandboxRow) -> dict[str, Any]:
    echo = {
        "id": row["id"],
        "updated_at": row["updated_at"],
        "_links": exchange.self_link(f"{plural}/{row['id']}"),
    }
    return {"name": row["name"], **echo} if plural == "contacts" else echo


def change(exchange: SandboxExchange, plural: str, row: SandboxRow, item: Mapping[str, Any]) -> SandboxRow:
    """Apply one checked change; what differs decides which events and webhooks follow."""
    state, old = exchange.state, dict(row)
    by = item.get("updated_by", exchange.by)
    for name in _COPIED:
        if name in item:
            row[name] = item[name]
    row["updated_at"], row["updated_by"] = item.get("updated_at", state.now()), by
    row["cf"] = _stored(state, plural, item, row.get("cf", {}))
    row["tags"] = _changed_tags(state, plural, row, item)
    if plural == "leads" and {"status_id", "pipeline_id"} & item.keys():
        _move(state, row, item)
    if plural == "contacts" and {"first_name", "last_name"} & item.keys() and "name" not in item:
        row["name"] = _name(plural, {**row, "name": ""})
    state.table(plural).put(row)
    if row["cf"] != old.get("cf", {}):
        _index_phones(state, plural, row)
    payloads.changed(state, plural, old, row, by)
    return row


def _move(state: State, row: SandboxRow, item: Mapping[str, Any]) -> None:
    """Move a deal: closing fills closed_at, reopening clears it."""
    was_closed = is_closed(row["status_id"])
    wanted = dict(item)
    if "pipeline_id" not in wanted and wanted.get("status_id") in (142, 143):
        wanted["pipeline_id"] = row["pipeline_id"]
    if "status_id" not in wanted and wanted["pipeline_id"] == row["pipeline_id"]:
        return
    closed_at = row.get("closed_at")
    _place(state, row, wanted, hidden=False)
    if not is_closed(row["status_id"]):
        row["closed_at"] = None
        row["is_hidden"] = 0
    elif not was_closed and "closed_at" not in item:
        row["closed_at"] = state.now()
    else:
        row["closed_at"] = item.get("closed_at", closed_at)


def _changed_tags(state: State, plural: str, row: SandboxRow, item: Mapping[str, Any]) -> list[int]:
    tags = list(row.get("tags", []))
    parts = item.get("_embedded") or {}
    if "tags" in parts:
        tags = tag_ids(state, plural, parts["tags"] or [])
    tags += [id for id in tag_ids(state, plural, item.get("tags_to_add") or []) if id not in tags]
    gone = tag_ids(state, plural, item.get("tags_to_delete") or [])
    return [id for id in tags if id not in gone]
