"""What support does, what people do in the card, and what stands in the chats. No part of the imitated API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from aiohttp import web

from crm.sandbox.amojo.signatures import signature
from crm.sandbox.chat_ids import AMOJO_ID, amojo_id_of, id_of, new_id
from crm.sandbox.control.asking import body_of, json_answer
from crm.sandbox.store import SandboxRow

if TYPE_CHECKING:
    from crm.sandbox.world import World

CHANNEL_ID = "344a5002-f8ca-454d-af3d-396180102ac7"
BOT_ID = "f1910c7f-b1e0-4184-bd09-c7def2a9109a"
SECRET = "sandbox-chats-secret"  # noqa: S105 - everybody's
_HOOK_SECONDS = 5.0


def add_routes(app: web.Application, world: World) -> None:
    control = ChatControl(world)
    app.router.add_get("/_sandbox/chats", control.show)
    app.router.add_post("/_sandbox/chats/channels", control.register)
    app.router.add_post("/_sandbox/chats/answer", control.answer)
    app.router.add_post("/_sandbox/chats/uninstall", control.uninstall)


class ChatControl:
    def __init__(self, world: World) -> None:
        self._state = world.state

    async def show(self, _request: web.Request) -> web.Response:
        tables = ("channels", "connections", "chats", "messages")
        return json_answer({name: self._state.table(f"amojo_{name}").select() for name in tables})

    async def register(self, request: web.Request) -> web.Response:
        """Register a channel as support does: {hook?, channel_id?, secret?, bot_id?}; `:scope_id` in the hook's address is filled in."""
        sent = await body_of(request)
        row = {
            "channel_id": str(sent.get("channel_id") or CHANNEL_ID),
            "secret": str(sent.get("secret") or SECRET),
            "bot_id": str(sent.get("bot_id") or BOT_ID),
            "hook": str(sent.get("hook") or ""),
        }
        table = self._state.table("amojo_channels")
        with self._state.db.transaction():
            if known := table.first([("channel_id", "=", row["channel_id"])]):
                table.put({**known, **row})
            else:
                table.add(row)
        return json_answer({**row, "amojo_id": AMOJO_ID})

    async def uninstall(self, _request: web.Request) -> web.Response:
        """Whoever takes the integration out of the account disconnects its channels."""
        table = self._state.table("amojo_connections")
        with self._state.db.transaction():
            for row in table.select():
                table.put({**row, "is_on": 0})
        return json_answer({"done": "uninstall"})

    async def answer(self, request: web.Request) -> web.Response:
        """{"phone" (the client's) | "conversation" (ours) | "chat_id", "text", "user"?, "media"?, "file_name"?, "id"?}: somebody writes in
        the card. user: 0 = the bot. id: of a message that was told before, whose hook comes once more."""
        sent = await body_of(request)
        if not self._is_user(sent.get("user") or 0):
            return json_answer({"error": "no such user; see /_sandbox/state?kind=user"}, status=400)
        with self._state.db.transaction():
            told = self._written(sent)
        if told is None:
            return json_answer({"error": "no such chat, or its channel is not connected"}, status=400)
        row, channel, chat = told
        hook = {"account_id": AMOJO_ID, "time": self._state.now(), "message": _hook(row, chat)}
        body = orjson.dumps(hook)
        status = await _post(channel, body)
        with self._state.db.transaction():
            table = self._state.table("amojo_messages")
            kept = table.get(row["id"]) or row
            table.put({**kept, "hooks": [*kept["hooks"], status]})
        return json_answer({"message_id": row["message_id"], "status": status})

    def _is_user(self, user: object) -> bool:
        return user == 0 or user in {row["id"] for row in self._state.table("users").select()}

    def _written(self, sent: dict[str, Any]) -> tuple[SandboxRow, SandboxRow, SandboxRow] | None:
        chats = self._state.table("amojo_chats").select()
        chat = next((c for c in chats if _is_meant(c, sent)), None)
        if chat is None:
            return None
        channel_id = chat["key"].partition(" ")[0]
        channel = self._state.table("amojo_channels").first([("channel_id", "=", channel_id)])
        connection = self._state.table("amojo_connections").first(
            [("scope_id", "=", f"{channel_id}_{AMOJO_ID}")]
        )
        if channel is None or connection is None or not connection["is_on"]:
            return None
        channel = {**channel, "scope_id": connection["scope_id"]}
        table = self._state.table("amojo_messages")
        if sent.get("id") and (known := table.first([("message_id", "=", str(sent["id"]))])):
            return known, channel, chat
        user = int(sent.get("user") or 0)
        message = {"type": "file" if sent.get("media") else "text", "text": str(sent.get("text") or "")}
        message |= {name: sent[name] for name in ("media", "file_name") if sent.get(name)}
        row = {
            "message_id": str(sent.get("id") or new_id()),
            "client_id": "",
            "chat_id": chat["chat_id"],
            "at": self._state.now(),
            "is_silent": True,
            "sender": {"id": amojo_id_of(user) if user else channel["bot_id"]},
            "receiver": chat["user"],
            "message": message,
            "former": [],
            "statuses": [],
            "hooks": [],
        }
        return table.add(row), channel, chat


def _is_meant(chat: SandboxRow, sent: dict[str, Any]) -> bool:
    names = {
        "conversation": chat["conversation_id"],
        "chat_id": chat["chat_id"],
        "phone": (chat["user"].get("profile") or {}).get("phone"),
    }
    return any(sent.get(name) and sent[name] == value for name, value in names.items())


def _hook(row: SandboxRow, chat: SandboxRow) -> dict[str, Any]:
    client = chat["user"]
    profile = client.get("profile") or {}
    return {
        "receiver": {
            "id": id_of(f"user {client.get('id')}"),
            "phone": profile.get("phone", ""),
            "email": "",
            "client_id": client.get("id"),
        },
        "sender": row["sender"],
        "conversation": {"id": chat["chat_id"], "client_id": chat["conversation_id"]},
        "timestamp": row["at"],
        "msec_timestamp": row["at"] * 1000,
        "message": {
            "id": row["message_id"],
            "tag": "",
            "media": "",
            "file_name": "",
            "file_size": 0,
            **row["message"],
        },
    }


async def _post(channel: SandboxRow, body: bytes) -> int:
    """Return the status of the one attempt; 0: nothing came in five seconds."""
    url = channel["hook"].replace(":scope_id", channel["scope_id"])
    headers = {"Content-Type": "application/json", "X-Signature": signature(channel["secret"], body)}
    timeout = aiohttp.ClientTimeout(total=_HOOK_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return response.status
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return 0
