"""The events feed, newest first, at most 100 a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.entities.reading import range_of
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import SandboxReply, answer, no_content, refuse
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.state import ACCOUNT_ID, PLURAL
from crm.sandbox.store.database import RowCondition, SandboxRow

_MOST = 100
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EVENT_TYPES = [
    "lead_added",
    "lead_deleted",
    "lead_restored",
    "lead_status_changed",
    "lead_linked",
    "lead_unlinked",
    "contact_added",
    "contact_deleted",
    "contact_restored",
    "contact_linked",
    "contact_unlinked",
    "company_added",
    "company_deleted",
    "company_restored",
    "company_linked",
    "company_unlinked",
    "customer_added",
    "customer_deleted",
    "customer_status_changed",
    "customer_linked",
    "customer_unlinked",
    "task_added",
    "task_deleted",
    "task_completed",
    "task_type_changed",
    "task_text_changed",
    "task_deadline_changed",
    "task_result_added",
    "incoming_call",
    "outgoing_call",
    "incoming_chat_message",
    "outgoing_chat_message",
    "entity_direct_message",
    "incoming_sms",
    "outgoing_sms",
    "entity_tag_added",
    "entity_tag_deleted",
    "entity_linked",
    "entity_unlinked",
    "entity_responsible_changed",
    "entity_merged",
    "sale_field_changed",
    "name_field_changed",
    "ltv_field_changed",
    "custom_field_value_changed",
    "robot_replied",
    "intent_identified",
    "nps_rate_added",
    "link_followed",
    "transaction_added",
    "common_note_added",
    "attachment_note_added",
    "targeting_in_note_added",
    "targeting_out_note_added",
    "geo_note_added",
    "service_note_added",
    "site_visit_note_added",
    "message_to_cashier_note_added",
    "common_note_deleted",
    "key_action_completed",
]


def list_events(exchange: SandboxExchange) -> SandboxReply:
    page, limit = exchange.page(_MOST)
    where = _conditions(exchange.filters())
    # the feed's order is fixed: newest first
    rows = exchange.state.table("events").select(
        where, order=("created_at", "desc"), limit=limit + 1, offset=(page - 1) * limit
    )
    shown = [_model(exchange, row) for row in rows[:limit]]
    return exchange.listing("events", shown, page, limit, len(rows) > limit)


def _conditions(filters: Mapping[str, Any]) -> list[RowCondition]:
    where: list[RowCondition] = []
    created = filters.get("created_at")
    if isinstance(created, Mapping):
        where += range_of("created_at", created)
    elif created is not None:
        bounds = ints_of(created)
        where += range_of("created_at", dict(zip(("from", "to"), map(str, bounds), strict=False)))
    if "created_by" in filters:
        where.append(("created_by", "in", _few(filters["created_by"], "created_by")))
    entities = values_of(filters.get("entity"))
    if "entity_id" in filters:
        if len(entities) != 1:
            raise refuse(400, "filter[entity_id] needs filter[entity] with one type")
        where.append(("entity_id", "in", _few(filters["entity_id"], "entity_id")))
    if entities:
        where.append(("entity_type", "in", entities))
    types = values_of(filters.get("type"))
    if len(types) > 1 and any(type.startswith("custom_field_") and type[13:14].isdigit() for type in types):
        raise refuse(400, "custom_field_{ID}_value_changed should be alone in filter[type]")
    if types == ["custom_field_value_changed"]:
        where.append(("type", "like", "custom_field_%_value_changed"))
    elif types:
        where.append(("type", "in", types))
    return where


def _few(value: Any, name: str) -> list[int]:
    ids = ints_of(value)
    if len(ids) > 10:
        raise refuse(400, f"filter[{name}] takes at most 10 values")
    return ids


def get_event(exchange: SandboxExchange) -> SandboxReply:
    number = _number(exchange.args["event"])
    row = exchange.state.table("events").get(number) if number is not None else None
    return no_content() if row is None else answer(_model(exchange, row), entities=1)


def list_types(exchange: SandboxExchange) -> SandboxReply:
    shown = [
        {"key": name, "type": n + 1, "lang": name.replace("_", " ")} for n, name in enumerate(EVENT_TYPES)
    ]
    links = exchange.self_link("events/types")
    value = {"_total_items": len(shown), "_links": links, "_embedded": {"events_types": shown}}
    return answer(value, entities=len(shown))


def _model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    id, type = _ulid(row), row["entity_type"]
    plural = "tasks" if type == "task" else PLURAL[type]
    path = f"{plural}/{row['entity_id']}"
    return {
        "id": id,
        "type": row["type"],
        "entity_id": row["entity_id"],
        "entity_type": type,
        "created_by": row["created_by"],
        "created_at": row["created_at"],
        "value_after": row["after"],
        "value_before": row["before"],
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(f"events/{id}"),
        "_embedded": {"entity": {"id": row["entity_id"], "_links": exchange.self_link(path)}},
    }


def _ulid(row: SandboxRow) -> str:
    """26 characters: the time in milliseconds, then the row's number."""
    return _base32(row["created_at"] * 1000, 10) + _base32(row["id"], 16)


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, rest = divmod(value, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def _number(ulid: str) -> int | None:
    if len(ulid) != 26 or any(one not in _ALPHABET for one in ulid):
        return None
    number = 0
    for one in ulid[10:]:
        number = number * 32 + _ALPHABET.index(one)
    return number if number < 2**63 else None
