"""Telegram's Bot API on loopback, as a bot that people write to sees it: messages out, updates in by long poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "123456:secret-of-the-bot"


@dataclass
class BotDouble:
    """refusals: what the next calls of a method are answered, (status, parameters); loses: so many messages it takes and says
    nothing of it. repeats: it forgets what was confirmed and sends it again. updates: not yet confirmed."""

    url: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    toasts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    offsets: list[int | None] = field(default_factory=list)
    refusals: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    loses: int = 0
    repeats: bool = False
    next_update: int = 700

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.match_info["token"] == TOKEN
        method, body = request.match_info["method"], await request.json()
        if self.refusals.get(method):
            status, parameters = self.refusals[method].pop(0)
            said = {"ok": False, "error_code": status, "description": "no", "parameters": parameters}
            return web.json_response(said, status=status)
        result = {"sendMessage": self._message, "answerCallbackQuery": self._toast, "getUpdates": self._read}
        told = result[method](body)
        if method == "getUpdates" and not told:
            await asyncio.sleep(0.05)
        if method == "sendMessage" and self.loses:
            self.loses -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"ok": True, "result": told})

    def _message(self, body: dict[str, Any]) -> Any:
        self.sent.append(body)
        return {"message_id": len(self.sent)}

    def _toast(self, body: dict[str, Any]) -> Any:
        self.toasts.append(body)
        return True

    def _read(self, body: dict[str, Any]) -> Any:
        offset = body.get("offset")
        self.offsets.append(offset)
        if offset is not None and not self.repeats:
            self.updates = [u for u in self.updates if u["update_id"] >= offset]
        return list(self.updates)

    def write(self, chat: int, text: str, *, kind: str = "private", language: str = "ru") -> None:
        """Somebody writes to the bot."""
        sender = {"id": chat if kind == "private" else 99, "language_code": language}
        self._add({"message": {"chat": {"id": chat, "type": kind}, "from": sender, "text": text}})

    def press(self, chat: int, button: str, *, who: int | None = None) -> None:
        """Somebody presses the button below a message in that chat."""
        message = {"chat": {"id": chat, "type": "private"}}
        press = {
            "id": f"p{self.next_update}",
            "from": {"id": who or chat},
            "message": message,
            "data": button,
        }
        self._add({"callback_query": press})

    def _add(self, update: dict[str, Any]) -> None:
        self.updates.append({"update_id": self.next_update, **update})
        self.next_update += 1

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent]

    def buttons(self) -> list[str]:
        """Return what the buttons of the questions send back, oldest first."""
        found = [message["reply_markup"] for message in self.sent if "reply_markup" in message]
        return [markup["inline_keyboard"][0][0]["callback_data"] for markup in found]


@asynccontextmanager
async def bot_double() -> AsyncIterator[BotDouble]:
    double = BotDouble()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", double.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield double
    finally:
        await runner.cleanup()
