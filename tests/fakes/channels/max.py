"""MAX's Bot API as a local server: one bot, its subscriptions, uploads, films and long polls, and who it tells by itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web
from aiohttp.multipart import BodyPartReader

from tests.fakes.sms.server import FakeProvider

TOKEN = "f9LHodD0cOL-hush-hush-hush-hush-hush-hush"  # of nobody
BOT = {"user_id": 9000001, "first_name": "Office", "username": "office_bot", "is_bot": True}
CHAT = 182182182


@dataclass
class Upload:
    """One file that the double has taken. headers: what came with it, which is to be no token."""

    kind: str
    content: bytes
    name: str
    headers: dict[str, str]


@dataclass
class FakeMax(FakeProvider):
    """refuses: status, code and words that it answers every sending with. not_ready: how often a message with a file is refused
    since it is still worked on. keeps_token: films and sounds get their token with the address. updates: each with its number, until
    a marker behind it comes. subscriptions: address → what was said of it. messages: all that was written, the latest first."""

    token: str = TOKEN
    refuses: tuple[int, str, str] | None = None
    not_ready: int = 0
    uploads_refused: int = 0
    updates: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    films: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked_for: list[str] = field(default_factory=list)
    polls: int = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/me", self._me),
            web.get("/updates", self._polled),
            web.get("/subscriptions", self._subscribed),
            web.post("/subscriptions", self._subscribe),
            web.delete("/subscriptions", self._unsubscribe),
            web.post("/messages", self._send),
            web.get("/messages", self._written),
            web.post("/uploads", self._upload_place),
            web.post("/put/{kind}", self._upload),
            web.get("/videos/{token}", self._video),
            web.get("/film/{token}/{size}", self._film),
        ]

    def throttled(self) -> web.Response:
        return _refused(429, "too.many.requests", "Too many requests")

    def troubled(self) -> web.Response:
        return _refused(500, "internal.error", "Internal error")

    def stranger(self, request: web.Request) -> web.Response | None:
        self.asked_for.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") == self.token:
            return None
        return _refused(401, "verify.token", "Invalid access_token")

    async def _me(self, request: web.Request) -> web.Response:
        return self.stranger(request) or web.json_response(BOT)

    async def _polled(self, request: web.Request) -> web.Response:
        if refused := self.stranger(request):
            return refused
        if self.subscriptions:
            return _refused(405, "method.not.allowed", "The bot is subscribed to a webhook")
        if marker := request.query.get("marker"):  # what is before it is forgotten
            self.updates = [(n, u) for n, u in self.updates if n >= int(marker)]
        self.polls += 1
        until = time.monotonic() + float(request.query["timeout"])
        while not self.updates and time.monotonic() < until:
            await asyncio.sleep(0.01)
        told = self.updates[: int(request.query["limit"])]
        last = told[-1][0] + 1 if told else int(marker or 1)
        return web.json_response({"updates": [u for _, u in told], "marker": last})

    async def _subscribed(self, request: web.Request) -> web.Response:
        listed = [{"url": url, "time": 1, "update_types": None} for url in self.subscriptions]
        return self.stranger(request) or web.json_response({"subscriptions": listed})

    async def _subscribe(self, request: web.Request) -> web.Response:
        if refused := self.stranger(request):
            return refused
        told = await request.json()
        self.subscriptions[told["url"]] = told
        return web.json_response({"success": True})

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        if refused := self.stranger(request):
            return refused
        there = self.subscriptions.pop(request.query["url"], None)
        return web.json_response({"success": there is not None, "message": "" if there else "not subscribed"})

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told, chat = await request.json(), int(request.query["chat_id"])
        return await self.faulty(request, lambda: self._take(request, told, chat))

    async def _take(self, request: web.Request, told: dict[str, Any], chat: int) -> web.Response:
        if refused := self.stranger(request):
            return refused
        if self.refuses:
            return _refused(*self.refuses)
        if told.get("attachments") and self.not_ready:
            self.not_ready -= 1
            return _refused(400, "attachment.not.ready", "Key: errors.process.attachment.file.not.processed")
        self.sent.append(told)
        written = self.write(told.get("text", ""), chat=chat)
        return web.json_response({"message": written})

    def write(self, text: str, *, chat: int = CHAT, at: float | None = None) -> dict[str, Any]:
        """Write as the bot, here or by another program."""
        number = 1000 + len(self.messages)
        written = {
            "sender": BOT,
            "recipient": {"chat_id": chat, "chat_type": "dialog", "user_id": 123456789},
            "timestamp": int((at or time.time()) * 1000),
            "body": {"mid": f"mid.{number}", "seq": number, "text": text},
        }
        self.messages.insert(0, written)
        return written

    async def _written(self, request: web.Request) -> web.Response:
        if refused := self.stranger(request):
            return refused
        chat = int(request.query["chat_id"])
        found = [m for m in self.messages if m["recipient"]["chat_id"] == chat]
        return web.json_response({"messages": found[: int(request.query.get("count", "50"))]})

    async def _upload_place(self, request: web.Request) -> web.Response:
        if refused := self.stranger(request):
            return refused
        kind = request.query["type"]
        place = {"url": f"{self.url}/put/{kind}"}
        return web.json_response({**place, "token": f"of-{kind}"} if kind in ("video", "audio") else place)

    async def _upload(self, request: web.Request) -> web.Response:
        if self.uploads_refused:
            return web.Response(status=self.uploads_refused, text="<html>no</html>")
        kind = request.match_info["kind"]
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        assert part.name == "data"
        self.uploads.append(
            Upload(kind, bytes(await part.read()), part.filename or "", dict(request.headers))
        )
        match kind:
            case "image":
                return web.json_response({"photos": {"p1": {"token": "of-picture"}}})
            case "file":
                return web.json_response({"fileId": 1, "token": "of-file"})
        return web.Response(text='<?xml version="1.0"?><retval>1</retval>', content_type="application/xml")

    async def _video(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        if refused := self.stranger(request):
            return refused
        if token not in self.films:
            return _refused(404, "not.found", "Video is not found")
        urls = {size: f"{self.url}/film/{quote(token, safe='')}/{size}" for size in self.films[token]}
        return web.json_response({"token": token, "urls": urls, "width": 1, "height": 1, "duration": 1})

    async def _film(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        return web.Response(body=self.films[request.match_info["token"]][request.match_info["size"]])

    async def tell(self, told: dict[str, Any], *, secret: str | None = None) -> list[int]:
        """Tell an update to every address that is subscribed; how each answered. secret: in place of what was agreed."""
        answers = []
        async with aiohttp.ClientSession() as session:
            for url, said in list(self.subscriptions.items()):
                headers = {"X-Max-Bot-Api-Secret": said["secret"] if secret is None else secret}
                async with session.post(url, json=told, headers=headers) as answer:
                    answers.append(answer.status)
        return answers


def _refused(status: int, code: str, words: str) -> web.Response:
    return web.json_response({"code": code, "message": words}, status=status)


def update(number: int, text: str | None = "Здравствуйте", /, **more: Any) -> dict[str, Any]:
    """An update with a message of a client. more: fields of its body; `update_type`, `chat_id`, `link` and `name` in their places."""
    at = 1772434800000 + number
    name, chat = more.pop("update_type", "message_created"), more.pop("chat_id", CHAT)
    link, first = more.pop("link", None), more.pop("name", "Oleg")
    message = {
        "sender": {"user_id": 123456789, "first_name": first, "last_name": "", "is_bot": False},
        "recipient": {"chat_id": chat, "chat_type": "dialog", "user_id": BOT["user_id"]},
        "timestamp": at,
        "body": {"mid": f"mid.c{number}", "seq": 116043270574650000 + number, "text": text, **more},
    }
    if link:
        message["link"] = link
    return {"update_type": name, "timestamp": at, "message": message}
