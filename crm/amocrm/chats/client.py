"""The channel's requests to amoCRM's chats: signed anew for each attempt, at a pace of their own, each one sent once.

The seven requests a second of the account's API have nothing to do with them, and nothing is documented of their own limit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from crm.amocrm.chats import wire
from crm.amocrm.chats.errors import CrmChatSilent
from crm.amocrm.chats.model import ChatHistoryMessage, ChatPerson, ChatStatus, CrmChatMessage
from crm.amocrm.chats.signing import signed_headers
from crm.amocrm.chats.wire import ChatReply, ChatRequest
from runtime.vendors.http import HttpAnswer, NoteExchange, Question, VendorSilent, ask

_SECONDS = 15.0
_APART_SECONDS = 0.2
_MOST_BYTES = 4 * 1024 * 1024
_HISTORY_PAGES = 20


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChannel:
    """Our channel among amoCRM's chats, as its support registered it. amojo_id: of the account, in the chats."""

    channel_id: str
    secret: str = field(repr=False)
    amojo_id: str
    bot_id: str


class CrmChats:
    """One account's. address: of the chats' host. on_exchange: told every exchange, without what was sent."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: str,
        channel: ChatChannel,
        *,
        on_exchange: NoteExchange | None = None,
        now: Callable[[], datetime] = _utc_now,
        apart_seconds: float = _APART_SECONDS,
    ) -> None:
        self._session, self._address, self.channel = session, address.rstrip("/"), channel
        self._on_exchange, self._now = on_exchange, now
        self._apart, self._next = apart_seconds, 0.0
        self._turn = asyncio.Lock()

    async def connect(self, title: str) -> str:
        """Return the id of the connection. Raises CrmChatError, as all of these."""
        request = wire.connect(self.channel.channel_id, self.channel.amojo_id, title)
        return wire.scope_of(await self._ask(request))

    async def disconnect(self) -> None:
        await self._ask(wire.disconnect(self.channel.channel_id, self.channel.amojo_id))

    async def chat(self, scope: str, chat: str, client: ChatPerson) -> str:
        """Return amoCRM's id of the chat, made where there is none."""
        return wire.chat_id_of(await self._ask(wire.create_chat(scope, chat, client)))

    async def show(self, scope: str, message: CrmChatMessage) -> str:
        """Return amoCRM's id of the message. Raises CrmChatRefused also where it stands there already."""
        return wire.message_id_of(await self._ask(wire.new_message(scope, message)))

    async def edit(self, scope: str, message: CrmChatMessage) -> None:
        await self._ask(wire.edit_message(scope, message))

    async def tell_status(self, scope: str, message_id: str, status: ChatStatus, why: str = "") -> None:
        await self._ask(wire.delivery_status(scope, message_id, status, why))

    async def find(self, scope: str, chat_id: str, own_id: str) -> ChatHistoryMessage | None:
        """Return the message of ours that stands in the chat, looking back over a thousand."""
        for page in range(_HISTORY_PAGES):
            told = await self._history(scope, chat_id, page * wire.MOST_OF_HISTORY)
            found = next((one for one in told if one.own_id == own_id), None)
            if found is not None or len(told) < wire.MOST_OF_HISTORY:
                return found
        return None

    async def _history(self, scope: str, chat_id: str, offset: int) -> Sequence[ChatHistoryMessage]:
        return wire.history_of(await self._ask(wire.history(scope, chat_id, offset)))

    async def _ask(self, request: ChatRequest) -> ChatReply:
        await self._paced()
        headers = signed_headers(self.channel.secret, request.method, request.path, request.body, self._now())
        question = Question(
            method=request.method,
            url=f"{self._address}{request.path}" + (f"?{request.query}" if request.query else ""),
            headers=headers,
            body=request.body or None,
            lane="chats",
            seconds=_SECONDS,
            most_bytes=_MOST_BYTES,
        )
        reply = ChatReply(status=0)

        def judge(answer: HttpAnswer) -> None:
            nonlocal reply
            reply = ChatReply(status=answer.status, body=answer.body, retry_after=answer.retry_after)
            wire.judged(request, reply)

        try:
            await ask(self._session, question, judge, self._on_exchange)
        except VendorSilent as err:
            raise CrmChatSilent(str(err)) from err
        return reply

    async def _paced(self) -> None:
        async with self._turn:
            wait = self._next - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._next = time.monotonic() + self._apart
