"""Tasks. An empty result reads as [], a set one as {text}."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm.sandbox.api.account import TASK_TYPES
from crm.sandbox.api.entities.writing import check_users
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.notes import times_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.rights import require_edit
from crm.sandbox.api.schema import Rule, check, not_supported
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.state import ACCOUNT_ID, State
from crm.sandbox.store.database import RowCondition, SandboxRow
from crm.sandbox.webhooks.changes import emit, notify

_TYPES = ("leads", "contacts", "companies")
_RESULT = Rule("object", keys={"text": Rule("str", required=True)})
_CHANGE: Mapping[str, Rule] = {
    "responsible_user_id": Rule("int"),
    "entity_id": Rule("int", nullable=True),
    "entity_type": Rule("str", nullable=True, choices=(*_TYPES, "customers")),
    "is_completed": Rule("bool"),
    "task_type_id": Rule("int"),
    "text": Rule("str"),
    "duration": Rule("int", nullable=True),
    "complete_till": Rule("int"),
    "result": _RESULT,
    "created_by": Rule("int"),
    "updated_by": Rule("int"),
    "created_at": Rule("int"),
    "updated_at": Rule("int"),
    "request_id": Rule("int|str", nullable=True),
}
_CREATE = {**_CHANGE, "text": Rule("str", required=True), "complete_till": Rule("int", required=True)}
_COPIED = tuple(name for name in _CHANGE if name not in ("request_id", "result"))
_FILTERS = {
    "responsible_user_id": "responsible_user_id",
    "created_by": "created_by",
    "is_completed": "is_completed",
    "task_type": "task_type_id",
    "task_type_id": "task_type_id",
    "id": "id",
    "entity_id": "entity_id",
}
_WATCHED = (
    ("complete_till", "task_deadline_changed"),
    ("text", "task_text_changed"),
    ("task_type_id", "task_type_changed"),
)
_ELEMENTS = {"contacts": 1, "leads": 2, "companies": 3}


def list_tasks(exchange: SandboxExchange) -> SandboxReply:
    page, limit = exchange.page()
    filters = exchange.filters()
    if "entity_id" in filters and "entity_type" not in filters:
        raise refuse(400, "filter[entity_id] needs filter[entity_type]")
    where: list[RowCondition] = [
        (column, "in", ints_of(filters[name])) for name, column in _FILTERS.items() if name in filters
    ]
    if "entity_type" in filters:
        where.append(("entity_type", "in", values_of(filters["entity_type"])))
    where += times_of("updated_at", filters)
    order = exchange.order(("created_at", "complete_till", "id"))
    rows = exchange.state.table("tasks").select(
        where, order=order, limit=limit + 1, offset=(page - 1) * limit
    )
    shown = [_model(exchange, row) for row in rows[:limit]]
    return exchange.listing("tasks", shown, page, limit, len(rows) > limit)


def get_task(exchange: SandboxExchange) -> SandboxReply:
    row = exchange.state.table("tasks").get(exchange.number("id"))
    return no_content() if row is None else answer(_model(exchange, row), entities=1)


def _model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    result = row.get("result")
    return {
        "id": row["id"],
        "created_by": row["created_by"],
        "updated_by": row["updated_by"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "responsible_user_id": row["responsible_user_id"],
        "group_id": 0,
        "entity_id": row["entity_id"],
        "entity_type": row["entity_type"],
        "duration": row.get("duration") or 0,
        "is_completed": bool(row["is_completed"]),
        "task_type_id": row["task_type_id"],
        "text": row["text"],
        "result": {"text": result} if result else [],
        "complete_till": row["complete_till"],
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(f"tasks/{row['id']}"),
    }


def create_tasks(exchange: SandboxExchange) -> SandboxReply:
    items = exchange.items()
    errors = [
        (str(request_id_of(item, n)), _check(exchange.state, item, _CREATE)) for n, item in enumerate(items)
    ]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    echo = []
    for index, item in enumerate(items):
        row = _add(exchange, item)
        echo.append({"id": row["id"], "request_id": request_id_of(item, index)} | _linked(exchange, row))
    return answer({"_links": exchange.self_link("tasks"), "_embedded": {"tasks": echo}})


def _linked(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {"_links": exchange.self_link(f"tasks/{row['id']}")}


def _check(state: State, item: Any, keys: Mapping[str, Rule]) -> list[Fault]:
    faults = check(item, Rule("object", keys=keys))
    if faults:
        return faults
    faults = check_users(state, item)
    if "task_type_id" in item and item["task_type_id"] not in [one["id"] for one in TASK_TYPES]:
        faults.append(not_supported("task_type_id"))
    if item.get("entity_id") is not None:
        type = item.get("entity_type")
        row = state.table(type).get(item["entity_id"]) if type in _TYPES else None
        if type is None:
            faults.append(("FieldMissing", "entity_type", "This field is missing."))
        elif row is None or row["is_deleted"]:
            faults.append(not_supported("entity_id"))
    return faults


def _add(exchange: SandboxExchange, item: Mapping[str, Any]) -> SandboxRow:
    now = exchange.state.now()
    row: SandboxRow = {
        "task_type_id": 1,
        "is_completed": False,
        "created_at": now,
        "updated_at": now,
        "duration": 0,
    }
    row |= {"responsible_user_id": exchange.by, "created_by": exchange.by, "updated_by": exchange.by}
    row |= {name: item[name] for name in _COPIED if name in item}
    row["result"] = item.get("result", {}).get("text")
    row["is_completed"] = int(row["is_completed"])
    exchange.state.table("tasks").add(row)
    emit(exchange.state, "task_added", "task", row["id"], row["created_by"])
    _notify(exchange.state, "add", row)
    return row


def change_tasks(exchange: SandboxExchange) -> SandboxReply:
    items = exchange.items()
    keys = {**_CHANGE, "id": Rule("int", required=True)}
    errors = []
    for index, item in enumerate(items):
        faults = _check(exchange.state, item, keys)
        if not faults and exchange.state.table("tasks").get(item["id"]) is None:
            faults = [not_supported("id")]
        errors.append((str(request_id_of(item, index)), faults))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    require_edit(exchange, "tasks", (exchange.state.table("tasks").get(item["id"]) for item in items))
    echo = []
    for index, item in enumerate(items):
        changed = _change(exchange, item["id"], item)
        echo.append({**changed, "request_id": request_id_of(item, index)})
    return answer({"_links": exchange.self_link("tasks"), "_embedded": {"tasks": echo}})


def change_task(exchange: SandboxExchange) -> SandboxReply:
    item, id = exchange.object(), exchange.number("id")
    faults = _check(exchange.state, item, {**_CHANGE, "id": Rule("int")})
    if faults:
        raise invalid([("0", faults)])
    row = exchange.state.table("tasks").get(id)
    if row is None:
        raise refuse(404, "Task not found")
    require_edit(exchange, "tasks", [row])
    return answer(_change(exchange, id, item))


def _change(exchange: SandboxExchange, id: int, item: Mapping[str, Any]) -> dict[str, Any]:
    state = exchange.state
    row = state.table("tasks").get(id) or {}
    old = dict(row)
    row |= {name: item[name] for name in _COPIED if name in item}
    row["is_completed"] = int(row["is_completed"])
    if "result" in item:
        row["result"] = item["result"]["text"]
    row["updated_at"] = item.get("updated_at", state.now())
    row["updated_by"] = item.get("updated_by", exchange.by)
    state.table("tasks").put(row)
    _tell(state, old, row)
    return {"id": row["id"], "updated_at": row["updated_at"], **_linked(exchange, row)}


def changed_by_hand(state: State, row: SandboxRow, by: int, **values: Any) -> None:
    """Change a task as a person does on the CRM's own pages."""
    new = {**row, **values, "updated_at": state.now(), "updated_by": by}
    state.table("tasks").put(new)
    _tell(state, row, new)


