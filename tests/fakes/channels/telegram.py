"""Telegram's Bot API as a local server: methods of one bot, files, long polls, and the two of which it grants one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from aiohttp.multipart import BodyPartReader

from tests.fakes.sms.server import FakeProvider

TOKEN = "7000000001:AAH-hush_hush_hush_hush_hush_hush_hush"  # of nobody
MOST_DOWNLOADED = 20 * 1024 * 1024


@dataclass
class BotMessage:
    """One message that the double has taken. told: fields of the call, numbers as they came."""

    method: str
    told: dict[str, Any]
    file: bytes = b""
    file_name: str = ""


@dataclass
class FakeTelegram(FakeProvider):
    """refuses: code and words that it answers every sending with. moved: groups that have another number. updates: of the last 24
    hours, with their numbers. webhook: what setWebhook said. files: by file_id."""

    token: str = TOKEN
    refuses: tuple[int, str] | None = None
    moved: dict[int, int] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    webhook: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    messages: list[BotMessage] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    polls: int = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/bot{token}/{method}", self._method),
            web.get("/file/bot{token}/{path:.*}", self._file),
        ]

    def throttled(self) -> web.Response:
        return _refused(429, "Too Many Requests: retry after 7", {"retry_after": 7})

    def troubled(self) -> web.Response:
        return _refused(500, "Internal Server Error")

    async def _method(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.methods.append(method)
        if request.match_info["token"] != self.token:
            return _refused(401, "Unauthorized")
        if method in ("sendMessage", "sendPhoto", "sendDocument"):
            sent = await _read(request, method)
            return await self.faulty(request, lambda: self._take(sent))
        told = await request.json()
        match method:
            case "getMe":
                return _good({"id": 7000000001, "is_bot": True, "first_name": "Office", "username": "office"})
            case "getUpdates":
                return await self._polled(told)
            case "setWebhook":
                self.webhook = told
                return _good(True)
            case "deleteWebhook":
                self.webhook = {}
                return _good(True)
            case "getFile":
                return self._found(told["file_id"])
        return _refused(404, "Not Found: method not found")

    async def _take(self, sent: BotMessage) -> web.Response:
        chat = int(sent.told["chat_id"])
        if self.refuses:
            return _refused(*self.refuses)
        if chat in self.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return _refused(400, words, {"migrate_to_chat_id": self.moved[chat]})
        self.messages.append(sent)
        number = 1000 + len(self.messages)
        return _good(
            {"message_id": number, "date": int(time.time()), "chat": {"id": chat, "type": "private"}}
        )

    async def _polled(self, told: Mapping[str, Any]) -> web.Response:
        if self.webhook:
            return _refused(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
            )
        if self.polls:
            return _refused(409, "Conflict: terminated by other getUpdates request")
        if "offset" in told:  # what is before it is forgotten
            self.updates = [u for u in self.updates if u["update_id"] >= told["offset"]]
        self.polls += 1
        try:
            until = time.monotonic() + told["timeout"]
            while not self.updates and time.monotonic() < until:
                await asyncio.sleep(0.01)
        finally:
            self.polls -= 1
        return _good(self.updates[: told["limit"]])

    def _found(self, file_id: str) -> web.Response:
        content = self.files.get(file_id)
        if content is None:
            return _refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(content) > MOST_DOWNLOADED:
            return _refused(400, "Bad Request: file is too big")
        path = f"documents/{file_id}.bin"
        return _good({"file_id": file_id, "file_size": len(content), "file_path": path})

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["path"].removeprefix("documents/").removesuffix(".bin")
        if request.match_info["token"] != self.token or name not in self.files:
            return _refused(404, "Not Found")
        return web.Response(body=self.files[name])


def _good(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _refused(code: int, words: str, parameters: Mapping[str, object] | None = None) -> web.Response:
    told: dict[str, object] = {"ok": False, "error_code": code, "description": words}
    return web.json_response({**told, **({"parameters": parameters} if parameters else {})}, status=code)


async def _read(request: web.Request, method: str) -> BotMessage:
    if request.content_type == "application/json":
        return BotMessage(method, await request.json())
    sent = BotMessage(method, {})
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        if part.filename is not None:
            sent.file, sent.file_name = bytes(await part.read()), part.filename
        else:
            text = await part.text()
            sent.told[str(part.name)] = orjson.loads(text) if text[:1] in "{[" else text
    return sent


def update(number: int, name: str = "message", **more: Any) -> dict[str, Any]:
    """An update with a message of a client; more: fields of it."""
    chat = {"id": 7, "type": "private", "first_name": "Oleg"}
    message = {"message_id": number, "date": 1772434800 + number, "chat": chat, "from": chat, **more}
    return {"update_id": number, name: message}
