"""The three messengers as doubles with a memory: the sandbox's, which tells and keeps a history, a bot of Telegram, which is asked,
and a channel of Wazzup, which tells once and forgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from tests.chaos.channels.records import MessengerTruth, WrittenByClient
from tests.chaos.channels.sends import MessengerSends
from tests.chaos.outgoing.deck import Deck
from tests.chaos.outgoing.kill_points import KillPoints
from tests.chaos.outgoing.teller import Teller
from tests.fakes.channels.sandbox import (
    FakeMessenger,
    SentIntoChat,
    body_of,
    client_message,
    echo_of,
    signed_headers,
    status,
)
from tests.fakes.channels.telegram import BotMessage, FakeTelegram
from tests.fakes.channels.wazzup import CHANNEL, FakeWazzup

SIGNED_WITH = "hush of the chaos"
Update = dict[str, Any]


def edit_at(of: WrittenByClient) -> datetime:
    """By the messenger's clock: each edit is later than the one before."""
    return of.at + timedelta(seconds=of.edits)


class TellingMessenger(Protocol):
    """One that tells by itself."""

    def first_form(self, of: WrittenByClient, album: str) -> Update: ...
    def edited(self, of: WrittenByClient) -> Update: ...
    def deleted(self, of: WrittenByClient) -> Update: ...
    async def says(self, *updates: Update) -> None: ...


class SandboxDouble(FakeMessenger):
    """path: of our address, "" = not known yet. updates: its history."""

    def __init__(self, seed: int, truth: MessengerTruth, points: KillPoints, teller: Teller) -> None:
        super().__init__(is_deduplicating=False)
        self._teller, self.path = teller, ""
        self.sends = MessengerSends("sandbox", seed, truth, points, self._afterwards)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()

        async def take() -> tuple[str, web.Response]:
            answer = await self._take(request, told)
            return self.messages[-1].id, answer

        return await self.sends.sent(
            request, told.get("chat_id", ""), told.get("text", ""), take,
            lambda: web.json_response({"reason": "undeliverable"}, status=403),
            lambda: web.json_response({"retry_after": 1}, status=429),
        )  # fmt: skip

    def first_form(self, of: WrittenByClient, album: str) -> Update:
        if of.is_echo:
            sent = SentIntoChat(of.id, "", of.chat, of.text)
            return {**echo_of(sent, "phone"), "at": of.at.isoformat(), "sequence": of.sequence}
        return client_message(
            of.id, of.chat, of.text, at=of.at.isoformat(), sequence=of.sequence, name=of.name,
            **({"phone": of.number} if of.number else {}), **({"album_id": album} if album else {}),
        )  # fmt: skip

    def edited(self, of: WrittenByClient) -> Update:
        at = edit_at(of).isoformat()
        return {**self.first_form(of, ""), "edit": {"id": f"{of.id}-{of.edits}", "at": at}}

    def deleted(self, of: WrittenByClient) -> Update:
        return {"told": "deleted", "ids": [of.id], "chat_id": of.chat}

    async def says(self, *updates: Update) -> None:
        body = body_of(updates)
        await self._teller.tell(self.path, data=body, headers=signed_headers(SIGNED_WITH, body))

    async def _afterwards(self, token: str, chat: str, id: str) -> None:
        """Its word of a message of ours, with our key, now and then twice, and how it fares."""
        await self.sends.pause()
        sent = next(m for m in self.messages if m.id == id)
        at = datetime.now(UTC).isoformat()
        told = [status(id, one) for one in self.sends.statuses(token)]
        await self.says(*told[:1], {**echo_of(sent), "at": at})
        for one in told[1:]:
            await self.says(one, one)


