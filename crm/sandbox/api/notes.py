"""Notes of leads, contacts and companies, call notes among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.entities.reading import range_of
from crm.sandbox.api.entities.writing import check_users
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.rights import sees
from crm.sandbox.api.schema import Rule, check, check_keys, not_supported
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.state import ACCOUNT_ID
from crm.sandbox.store.database import RowCondition, SandboxRow
from crm.sandbox.webhooks.notes import announce_note

_TEXT = {"text": Rule("str", required=True)}
_CALL = {
    "uniq": Rule("str"),
    "duration": Rule("int", required=True),
    "source": Rule("str", required=True),
    "link": Rule("str"),
    "phone": Rule("str", required=True),
    "call_responsible": Rule("int|str", nullable=True),
    "call_result": Rule("str"),
    "call_status": Rule("int", choices=(1, 2, 3, 4, 5, 6, 7, 8)),
}
_SERVICE = {"service": Rule("str", required=True), "text": Rule("str", required=True)}
_SMS = {"text": Rule("str", required=True), "phone": Rule("str", required=True)}
_PLACE = {name: Rule("str", required=True) for name in ("text", "address", "longitude", "latitude")}
_FILE = {
    "file_uuid": Rule("str", required=True),
    "version_uuid": Rule("str"),
    "file_name": Rule("str", required=True),
}
_CASHIER = {
    "status": Rule("str", required=True, choices=("created", "shown", "canceled")),
    "text": Rule("str", required=True),
}
PARAMS: Mapping[str, Mapping[str, Rule]] = {
    "common": _TEXT,
    "call_in": _CALL,
    "call_out": _CALL,
    "service_message": _SERVICE,
    "extended_service_message": _SERVICE,
    "message_cashier": _CASHIER,
    "geolocation": _PLACE,
    "sms_in": _SMS,
    "sms_out": _SMS,
    "attachment": _FILE,
}
_ITEM: Mapping[str, Rule] = {
    "note_type": Rule("str", required=True, choices=tuple(PARAMS)),
    "params": Rule("object", required=True),
    "created_by": Rule("int"),
    "responsible_user_id": Rule("int"),
    "request_id": Rule("int|str", nullable=True),
    "is_need_to_trigger_digital_pipeline": Rule("bool"),
}
_CHANGE: Mapping[str, Rule] = {
    "id": Rule("int"),
    "entity_id": Rule("int"),
    "note_type": Rule("str", choices=tuple(PARAMS)),
    "params": Rule("object"),
    "request_id": Rule("int|str", nullable=True),
}


def list_notes(exchange: SandboxExchange) -> SandboxReply:
    page, limit = exchange.page()
    filters = exchange.filters()
    where: list[RowCondition] = [("entity_type", "=", exchange.args["entity"])]
    if "entity_id" in exchange.args:
        where.append(("entity_id", "=", exchange.number("entity_id")))
    elif "entity_id" in filters:
        where.append(("entity_id", "in", ints_of(filters["entity_id"])))
    if "id" in filters:
        where.append(("id", "in", ints_of(filters["id"])))
    if "note_type" in filters:
        where.append(("note_type", "in", values_of(filters["note_type"])))
    where += times_of("updated_at", filters)
    order = exchange.order(("updated_at", "id"))
    rows = exchange.state.table("notes").select(
        where, order=order, limit=limit + 1, offset=(page - 1) * limit
    )
    shown = [_model(exchange, row) for row in rows[:limit]]
    return exchange.listing("notes", shown, page, limit, len(rows) > limit)


def times_of(column: str, filters: Mapping[str, Any]) -> list[RowCondition]:
    """Return a time filter: a bare moment is the lower bound."""
    value = filters.get(column)
    return range_of(column, value if isinstance(value, Mapping) else {"from": value})


def get_note(exchange: SandboxExchange) -> SandboxReply:
    row = _note(exchange)
    return no_content() if row is None else answer(_model(exchange, row), entities=1)


def _note(exchange: SandboxExchange, id: int | None = None) -> SandboxRow | None:
    row = exchange.state.table("notes").get(exchange.number("id") if id is None else id)
    if row is None or row["entity_type"] != exchange.args["entity"]:
        return None
    own = exchange.args.get("entity_id")
    return None if own is not None and row["entity_id"] != int(own) else row


def _model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "entity_id": row["entity_id"],
        "created_by": row["created_by"],
        "updated_by": row["updated_by"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "responsible_user_id": row["responsible_user_id"],
        "group_id": 0,
        "note_type": row["note_type"],
        "params": row["params"],
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(f"{row['entity_type']}/{row['entity_id']}/notes/{row['id']}"),
    }


def create_notes(exchange: SandboxExchange) -> SandboxReply:
    items = exchange.items()
    errors = [(str(request_id_of(item, n)), _check(exchange, item)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    plural, echo = exchange.args["entity"], []
    for index, item in enumerate(items):
        row = add_note(exchange, plural, _target(exchange, item), item)
        echo.append(
            {
                "id": row["id"],
                "entity_id": row["entity_id"],
                "request_id": request_id_of(item, index),
                "_links": exchange.self_link(f"{plural}/{row['entity_id']}/notes/{row['id']}"),
            }
        )
    path = exchange.path.removeprefix("/api/v4/")
    return answer({"_links": exchange.self_link(path), "_embedded": {"notes": echo}})


def _target(exchange: SandboxExchange, item: Mapping[str, Any]) -> int:
    return int(exchange.args.get("entity_id") or item["entity_id"])


def _check(exchange: SandboxExchange, item: Any) -> list[Fault]:
    state, keys = exchange.state, dict(_ITEM)
    keys["entity_id"] = Rule("int", required="entity_id" not in exchange.args)
    if state.profile.notes_created_at != "refuse":
        keys["created_at"] = Rule("int")
    faults = check(item, Rule("object", keys=keys))
    if faults:
        return faults
    faults = check_keys(item["params"], PARAMS[item["note_type"]], "params")
    faults += check_users(state, item, names=("created_by", "responsible_user_id"))
    return faults + _check_target(exchange, exchange.args["entity"], _target(exchange, item))


def _check_target(exchange: SandboxExchange, plural: str, id: int) -> list[Fault]:
    row, on_hidden = exchange.state.table(plural).get(id), exchange.state.profile.notes_on_unsorted
    if row is None or row["is_deleted"] or (row["is_hidden"] and not on_hidden):
        return [not_supported("entity_id")]
    if not sees(exchange, plural, row):
        return [not_supported("entity_id")]
    return []


def add_note(exchange: SandboxExchange, plural: str, target: int, item: Mapping[str, Any]) -> SandboxRow:
    """One checked note with its event and webhook."""
    state, now = exchange.state, exchange.state.now()
    by = item.get("created_by", exchange.by)
    at = item.get("created_at", now) if state.profile.notes_created_at == "accept" else now
    row = state.table("notes").add(
        {
            "entity_type": plural,
            "entity_id": target,
            "note_type": item["note_type"],
            "uniq": item["params"].get("uniq"),
            "created_at": at,
            "updated_at": at,
            "created_by": by,
            "updated_by": by,
            "responsible_user_id": item.get("responsible_user_id", by),
            "params": item["params"],
        }
    )
    announce_note(state, row)
    return row


def change_notes(exchange: SandboxExchange) -> SandboxReply:
    echo, errors = [], []
    for index, item in enumerate(exchange.items()):
        faults, row = _check_change(exchange, item)
        errors.append((str(request_id_of(item, index)), faults))
        if row is not None and not faults:
            echo.append(_changed(exchange, row, item))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    return answer({"_links": exchange.self_link(exchange.path[8:]), "_embedded": {"notes": echo}})


def change_note(exchange: SandboxExchange) -> SandboxReply:
    item = {**exchange.object(), "id": exchange.number("id")}
    if _note(exchange) is None:
        raise refuse(404, "Note not found")
    faults, row = _check_change(exchange, item)
    if faults or row is None:
        raise invalid([("0", faults)])
    return answer(_changed(exchange, row, item))


def _check_change(exchange: SandboxExchange, item: Any) -> tuple[list[Fault], SandboxRow | None]:
    faults = check(item, Rule("object", keys={**_CHANGE, "id": Rule("int", required=True)}))
    if faults:
        return faults, None
    row = _note(exchange, item["id"])
    if row is None:
        return [not_supported("id")], None
    params = {
        name: Rule(rule.kind, nullable=rule.nullable) for name, rule in PARAMS[row["note_type"]].items()
    }
    return check_keys(item.get("params", {}), params, "params"), row


def _changed(exchange: SandboxExchange, row: SandboxRow, item: Mapping[str, Any]) -> dict[str, Any]:
    row["params"] = {**row["params"], **item.get("params", {})}
    row["uniq"] = row["params"].get("uniq")
    row["updated_at"], row["updated_by"] = exchange.state.now(), exchange.by
    exchange.state.table("notes").put(row)
    path = f"{row['entity_type']}/{row['entity_id']}/notes/{row['id']}"
    return {
        "id": row["id"],
        "entity_id": row["entity_id"],
        "updated_at": row["updated_at"],
        "_links": exchange.self_link(path),
    }


def pin(exchange: SandboxExchange) -> SandboxReply:
    row = _note(exchange)
    if row is None:
        raise refuse(404, "Note not found")
    row["is_pinned"] = exchange.method == "POST" and not exchange.path.endswith("/unpin")
    exchange.state.table("notes").put(row)
    return no_content()
