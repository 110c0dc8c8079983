"""What was said in one dialogue is told to the CRM's chats, each thing once and in its order.

Contact and deal are the client's job's (gateway/channels/places.py). Then comes the chat, whose it is, and only then a message: a
step left out would put the client into Unsorted a second time. Each step is kept as soon as it is done, and may be done twice: a
chat of the same name is the same, and a message of the same id is refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import structlog

from crm.errors import CrmError
from crm.kinds import CrmChatError, CrmChatNotThere, CrmChatRefused, CrmChatThrottled
from crm.lane import Lane
from crm.store.clients import entities_of
from gateway.crm_chats.account import ServedChats
from gateway.crm_chats.wording import chat_name, client_of, in_chat, mark_in_chat, status_of, why_not
from gateway.store.channels.dialogues import Dialogue, dialogue, ids_of_effects
from gateway.store.crm_chats import messages as store
from gateway.store.crm_chats.channels import crm_chats_went_well
from gateway.store.crm_chats.messages import CrmChat, PendingCrmMessage
from routing.client import Ref
from runtime.backoff import grown_pause
from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from sms.channels.model import MessageDirection

log = structlog.get_logger(__name__)

_AT_ONCE = 100
_MOST_TRIES = 12
"""Of one message, while others go: with the pauses between them an hour and a half."""
_MOST_LOOKS = 3
"""So often a message that is refused is looked for: one that was taken shows in the history a moment later."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
_AFTER_MISTAKE = timedelta(minutes=10)


