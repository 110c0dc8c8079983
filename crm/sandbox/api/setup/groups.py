"""Groups of custom fields: those that the CRM brings and those that an administrator adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check, check_keys, not_supported
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

_RULES = {"name": Rule("str"), "sort": Rule("int"), "request_id": Rule("int|str", nullable=True)}
_CREATE = {**_RULES, "name": Rule("str", required=True), "sort": Rule("int", required=True)}
_CHANGE = {**_RULES, "id": Rule("str"), "fields": Rule("list", items=Rule("int"))}


def _brought(plural: str) -> list[dict[str, Any]]:
    """Leads have a page of statistics, which holds what is tracked."""
    groups = [{"key": "default", "name": "Основное", "sort": 0, "type": "custom_field_group"}]
    if plural == "leads":
        groups.append({"key": "statistic", "name": "Статистика", "sort": 1, "type": "linked_group"})
    return [{**group, "is_predefined": True} for group in groups]


def _every(state: State, plural: str) -> list[dict[str, Any]]:
    own = state.table("field_groups").select([("entity_type", "=", plural)])
    return [
        *_brought(plural),
        *({**row, "is_predefined": False, "type": "custom_field_group"} for row in own),
    ]


def knows(state: State, plural: str, key: str) -> bool:
    return key in [group["key"] for group in _every(state, plural)]


def _model(exchange: SandboxExchange, plural: str, group: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: group[name] for name in ("name", "is_predefined", "type", "sort")}
    links = exchange.self_link(f"{plural}/custom_fields/groups/{group['key']}")
    return {"id": group["key"], **shown, "entity_type": plural, "_links": links}


def list_groups(exchange: SandboxExchange) -> SandboxReply:
    plural = exchange.args["entity"]
    shown = [_model(exchange, plural, group) for group in _every(exchange.state, plural)]
    return _envelope(exchange, shown, 200)


def _envelope(exchange: SandboxExchange, shown: list[dict[str, Any]], status: int) -> SandboxReply:
    links = exchange.self_link(f"{exchange.args['entity']}/custom_fields/groups")
    value = {"_total_items": len(shown), "_links": links, "_embedded": {"custom_field_groups": shown}}
    return answer(value, status=status, entities=len(shown))


def get_group(exchange: SandboxExchange) -> SandboxReply:
    plural = exchange.args["entity"]
    for group in _every(exchange.state, plural):
        if group["key"] == exchange.args["group"]:
            return answer(_model(exchange, plural, group), entities=1)
    raise refuse(404, "Not found")


def create_groups(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    plural, items = exchange.args["entity"], exchange.items()
    rule = Rule("object", keys=_CREATE)
    errors = [(str(request_id_of(item, n)), check(item, rule)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    table, shown = exchange.state.table("field_groups"), []
    for index, item in enumerate(items):
        row = table.add({"entity_type": plural, "key": "", "name": item["name"], "sort": item["sort"]})
        row["key"] = f"{plural}_{row['id']}"
        table.put(row)
        made = {**row, "is_predefined": False, "type": "custom_field_group"}
        shown.append({**_model(exchange, plural, made), "request_id": request_id_of(item, index)})
    return _envelope(exchange, shown, 201)


def change_group(exchange: SandboxExchange) -> SandboxReply:
    """`fields`: ids of the fields that move into the group."""
    exchange.require_admin()
    plural, state, item = exchange.args["entity"], exchange.state, exchange.object()
    row = _own(exchange)
    faults = check_keys(item, _CHANGE)
    moved = [] if faults else item.get("fields", [])
    faults += [not_supported(f"fields.{n}") for n, id in enumerate(moved) if id not in state.fields(plural)]
    if faults:
        raise invalid([("0", faults)])
    row |= {name: item[name] for name in ("name", "sort") if name in item}
    state.table("field_groups").put(row)
    for id in moved:
        state.table("fields").put({**state.fields(plural)[id], "group_id": row["key"]})
    state.delete_directory()
    inside = [id for id, field in state.fields(plural).items() if field.get("group_id") == row["key"]]
    shown = _model(exchange, plural, {**row, "is_predefined": False, "type": "custom_field_group"})
    return answer({**shown, "fields": inside})


def delete_group(exchange: SandboxExchange) -> SandboxReply:
    """Its fields fall back into the group that the CRM brings."""
    exchange.require_admin()
    row, state = _own(exchange), exchange.state
    for field in state.fields(exchange.args["entity"]).values():
        if field.get("group_id") == row["key"]:
            state.table("fields").put({**field, "group_id": None})
    state.table("field_groups").drop(row["id"])
    state.delete_directory()
    return no_content()


def _own(exchange: SandboxExchange) -> SandboxRow:
    plural, key = exchange.args["entity"], exchange.args["group"]
    if key in [group["key"] for group in _brought(plural)]:
        raise refuse(400, "A predefined group cannot be changed")
    row = exchange.state.table("field_groups").first([("entity_type", "=", plural), ("key", "=", key)])
    if row is None:
        raise refuse(404, "Not found")
    return row
