"""Registering webhooks: admins only, and only where the plan has them. The same destination is overwritten."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check_keys, not_supported
from crm.sandbox.php import values_of
from crm.sandbox.state import ACCOUNT_ID
from crm.sandbox.store import SandboxRow

_MOST = 100
SETTINGS = frozenset(
    {
        *(
            f"{do}_{kind}"
            for do in ("responsible", "add", "update", "delete")
            for kind in ("customer", "task")
        ),
        *(
            f"{do}_{kind}"
            for do in ("responsible", "restore", "add", "update", "delete")
            for kind in ("lead", "contact", "company")
        ),
        *(f"note_{kind}" for kind in ("lead", "contact", "company", "customer")),
        *("status_lead", "add_talk", "update_talk", "add_chat_template_review"),
        *("add_unsorted", "update_unsorted", "delete_unsorted", "add_message", "add_outgoing_message"),
    }
)
_RULES = {
    "destination": Rule("str", required=True),
    "settings": Rule("list", required=True, items=Rule("str")),
    "sort": Rule("int"),
}


def list_webhooks(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    wanted = values_of(exchange.filters().get("destination"))
    rows = exchange.state.table("webhooks").select()
    shown = [_model(row) for row in rows if not wanted or row["destination"] in wanted]
    if not shown:
        return no_content()
    links = exchange.self_link("webhooks")
    return answer(
        {"_total_items": len(shown), "_links": links, "_embedded": {"webhooks": shown}}, entities=len(shown)
    )


def _model(row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "destination": row["destination"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "account_id": ACCOUNT_ID,
        "created_by": row["created_by"],
        "sort": row["sort"],
        "disabled": bool(row["disabled"]),
        "settings": row["settings"],
    }


def create_webhook(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    _require_plan(exchange)
    item = exchange.object()
    faults = check_keys(item, _RULES)
    if not faults:
        faults = [
            not_supported(f"settings.{n}") for n, name in enumerate(item["settings"]) if name not in SETTINGS
        ]
        if urlsplit(item["destination"]).scheme not in ("http", "https"):
            faults.append(("InvalidUrl", "destination", "This value is not a valid URL."))
    if faults:
        raise invalid([("0", faults)])
    table, now = exchange.state.table("webhooks"), exchange.state.now()
    row = table.first([("destination", "=", item["destination"])])
    if row is None:
        if table.count() >= _MOST:
            raise refuse(422, f"The number of webhooks exceeds the limit of {_MOST}")
        row = table.add({"destination": item["destination"], "created_at": now, "created_by": exchange.by})
    row |= {"settings": item["settings"], "sort": item.get("sort", 10), "updated_at": now, "disabled": 0}
    row["failures"] = []
    table.put(row)
    return answer(_model(row), status=201)


def _require_plan(exchange: SandboxExchange) -> None:
    if exchange.state.profile.webhooks == "plan_402":
        raise refuse(402, "Webhooks are not available on this plan")
    if exchange.state.profile.webhooks == "plan_403":
        raise refuse(403, "Webhooks are not available on this plan")


def delete_webhook(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    table = exchange.state.table("webhooks")
    row = table.first([("destination", "=", exchange.object().get("destination"))])
    if row is None:
        raise refuse(404, "Webhook not found")
    table.drop(row["id"])
    return no_content()
