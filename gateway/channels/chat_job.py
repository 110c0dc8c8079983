"""The job of one client's chats: everything that messengers told of them, in one transaction.

It runs under the lock of the client's calls, so that a call and a first message at once make one contact and one deal. One update
that cannot be worked on is put aside, and its neighbours are applied. Run any number of times, by anybody: it does what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import asyncpg
import structlog

from gateway.calls.client_job import ClientJob
from gateway.calls.context import JobContext
from gateway.calls.reasons import reason_of
from gateway.channels.owners import answered_in_person
from gateway.channels.places import placed
from gateway.store.calls.calls import lock_client
from gateway.store.channels import messages as store
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.channels.dialogues import Dialogue, dialogue_of_chat, set_can_write
from gateway.store.channels.files import expect_files
from gateway.store.channels.messages import ChatMessage
from gateway.store.channels.outgoing import nameless_message
from gateway.store.channels.updates import (
    PendingUpdate,
    delete_queued_chats,
    is_chat_known_since,
    keys_of_chats,
    mark_update,
    pass_update_on,
    pending_updates,
    take_early_updates,
)
from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import (
    ChannelUpdate,
    ChatChanged,
    DeletedTold,
    MessageDirection,
    MessageStatus,
    MessageTold,
    StatusTold,
)
from sms.channels.stored import update_of

log = structlog.get_logger(__name__)

_TOGETHER = 200


class ChatJob:
    """`run` is the job. clients: what work on a client needs to know of the account."""

    def __init__(self, pool: asyncpg.Pool, clients: ClientJob) -> None:
        self._pool, self._clients = pool, clients

    async def run(self, account_id: str, client_key: str) -> int:
        """How many updates were worked on. Raises asyncpg.PostgresError and OSError when the database is in trouble."""
        worked = 0
        while (count := await self._some(account_id, client_key)) > 0:
            worked += count
        return worked

    async def _some(self, account_id: str, client_key: str) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_client(conn, account_id, client_key)
            await delete_queued_chats(conn, account_id, client_key)
            pending = await pending_updates(conn, account_id, client_key, _TOGETHER)
            if not pending:
                return 0
            context = await self._clients.context(conn, account_id)
            channels = {saved.id: saved for saved in await saved_channels(conn, account_id)}
            work = _ChatWork(context, client_key, channels)
            for update in pending:
                await work.one(update)
        return len(pending)


class _ChatWork:
    """One run: what is pending, in its order."""

    def __init__(self, context: JobContext, client_key: str, channels: Mapping[str, SavedChannel]) -> None:
        self._context, self._client_key, self._channels = context, client_key, channels
        self._placed: dict[int, Dialogue] = {}

    @property
    def _conn(self) -> Conn:
        return self._context.conn

    async def one(self, update: PendingUpdate) -> None:
        account_id = self._context.account.id
        before = dict(self._placed)
        try:
            async with self._conn.transaction():
                state = await self._apply(update, update_of(update.told))
                if state is not None:
                    await mark_update(self._conn, account_id, update.update_id, state)
        except Exception as err:
            if may_pass(err):  # the job fails as a whole and is tried again
                raise
            self._placed = before
            log.error("channel-update-unprocessable", account=account_id, exc_info=err)
            await mark_update(self._conn, account_id, update.update_id, "dead", reason_of(err))

    async def _apply(self, update: PendingUpdate, told: ChannelUpdate) -> str | None:
        """Return its state from now on; None: it belongs to another client."""
        saved = self._channels[update.channel_id]
        match told:
            case MessageTold():
                return await self._message(saved, update, _believed(told, update))
            case StatusTold():
                return await self._status(saved, told)
            case DeletedTold():
                return await self._deleted(saved, update, told)
            case ChatChanged():
                return await self._chat(saved, update, told)
        return "applied"

    async def _message(self, saved: SavedChannel, update: PendingUpdate, told: MessageTold) -> str | None:
        account_id = self._context.account.id
        dialogue = await dialogue_of_chat(self._conn, account_id, saved.id, told.chat, self._client_key)
        if dialogue.client_key != self._client_key:
            await pass_update_on(self._conn, account_id, update.update_id, dialogue.client_key)
            return None
        known = await store.message_known_as(self._conn, saved.id, id=told.id, own_key=told.own_key)
        if known is None and told.direction is MessageDirection.OUT:
            known = await self._of_ours(saved, dialogue, update, told)
        if known is not None:
            await self._again(known, update, told)
            return "applied"
        employee_id = saved.rules.authors.get(told.author.id)
        if told.direction is MessageDirection.IN:
            if told.edit is None and not dialogue.can_write:
                await self._writes_again(dialogue, update)
            dialogue = await self._place(saved, dialogue, update, told)
        row = await store.add_told(
            self._conn,
            dialogue,
            told,
            at=told.at if told.edit and told.at else update.told_at,
            arrived_at=update.received_at,
            employee_id=employee_id,
        )
        await expect_files(self._conn, row, told.parts, self._context.now)
        if told.direction is MessageDirection.OUT and told.edit is None:
            await answered_in_person(self._context, saved, dialogue, told.author.kind, employee_id)
        await self._take_early(saved, row)
        return "applied"

    async def _of_ours(
        self, saved: SavedChannel, dialogue: Dialogue, update: PendingUpdate, told: MessageTold
    ) -> ChatMessage | None:
        """Return the message of ours that this is, where a vendor that gives no key back tells of one whose id we never got."""
        if told.own_key or told.edit or CHANNEL_KINDS[saved.channel.kind].capabilities.returns_key:
            return None
        text = "\n".join(part.text for part in told.parts)
        return await nameless_message(self._conn, dialogue, text, update.received_at)

    async def _place(
        self, saved: SavedChannel, dialogue: Dialogue, update: PendingUpdate, told: MessageTold
    ) -> Dialogue:
        """Once in a run for each dialogue: what the first message of it made holds for the next ones."""
        known = self._placed.get(dialogue.dialogue_id)
        if known is None:
            known = await placed(self._context, saved, dialogue, told.id, update.told_at)
            self._placed[dialogue.dialogue_id] = known
        return known

    async def _again(self, known: ChatMessage, update: PendingUpdate, told: MessageTold) -> None:
        """Take in what is told once more: an edit, the vendor's word of a message of ours, or the first form of one that was
        edited before it came."""
        if told.edit is not None:
            if await store.revise(self._conn, known, told):
                await expect_files(self._conn, known, told.parts, self._context.now)
            return
        if known.edited_at is not None:
            await store.keep_original(self._conn, known, told, update.told_at)
        if told.direction is MessageDirection.OUT:
            status = told.status or MessageStatus.SENT
            await store.raise_status(self._conn, known, status, outside_id=told.id)

    async def _take_early(self, saved: SavedChannel, row: ChatMessage) -> None:
        account_id, ids = self._context.account.id, [row.outside_id or "", row.own_key or ""]
        for early in await take_early_updates(self._conn, account_id, self._told_with(saved), ids):
            state = await self._apply(early, update_of(early.told))
            await mark_update(self._conn, account_id, early.update_id, state or "applied")

    def _told_with(self, saved: SavedChannel) -> list[str]:
        """Return its id, then those of channels that are told of at the same address."""
        if not CHANNEL_KINDS[saved.channel.kind].shares_address:
            return [saved.id]
        alike = [c.id for c in self._channels.values() if c.channel.kind == saved.channel.kind]
        return [saved.id, *(id for id in alike if id != saved.id)]

    async def _status(self, saved: SavedChannel, told: StatusTold) -> str:
        channels = [saved.id] if told.channel else self._told_with(saved)
        known = await store.message_known_as(self._conn, *channels, id=told.id, own_key=told.own_key)
        if known is None:
            return "early"
        await store.raise_status(
            self._conn,
            known,
            told.status,
            outside_id=told.id,
            reason=told.reason or "",
            words=" ".join(filter(None, (told.vendor_code, told.words))),
        )
        return "applied"

    async def _deleted(self, saved: SavedChannel, update: PendingUpdate, told: DeletedTold) -> str:
        (id,) = told.ids
        known = await store.message_known_as(self._conn, saved.id, id=id)
        if known is None:
            return "early"
        await store.mark_deleted(self._conn, known, update.told_at)
        return "applied"

    async def _chat(self, saved: SavedChannel, update: PendingUpdate, told: ChatChanged) -> str | None:
        """Whoever has never written has no dialogue that could change."""
        account_id, chat = self._context.account.id, told.chat
        ids = {(saved.id, id) for id in (chat.id, chat.moved_from) if id}
        if not await keys_of_chats(self._conn, ids):
            return "applied"
        dialogue = await dialogue_of_chat(self._conn, account_id, saved.id, chat, self._client_key)
        if dialogue.client_key != self._client_key:
            await pass_update_on(self._conn, account_id, update.update_id, dialogue.client_key)
            return None
        if told.can_write is not None:
            has_written = dialogue.last_in_at is not None and dialogue.last_in_at > update.told_at
            if not (has_written and not told.can_write) and not await self._is_old(update):
                await set_can_write(self._conn, dialogue, told.can_write)
        return "applied"

    async def _writes_again(self, dialogue: Dialogue, update: PendingUpdate) -> None:
        """Whoever writes has not blocked us, if that was not later, or at the same second."""
        if not await self._is_old(update, or_then=True):
            await set_can_write(self._conn, dialogue, can_write=True)

    async def _is_old(self, update: PendingUpdate, *, or_then: bool = False) -> bool:
        """Tell whether what became of the chat later came before this."""
        return await is_chat_known_since(
            self._conn,
            self._context.account.id,
            update.channel_id,
            self._client_key,
            update.told_at,
            or_then=or_then,
        )


def _believed(told: MessageTold, update: PendingUpdate) -> MessageTold:
    """Return an edit with times that are not ahead of when it was told: a vendor's clock that is would make it the last one."""
    edit = told.edit
    if edit is None:
        return told
    at = min(edit.at, update.told_at) if edit.at else None
    return replace(told, at=min(told.at, update.told_at) if told.at else None, edit=replace(edit, at=at))