class DialogueShower:
    """Of one account, for one turn."""

    def __init__(self, pool: asyncpg.Pool, served: ServedChats) -> None:
        self._pool, self._served = pool, served

    async def show(self, dialogue_id: int) -> bool:
        """Tell what is to be told of it; whether anything was. Raises CrmChatError and CrmError after this dialogue was put off."""
        try:
            return await self._show(dialogue_id)
        except (CrmChatError, CrmError) as err:
            await self._put_off(dialogue_id, f"{err.code}: {err}")
            raise
        except Exception as err:
            if may_pass(err):
                raise
            log.exception("crm-chat-not-shown", account=self._served.account_id, dialogue=dialogue_id)
            await self._put_off(dialogue_id, f"internal: {type(err).__name__}", _AFTER_MISTAKE)
            return False

    async def _show(self, dialogue_id: int) -> bool:
        async with self._pool.acquire() as conn:
            of = await _read(conn, self._served, dialogue_id)
            pending = await store.pending_of_dialogue(conn, self._served.account_id, dialogue_id, _AT_ONCE)
        if of is None:
            return False
        chat: CrmChat | None = None
        is_held_up = not _has_place(of)
        told = 0
        last_in = max((n for n, one in enumerate(pending) if _is_new_in(one)), default=-1)
        for number, one in enumerate(pending):
            if one.crm_state == "new":
                is_held_up = is_held_up or one.due_at > self._served.now()
                if is_held_up:
                    continue
                chat = chat or await self._chat(of)
            await self._tell(of, chat, one, is_last=number >= last_in)
            told += 1
        if told:
            async with self._pool.acquire() as conn:
                await store.crm_chat_went_well(conn, self._served.account_id, dialogue_id)
        return told > 0

    async def _chat(self, of: Dialogue) -> CrmChat:
        """Return where it stands: made, and the contact's, before anything is said in it."""
        served, contact = self._served, of.contact
        assert contact is not None
        assert contact.id is not None
        async with self._pool.acquire() as conn:
            chat = await store.crm_chat_of(conn, of.account_id, of.dialogue_id, chat_name(of))
        chat_ref = chat.chat_ref
        if chat_ref is None:
            chat_ref = await served.chats.chat(served.scope, chat.chat, client_of(served, of))
            async with self._pool.acquire() as conn:
                await store.crm_chat_made(conn, chat, chat_ref)
        if chat.contact_id != contact.id:
            await served.links.bind(contact.id, chat_ref, Lane.EVENTS)
            async with self._pool.acquire() as conn:
                await store.crm_chat_bound(conn, chat, contact.id)
        async with self._pool.acquire() as conn:
            return await store.crm_chat_of(conn, of.account_id, of.dialogue_id, chat_name(of))

    async def _tell(
        self, of: Dialogue, chat: CrmChat | None, one: PendingCrmMessage, *, is_last: bool
    ) -> None:
        try:
            if one.crm_state == "new" and not one.message.parts:  # what it said is kept no more
                await self._done(one, state="left")
            elif one.crm_state == "new":
                assert chat is not None
                await self._new(of, chat, one, is_last=is_last)
            elif one.crm_state == "shown":
                await self._edit(of, one)
            else:
                await self._status(one)
        except CrmChatRefused as err:
            if one.crm_state == "new" and one.failures < _MOST_LOOKS:
                await self._not_told(one, err)
                raise
            log.warning("crm-chat-message-refused", account=of.account_id, message=one.message.message_id)
            async with self._pool.acquire() as conn:
                await store.message_given_up(conn, one, f"{err.code}: {err}")
        except (CrmChatError, CrmError) as err:
            await self._not_told(one, err)
            raise

    async def _new(self, of: Dialogue, chat: CrmChat, one: PendingCrmMessage, *, is_last: bool) -> None:
        served, message = self._served, one.message
        is_silent = (
            message.direction != MessageDirection.IN or not is_last or not await self._is_deal_open(of)
        )
        told = in_chat(served, of, message, one.own_id, chat.chat, is_silent=is_silent)
        try:
            crm_id = await served.chats.show(served.scope, told)
        except CrmChatRefused:
            there = await served.chats.find(served.scope, chat.chat_ref or "", one.own_id)
            if there is None:
                raise
            crm_id = there.id
        await self._done(one, state="shown", chat=chat.chat, crm_id=crm_id, mark=mark_in_chat(told.text))

    async def _edit(self, of: Dialogue, one: PendingCrmMessage) -> None:
        served = self._served
        told = in_chat(served, of, one.message, one.own_id, one.crm_chat or "", is_silent=True)
        mark = mark_in_chat(told.text)
        if mark != one.mark:
            await served.chats.edit(served.scope, told)
        await self._done(one, state="shown", mark=mark)

    async def _status(self, one: PendingCrmMessage) -> None:
        served, status = self._served, status_of(one.message)
        if status is not None and status != one.told_status:
            why = why_not(served, one.message) if status == "refused" else ""
            try:
                await served.chats.tell_status(served.scope, one.crm_id, status, why)
            except CrmChatNotThere:  # nobody can be told of what is there no more
                log.warning(
                    "crm-chat-message-gone", account=served.account_id, message=one.message.message_id
                )
        await self._done(one, state="written", status=status or "")

    async def _done(
        self,
        one: PendingCrmMessage,
        *,
        state: store.CrmChatMessageState,
        chat: str | None = None,
        crm_id: str = "",
        mark: str | None = None,
        status: str = "",
    ) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await store.message_told(
                conn, one, state=state, chat=chat, crm_id=crm_id, mark=mark, status=status
            )
            await crm_chats_went_well(conn, self._served.account_id, self._served.now())

    async def _not_told(self, one: PendingCrmMessage, err: CrmChatError | CrmError) -> None:
        """Count it; a message that fails again and again while others go is given up, so that it holds up nobody."""
        error, now = f"{err.code}: {err}", self._served.now()
        others_go = one.failed_at is not None and self._went_since(one.failed_at)
        async with self._pool.acquire() as conn, conn.transaction():
            await store.message_not_told(conn, one, error, now)
            if one.failures + 1 >= _MOST_TRIES and others_go and not isinstance(err, CrmChatThrottled):
                log.error("crm-chat-message-given-up", account=self._served.account_id, code=err.code)
                await store.message_given_up(conn, one, error)

    def _went_since(self, at: datetime) -> bool:
        went_at = self._served.held.went_at
        return went_at is not None and went_at > at

    async def _put_off(self, dialogue_id: int, error: str, pause: timedelta | None = None) -> None:
        served = self._served
        async with self._pool.acquire() as conn:
            of = await dialogue(conn, served.account_id, dialogue_id)
            if of is None:
                return
            chat = await store.crm_chat_of(conn, served.account_id, dialogue_id, chat_name(of))
            grown = timedelta(seconds=grown_pause(chat.failures + 1, _FIRST_PAUSE, _LONGEST_PAUSE))
            await store.crm_chat_failed(
                conn, served.account_id, dialogue_id, error, served.now() + (pause or grown)
            )

    async def _is_deal_open(self, of: Dialogue) -> bool:
        """Whether nothing says that it is closed or gone: a client's word without an open deal is a new request to the CRM."""
        deal = of.deal
        if deal is None or deal.id is None:
            return False
        async with self._pool.acquire() as conn:
            known = await entities_of(conn, of.account_id, [(deal.kind, deal.id)])
        found = known.get((deal.kind, deal.id))
        return found is None or found.is_open


async def _read(conn: Conn, served: ServedChats, dialogue_id: int) -> Dialogue | None:
    """Return it with contact and deal by their ids, as far as these are known."""
    async with conn.transaction():
        of = await dialogue(conn, served.account_id, dialogue_id)
        if of is None:
            return None
        made = await ids_of_effects(conn, served.account_id, [of.contact, of.deal])
    return _placed(of, made)


def _placed(of: Dialogue, made: dict[str, Ref]) -> Dialogue:
    def by_id(ref: Ref | None) -> Ref | None:
        return made.get(ref.effect, ref) if ref is not None and ref.effect else ref

    return replace(of, contact=by_id(of.contact), deal=by_id(of.deal))


def _has_place(of: Dialogue) -> bool:
    """Whether contact and deal stand in the CRM. A client who waits in Unsorted has no deal yet, and would get another request."""
    contact, deal = of.contact, of.deal
    is_contact = contact is not None and contact.kind == "contact" and contact.id is not None
    return is_contact and deal is not None and deal.kind == "deal" and deal.id is not None


def _is_new_in(one: PendingCrmMessage) -> bool:
    return one.crm_state == "new" and one.message.direction == MessageDirection.IN
