"""What becomes of an incoming lead: accepted, declined, or (chats only) linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.entities.unsorted import embedded
from crm.sandbox.api.entities.writing import announce, check_users
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import SandboxReply, answer, invalid, refuse
from crm.sandbox.api.schema import Rule, check_keys, not_supported
from crm.sandbox.api.stages import check_stage
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow
from crm.sandbox.webhooks import payloads
from crm.sandbox.webhooks.changes import emit, notify, tell_linked


def _open(exchange: SandboxExchange) -> SandboxRow:
    row = exchange.state.table("unsorted").first([("uid", "=", exchange.args["uid"])])
    if row is None or row["state"] != "open":
        raise refuse(404, "Unsorted not found")
    return row


def _sent(exchange: SandboxExchange, *names: str) -> Mapping[str, Any]:
    sent = exchange.body if isinstance(exchange.body, dict) else {}
    faults = check_keys(sent, {name: Rule("int") for name in names})
    faults = faults or check_users(exchange.state, sent, names=("user_id",))
    if not faults and sent.get("status_id"):
        faults = check_stage(exchange.state, {"status_id": sent["status_id"]}, "")
    if faults:
        raise invalid([("0", faults)])
    return sent


def accept(exchange: SandboxExchange) -> SandboxReply:
    """Give the deal its stage and its owner; it is seen from now on, its contact and company as well."""
    row, sent = _open(exchange), _sent(exchange, "user_id", "status_id")
    accept_row(exchange.state, row, sent.get("user_id", exchange.by), sent.get("status_id"))
    return answer(_closed(exchange, row))


def accept_row(state: State, row: SandboxRow, user: int, status: int | None) -> None:
    """user: 0 leaves the owner as it is."""
    deal = state.table("leads").get(row["lead_id"])
    if deal is not None:
        pipeline = state.pipelines()[deal["pipeline_id"]]
        stages = [one["id"] for one in pipeline["statuses"] if one["type"] == 0]
        deal["status_id"] = status or stages[0]
        deal["responsible_user_id"] = user or deal["responsible_user_id"]
        deal["is_hidden"], deal["updated_at"], deal["updated_by"] = 0, state.now(), user
        state.table("leads").put(deal)
        announce(state, "leads", deal)
    for type, ids in (("contacts", row["contact_ids"]), ("companies", row["company_ids"])):
        _reveal(state, type, ids, user)
    _close(state, row, "accept")


def _reveal(state: State, type: str, ids: Sequence[int], user: int) -> None:
    for id in ids:
        one = state.table(type).get(id)
        if one is not None and one["is_hidden"]:
            one["is_hidden"], one["updated_at"] = 0, state.now()
            one["responsible_user_id"] = user or one["responsible_user_id"]
            state.table(type).put(one)
            announce(state, type, one)


def decline(exchange: SandboxExchange) -> SandboxReply:
    """200 with a body; the deal goes to the trash."""
    row, sent = _open(exchange), _sent(exchange, "user_id")
    decline_row(exchange.state, row, sent.get("user_id", exchange.by))
    return answer(_closed(exchange, row))


def decline_row(state: State, row: SandboxRow, user: int) -> None:
    deal = state.table("leads").get(row["lead_id"])
    if deal is not None:
        deal["is_deleted"], deal["updated_at"], deal["updated_by"] = 1, state.now(), user
        state.table("leads").put(deal)
        emit(state, "lead_deleted", "lead", deal["id"], user)
        payloads.entity(state, "delete", "leads", deal)
    for type, ids in (("contacts", row["contact_ids"]), ("companies", row["company_ids"])):
        for id in ids:
            one = state.table(type).get(id)
            if one is not None and one["is_hidden"]:
                one["is_deleted"] = 1
                state.table(type).put(one)
    _close(state, row, "decline")


def _close(state: State, row: SandboxRow, action: str) -> None:
    row["state"], row["updated_at"] = f"{action}ed" if action == "accept" else "declined", state.now()
    state.table("unsorted").put(row)
    result = {"leads": [row["lead_id"]], "contacts": row["contact_ids"]}
    hook = {"action": action, "uid": row["uid"], "category": row["category"], "created_at": row["created_at"]}
    notify(state, "delete_unsorted", {"unsorted": {"delete": [{**hook, f"{action}_result": result}]}})


def _closed(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {
        "uid": row["uid"],
        "category": row["category"],
        "pipeline_id": row["pipeline_id"],
        "created_at": row["created_at"],
        "_embedded": embedded(exchange, row),
    }


_TARGET = {
    "entity_id": Rule("int", required=True),
    "entity_type": Rule("str", required=True, choices=("leads", "customers")),
    "metadata": Rule("object", nullable=True, keys={"contact_id": Rule("int", nullable=True)}),
}
_LINK = {"user_id": Rule("int"), "link": Rule("object", required=True, keys=_TARGET)}


def link(exchange: SandboxExchange) -> SandboxReply:
    """For chats only: the request goes into a lead that exists, its own lead goes away."""
    row, sent = _open(exchange), exchange.object()
    if row["category"] != "chats":
        raise refuse(400, "Only the category chats can be linked")
    if faults := check_keys(sent, _LINK) or check_users(exchange.state, sent, names=("user_id",)):
        raise invalid([("0", faults)])
    id = sent["link"]["entity_id"]
    lead = exchange.state.table("leads").get(id) if sent["link"]["entity_type"] == "leads" else None
    if lead is None or lead["is_deleted"] or lead["is_hidden"]:
        raise invalid([("0", [not_supported("link.entity_id")])])
    _into(exchange.state, row, id, sent.get("user_id", exchange.by))
    shown = {"leads": [{"id": id, "_links": exchange.self_link(f"leads/{id}")}]}
    return answer({"uid": row["uid"], "_embedded": shown})


def _into(state: State, row: SandboxRow, lead: int, user: int) -> None:
    """Show the writer from now on, who stands in the lead that took the chat."""
    own = state.table("leads").get(row["lead_id"])
    if own is not None:
        state.table("leads").put({**own, "is_deleted": 1, "updated_at": state.now(), "updated_by": user})
    _reveal(state, "contacts", row["contact_ids"], user)
    for id in row["contact_ids"]:
        if state.links.add(("leads", lead), ("contacts", id)):
            tell_linked(state, ("leads", lead), ("contacts", id), user)
            tell_linked(state, ("contacts", id), ("leads", lead), user)
    row["lead_id"] = lead
    _close(state, row, "accept")
