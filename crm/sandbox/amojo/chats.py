"""What can be asked of the chats: connect, disconnect, chats, messages, statuses, history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from crm.sandbox.amojo import arrivals
from crm.sandbox.amojo.signatures import check_signature
from crm.sandbox.api.replies import SandboxReply, answer, no_content, refuse
from crm.sandbox.chat_ids import AMOJO_ID, id_of
from crm.sandbox.php import parse
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

ROOT = "/v2/origin/custom"
_MOST_OF_HISTORY = 50
_DIGITS = 10
_STATUSES = (1, 2, -1)
_ERRORS = range(901, 906)


def handle(state: State, request: web.Request, body: bytes) -> SandboxReply:
    """Answer one request, or raise Refusal."""
    whose, *rest = request.path.removeprefix(f"{ROOT}/").split("/")
    channel = _channel(state, whose)
    check_signature(channel["secret"], request.method, request.path, request.headers, body, state.now())
    known = _KNOWN.get((request.method, len(rest), rest[-1] if rest else ""))
    if known is None:
        raise refuse(404, "Not found")
    sent = _sent(body) if request.method != "GET" else parse(request.query_string)
    if rest and rest[0] in ("connect", "disconnect"):
        return known(state, channel, "", sent)
    if _connection(state, whose) is None:
        raise refuse(404, "The channel is not connected")
    return known(state, channel, rest[-2] if len(rest) > 1 else "", sent)


def _channel(state: State, whose: str) -> SandboxRow:
    """whose: id of the channel, or of its connection to the account."""
    row = state.table("amojo_channels").first([("channel_id", "=", whose.partition("_")[0])])
    if row is None:
        raise refuse(404, "There is no such channel")
    return row


def _connection(state: State, scope: str) -> SandboxRow | None:
    row = state.table("amojo_connections").first([("scope_id", "=", scope)])
    return row if row is not None and row["is_on"] else None


def _sent(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except ValueError:
        raise refuse(400, "The body is no JSON") from None
    if not isinstance(told, dict):
        raise refuse(400, "The body is no object")
    return told


def _connect(state: State, channel: SandboxRow, _id: str, sent: Mapping[str, Any]) -> SandboxReply:
    if sent.get("account_id") != AMOJO_ID:
        raise refuse(400, "account_id: no such account among those of the channel")
    if sent.get("hook_api_version", "v1") not in ("v1", "v2"):
        raise refuse(400, "hook_api_version: v1 or v2")
    scope = f"{channel['channel_id']}_{AMOJO_ID}"
    table = state.table("amojo_connections")
    row = table.first([("scope_id", "=", scope)]) or table.add({"scope_id": scope, "is_on": 1})
    title = str(sent.get("title") or "Chat")
    count = row.get("connects", 0) + 1
    table.put(
        {
            **row,
            "is_on": 1,
            "title": title,
            "hook_api_version": sent.get("hook_api_version"),
            "connects": count,
        }
    )
    return answer({**sent, "scope_id": scope, "title": title, "is_time_window_disabled": False})


def _disconnect(state: State, channel: SandboxRow, _id: str, sent: Mapping[str, Any]) -> SandboxReply:
    if sent.get("account_id") != AMOJO_ID:
        raise refuse(400, "account_id: no such account among those of the channel")
    table = state.table("amojo_connections")
    row = table.first([("scope_id", "=", f"{channel['channel_id']}_{AMOJO_ID}")])
    if row is not None:
        table.put({**row, "is_on": 0})
    return SandboxReply(200)


def _create_chat(state: State, channel: SandboxRow, _id: str, sent: Mapping[str, Any]) -> SandboxReply:
    user = sent.get("user")
    if not isinstance(user, dict) or not _is_text(user.get("id")) or not _is_text(user.get("name")):
        raise refuse(400, "user: id and name are required")
    if not _is_text(sent.get("conversation_id")):
        raise refuse(400, "conversation_id is required")
    chat = arrivals.chat_of(state, channel, str(sent["conversation_id"]), user)
    told = {"id": id_of(f"user {user['id']}"), "client_id": user["id"], "name": user["name"], "avatar": ""}
    return answer({"id": chat["chat_id"], "user": {**told, **(user.get("profile") or {})}})


def _message(state: State, channel: SandboxRow, _id: str, sent: Mapping[str, Any]) -> SandboxReply:
    payload = sent.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("message"), dict):
        raise refuse(400, "payload.message is required")
    if not payload["message"].get("type"):
        raise refuse(400, "payload.message.type is required")
    if sent.get("event_type") == "edit_message":
        return _edited(state, payload)
    if sent.get("event_type") != "new_message":
        raise refuse(400, "event_type: new_message or edit_message")
    for name in ("msgid", "conversation_id", "timestamp", "sender"):
        if not payload.get(name):
            raise refuse(400, f"payload.{name} is required")
    if state.table("amojo_messages").first([("client_id", "=", payload["msgid"])]) is not None:
        raise refuse(400, "payload.msgid: there is a message of this id")
    row = arrivals.arrive(state, channel, payload)
    told = {
        "conversation_id": payload["conversation_id"],
        "sender_id": payload["sender"].get("id"),
        "receiver_id": None,
    }
    return answer({"new_message": {**told, "msgid": row["message_id"], "ref_id": payload["msgid"]}})


def _edited(state: State, payload: Mapping[str, Any]) -> SandboxReply:
    table = state.table("amojo_messages")
    row = table.first([("client_id", "=", payload.get("msgid") or "")])
    if row is None:
        raise refuse(400, "payload.msgid: there is no message of this id")
    former = [*row["former"], row["message"]]
    table.put({**row, "message": payload["message"], "former": former})
    return answer({"new_message": {"msgid": row["message_id"], "ref_id": row["client_id"]}})


def _status(state: State, _channel: SandboxRow, id: str, sent: Mapping[str, Any]) -> SandboxReply:
    table = state.table("amojo_messages")
    row = table.first([("message_id", "=", id)])
    if row is None:
        raise refuse(404, "There is no such message")
    code = sent.get("status_code", sent.get("delivery_status"))
    if code not in _STATUSES:
        raise refuse(400, "status_code: 1, 2 or -1")
    if code == -1 and (sent.get("error_code") not in _ERRORS or not _is_text(sent.get("error"))):
        raise refuse(400, "error_code and error are required")
    table.put({**row, "statuses": [*row["statuses"], {"code": code, "error": sent.get("error", "")}]})
    return SandboxReply(200)


def _history(state: State, channel: SandboxRow, chat_id: str, sent: Mapping[str, Any]) -> SandboxReply:
    asked = [str(sent.get(name, usual)) for name, usual in (("offset", "0"), ("limit", "50"))]
    if not all(text.isdecimal() and len(text) < _DIGITS for text in asked):
        raise refuse(400, "offset and limit are whole numbers")
    offset, limit = (int(text) for text in asked)
    rows = state.table("amojo_messages").select(
        [("chat_id", "=", chat_id)],
        order=("id", "desc"),
        limit=min(limit, _MOST_OF_HISTORY),
        offset=offset,
    )
    return answer({"messages": [_shown(row) for row in rows]}) if rows else no_content()


def _shown(row: SandboxRow) -> dict[str, Any]:
    message = {"id": row["message_id"], **row["message"]}
    if row["client_id"]:
        message["client_id"] = row["client_id"]
    return {"timestamp": row["at"], "sender": row["sender"], "receiver": row["receiver"], "message": message}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_Handler = Callable[[State, SandboxRow, str, Mapping[str, Any]], SandboxReply]
_KNOWN: Mapping[tuple[str, int, str], _Handler] = {
    ("POST", 1, "connect"): _connect,
    ("DELETE", 1, "disconnect"): _disconnect,
    ("POST", 1, "chats"): _create_chat,
    ("POST", 0, ""): _message,
    ("POST", 2, "delivery_status"): _status,
    ("GET", 3, "history"): _history,
}