class TelegramDouble(FakeTelegram):
    """Asked for what is new, with faults of its own; it tells nothing of what is sent."""

    def __init__(self, seed: int, truth: MessengerTruth, points: KillPoints) -> None:
        super().__init__()
        self.sends = MessengerSends("telegram", seed, truth, points, self._afterwards)
        self.poll_faults: Deck[str] = Deck(f"polls {seed}", {"none": 10, "500": 1, "hang up": 1, "429": 1})
        self._number = 0

    async def _method(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if method == "sendMessage":
            told = await request.json()
            return await self.sends.sent(
                request, str(told["chat_id"]), told["text"], lambda: self._taken(BotMessage(method, told)),
                lambda: _refused(400, "Bad Request: message cannot be sent"),
                lambda: _refused(429, "Too Many Requests: retry after 1", {"retry_after": 1}),
            )  # fmt: skip
        if method == "getUpdates" and self.updates:
            match self.poll_faults.deal():
                case "500":
                    return _refused(500, "Internal Server Error")
                case "429":
                    return _refused(429, "Too Many Requests: retry after 1", {"retry_after": 1})
                case "hang up":
                    if request.transport is not None:
                        request.transport.abort()
                    return web.Response(status=504)
        return await super()._method(request)

    async def _taken(self, sent: BotMessage) -> tuple[str, web.Response]:
        answer = await self._take(sent)
        return f"{sent.told['chat_id']}:{1000 + len(self.messages)}", answer

    async def _afterwards(self, token: str, chat: str, id: str) -> None:
        """A bot is told nothing of its own messages."""

    def tells(self, name: str, of: WrittenByClient, album: str = "") -> None:
        """Put it among what is asked for."""
        self._number += 1
        chat = {"id": int(of.chat), "type": "private", "first_name": of.name}
        told = {
            "message_id": int(of.id.rpartition(":")[2]), "date": int(of.at.timestamp()), "chat": chat, "from": chat,
            "text": of.text, **({"media_group_id": album} if album else {}),
            **({"edit_date": int(edit_at(of).timestamp())} if name == "edited_message" else {}),
        }  # fmt: skip
        self.updates.append({"update_id": self._number, name: told})

    def forget_older(self, before: datetime) -> None:
        """As Telegram does after 24 hours."""
        self.updates = [u for u in self.updates if _date(u) >= before.timestamp()]


def _date(update: Mapping[str, Any]) -> int:
    return max(int(told["date"]) for told in update.values() if isinstance(told, dict))


def _refused(code: int, words: str, parameters: Mapping[str, object] | None = None) -> web.Response:
    told: dict[str, object] = {"ok": False, "error_code": code, "description": words}
    return web.json_response({**told, **({"parameters": parameters} if parameters else {})}, status=code)


class WazzupDouble(FakeWazzup):
    """Tells of our own messages without our key."""

    def __init__(self, seed: int, truth: MessengerTruth, points: KillPoints, teller: Teller) -> None:
        super().__init__(remembers=False)
        self._teller, self.path = teller, ""
        self.sends = MessengerSends("wazzup", seed, truth, points, self._afterwards)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()

        async def take() -> tuple[str, web.Response]:
            answer = await self._take(request, told)
            return f"w{len(self.messages)}", answer

        return await self.sends.sent(
            request, str(told["chatId"]), told.get("text", ""), take,
            lambda: self._refused("INVALID_MESSAGE_DATA", "no"), lambda: web.Response(status=429, headers={"Retry-After": "1"}),
        )  # fmt: skip

    def first_form(self, of: WrittenByClient, album: str) -> Update:
        ours = (
            {"isEcho": True, "status": "sent", "authorName": "Phone"} if of.is_echo else {"status": "inbound"}
        )
        return {
            **_base(of.id, of.chat, of.text, of.at), "isEcho": of.is_echo, **ours, "contact": {"name": of.name},
        }  # fmt: skip

    def edited(self, of: WrittenByClient) -> Update:
        return {**self.first_form(of, ""), "isEdited": True, "dateTime": edit_at(of).isoformat()}

    def deleted(self, of: WrittenByClient) -> Update:
        return {**self.first_form(of, ""), "isDeleted": True}

    async def says(self, *updates: Update) -> None:
        """A message, or a status without the name of its channel."""
        told = {
            "messages": [u for u in updates if "chatId" in u],
            "statuses": [u for u in updates if "chatId" not in u],
        }
        await self._teller.tell(self.path, json={name: listed for name, listed in told.items() if listed})

    async def tell(self, address: str, body: object) -> int:
        """The test of an address; 0 = nobody is there."""
        try:
            return await super().tell(address, body)
        except aiohttp.ClientError:
            return 0

    async def _afterwards(self, token: str, chat: str, id: str) -> None:
        await self.sends.pause()
        text = str(self.messages[int(id[1:]) - 1].get("text", ""))
        echo = {
            **_base(id, chat, text, datetime.now(UTC)),
            "isEcho": True,
            "sentFromApp": True,
            "status": "sent",
        }
        if self._random_order():
            await self._tell_statuses(token, id)
            await self.says(echo, echo)
        else:
            await self.says(echo)
            await self._tell_statuses(token, id)

    async def _tell_statuses(self, token: str, id: str) -> None:
        for told in self.sends.statuses(token):
            await self.says({"messageId": id, "status": told, "timestamp": datetime.now(UTC).isoformat()})

    def _random_order(self) -> bool:
        return len(self.messages) % 3 == 0


def _base(id: str, chat: str, text: str, at: datetime) -> Update:
    return {
        "messageId": id, "channelId": CHANNEL, "chatType": "whatsapp", "chatId": chat, "type": "text", "text": text,
        "dateTime": at.isoformat(),
    }  # fmt: skip
