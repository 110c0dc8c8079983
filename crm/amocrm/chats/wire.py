"""Requests as amoCRM's chats want them and what they answer: values <-> bytes, no I/O.

Of the way a delivery status is told the documentation names two (`status_code` in its table, `delivery_status` with `msgid` in its
example): both are sent. A deletion has no request of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import orjson

from crm.amocrm.chats.errors import (
    CrmChatError,
    CrmChatForbidden,
    CrmChatNotThere,
    CrmChatRefused,
    CrmChatSilent,
    CrmChatThrottled,
)
from crm.amocrm.chats.model import ChatHistoryMessage, ChatPerson, ChatStatus, CrmChatMessage

STATUS_CODES: Mapping[ChatStatus, int] = {"delivered": 1, "read": 2, "refused": -1}
OTHER_ERROR = 905
"""The one error that is told with words; 901 to 904 have words of amoCRM's own."""
LONGEST_TEXT = 20_000
"""Ours: none is documented."""
MOST_OF_HISTORY = 50
_ROOT = "/v2/origin/custom"
_PUBLIC_HOSTS = re.compile(r"(?:^|\.)(amocrm\.ru|amocrm\.com|kommo\.com)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """path: without query, as it is signed. body: the exact bytes."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """retry_after: seconds, None when not told."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


def chats_address(base_url: str) -> str:
    """Return where the chats of an account live: a host of their own at the vendor, the account's own where the operator runs it."""
    parts = urlsplit(base_url)
    found = _PUBLIC_HOSTS.search(parts.hostname or "")
    return f"https://amojo.{found[1]}" if found else f"{parts.scheme}://{parts.netloc}"


def connect(channel_id: str, amojo_id: str, title: str) -> ChatRequest:
    """After every installation of the integration anew; told twice it is connected once."""
    body = {"account_id": amojo_id, "title": title, "hook_api_version": "v2"}
    return _post(f"{_ROOT}/{_quoted(channel_id)}/connect", body)


def scope_of(reply: ChatReply) -> str:
    """Return the id under which a connected account is asked from now on. Raises CrmChatError."""
    return _text(_object(reply), "scope_id")


def disconnect(channel_id: str, amojo_id: str) -> ChatRequest:
    body = _bytes({"account_id": amojo_id})
    return ChatRequest(method="DELETE", path=f"{_ROOT}/{_quoted(channel_id)}/disconnect", body=body)


def create_chat(scope: str, chat: str, client: ChatPerson) -> ChatRequest:
    """Ask for the chat: there it is made only once. Without messages nobody sees it."""
    return _post(f"{_scoped(scope)}/chats", {"conversation_id": chat, "user": _person(client)})


def chat_id_of(reply: ChatReply) -> str:
    """Return amoCRM's id of the chat. Raises CrmChatError."""
    return _text(_object(reply), "id")


def new_message(scope: str, message: CrmChatMessage) -> ChatRequest:
    """Refused where there is one of this id already."""
    payload: dict[str, Any] = {**_times(message), "msgid": message.id, "conversation_id": message.chat}
    if message.chat_ref:
        payload["conversation_ref_id"] = message.chat_ref
    if message.author is None:
        payload["sender"] = _person(message.client)
    else:
        payload |= {"sender": _person(message.author), "receiver": _person(message.client)}
    payload |= {"message": _words(message), "silent": message.is_silent}
    return _post(_scoped(scope), {"event_type": "new_message", "payload": payload})


def message_id_of(reply: ChatReply) -> str:
    """Return amoCRM's id of a message that was taken. Raises CrmChatError."""
    told = _object(reply).get("new_message")
    return _text(told if isinstance(told, dict) else {}, "msgid")


def edit_message(scope: str, message: CrmChatMessage) -> ChatRequest:
    """Only what it says is changed; nobody is told of it."""
    payload = {
        **_times(message),
        "msgid": message.id,
        "conversation_id": message.chat,
        "message": _words(message),
    }
    return _post(_scoped(scope), {"event_type": "edit_message", "payload": payload})


def delivery_status(scope: str, message_id: str, status: ChatStatus, why: str = "") -> ChatRequest:
    """message_id: amoCRM's. why: of one that did not arrive, as whoever wrote it reads it."""
    code = STATUS_CODES[status]
    body: dict[str, Any] = {"msgid": message_id, "status_code": code, "delivery_status": code}
    if status == "refused":
        body |= {"error_code": OTHER_ERROR, "error": why or status}
    return _post(f"{_scoped(scope)}/{_quoted(message_id)}/delivery_status", body)


def history(scope: str, chat_id: str, offset: int, limit: int = MOST_OF_HISTORY) -> ChatRequest:
    """chat_id: amoCRM's. The newest first."""
    path = f"{_scoped(scope)}/chats/{_quoted(chat_id)}/history"
    return ChatRequest(method="GET", path=path, query=f"offset={offset}&limit={limit}")


def history_of(reply: ChatReply) -> list[ChatHistoryMessage]:
    """Return what stands there; nothing of a chat that is not known. Raises CrmChatError."""
    told = _object(reply).get("messages", []) if reply.status != 204 else []
    if not isinstance(told, list):
        raise CrmChatSilent("messages: a list was expected")
    found = []
    for item in told:
        inner = item.get("message") if isinstance(item, dict) else None
        if isinstance(inner, dict):
            text = inner.get("text")
            own = inner.get("client_id")
            found.append(
                ChatHistoryMessage(
                    id=str(inner.get("id", "")),
                    own_id=own if isinstance(own, str) else "",
                    text=text if isinstance(text, str) else "",
                )
            )
    return found


def judged(request: ChatRequest, reply: ChatReply) -> ChatReply:
    """Return a good answer. Raises the CrmChatError that another one stands for."""
    if 200 <= reply.status < 300:
        return reply
    said = f"{request.method} {request.path.rsplit('/', 1)[-1]}: {reply.status}"
    if reply.status == 429:
        raise CrmChatThrottled(said, reply.retry_after)
    errors: Mapping[int, type[CrmChatError]] = {
        401: CrmChatForbidden,
        403: CrmChatForbidden,
        404: CrmChatNotThere,
    }
    if kind := errors.get(reply.status):
        raise kind(f"{said} {_said(reply)}".strip())
    if 400 <= reply.status < 500:
        raise CrmChatRefused(f"{said} {_said(reply)}".strip())
    raise CrmChatSilent(said)


def _said(reply: ChatReply) -> str:
    return reply.body[:300].decode("utf-8", "replace")


def _post(path: str, body: Mapping[str, Any]) -> ChatRequest:
    return ChatRequest(method="POST", path=path, body=_bytes(body))


def _bytes(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)


def _scoped(scope: str) -> str:
    return f"{_ROOT}/{_quoted(scope)}"


def _quoted(id: str) -> str:
    return quote(id, safe="")


def _times(message: CrmChatMessage) -> dict[str, int]:
    milliseconds = int(message.at.timestamp() * 1000)
    return {"timestamp": milliseconds // 1000, "msec_timestamp": milliseconds}


def _words(message: CrmChatMessage) -> dict[str, str]:
    return {"type": "text", "text": message.text[:LONGEST_TEXT]}


def _person(person: ChatPerson) -> dict[str, Any]:
    told: dict[str, Any] = {"id": person.id, "name": person.name}
    if person.ref_id:
        told["ref_id"] = person.ref_id
    if person.phone:
        told["profile"] = {"phone": person.phone}
    return told


def _object(reply: ChatReply) -> Mapping[str, Any]:
    try:
        told = orjson.loads(reply.body)
    except ValueError as err:
        raise CrmChatSilent("the answer is no JSON") from err
    if not isinstance(told, dict):
        raise CrmChatSilent("the answer is no object")
    return told


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise CrmChatSilent(f"the answer tells no {name}")
    return value
