"""The call card of API v2 (recorded, since nobody looks at a screen here) and the old contact search."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.calls import target_of
from crm.sandbox.api.entities.reading import searched
from crm.sandbox.api.entities.rendering import shown
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import JSON, SandboxReply, answer, no_content, refuse
from crm.sandbox.php import ints_of

_ELEMENTS = {"contacts": 1, "leads": 2, "companies": 3}


def show_card(exchange: SandboxExchange) -> SandboxReply:
    """{"add": [{"type": "phone_call", "phone_number", "users"?: [ids]}]} as JSON or as a PHP form."""
    sent = exchange.body.get("add") if isinstance(exchange.body, dict) else None
    items = list(sent.values()) if isinstance(sent, Mapping) else sent
    if not isinstance(items, list) or not items:
        raise refuse(400, "Request data can't be blank")
    return answer(
        {
            "_links": {"self": {"href": "/api/v2/events", "method": "post"}},
            "_embedded": {"items": [_shown(exchange, item) for item in items]},
        },
        content_type=JSON,
    )


def _shown(exchange: SandboxExchange, item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping) or item.get("type") != "phone_call" or not item.get("phone_number"):
        raise refuse(400, "type and phone_number are required")
    state, phone = exchange.state, str(item["phone_number"])
    sent = item.get("users") or []
    users = ints_of(sent) if isinstance(sent, Mapping) else [int(id) for id in sent]
    target = target_of(state, phone)
    card = {
        "element_id": target[1] if target else None,
        "element_type": _ELEMENTS[target[0]] if target else None,
        "uid": secrets.token_hex(16),
        "phone_number": phone,
    }
    state.table("cards").add(
        {**card, "users": users, "created_at": state.now(), "integration": exchange.integration}
    )
    return card


def find_contacts(exchange: SandboxExchange) -> SandboxReply:
    """GET /private/api/v2/json/contacts/list?query=, which PBX connectors still call."""
    query = str(exchange.query.get("query") or "")
    ids = searched(exchange, "contacts", query) if query else []
    rows = exchange.state.table("contacts").select(
        [("id", "in", ids), ("is_deleted", "=", 0), ("is_hidden", "=", 0)], limit=500
    )
    if not rows:
        return no_content()
    models = [{**model, "company_name": ""} for model in shown(exchange, "contacts", rows)]
    return answer({"response": {"contacts": models}}, content_type=JSON, entities=len(models))