def _tell(state: State, old: SandboxRow, new: SandboxRow) -> None:
    by = new["updated_by"]
    if new["is_completed"] and not old["is_completed"]:
        emit(state, "task_completed", "task", new["id"], by)
    if new.get("result") and new.get("result") != old.get("result"):
        emit(state, "task_result_added", "task", new["id"], by, after=[{"note": {"id": new["id"]}}])
    for column, type in _WATCHED:
        if old.get(column) != new.get(column):
            before, after = [_part(column, old)], [_part(column, new)]
            emit(state, type, "task", new["id"], by, before=before, after=after)
    if old["responsible_user_id"] != new["responsible_user_id"]:
        owners = [{"responsible_user": {"id": row["responsible_user_id"]}} for row in (old, new)]
        emit(state, "entity_responsible_changed", "task", new["id"], by, before=owners[:1], after=owners[1:])
        _notify(state, "responsible", new)
    _notify(state, "update", new)


def _part(column: str, row: SandboxRow) -> dict[str, Any]:
    """Return a value as the events feed words it."""
    if column == "complete_till":
        return {"task_deadline": {"timestamp": row[column]}}
    return {"task": {"text": row[column]}} if column == "text" else {"task_type": {"id": row[column]}}


def _notify(state: State, action: str, row: SandboxRow) -> None:
    result = row.get("result")
    payload = {
        "id": row["id"],
        "element_id": row.get("entity_id"),
        "element_type": _ELEMENTS.get(row.get("entity_type") or ""),
        "task_type": row["task_type_id"],
        "date_create": _moment(row["created_at"]),
        "text": row["text"],
        "status": row["is_completed"],
        "account_id": ACCOUNT_ID,
        "created_user_id": row["created_by"],
        "last_modified": row["updated_at"],
        "responsible_user_id": row["responsible_user_id"],
        "complete_till": _moment(row["complete_till"]),
        "action_close": row["is_completed"],
        "result": {"id": row["id"], "text": result} if result else None,
    }
    notify(state, f"{action}_task", {"task": {action: [payload]}})


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
