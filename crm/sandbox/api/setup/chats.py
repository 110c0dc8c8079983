"""Which chat belongs to which contact; administrators only. Messages are no part of this API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check, not_supported
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.store.database import RowCondition, SandboxRow

_RULE = Rule(
    "object",
    keys={
        "chat_id": Rule("str", required=True),
        "contact_id": Rule("int", required=True),
        "request_id": Rule("int|str", nullable=True),
    },
)


def list_chats(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    where: list[RowCondition] = []
    if "chat_id" in exchange.query:
        where.append(("chat_id", "in", values_of(exchange.query["chat_id"])))
    if "contact_id" in exchange.query:
        where.append(("contact_id", "in", ints_of(exchange.query["contact_id"])))
    if not where:
        raise refuse(400, "chat_id or contact_id is required")
    rows = exchange.state.table("chats").select(where)
    return _envelope(exchange, [_model(row) for row in rows]) if rows else no_content()


def _envelope(exchange: SandboxExchange, shown: list[dict[str, Any]]) -> SandboxReply:
    links = exchange.self_link("contacts/chats")
    value = {"_total_items": len(shown), "_links": links, "_embedded": {"chats": shown}}
    return answer(value, entities=len(shown))


def _model(row: SandboxRow) -> dict[str, Any]:
    return {"chat_id": row["chat_id"], "contact_id": row["contact_id"], "id": row["id"]}


def link_chats(exchange: SandboxExchange) -> SandboxReply:
    """Link chats; each belongs to one contact: a new link replaces the old one and has an id of its own."""
    exchange.require_admin()
    items = exchange.items()
    errors = [(str(request_id_of(item, n)), _check(exchange, item)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    shown = []
    for index, item in enumerate(items):
        row = _linked(exchange, item)
        shown.append({**_model(row), "request_id": request_id_of(item, index)})
    return _envelope(exchange, shown)


def _check(exchange: SandboxExchange, item: Any) -> list[Fault]:
    if faults := check(item, _RULE):
        return faults
    row = exchange.state.table("contacts").get(item["contact_id"])
    return [not_supported("contact_id")] if row is None or row["is_deleted"] else []


def _linked(exchange: SandboxExchange, item: Mapping[str, Any]) -> SandboxRow:
    table = exchange.state.table("chats")
    old = table.first([("chat_id", "=", item["chat_id"])])
    if old is not None:
        table.drop(old["id"])
    return table.add({"chat_id": item["chat_id"], "contact_id": item["contact_id"]})
