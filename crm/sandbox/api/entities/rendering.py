"""Rows of leads, contacts and companies as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm.sandbox.api.entities.fields import read_fields
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.state import ACCOUNT_ID
from crm.sandbox.store import SandboxRow


def shown(exchange: SandboxExchange, plural: str, rows: Sequence[SandboxRow]) -> list[dict[str, Any]]:
    """rows: of the type `plural`. What `with` asks for is embedded; companies always are."""
    wanted = exchange.withs()
    if "only_deleted" in wanted:
        return [_stub(exchange, plural, row) for row in rows]
    ids = [row["id"] for row in rows]
    embedded = _linked(exchange, plural, ids, wanted)
    models = []
    for row in rows:
        model = _lead(exchange, row) if plural == "leads" else _person(exchange, plural, row)
        parts = {"tags": tags_of(exchange, plural, row)}
        parts.update({name: found.get(row["id"], []) for name, found in embedded.items()})
        if plural == "leads":
            parts.update(_lead_parts(exchange, row, wanted))
        if "catalog_elements" in wanted:
            parts["catalog_elements"] = []
        if "customers" in wanted and plural != "leads":
            parts["customers"] = []
        model["_embedded"] = parts
        models.append(model)
    return models


def _stub(exchange: SandboxExchange, plural: str, row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "updated_at": row["updated_at"],
        "updated_by": row["updated_by"],
        "is_deleted": True,
        "_links": exchange.self_link(f"{plural}/{row['id']}"),
    }


def _linked(
    exchange: SandboxExchange, plural: str, ids: Sequence[int], wanted: set[str]
) -> dict[str, dict[int, list[dict[str, Any]]]]:
    others = []
    if plural != "companies":
        others.append("companies")
    if plural != "contacts" and "contacts" in wanted:
        others.append("contacts")
    if plural != "leads" and "leads" in wanted:
        others.append("leads")
    found: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for other in others:
        linked = exchange.state.links.of_many(plural, ids, other)
        found[other] = {
            id: [_ref(exchange, other, pair, with_main=plural == "leads") for pair in pairs]
            for id, pairs in linked.items()
        }
    return found


def _ref(exchange: SandboxExchange, type: str, pair: tuple[int, bool], *, with_main: bool) -> dict[str, Any]:
    link = exchange.self_link(f"{type}/{pair[0]}")
    if type == "contacts" and with_main:
        return {"id": pair[0], "is_main": pair[1], "_links": link}
    return {"id": pair[0], "_links": link}


def tags_of(exchange: SandboxExchange, plural: str, row: SandboxRow) -> list[dict[str, Any]]:
    if not row.get("tags"):
        return []
    tags = exchange.state.table("tags").select([("id", "in", row["tags"])])
    return [{"id": tag["id"], "name": tag["name"], "color": tag.get("color")} for tag in tags]


def _lead_parts(exchange: SandboxExchange, row: SandboxRow, wanted: set[str]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if "loss_reason" in wanted:
        reason = row.get("loss_reason_id")
        found = exchange.state.table("loss_reasons").get(reason) if reason else None
        parts["loss_reason"] = [loss_reason(exchange, found)] if found else []
    if "source" in wanted:
        parts["source"] = None
    return parts


def loss_reason(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "sort": row["sort"],
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "_links": exchange.self_link(f"leads/loss_reasons/{row['id']}"),
    }


def _lead(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    model = {
        "id": row["id"],
        "name": row["name"],
        "price": row["price"] or 0,
        "responsible_user_id": row["responsible_user_id"],
        "group_id": 0,
        "status_id": row["status_id"],
        "pipeline_id": row["pipeline_id"],
        "loss_reason_id": row.get("loss_reason_id"),
        "created_by": row["created_by"],
        "updated_by": row["updated_by"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closed_at": row["closed_at"],
        "closest_task_at": row.get("closest_task_at"),
        "is_deleted": bool(row["is_deleted"]),
        "custom_fields_values": read_fields(exchange.state, "leads", row.get("cf", {})),
        "score": None,
        "account_id": ACCOUNT_ID,
        "labor_cost": None,
        "_links": exchange.self_link(f"leads/{row['id']}"),
    }
    if "source_id" in exchange.withs():
        model["source_id"] = None
    if "is_price_modified_by_robot" in exchange.withs():
        model["is_price_modified_by_robot"] = False
    return model


def _person(exchange: SandboxExchange, plural: str, row: SandboxRow) -> dict[str, Any]:
    names = (
        {"first_name": row.get("first_name", ""), "last_name": row.get("last_name", "")}
        if plural == "contacts"
        else {}
    )
    return {
        "id": row["id"],
        "name": row["name"],
        **names,
        "responsible_user_id": row["responsible_user_id"],
        "group_id": 0,
        "created_by": row["created_by"],
        "updated_by": row["updated_by"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closest_task_at": row.get("closest_task_at"),
        "is_deleted": bool(row["is_deleted"]),
        "custom_fields_values": read_fields(exchange.state, plural, row.get("cf", {})),
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(f"{plural}/{row['id']}"),
    }
