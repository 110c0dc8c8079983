"""Tags: one dictionary per entity type; an existing name gives its own id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import SandboxReply, answer, invalid
from crm.sandbox.api.schema import Rule, check
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.state import State
from crm.sandbox.store.database import RowCondition

_RULE = Rule(
    "object",
    keys={
        "name": Rule("str", required=True),
        "color": Rule("str", nullable=True),
        "request_id": Rule("int|str", nullable=True),
    },
)


def tag_ids(state: State, plural: str, sent: Sequence[Mapping[str, Any]]) -> list[int]:
    """Ids of the sent tags; new names are added to the dictionary, unknown ids are left out."""
    table, ids = state.table("tags"), []
    for tag in sent:
        if tag.get("id") is not None:
            found = table.first([("id", "=", tag["id"]), ("entity_type", "=", plural)])
        else:
            found = table.first([("entity_type", "=", plural), ("name", "=", tag.get("name"))])
            if found is None and tag.get("name"):
                found = table.add({"entity_type": plural, "name": tag["name"], "color": tag.get("color")})
        if found is not None and found["id"] not in ids:
            ids.append(found["id"])
    return ids


def list_tags(exchange: SandboxExchange) -> SandboxReply:
    plural, filters = exchange.args["entity"], exchange.filters()
    page, limit = exchange.page()
    where: list[RowCondition] = [("entity_type", "=", plural)]
    if "name" in filters:
        where.append(("name", "in", values_of(filters["name"])))
    if "id" in filters:
        where.append(("id", "in", ints_of(filters["id"])))
    if exchange.query.get("query"):
        where.append(("name", "like", f"%{exchange.query['query']}%"))
    rows = exchange.state.table("tags").select(where, limit=limit + 1, offset=(page - 1) * limit)
    shown = [{"id": row["id"], "name": row["name"], "color": row.get("color")} for row in rows[:limit]]
    return exchange.listing("tags", shown, page, limit, len(rows) > limit)


def create_tags(exchange: SandboxExchange) -> SandboxReply:
    plural, items = exchange.args["entity"], exchange.items()
    errors = [(str(request_id_of(item, index)), check(item, _RULE)) for index, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    echo = []
    for index, item in enumerate(items):
        id = tag_ids(exchange.state, plural, [item])[0]
        echo.append(
            {
                "id": id,
                "name": item["name"],
                "color": item.get("color") if plural == "leads" else None,
                "request_id": request_id_of(item, index),
            }
        )
    links = exchange.self_link(f"{plural}/tags")
    value = {"_total_items": len(echo), "_links": links, "_embedded": {"tags": echo}}
    return answer(value)
