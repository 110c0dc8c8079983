"""Chats of the accounts whose CRM a worker serves: the connection follows the switch, what was written in cards is heard, and what
was said is shown. Whatever goes wrong there holds up nothing else, and one dialogue no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import asyncpg
import structlog

from crm.errors import CrmError, CrmNotFound, CrmRefused
from crm.kinds import (
    ChatChannel,
    ConnectedCrm,
    CrmChatError,
    CrmChatForbidden,
    CrmChatNotThere,
    CrmChatRefused,
    CrmChats,
    CrmChatSilent,
    CrmChatThrottled,
    chats_address,
)
from gateway.calls.client_job import ClientJob
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.crm_accounts.served_turns import ServedTurns
from gateway.crm_chats import connection
from gateway.crm_chats.account import AskedChats, AskedLinks, ServedChats
from gateway.crm_chats.hearing import CrmHearing
from gateway.crm_chats.showing import DialogueShower
from gateway.store.admin.accounts import account
from gateway.store.admin.staff import staff_of
from gateway.store.channels.channels import saved_channels
from gateway.store.crm_chats import hooks
from gateway.store.crm_chats.channels import (
    CrmChatChannel,
    busy_crm_chats,
    crm_chat_channel,
    crm_chat_people,
    crm_chats_failed,
    leave_unshown,
)
from gateway.store.crm_chats.messages import dialogues_to_tell
from runtime.database.pool import Conn
from runtime.vendors.http import NoteExchange

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 1.0
_PAUSE_SECONDS = 0.2
_DIALOGUES = 200
_AT_ONCE = 4
_SILENT_DIALOGUES = 3
"""After so many of them in a row that got no answer, it is the chats that are silent."""
_THROTTLED = timedelta(seconds=30)
_PEOPLE_WAIT = timedelta(seconds=30)
"""After the CRM did not tell who is who."""

OpenChats = Callable[[CrmChatChannel], AskedChats]
"""Of which channel -> whom to ask."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CrmChatsWork:
    """`loop` until cancelled; an account's chats are worked on while it is `served`."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        clients: ClientJob,
        exchanges: ExchangeLog | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._pool, self._session, self._clients = pool, session, clients
        self._exchanges, self._now = exchanges, now
        self._turns = ServedTurns("crm-chats", pool, self._busy, _EVERY_SECONDS, _PAUSE_SECONDS)
        self.loop = self._turns.loop

    def served(self, account_id: str, crm: ConnectedCrm) -> AbstractContextManager[None]:
        def opened(held: CrmChatChannel) -> AskedChats:
            address, channel = chats_address(held.base_url), connection.channel_of(held)
            return CrmChats(self._session, address, channel, on_exchange=self._noting(held))

        chats = AccountChats(self._pool, account_id, crm.chat_links, opened, self._clients, self._now)
        return self._turns.served(account_id, chats.turn)

    def _noting(self, held: CrmChatChannel) -> NoteExchange | None:
        exchanges = self._exchanges
        if exchanges is None:
            return None
        return lambda exchange: exchanges.append(held.account_id, held.crm_kind, exchange)

    async def _busy(self, conn: Conn, accounts: Sequence[str]) -> list[str]:
        return await busy_crm_chats(conn, accounts, self._now())


class AccountChats:
    """One account's."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        account_id: str,
        links: AskedLinks,
        opened: OpenChats,
        clients: ClientJob,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._pool, self._account_id, self._links = pool, account_id, links
        self._open, self._clients, self._now = opened, clients, now
        self._asked: tuple[tuple[str, ChatChannel], AskedChats] | None = None
        self._people_wait_until = datetime.min.replace(tzinfo=UTC)

    async def turn(self) -> bool:
        """Do a portion; whether another turn is worth while at once. Raises asyncpg.PostgresError and OSError."""
        async with self._pool.acquire() as conn:
            held = await crm_chat_channel(conn, self._account_id)
        if held is None:
            return False
        heard = await self._heard(held)
        if held.try_at > self._now():
            return heard
        try:
            return await self._worked(held) or heard
        except (CrmChatForbidden, CrmChatNotThere) as err:
            await self._failed(held, err, connection.next_try(held), is_cut_off=True)
        except CrmChatThrottled as err:
            told = timedelta(seconds=err.retry_after) if err.retry_after else _THROTTLED
            await self._failed(held, err, min(told, timedelta(hours=1)))
        except (CrmChatError, CrmError) as err:
            await self._failed(held, err, connection.next_try(held))
        return heard

    async def _worked(self, held: CrmChatChannel) -> bool:
        if not held.is_wanted:
            await self._leave(held)
            return False
        if held.scope_id is None:
            held = replace(held, amojo_id=await connection.told_amojo_id(held, self._links))
            await connection.connect(self._pool, await self._served(held))
            return True
        served = await self._served(held)
        told = await self._tell_refusals(served)
        return await self._shown(served) or told

    async def _leave(self, held: CrmChatChannel) -> None:
        async with self._pool.acquire() as conn:
            await leave_unshown(conn, self._account_id)
        if held.scope_id is not None:
            await self._tell_refusals(await self._served(held))
            await connection.leave(self._pool, held, self._chats(held))

    async def _heard(self, held: CrmChatChannel) -> bool:
        """Work on what was written in cards, however the chats fare; whether there was anything. Who is not known is asked for
        first: while the CRM does not tell, what they wrote waits."""
        hearing = CrmHearing(self._pool, await self._served(held), self._clients)
        is_told = await self._people_told(held, is_somebody_unknown=not await hearing.knows_all())
        hearing = CrmHearing(self._pool, await self._served(held), self._clients)
        return await hearing.hear(leaves_unknown=not is_told)

    async def _people_told(self, held: CrmChatChannel, *, is_somebody_unknown: bool) -> bool:
        """Whether it is known who is who, asked anew where that is long ago."""
        if self._now() < self._people_wait_until:
            return not is_somebody_unknown
        try:
            await connection.refresh_people(
                self._pool, held, self._links, self._now(), is_somebody_unknown=is_somebody_unknown
            )
        except CrmError as err:
            log.warning("crm-chat-people-not-told", account=self._account_id, code=err.code)
            self._people_wait_until = self._now() + _PEOPLE_WAIT
            return not is_somebody_unknown
        return True

    async def _tell_refusals(self, served: ServedChats) -> bool:
        """Tell whoever wrote what was refused."""
        async with self._pool.acquire() as conn:
            waiting = await hooks.crm_hooks_to_tell(conn, self._account_id, _DIALOGUES)
        for hook_id, crm_id, words in waiting:
            try:
                await served.chats.tell_status(served.scope, crm_id, "refused", words)
            except (CrmChatRefused, CrmChatNotThere) as err:  # nobody can be told
                log.warning("crm-chat-refusal-not-told", account=self._account_id, code=err.code)
            async with self._pool.acquire() as conn:
                await hooks.crm_hook_told(conn, self._account_id, hook_id, self._now())
        return bool(waiting)

    async def _shown(self, served: ServedChats) -> bool:
        """Show what is to be shown; whether anything was. Dialogues do not wait for one another."""
        async with self._pool.acquire() as conn:
            due = await dialogues_to_tell(conn, self._account_id, self._now(), _DIALOGUES)
        shower, silent, is_told = DialogueShower(self._pool, served), 0, False
        for start in range(0, len(due), _AT_ONCE):
            some = due[start : start + _AT_ONCE]
            ended = await asyncio.gather(*(shower.show(id) for id in some), return_exceptions=True)
            is_told = is_told or any(one is True for one in ended)
            errors = [one for one in ended if isinstance(one, BaseException)]
            lasting = next((err for err in errors if not _is_of_one_dialogue(err)), None)
            if lasting is not None:
                raise lasting
            unanswered = [err for err in errors if isinstance(err, CrmChatSilent)]
            silent = silent + len(unanswered) if len(unanswered) == len(ended) else 0
            if silent >= _SILENT_DIALOGUES:
                raise unanswered[0]
        return is_told

    async def _served(self, held: CrmChatChannel) -> ServedChats:
        async with self._pool.acquire() as conn:
            people = await crm_chat_people(conn, self._account_id)
            return ServedChats(
                held=held,
                account=await account(conn, self._account_id),
                staff=await staff_of(conn, self._account_id),
                channels={saved.id: saved for saved in await saved_channels(conn, self._account_id)},
                people=people,
                amojo_by_user={user: amojo_id for amojo_id, user in people.items()},
                chats=self._chats(held),
                links=self._links,
                now=self._now,
            )

    def _chats(self, held: CrmChatChannel) -> AskedChats:
        """Return whom to ask; one for all turns, since it keeps its pace."""
        wanted = held.base_url, connection.channel_of(held)
        if self._asked is None or self._asked[0] != wanted:
            self._asked = wanted, self._open(held)
        return self._asked[1]

    async def _failed(
        self,
        held: CrmChatChannel,
        err: CrmChatError | CrmError,
        pause: timedelta,
        *,
        is_cut_off: bool = False,
    ) -> None:
        log.warning("crm-chats-failed", account=self._account_id, code=err.code, error=str(err)[:200])
        now = self._now()
        async with self._pool.acquire() as conn:
            error = f"{err.code}: {err}"
            await crm_chats_failed(
                conn, self._account_id, error, now, now + pause, is_cut_off=is_cut_off and held.is_wanted
            )


def _is_of_one_dialogue(err: BaseException) -> bool:
    """Whether it may be this dialogue's alone, which was put off for it."""
    if isinstance(err, CrmChatForbidden | CrmChatNotThere | CrmChatThrottled):
        return False
    if isinstance(err, CrmChatError):
        return True
    return isinstance(err, CrmRefused | CrmNotFound)
