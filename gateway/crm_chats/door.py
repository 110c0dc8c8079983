"""`/crm/chats/{scope}`: what people write in the CRM's cards. It is committed before the CRM is thanked: it tells nothing twice."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog
from aiohttp import web

from crm.kinds import CrmChatHookInvalid, HookMessage, is_genuine, read_hook
from gateway.http.body import WEBHOOK_BODY, read_body
from gateway.http.connection import vouch
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.store.crm_chats.channels import CrmChatChannel, channels_of_scope
from gateway.store.crm_chats.hooks import keep_crm_hook
from gateway.store.crm_chats.messages import dialogue_of_crm_chat
from runtime.database.errors import DATABASE_ERRORS
from runtime.metrics import Sample
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_SECONDS = 3.0  # the CRM waits for five and asks once
_KNOWN_SECONDS = 2.0
"""So late a change reaches the door: whoever guesses asks the database for nothing."""
_MOST_KNOWN = 1000


class CrmChatDoor:
    """One for the process."""

    def __init__(
        self, pool: asyncpg.Pool, strangers: Strangers, *, known_seconds: float = _KNOWN_SECONDS
    ) -> None:
        self._pool, self._strangers, self._known_seconds = pool, strangers, known_seconds
        self._known: dict[str, tuple[float, Sequence[CrmChatChannel]]] = {}
        self._trouble = Trouble("crm-chat-intake")
        self.taken = 0
        self.unread = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await read_body(request, WEBHOOK_BODY, is_judged=False)
        try:
            async with asyncio.timeout(_SECONDS):
                held = await self._who(request, body)
                if held is None:
                    return self._stranger(request)
                vouch(request)
                return await self._took(held, body)
        except (TimeoutError, *DATABASE_ERRORS) as err:
            self._trouble.failed(err)
            return problem(503, "busy", "The gateway could not keep the message.", detail="Send it again.")

    async def _took(self, held: CrmChatChannel, body: bytes) -> web.Response:
        try:
            told = read_hook(body)
        except CrmChatHookInvalid as err:
            self.unread += 1
            log.warning("crm-chat-hook-unread", account=held.account_id, field=err.field)
            return problem(400, err.code, "The hook cannot be read.", detail=str(err))
        is_new = told is not None and await self._kept(held, told)
        self._trouble.recovered()
        self.taken += is_new
        return web.json_response({"accepted": True, "is_new": is_new})

    async def _kept(self, held: CrmChatChannel, told: HookMessage) -> bool:
        async with self._pool.acquire() as conn, conn.transaction():
            dialogue_id = await dialogue_of_crm_chat(conn, held.account_id, told.chat, told.chat_ref)
            return await keep_crm_hook(
                conn, held.account_id, told.id, dialogue_id, _as_json(told), datetime.now(UTC)
            )

    async def _who(self, request: web.Request, body: bytes) -> CrmChatChannel | None:
        """Return the channel with whose secret the body is signed."""
        scope = request.match_info["scope_id"].replace("\x00", "")
        signature = request.headers.get("X-Signature", "")
        if not signature:
            return None
        found = await self._channels(scope)
        return next((one for one in found if one.secret and is_genuine(one.secret, body, signature)), None)

    async def _channels(self, scope: str) -> Sequence[CrmChatChannel]:
        known = self._known.get(scope)
        if known is not None and time.monotonic() - known[0] < self._known_seconds:
            return known[1]
        async with self._pool.acquire() as conn:
            found = await channels_of_scope(conn, scope)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[scope] = time.monotonic(), found
        return found

    def _stranger(self, request: web.Request) -> web.Response:
        """404 for a wrong signature as for an unknown connection: nobody learns which there are."""
        absent = problem(404, "no-such-webhook", "There is no webhook at this address.")
        return self._strangers.of("webhooks", request, absent)

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "crm_chat_hooks_taken", "Messages written in the CRM's cards taken", {}, self.taken
        yield (
            "counter",
            "crm_chat_hooks_unread",
            "Hooks of the CRM's chats that could not be read",
            {},
            self.unread,
        )


def _as_json(told: HookMessage) -> dict[str, Any]:
    return {**dataclasses.asdict(told), "at": None}
