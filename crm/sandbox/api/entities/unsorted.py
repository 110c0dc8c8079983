"""Unsorted: incoming leads that a person accepts or declines. Their deal and new contacts stay hidden until then."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.entities.reading import range_of
from crm.sandbox.api.entities.rules import NESTED
from crm.sandbox.api.entities.writing import check_entity, create
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.rights import owners
from crm.sandbox.api.schema import Rule, check_keys, not_supported
from crm.sandbox.api.stages import check_stage
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.state import ACCOUNT_ID, State
from crm.sandbox.store.database import RowCondition, SandboxRow
from crm.sandbox.webhooks.changes import notify
from crm.sandbox.webhooks.notes import announce_note

_HOOK_NAMES = {"created_by": "created_user_id", "created_at": "date_create"}
CATEGORIES = ("sip", "mail", "forms", "chats")
_SIP = {
    "phone": Rule("int|str", required=True),
    "from": Rule("int|str"),
    "call_responsible": Rule("int|str", nullable=True),
    "called_at": Rule("int", required=True),
    "duration": Rule("int", required=True),
    "link": Rule("str", required=True),
    "service_code": Rule("str", required=True),
    "uniq": Rule("str", required=True),
    "is_call_event_needed": Rule("bool|int"),
}
_FORMS = {
    "form_id": Rule("int|str", required=True),
    "form_name": Rule("str", required=True),
    "form_page": Rule("str", required=True),
    "ip": Rule("str"),
    "form_sent_at": Rule("int", required=True),
    "referer": Rule("str"),
    "visitor_uid": Rule("str", nullable=True),
}
METADATA: Mapping[str, Mapping[str, Rule]] = {"sip": _SIP, "forms": _FORMS}
_ITEM = {
    "source_uid": Rule("str", required=True),
    "source_name": Rule("str", required=True),
    "pipeline_id": Rule("int"),
    "created_at": Rule("int"),
    "metadata": Rule("object", required=True),
    "request_id": Rule("int|str", nullable=True),
    "_embedded": Rule(
        "object",
        keys={
            "leads": Rule("list"),
            "contacts": Rule("list"),
            "companies": Rule("list"),
        },
    ),
}


def list_unsorted(exchange: SandboxExchange) -> SandboxReply:
    page, limit = exchange.page()
    filters = exchange.filters()
    where: list[RowCondition] = [("state", "=", "open")]
    if "uid" in filters:
        where.append(("uid", "in", values_of(filters["uid"])))
    if "category" in filters:
        where.append(("category", "in", values_of(filters["category"])))
    if "pipeline_id" in filters:
        where.append(("pipeline_id", "in", ints_of(filters["pipeline_id"])))
    order = exchange.order(("created_at", "updated_at"))
    whose = owners(exchange, "leads", "view")
    if whose is not None:
        leads = exchange.state.table("leads")
        seen = leads.select([("responsible_user_id", "in", whose), ("is_hidden", "=", 1)])
        where.append(("lead_id", "in", [row["id"] for row in seen]))
    rows = exchange.state.table("unsorted").select(
        where, order=order, limit=limit + 1, offset=(page - 1) * limit
    )
    shown = [model(exchange, row) for row in rows[:limit]]
    return exchange.listing("unsorted", shown, page, limit, len(rows) > limit)


def get_unsorted(exchange: SandboxExchange) -> SandboxReply:
    row = exchange.state.table("unsorted").first([("uid", "=", exchange.args["uid"])])
    if row is None or row["state"] != "open":
        return no_content()
    return answer(model(exchange, row), entities=1)


def model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {
        "uid": row["uid"],
        "source_uid": row["source_uid"],
        "source_name": row["source_name"],
        "category": row["category"],
        "pipeline_id": row["pipeline_id"],
        "created_at": row["created_at"],
        "metadata": row["metadata"],
        "account_id": ACCOUNT_ID,
        "_links": exchange.self_link(f"leads/unsorted/{row['uid']}"),
        "_embedded": embedded(exchange, row),
    }


def embedded(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    def refs(type: str, ids: Sequence[int]) -> list[dict[str, Any]]:
        return [{"id": id, "_links": exchange.self_link(f"{type}/{id}")} for id in ids]

    return {
        "contacts": refs("contacts", row["contact_ids"]),
        "leads": refs("leads", [row["lead_id"]]),
        "companies": refs("companies", row["company_ids"]),
    }


def create_unsorted(exchange: SandboxExchange) -> SandboxReply:
    state, category, items = exchange.state, exchange.args["category"], exchange.items()
    errors = []
    for index, item in enumerate(items):
        errors.append((str(request_id_of(item, index)), _check(state, category, item)))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    echo = []
    for index, item in enumerate(items):
        _refuse_duplicate(state, item["source_uid"])
        row = add_unsorted(exchange, category, item, *_parts(item))
        echo.append(
            {
                "uid": row["uid"],
                "account_id": ACCOUNT_ID,
                "request_id": request_id_of(item, index),
                "_links": exchange.self_link(f"leads/unsorted/{row['uid']}"),
                "_embedded": embedded(exchange, row),
            }
        )
    value = {
        "_total_items": len(echo),
        "_links": exchange.self_link("leads/unsorted"),
        "_embedded": {"unsorted": echo},
    }
    return answer(value)


def _check(state: State, category: str, item: Any) -> list[Fault]:
    if not isinstance(item, dict):
        return [("InvalidType", "", "This value should be of type array.")]
    faults = check_keys(item, _ITEM)
    if isinstance(item.get("metadata"), dict):
        faults += check_keys(item["metadata"], METADATA[category], "metadata")
    if faults:
        return faults
    faults = check_stage(state, {"pipeline_id": item.get("pipeline_id")}, "")
    for type, most in (("leads", 1), ("contacts", 1), ("companies", 1)):
        entities = (item.get("_embedded") or {}).get(type) or []
        if len(entities) > most:
            faults.append(
                ("TooMany", f"_embedded.{type}", "This collection should contain 1 element or less.")
            )
        for index, entity in enumerate(entities):
            faults += check_nested(state, type, entity, f"_embedded.{type}.{index}")
    return faults


def check_nested(state: State, plural: str, entity: Any, path: str) -> list[Fault]:
    """Return a full model, or {id} of what exists."""
    faults = check_entity(state, plural, entity, NESTED[plural], path)
    if not faults and "id" in entity:
        row = state.table(plural).get(entity["id"])
        if row is None or row["is_deleted"]:
            faults = [not_supported(f"{path}.id")]
    return faults


def _parts(item: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any, Any]:
    parts = item.get("_embedded") or {}
    first = [(parts.get(type) or [None])[0] for type in ("leads", "contacts", "companies")]
    return first[0] or {}, first[1], first[2]


def _refuse_duplicate(state: State, source_uid: str) -> None:
    if state.profile.duplicate_source_uid == "accept":
        return
    if state.table("unsorted").first([("source_uid", "=", source_uid)]) is not None:
        raise refuse(400, "Unsorted with this source_uid already exists")


def add_unsorted(
    exchange: SandboxExchange,
    category: str,
    item: Mapping[str, Any],
    lead: Mapping[str, Any],
    contact: Mapping[str, Any] | None,
    company: Mapping[str, Any] | None,
) -> SandboxRow:
    """Add the incoming lead with its hidden deal; contact and company are hidden unless they existed before."""
    state = exchange.state
    sent = {name: value for name, value in lead.items() if name != "status_id"}
    if item.get("pipeline_id"):
        sent["pipeline_id"] = item["pipeline_id"]
    hidden = state.profile.unsorted_on
    deal = create(exchange, "leads", sent, hidden=hidden)
    linked: dict[str, list[int]] = {"contacts": [], "companies": []}
    for type, entity in (("contacts", contact), ("companies", company)):
        if entity is not None:
            id = entity["id"] if "id" in entity else create(exchange, type, entity, hidden=hidden)["id"]
            linked[type].append(id)
            state.links.add(("leads", deal["id"]), (type, id), type == "contacts")
    if linked["contacts"] and linked["companies"]:
        state.links.add(("contacts", linked["contacts"][0]), ("companies", linked["companies"][0]))
    metadata = {name: value for name, value in item["metadata"].items() if name != "is_call_event_needed"}
    row = state.table("unsorted").add(
        {
            "uid": secrets.token_hex(35),
            "source_uid": item.get("source_uid"),
            "source_name": item.get("source_name"),
            "category": category,
            "pipeline_id": deal["pipeline_id"],
            "lead_id": deal["id"],
            "contact_ids": linked["contacts"],
            "company_ids": linked["companies"],
            "state": "open" if hidden else "accepted",
            "created_at": item.get("created_at") or state.now(),
            "updated_at": state.now(),
            "metadata": metadata,
        }
    )
    if category == "sip" and item["metadata"].get("is_call_event_needed"):
        _note_call(state, deal, item, exchange.by)
    if hidden:
        notify(state, "add_unsorted", {"unsorted": {"add": [_hook(state, exchange, row)]}})
    return row


def _note_call(state: State, deal: SandboxRow, item: Mapping[str, Any], by: int) -> None:
    """Write what `is_call_event_needed` asks for: a note of the incoming call on the deal."""
    sent = item["metadata"]
    params = {name: sent[name] for name in ("uniq", "duration", "link") if name in sent}
    params |= {"source": item.get("source_name") or "", "phone": str(sent.get("from", sent["phone"]))}
    note = {"entity_type": "leads", "entity_id": deal["id"], "note_type": "call_in", "uniq": sent["uniq"]}
    note |= {
        "created_at": sent["called_at"],
        "updated_at": sent["called_at"],
        "created_by": by,
        "updated_by": by,
    }
    row = state.table("notes").add({**note, "responsible_user_id": by, "params": params})
    announce_note(state, row)


def _hook(state: State, exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    deal = state.table("leads").get(row["lead_id"]) or {}
    contacts = [state.table("contacts").get(id) or {} for id in row["contact_ids"]]
    return {
        "uid": row["uid"],
        "category": row["category"],
        "account_id": ACCOUNT_ID,
        "user_id": exchange.by,
        "source": row["source_name"],
        "source_uid": row["source_uid"],
        "pipeline_id": row["pipeline_id"],
        "created_at": row["created_at"],
        "source_data": row["metadata"],
        "lead_id": row["lead_id"],
        "data": _hook_data(row["category"], deal, contacts),
    }


def _hook_data(category: str, deal: SandboxRow, contacts: Sequence[SandboxRow]) -> dict[str, Any]:
    """Those of a call have ids; of the others the vendor tells what was sent, which has none yet."""
    keys = ("id", "name") if category == "sip" else ("name", "created_by", "created_at")
    shown = {"leads": [deal], "contacts": contacts}
    return {
        kind: [{_HOOK_NAMES.get(key, key): row.get(key) for key in keys} for row in rows]
        for kind, rows in shown.items()
    }


def summary(exchange: SandboxExchange) -> SandboxReply:
    filters = exchange.filters()
    where: list[RowCondition] = []
    if "uid" in filters:
        where.append(("uid", "in", values_of(filters["uid"])))
    if "pipeline_id" in filters:
        where.append(("pipeline_id", "in", ints_of(filters["pipeline_id"])))
    if isinstance(filters.get("created_at"), Mapping):
        where += range_of("created_at", filters["created_at"])
    rows = exchange.state.table("unsorted").select(where)
    closed = [row["updated_at"] - row["created_at"] for row in rows if row["state"] != "open"]
    value = {
        "total": sum(row["state"] == "open" for row in rows),
        "accepted": sum(row["state"] == "accepted" for row in rows),
        "declined": sum(row["state"] == "declined" for row in rows),
        "average_sort_time": sum(closed) // len(closed) if closed else 0,
        "categories": {name: {"total": sum(row["category"] == name for row in rows)} for name in CATEGORIES},
        "_links": exchange.self_link("leads/unsorted/summary"),
    }
    return answer(value, entities=1)
