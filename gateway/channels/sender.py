"""One channel at work: messages go out one after the other in each chat, and what became of them is kept.

In one process of the installation at a time. A message is committed as being sent before the request goes out; one whose
sending was broken off is unknown, is looked for where that is possible, and is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import structlog

from gateway.channels.addresses import file_address
from gateway.store.calls.calls import lock_client
from gateway.store.channels import messages as store
from gateway.store.channels import outgoing
from gateway.store.channels.beginning import chat_is_known
from gateway.store.channels.channels import SavedChannel, change_state
from gateway.store.channels.dialogues import client_of_dialogue, dialogue, number_of_chat, set_can_write
from gateway.store.channels.files import files_of, link_file, piece_of, told_hash_of
from gateway.store.channels.messages import ChatMessage
from runtime.database.lease import Held
from runtime.database.pool import Conn
from runtime.tokens import hash_of, new_secret
from runtime.trouble import Trouble
from sms.channels.model import ChannelStateTold, ChatKind, MessageStatus, later_status
from sms.channels.port import ChannelKind, OpenChannel
from sms.channels.reasons import STATE_SHOWN_BY, ChannelFailure, ChannelReason, MessageDoubt
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    MessageUnknown,
    OutgoingFile,
    OutgoingMessage,
    SendOutcome,
)
from sms.errors import SmsError

log = structlog.get_logger(__name__)

_AT_ONCE = 10
_LOST_AFTER = timedelta(minutes=3)
"""Longer than any answer is waited for."""
_LOOKED_FOR = timedelta(hours=1)
_LOOK_EVERY = timedelta(seconds=15)
_LINK_LIVES = timedelta(minutes=15)
_PAUSE = timedelta(seconds=10)
"""Before a message goes out again that the messenger did not take for a reason that passes."""


class ChannelSender:
    """held: the right to send for this channel. now: the clock. look_every: how often what is unknown is looked for.
    public_url: ours, where messengers fetch files."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        saved: SavedChannel,
        kind: ChannelKind,
        channel: OpenChannel,
        held: Held,
        now: Callable[[], datetime],
        *,
        look_every: timedelta = _LOOK_EVERY,
        public_url: str = "",
    ) -> None:
        self._pool, self._saved, self._kind, self._channel = pool, saved, kind, channel
        self._held, self._now, self._look_every = held, now, look_every
        self._url = public_url
        self._live: dict[int, asyncio.Task[None]] = {}
        self._busy: dict[int, int] = {}
        """Dialogues of messages whose answers are waited for."""
        self._is_new = True
        self._paused_until = self._looked_at = datetime.min.replace(tzinfo=now().tzinfo)
        self._trouble = Trouble("channel", channel=saved.name)

    async def turn(self) -> None:
        """Send what may go out now, and look for what may have gone."""
        await self._recover()
        while self._now() >= self._paused_until and len(self._live) < _AT_ONCE:
            self._held.check()
            async with self._pool.acquire() as conn:
                message = await outgoing.claim_outgoing(conn, self._saved.id, self._now())
            if message is None:
                break
            task = asyncio.create_task(self._send(message))
            self._live[message.message_id] = task
            self._busy[message.message_id] = message.dialogue_id
            task.add_done_callback(partial(self._ended, message.message_id))
        await self._look()

    async def close(self) -> None:
        """Wait for the answers to what was sent."""
        await asyncio.gather(*self._live.values(), return_exceptions=True)

    def _ended(self, message_id: int, _: asyncio.Task[None]) -> None:
        self._live.pop(message_id, None)
        self._busy.pop(message_id, None)

    async def _send(self, message: ChatMessage) -> None:
        try:
            file = await self._file(message)
            if file is None and any(
                part.file for part in message.parts
            ):  # its days were over before it went out
                outcome: SendOutcome = MessageRefused(reason=ChannelReason.FILE_UNREADABLE)
            else:
                outcome = await self._channel.send(await self._written(message, file))
        except Exception as err:  # a mistake of ours: nobody knows how far it came
            log.exception("message-not-sent", channel=self._saved.name, error=type(err).__name__)
            outcome = MessageUnknown(why=MessageDoubt.INTERRUPTED, words=type(err).__name__)
        await self._answered(message, outcome)

    async def _file(self, message: ChatMessage) -> OutgoingFile | None:
        """Return the file of a message, and where the messenger may fetch it for a while where it wants an address."""
        told = next((part.file for part in message.parts if part.file is not None), None)
        if told is None:
            return None
        async with self._pool.acquire() as conn:
            files = await files_of(conn, message.account_id, [message.message_id])
            file = files.get((message.message_id, told_hash_of(told)))
            if file is None:
                return None
            url = ""
            if self._kind.capabilities.fetches_files:
                secret = new_secret()
                await link_file(conn, file, hash_of(secret), self._now() + _LINK_LIVES)
                url = file_address(self._url, secret, file.name)
            content = await piece_of(conn, file, 0, file.size or 0)
        return OutgoingFile(name=file.name, media_type=file.media_type, content=content, url=url)

    async def _written(self, message: ChatMessage, file: OutgoingFile | None = None) -> OutgoingMessage:
        async with self._pool.acquire() as conn:
            of = await dialogue(conn, message.account_id, message.dialogue_id)
        assert of is not None
        return OutgoingMessage(
            key=message.own_key or "",
            chat_id="" if number_of_chat(of.chat_id) else of.chat_id,
            phone=number_of_chat(of.chat_id),
            text="\n".join(part.text for part in message.parts),
            chat_kind=ChatKind(of.kind),
            way=of.way,
            quoted_id=message.quoted_id,
            file=file,
        )

    async def _answered(self, message: ChatMessage, outcome: SendOutcome, *, is_found: bool = False) -> bool:
        """Keep what became of a message. is_found: it was looked for, and what was found may be another of ours that reads the same.
        Whether it was its own."""
        now = self._now()
        async with self._pool.acquire() as conn, conn.transaction():
            client = await client_of_dialogue(conn, message.account_id, message.dialogue_id)
            if client is None:  # the channel was removed meanwhile
                return False
            await lock_client(
                conn, message.account_id, client
            )  # the vendor's word of it may come at this moment
            held = await store.message_known_as(conn, message.channel_id, own_key=message.own_key or "")
            if held is None:
                return False
            if is_found and await _is_of_another(conn, held, outcome):
                return False
            match outcome:
                case MessageAccepted(id=id, chat_id=chat_id):
                    echoed = await outgoing.take_in_echo(conn, held, id)
                    status = later_status(MessageStatus.SENT, echoed or MessageStatus.SENT)
                    await store.raise_status(conn, held, status, outside_id=id)
                    if not id:
                        await self._found_by_echo(conn, held)
                    await self._chat_is_known(conn, held, chat_id)
                case MessageThrottled(retry_after=seconds, of_chat=of_chat):
                    again = now + timedelta(seconds=seconds)
                    await outgoing.put_back(conn, held, again, whole_chat=of_chat)
                    self._paused_until = self._paused_until if of_chat else again
                case MessageRefused() if outcome.failure is ChannelFailure.PASSING:
                    await outgoing.put_back(conn, held, now + _PAUSE, whole_chat=True)
                case MessageRefused(reason=reason):
                    words = f"{outcome.vendor_code} {outcome.words}".strip()
                    await store.raise_status(conn, held, MessageStatus.REFUSED, reason=reason, words=words)
                    if reason is ChannelReason.BLOCKED:
                        await self._is_blocked(conn, held)
                    if state := STATE_SHOWN_BY.get(reason):
                        told = ChannelStateTold(state=state, words=words)
                        await change_state(conn, held.account_id, held.channel_id, told)
                case MessageUnknown(why=why, words=words):
                    await store.raise_status(conn, held, MessageStatus.UNKNOWN, reason=why, words=words)
                    await self._found_by_echo(conn, held)
        return True

    async def _found_by_echo(self, conn: Conn, held: ChatMessage) -> None:
        """Take in the vendor's word of a message whose answer told no id, where it tells of ours without our key."""
        if self._kind.capabilities.returns_key or held.outside_id:
            return
        if echo := await outgoing.take_in_nameless_echo(conn, held):
            id, status = echo
            await store.raise_status(conn, held, later_status(MessageStatus.SENT, status), outside_id=id)

    async def _is_blocked(self, conn: Conn, held: ChatMessage) -> None:
        """Ask of the client no more: nothing is sent until they write again, or the messenger says that they let us."""
        of = await dialogue(conn, held.account_id, held.dialogue_id)
        if of is not None:
            await set_can_write(conn, of, can_write=False)

    async def _chat_is_known(self, conn: Conn, held: ChatMessage, chat_id: str) -> None:
        of = await dialogue(conn, held.account_id, held.dialogue_id)
        if of is not None:
            await chat_is_known(conn, of, chat_id)

    async def _recover(self) -> None:
        """Nobody knows what became of messages whose sender is gone: what was being sent when we began is of another process."""
        now = self._now()
        before = now if self._is_new else now - _LOST_AFTER
        async with self._pool.acquire() as conn:
            left = await outgoing.left_in_flight(conn, self._saved.id, before, list(self._live))
        for message in left:
            log.warning("message-broken-off", channel=self._saved.name, message=message.message_id)
            await self._answered(message, MessageUnknown(why=MessageDoubt.INTERRUPTED))
        self._is_new = False

    async def _look(self) -> None:
        """Ask of messages of which nobody knows whether they were sent; not to be seen proves nothing."""
        now = self._now()
        if not self._kind.capabilities.has_find or now - self._looked_at < self._look_every:
            return
        self._looked_at = now
        async with self._pool.acquire() as conn:
            unknown = await outgoing.unknown_since(conn, self._saved.id, now - _LOOKED_FOR)
        try:
            for message in unknown:
                if (
                    message.dialogue_id not in self._busy.values()
                ):  # else it may be the one that is on its way
                    await self._look_for(message, now)
        except SmsError as err:
            self._trouble.failed(err)
        else:
            self._trouble.recovered()

    async def _look_for(self, message: ChatMessage, now: datetime) -> None:
        try:
            alike = await self._channel.find(await self._written(message), message.claimed_at or now)
        except ValueError as err:  # one that can be no message of this messenger holds up no other
            log.error("message-not-looked-for", message=message.message_id, exc_info=err)
            return
        for found in alike:
            if await self._answered(message, found, is_found=True):
                break


async def _is_of_another(conn: Conn, held: ChatMessage, found: SendOutcome) -> bool:
    if not isinstance(found, MessageAccepted):
        return False
    known = await store.message_known_as(conn, held.channel_id, id=found.id)
    return known is not None and known.message_id != held.message_id and known.own_key is not None
