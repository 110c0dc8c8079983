"""POST /calls: finds the client by number itself and leaves a call note on the lead or the contact; creates no client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.entities.writing import check_users
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import JSON, Fault, SandboxReply, answer, invalid
from crm.sandbox.api.schema import Rule, check, not_supported
from crm.sandbox.api.stages import is_closed
from crm.sandbox.state import ACCOUNT_ID, SINGULAR, State
from crm.sandbox.store import SandboxRow
from crm.sandbox.store.links import digits
from crm.sandbox.webhooks.notes import announce_note

_ITEM: Mapping[str, Rule] = {
    "direction": Rule("str", required=True, choices=("inbound", "outbound")),
    "duration": Rule("int", required=True),
    "source": Rule("str", required=True),
    "phone": Rule("str", required=True),
    "uniq": Rule("str"),
    "link": Rule("str"),
    "call_result": Rule("str"),
    "call_status": Rule("int", choices=(1, 2, 3, 4, 5, 6, 7, 8)),
    "call_responsible": Rule("int|str", nullable=True),
    "responsible_user_id": Rule("int"),
    "created_by": Rule("int"),
    "updated_by": Rule("int"),
    "created_at": Rule("int"),
    "updated_at": Rule("int"),
    "request_id": Rule("int|str", nullable=True),
}
_PARAMS = ("uniq", "duration", "source", "link", "phone", "call_result", "call_status", "call_responsible")


def create_calls(exchange: SandboxExchange) -> SandboxReply:
    """200 with the calls that found somebody and an error for each that did not; 400 when none did."""
    state, items = exchange.state, exchange.items()
    checked = [(str(request_id_of(item, n)), _check(state, item)) for n, item in enumerate(items)]
    if any(faults for _, faults in checked):
        raise invalid(checked)
    targets = [target_of(state, item["phone"]) for item in items]
    lost = [request_id_of(items[n], n) for n, target in enumerate(targets) if target is None]
    refused = len(lost) == len(items) or (lost and state.profile.calls_mixed_batch == "refuse_400")
    made: list[dict[str, Any]] = []
    if not refused:
        for index, (item, target) in enumerate(zip(items, targets, strict=True)):
            if target is not None:
                made.append(_echo(exchange, _add(exchange, item, target), request_id_of(item, index)))
    value = {
        "_total_items": len(made),
        "errors": [_not_found(request_id) for request_id in lost],
        "_embedded": {"calls": made},
    }
    return answer(value, status=400, content_type=JSON) if refused else answer(value)


def _check(state: State, item: Any) -> list[Fault]:
    faults = check(item, Rule("object", keys=_ITEM))
    if faults:
        return faults
    faults = check_users(state, item)
    unique = state.profile.duplicate_call_uniq == "refuse" and item.get("uniq")
    if unique and state.table("notes").first([("uniq", "=", item["uniq"])]) is not None:
        faults.append(not_supported("uniq"))
    return faults


def _not_found(request_id: Any) -> dict[str, Any]:
    return {
        "title": "Entity not found",
        "type": "https://httpstatus.es/400",
        "status": 400,
        "detail": "Entity not found",
        "request_id": str(request_id),
    }


def target_of(state: State, phone: str) -> tuple[str, int] | None:
    """Return the client's only active deal, else the contact or company with this number, contacts first."""
    length = state.profile.phone_tail
    if len(digits(phone)) < length:
        return None
    for type, id in state.links.with_phone(phone, length):
        row = state.table(type).get(id)
        if row is None or row["is_deleted"] or (row["is_hidden"] and not state.profile.calls_match_unsorted):
            continue
        active = _active_deals(state, type, id)
        return ("leads", active[0]) if len(active) == 1 else (type, id)
    return None


def _active_deals(state: State, type: str, id: int) -> list[int]:
    deals = state.table("leads").select([("id", "in", state.links.of(type, id, "leads"))])
    return [
        deal["id"]
        for deal in deals
        if not (deal["is_deleted"] or deal["is_hidden"] or is_closed(deal["status_id"]))
    ]


def _add(exchange: SandboxExchange, item: Mapping[str, Any], target: tuple[str, int]) -> SandboxRow:
    state = exchange.state
    responsible = item.get("call_responsible")
    by = item.get("created_by", responsible if responsible in state.users() else exchange.by)
    at = item.get("created_at", state.now())
    row = state.table("notes").add(
        {
            "entity_type": target[0],
            "entity_id": target[1],
            "note_type": "call_in" if item["direction"] == "inbound" else "call_out",
            "uniq": item.get("uniq"),
            "created_at": at,
            "updated_at": item.get("updated_at", at),
            "created_by": by,
            "updated_by": item.get("updated_by", by),
            "responsible_user_id": item.get("responsible_user_id", by),
            "params": {name: item[name] for name in _PARAMS if item.get(name) is not None},
        }
    )
    announce_note(state, row)
    return row


def _echo(exchange: SandboxExchange, row: SandboxRow, request_id: Any) -> dict[str, Any]:
    path = f"{row['entity_type']}/{row['entity_id']}"
    return {
        "id": row["id"],
        "entity_id": row["entity_id"],
        "entity_type": SINGULAR[row["entity_type"]],
        "account_id": ACCOUNT_ID,
        "request_id": request_id,
        "_embedded": {"entity": {"id": row["entity_id"], "_links": exchange.self_link(path)}},
    }
