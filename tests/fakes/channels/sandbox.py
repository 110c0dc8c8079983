"""The messenger of the sandbox channel as a local server: what clients do in it, and what is told of that, well or badly."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import aiohttp
import orjson
from aiohttp import web

from sms.channels.sandbox.wire import SIGNATURE_HEADER, TIME_HEADER, signature
from tests.fakes.sms.server import FakeProvider

Telling = Literal["duplicates", "disorder", "one by one"]
"""duplicates: each update twice, the second time beside the next. disorder: in any order. one by one: a request for each."""


@dataclass
class SentIntoChat:
    """One message that the double has taken."""

    id: str
    key: str
    chat_id: str
    text: str
    file: bytes = b""


@dataclass
class FakeMessenger(FakeProvider):
    """faults: of sending, as at SMS providers; refuses: the reason it gives to everything. updates: all that there were, those
    behind the cursor are polled. token: what one must ask with. opens: by number the chat that it stands for, where it is another."""

    refuses: str = ""
    throttles_chat: bool = False
    token: str = ""
    state: str = "active"
    address: str = ""
    updates: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    messages: list[SentIntoChat] = field(default_factory=list)
    is_deduplicating: bool = True
    echoes: bool = False
    opens: dict[str, str] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/messages", self._send),
            web.get("/updates", self._updates),
            web.get("/history", self._history),
            web.get("/sent", self._sent),
            web.get("/state", self._state),
            web.get("/files/{id}", self._file),
            web.post("/webhook", self._webhook),
        ]

    def throttled(self) -> web.Response:
        return web.json_response({"retry_after": 7, "of_chat": self.throttles_chat}, status=429)

    def troubled(self) -> web.Response:
        return web.json_response({"reason": "vendor-trouble"}, status=400)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()
        return await self.faulty(request, lambda: self._take(request, told))

    async def _take(self, request: web.Request, told: Mapping[str, Any]) -> web.Response:
        if not self._knows(request):
            return web.json_response({}, status=401)
        if self.refuses:
            return web.json_response({"reason": self.refuses, "words": "no"}, status=403)
        known = next((m for m in self.messages if m.key == told["key"] and self.is_deduplicating), None)
        if known is None:
            file = base64.b64decode(told.get("file", {}).get("content", ""))
            phone = told.get("phone", "")
            chat_id = told.get("chat_id") or self.opens.get(phone, phone)
            known = SentIntoChat(
                f"s{len(self.messages) + 1}", told["key"], chat_id, told.get("text", ""), file
            )
            self.messages.append(known)
            if self.echoes:
                self.updates.append(echo_of(known))
        return web.json_response({"id": known.id, "chat_id": known.chat_id})

    async def _updates(self, request: web.Request) -> web.Response:
        if not self._knows(request):
            return web.json_response({}, status=401)
        after = int(request.query.get("after") or 0)
        until = time.monotonic() + float(request.query["seconds"])
        while len(self.updates) <= after and time.monotonic() < until:
            await asyncio.sleep(0.01)
        return self._page(after)

    async def _history(self, request: web.Request) -> web.Response:
        since = datetime.fromisoformat(request.query["since"])
        told = [
            u
            for u in self.updates
            if u["told"] == "message" and datetime.fromisoformat(u["at"].replace("Z", "+00:00")) >= since
        ]
        after = int(request.query.get("after") or 0)
        cursor = str(after + 2) if after + 2 < len(told) else ""
        return web.json_response({"updates": told[after : after + 2], "cursor": cursor})

    def _page(self, after: int) -> web.Response:
        return web.json_response({"updates": self.updates[after:], "cursor": str(len(self.updates))})

    async def _sent(self, request: web.Request) -> web.Response:
        found = next((m for m in self.messages if m.key == request.query["key"]), None)
        return web.json_response({"id": found.id, "chat_id": found.chat_id} if found else {})

    async def _state(self, request: web.Request) -> web.Response:
        if not self._knows(request):
            return web.json_response({}, status=401)
        return web.json_response({"state": self.state})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    async def _webhook(self, request: web.Request) -> web.Response:
        self.address = (await request.json())["address"]
        return web.json_response({})

    def _knows(self, request: web.Request) -> bool:
        return not self.token or request.headers.get("Authorization") == f"Bearer {self.token}"


def client_message(id: str, chat: str = "7", text: str = "Hello", **more: Any) -> dict[str, Any]:
    """A message of a client, as it is told. more: fields of the update; `phone`, `name` of the chat."""
    of_chat = {
        name: more.pop(name) for name in ("phone", "name", "kind", "way", "moved_from") if name in more
    }
    return {
        "told": "message",
        "id": id,
        "chat": {"id": chat, **of_chat},
        "direction": "in",
        "author": {"kind": "client", "id": chat},
        "parts": [{"kind": "text", "text": text}],
        **more,
    }


def echo_of(message: SentIntoChat, author: str = "employee", **more: Any) -> dict[str, Any]:
    """The vendor's word of a message of ours."""
    return {
        "told": "message",
        "id": message.id,
        "chat": {"id": message.chat_id},
        "direction": "out",
        "author": {"kind": author},
        "parts": [{"kind": "text", "text": message.text}],
        "own_key": message.key,
        **more,
    }


def status(id: str, status: str, **more: Any) -> dict[str, Any]:
    return {"told": "status", "id": id, "status": status, **more}


def body_of(updates: Iterable[Mapping[str, Any]]) -> bytes:
    return orjson.dumps({"updates": list(updates)})


def signed_headers(secret: str, body: bytes, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    return {TIME_HEADER: stamp, SIGNATURE_HEADER: signature(secret, stamp, body)}


async def tell(
    session: aiohttp.ClientSession,
    address: str,
    updates: list[dict[str, Any]],
    *,
    how: frozenset[Telling] = frozenset(),
    seed: int = 0,
    secret: str = "",
) -> list[int]:
    """Post updates to an address as a messenger with these faults does; the statuses of the answers."""
    chance = random.Random(seed)
    told = list(updates)
    if "duplicates" in how:
        told += updates
    if "disorder" in how:
        chance.shuffle(told)
    bodies = [body_of([u]) for u in told] if "one by one" in how else [body_of(told)]

    async def post(body: bytes) -> int:
        headers = signed_headers(secret, body) if secret else {}
        async with session.post(address, data=body, headers=headers) as answer:
            return answer.status

    return list(await asyncio.gather(*map(post, bodies)))
