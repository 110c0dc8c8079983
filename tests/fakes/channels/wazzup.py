"""Wazzup's API v3 as a local server: messages, channels, and the test of the address that it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.sms.server import FakeProvider

API_KEY = "hush-of-nobody"
CHANNEL = "b96a353b-1111-4cac-8413-ba9999999981"


@dataclass
class FakeWazzup(FakeProvider):
    """refuses: code and words that it answers every sending with. channel_states: of its channels. subscription: what it is to
    tell, and where. tells_with: the key of ours that it holds. remembers: whether a key of a message is known for the 60 seconds. fetches: what it is to send from an address, into `files`."""

    api_key: str = API_KEY
    refuses: tuple[str, str] | None = None
    spells_in_camel_case: bool = False
    channel_states: dict[str, str] = field(default_factory=lambda: {CHANNEL: "active"})
    subscription: dict[str, Any] = field(default_factory=dict)
    tells_with: str = ""
    remembers: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)
    fetches: bool = False
    files: list[tuple[bytes, str]] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v3/message", self._send),
            web.get("/v3/channels", self._channels),
            web.patch("/v3/webhooks", self._webhooks),
        ]

    def throttled(self) -> web.Response:
        return web.Response(status=429)

    def troubled(self) -> web.Response:
        return self._refused("UNKNOWN_ERROR", "Unknown error")

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()
        return await self.faulty(request, lambda: self._take(request, told))

    async def _take(self, request: web.Request, told: dict[str, Any]) -> web.Response:
        if not self._knows(request):
            return web.Response(status=401)
        if self.refuses:
            return self._refused(*self.refuses)
        if self.remembers and any(m["crmMessageId"] == told["crmMessageId"] for m in self.messages):
            return self._refused("REPEATED_CRM_MESSAGE_ID", "You have already sent it")
        if "text" in told and "contentUri" in told:
            return self._refused("MESSAGE_ONLY_TEXT_OR_CONTENT", "one of them")
        if self.fetches and "contentUri" in told and not await self._fetched(told["contentUri"]):
            return self._refused("MESSAGE_DOWNLOAD_CONTENT_ERROR", "Could not download the content")
        self.messages.append(told)
        chat_id = told.get("chatId") or "5876543210"
        return web.json_response({"messageId": f"w{len(self.messages)}", "chatId": chat_id}, status=201)

    async def _fetched(self, url: str) -> bool:
        """At once, and without following a redirect."""
        async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
            if answer.status == 200:
                self.files.append((await answer.read(), answer.content_type))
            return answer.status == 200

    async def _channels(self, request: web.Request) -> web.Response:
        if not self._knows(request):
            return web.Response(status=401)
        told = [
            {"channelId": id, "transport": "whatsapp", "plainId": "79160000000", "state": state}
            for id, state in self.channel_states.items()
        ]
        return web.json_response(told)

    async def _webhooks(self, request: web.Request) -> web.Response:
        told = await request.json()
        if not told["webhooksUri"].startswith("http"):
            return self._refused("uriNotValid", "Provided URI is not valid URI")
        if await self.tell(told["webhooksUri"], {"test": True}) != 200:
            return self._refused("testPostNotPassed", "URI does not return 200 OK on test request")
        self.subscription = told
        return web.json_response({"ok": True})

    async def tell(self, address: str, body: object) -> int:
        """Post to an address as Wazzup does, and return what it answered."""
        headers = {"Authorization": f"Bearer {self.tells_with}"} if self.tells_with else {}
        async with (
            aiohttp.ClientSession() as session,
            session.post(address, json=body, headers=headers) as answer,
        ):
            return answer.status

    def _knows(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.api_key}"

    def _refused(self, code: str, words: str) -> web.Response:
        if self.spells_in_camel_case:
            first, *others = code.lower().split("_")
            code = first + "".join(map(str.capitalize, others))
        told = {"status": 400, "requestId": "7ca6", "error": code, "description": words, "data": {}}
        return web.json_response(told, status=400)
