"""Messages that arrive in a chat, and what the CRM makes of them by itself: whoever belongs to nobody gets into Unsorted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.entities.unsorted import add_unsorted
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.chat_ids import id_of, new_id
from crm.sandbox.requests import chat_metadata
from crm.sandbox.sample_account import ADMIN
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow
from crm.sandbox.webhooks.changes import emit

_CLOSED = (142, 143)


def chat_of(state: State, channel: SandboxRow, conversation: str, user: Mapping[str, Any]) -> SandboxRow:
    """Return the chat of this conversation, made where there is none."""
    table, key = state.table("amojo_chats"), f"{channel['channel_id']} {conversation}"
    row = table.first([("key", "=", key)])
    if row is None:
        row = table.add(
            {"key": key, "chat_id": id_of(key), "conversation_id": conversation, "user": dict(user)}
        )
    return row


def arrive(state: State, channel: SandboxRow, payload: Mapping[str, Any]) -> SandboxRow:
    client = payload.get("receiver") or payload["sender"]
    chat = chat_of(state, channel, str(payload["conversation_id"]), client)
    row = state.table("amojo_messages").add(
        {
            "message_id": new_id(),
            "client_id": payload["msgid"],
            "chat_id": chat["chat_id"],
            "at": payload["timestamp"],
            "is_silent": bool(payload.get("silent")),
            "sender": payload["sender"],
            "receiver": payload.get("receiver"),
            "message": payload["message"],
            "former": [],
            "statuses": [],
            "hooks": [],
        }
    )
    if not row["is_silent"]:
        _place(state, chat, client, str(payload["message"].get("text", "")))
    bound = state.table("chats").first([("chat_id", "=", chat["chat_id"])])
    if bound is not None and not payload.get("receiver"):
        after = [{"message": {"id": row["message_id"], "origin": "custom"}}]
        emit(state, "incoming_chat_message", "contact", bound["contact_id"], 0, after=after)
    return row


def _place(state: State, chat: SandboxRow, client: Mapping[str, Any], text: str) -> None:
    """Put into Unsorted whoever is no contact's, and a contact who has no open deal: the twins that a step left out brings."""
    chats = state.table("chats")
    bound = chats.first([("chat_id", "=", chat["chat_id"])])
    if bound is not None and _has_open_deal(state, bound["contact_id"]):
        return
    name = str(client.get("name") or "Client")
    metadata = chat_metadata(name, text, "custom", state.now())
    metadata["origin"]["chat_id"] = chat["chat_id"]
    item = {"source_uid": new_id(), "source_name": "Custom", "metadata": metadata}
    contact = {"id": bound["contact_id"]} if bound is not None else {"name": name}
    exchange = SandboxExchange(state, "POST", "", "", {}, None, "", user=state.users()[ADMIN])
    row = add_unsorted(exchange, "chats", item, {"name": f"Заявка: {name}"}, contact, None)
    if bound is None:
        chats.add({"chat_id": chat["chat_id"], "contact_id": row["contact_ids"][0]})


def _has_open_deal(state: State, contact: int) -> bool:
    leads = [state.table("leads").get(id) for id in state.links.of("contacts", contact, "leads")]
    return any(row and not row["is_deleted"] and row["status_id"] not in _CLOSED for row in leads)
