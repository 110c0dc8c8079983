"""Roles, and users added through the API; administrators only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.account import user_model
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.rights import RIGHTS, normal
from crm.sandbox.api.schema import Rule, check, check_keys, not_supported
from crm.sandbox.store import SandboxRow

MOST_USERS = 10  # in one request
_ROLE: Mapping[str, Rule] = {
    "name": Rule("str"),
    "rights": Rule("object", keys=RIGHTS),
    "request_id": Rule("int|str", nullable=True),
}
_NEW_ROLE = {
    **_ROLE,
    "name": Rule("str", required=True),
    "rights": Rule("object", required=True, keys=RIGHTS),
}
_USER: Mapping[str, Rule] = {
    "name": Rule("str", required=True),
    "email": Rule("str", required=True),
    "password": Rule("str", required=True),
    "lang": Rule("str", choices=("ru", "en", "es")),
    "rights": Rule("object", keys=RIGHTS),
    "request_id": Rule("int|str", nullable=True),
}


def list_roles(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    page, limit = exchange.page()
    every = exchange.state.table("roles").select()
    rows = every[(page - 1) * limit : page * limit]
    count = -(-len(every) // limit)
    shown = [_model(exchange, row) for row in rows]
    more = {"_total_items": len(every), "_page_count": count}
    return exchange.listing("roles", shown, page, limit, page < count, **more)


def get_role(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    return answer(_model(exchange, _role(exchange)), entities=1)


def _role(exchange: SandboxExchange) -> SandboxRow:
    row = exchange.state.table("roles").get(exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    return row


def _model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    value = {"id": row["id"], "name": row["name"], "rights": normal(row["rights"])}
    value["_links"] = exchange.self_link(f"roles/{row['id']}")
    if "users" in exchange.withs():
        users = [one["id"] for one in exchange.state.users().values() if one.get("role_id") == row["id"]]
        value["_embedded"] = {"users": users}
    return value


def create_roles(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    items, rule = exchange.items(), Rule("object", keys=_NEW_ROLE)
    errors = [(str(request_id_of(item, n)), check(item, rule)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    shown = []
    for index, item in enumerate(items):
        row = exchange.state.table("roles").add({"name": item["name"], "rights": item["rights"]})
        shown.append({**_model(exchange, row), "request_id": request_id_of(item, index)})
    value = {"_total_items": len(shown), "_links": exchange.self_link("roles"), "_embedded": {"roles": shown}}
    return answer(value, status=201)


def change_role(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row, item = _role(exchange), exchange.object()
    if faults := check_keys(item, {**_ROLE, "id": Rule("int")}):
        raise invalid([("0", faults)])
    row["name"] = item.get("name", row["name"])
    row["rights"] = {**row["rights"], **item.get("rights", {})}
    exchange.state.table("roles").put(row)
    return answer(_model(exchange, row))


def delete_role(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row = _role(exchange)
    if any(user.get("role_id") == row["id"] for user in exchange.state.users().values()):
        raise refuse(400, "The role has users")
    exchange.state.table("roles").drop(row["id"])
    return no_content()


def create_users(exchange: SandboxExchange) -> SandboxReply:
    """Return a role's rights count before those sent, as the vendor says."""
    exchange.require_admin()
    items = exchange.items()
    if len(items) > MOST_USERS:
        raise refuse(400, f"The number of users exceeds the limit of {MOST_USERS}")
    errors = [(str(request_id_of(item, n)), _check_user(exchange, item)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    rows = [exchange.state.table("users").add(_user(item)) for item in items]
    exchange.state.delete_directory()
    return _users(exchange, rows, items)


def _check_user(exchange: SandboxExchange, item: Any) -> list[Fault]:
    if faults := check(item, Rule("object", keys=_USER)):
        return faults
    role = (item.get("rights") or {}).get("role_id")
    if role is not None and exchange.state.table("roles").get(role) is None:
        return [not_supported("rights.role_id")]
    if item["email"] in [row["email"] for row in exchange.state.users().values()]:
        return [not_supported("email")]
    return []


def _user(item: Mapping[str, Any]) -> SandboxRow:
    rights = item.get("rights") or {}
    row: SandboxRow = {"name": item["name"], "email": item["email"], "is_active": 1}
    row |= {"is_admin": int(rights.get("is_admin", False)), "is_free": rights.get("is_free", False)}
    row |= {"role_id": rights.get("role_id"), "group_id": rights.get("group_id"), "rights": rights}
    return {**row, "lang": item.get("lang", "ru")}


def _users(exchange: SandboxExchange, rows: Sequence[SandboxRow], items: Sequence[Any]) -> SandboxReply:
    shown = [
        {**user_model(exchange, row), "request_id": request_id_of(item, index)}
        for index, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    value = {"_total_items": len(shown), "_links": exchange.self_link("users"), "_embedded": {"users": shown}}
    return answer(value, status=201)
