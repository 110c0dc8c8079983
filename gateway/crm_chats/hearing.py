"""What people write in the CRM's cards goes to the client: as their own message in the dialogue, by its ordinary way, once.

Whoever may not write there is told so where they wrote: the message is marked as not delivered, with the reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from crm.kinds import HookMessage
from gateway.calls.client_job import ClientJob
from gateway.calls.context import JobContext
from gateway.channels.accepting import NoSuchDialogue, NotTaken, TakenMessage, accept_message
from gateway.channels.limits import message_to_send, onlooker_of
from gateway.channels.written import WrittenMessage, parts_to_send
from gateway.crm_chats.account import ServedChats
from gateway.crm_chats.wording import texts_of
from gateway.store.calls.calls import lock_client
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import Dialogue, client_of_dialogue, dialogue
from gateway.store.channels.outgoing import add_outgoing, message_of_key
from gateway.store.crm_chats import hooks as store
from gateway.store.crm_chats.hooks import StoredCrmHook
from gateway.store.crm_chats.messages import dialogue_of_crm_chat, written_in_crm
from routing.dialogues.access import Onlooker
from routing.dialogues.sending import SendRefusal, refusal_of
from runtime.backoff import grown_pause
from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import AuthorKind

log = structlog.get_logger(__name__)

_AT_ONCE = 100
_MOST_TRIES = 5


class CrmHearing:
    """Of one account, for one turn. clients: what work on a client needs to know of the account."""

    def __init__(self, pool: asyncpg.Pool, served: ServedChats, clients: ClientJob) -> None:
        self._pool, self._served, self._clients = pool, served, clients

    async def hear(self, *, leaves_unknown: bool = False) -> bool:
        """Work on what was written; whether there was anything. leaves_unknown: what was written by who is not known waits.
        Raises asyncpg.PostgresError and OSError."""
        waiting = [hook for hook in await self._waiting() if not leaves_unknown or self._knows(hook)]
        for hook in waiting:
            await self._one(hook)
        return bool(waiting)

    async def knows_all(self) -> bool:
        """Whether everybody who wrote is known."""
        return all(self._knows(hook) for hook in await self._waiting())

    async def _waiting(self) -> list[StoredCrmHook]:
        async with self._pool.acquire() as conn:
            return await store.next_crm_hooks(conn, self._served.account_id, self._served.now(), _AT_ONCE)

    def _knows(self, hook: StoredCrmHook) -> bool:
        sender = hook.told.get("sender")
        return sender == self._served.held.bot_id or sender in self._served.people

    async def _one(self, hook: StoredCrmHook) -> None:
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                if await store.lock_crm_hook(conn, self._served.account_id, hook.hook_id):
                    await self._heard(conn, hook)
        except Exception as err:
            if may_pass(err):
                raise
            await self._failed(hook, err)

    async def _failed(self, hook: StoredCrmHook, err: Exception) -> None:
        served = self._served
        log.error("crm-chat-hook-not-taken", account=served.account_id, hook=hook.hook_id, exc_info=err)
        async with self._pool.acquire() as conn:
            if hook.failures + 1 >= _MOST_TRIES:
                words = texts_of(served).say("crm.chats.not-taken")
                await store.end_crm_hook(
                    conn, served.account_id, hook.hook_id, "dead", reason=type(err).__name__, words=words
                )
                return
            pause = timedelta(seconds=grown_pause(hook.failures + 1, 2.0, 60.0))
            await store.put_crm_hook_off(conn, served.account_id, hook.hook_id, served.now() + pause)

    async def _heard(self, conn: Conn, hook: StoredCrmHook) -> None:
        served, told = self._served, _message_of(hook.told)
        dialogue_id = hook.dialogue_id or await dialogue_of_crm_chat(
            conn, served.account_id, told.chat, told.chat_ref
        )
        client_key = dialogue_id and await client_of_dialogue(conn, served.account_id, dialogue_id)
        if not dialogue_id or not client_key:
            await self._refuse(
                conn, hook, "no-such-dialogue", texts_of(served).say("crm.chats.no-such-dialogue")
            )
            return
        await lock_client(conn, served.account_id, client_key)
        context = await self._clients.context(conn, served.account_id)
        of = await dialogue(conn, served.account_id, dialogue_id)
        saved = served.channels.get(of.channel_id) if of else None
        if of is None or saved is None:
            await self._refuse(
                conn, hook, "no-such-dialogue", texts_of(served).say("crm.chats.no-such-dialogue")
            )
            return
        written = WrittenMessage(key=_key(told), dialogue_id=dialogue_id, text=_text(told), is_anyway=True)
        if told.sender == served.held.bot_id:
            await self._by_robot(context, hook, saved, of, written)
        else:
            await self._by_person(context, hook, saved, of, told.sender, written)

    async def _by_person(
        self,
        context: JobContext,
        hook: StoredCrmHook,
        saved: SavedChannel,
        of: Dialogue,
        sender: str,
        written: WrittenMessage,
    ) -> None:
        texts = texts_of(self._served)
        employee = context.staff.by_crm_user.get(self._served.people.get(sender, ""))
        if employee is None:
            await self._refuse(
                context.conn, hook, "no-such-employee", texts.say("crm.chats.no-such-employee")
            )
            return
        who = await onlooker_of(context.conn, context.account, context.staff, employee.id, sees_all=False)
        try:
            taken = await accept_message(context, saved, of.client_key, who, written)
        except NoSuchDialogue:
            taken = NotTaken("no-right")
        if isinstance(taken, NotTaken):
            await self._refuse(
                context.conn, hook, taken.reason, texts.say(f"dialogue.refusal.{taken.reason}")
            )
            return
        await self._taken(context.conn, hook, taken)

    async def _by_robot(
        self,
        context: JobContext,
        hook: StoredCrmHook,
        saved: SavedChannel,
        of: Dialogue,
        written: WrittenMessage,
    ) -> None:
        """Take what the CRM's own robots say: it is nobody's answer, and nobody's right is asked for."""
        refusal = _refusal_of_robot(saved, of, written, context)
        if refusal is not None:
            words = texts_of(self._served).say(f"dialogue.refusal.{refusal}")
            await self._refuse(context.conn, hook, refusal, words)
            return
        known = await message_of_key(context.conn, of.account_id, written.key)
        key, part = parts_to_send(written, CHANNEL_KINDS[saved.channel.kind].capabilities)[0]
        message = known or await add_outgoing(
            context.conn,
            of,
            own_key=key,
            part=part,
            author_kind=AuthorKind.ROBOT,
            author_name="",
            employee_id=None,
            quoted_id="",
            now=context.now,
        )
        assert message is not None, "the key was looked for under the client's lock"
        await self._taken(context.conn, hook, TakenMessage(message, is_new=known is None))

    async def _taken(self, conn: Conn, hook: StoredCrmHook, taken: TakenMessage) -> None:
        await written_in_crm(conn, taken.message, hook.crm_id)
        await store.end_crm_hook(conn, self._served.account_id, hook.hook_id, "taken")

    async def _refuse(self, conn: Conn, hook: StoredCrmHook, reason: str, words: str) -> None:
        log.warning("crm-chat-hook-refused", account=self._served.account_id, reason=reason)
        await store.end_crm_hook(
            conn, self._served.account_id, hook.hook_id, "refused", reason=reason, words=words
        )


def _refusal_of_robot(
    saved: SavedChannel, of: Dialogue, written: WrittenMessage, context: JobContext
) -> SendRefusal | None:
    nobody = Onlooker(employee_id=None, rights={})
    told = message_to_send(saved, of, nobody, written.text, context.now)
    return refusal_of(replace(told, may_write=True))


def _message_of(told: Any) -> HookMessage:
    return HookMessage(**{**told, "at": None})


def _key(told: HookMessage) -> str:
    """Return by what it is known that a message was sent: the same for the same."""
    return f"crm-{hashlib.sha256(told.id.encode()).hexdigest()[:40]}"


def _text(told: HookMessage) -> str:
    """Return the text as it goes to the client: a file by its address, which everybody may open who has it."""
    file = " ".join(filter(None, (told.file_name, told.media)))
    return "\n".join(filter(None, (told.text, file if told.media else "")))
