"""The connection of our channel with the account's chats follows the switch: made, made anew after it was cut, and taken away."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import structlog

from crm.kinds import ChatChannel, CrmChatNotThere
from crm.lane import Lane
from gateway.crm_chats.account import AskedChats, AskedLinks, ServedChats
from gateway.store.crm_chats import channels as store
from gateway.store.crm_chats.channels import CrmChatChannel
from runtime.backoff import grown_pause

log = structlog.get_logger(__name__)

TITLE = "Callmatrix"
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
_PEOPLE_EVERY = timedelta(hours=1)
_PEOPLE_AGAIN = timedelta(minutes=1)
"""For somebody who is not known."""


def channel_of(held: CrmChatChannel) -> ChatChannel:
    return ChatChannel(
        channel_id=held.channel_id, secret=held.secret, amojo_id=held.amojo_id, bot_id=held.bot_id
    )


def next_try(held: CrmChatChannel) -> timedelta:
    return timedelta(seconds=grown_pause(held.failures + 1, _FIRST_PAUSE, _LONGEST_PAUSE))


async def told_amojo_id(held: CrmChatChannel, links: AskedLinks) -> str:
    """Return the account's id in its chats: as somebody entered it, else as the CRM tells it. Raises CrmError."""
    return held.amojo_id or await links.account_id(Lane.SYNC)


async def connect(pool: asyncpg.Pool, served: ServedChats) -> None:
    """Raise CrmChatError, CrmError."""
    scope = await served.chats.connect(TITLE)
    people = await served.links.people(Lane.SYNC)
    async with pool.acquire() as conn, conn.transaction():
        now = served.now()
        await store.crm_chats_connected(conn, served.account_id, served.held.amojo_id, scope, now)
        await store.replace_crm_chat_people(conn, served.account_id, people, now)
    log.info("crm-chats-connected", account=served.account_id)


async def leave(pool: asyncpg.Pool, held: CrmChatChannel, chats: AskedChats) -> None:
    """Take the connection away. What was not shown by then never is. Raises CrmChatError."""
    try:
        await chats.disconnect()
    except CrmChatNotThere:
        log.warning("crm-chats-gone-already", account=held.account_id)
    async with pool.acquire() as conn:
        await store.crm_chats_left(conn, held.account_id)
    log.info("crm-chats-left", account=held.account_id)


async def refresh_people(
    pool: asyncpg.Pool,
    held: CrmChatChannel,
    links: AskedLinks,
    now: datetime,
    *,
    is_somebody_unknown: bool,
) -> None:
    """Ask who is who where that was long ago. Raises CrmError."""
    if held.scope_id is None:
        return
    age = _PEOPLE_AGAIN if is_somebody_unknown else _PEOPLE_EVERY
    if held.people_at is not None and now - held.people_at < age:
        return
    people = await links.people(Lane.SYNC)
    async with pool.acquire() as conn, conn.transaction():
        await store.replace_crm_chat_people(conn, held.account_id, people, now)
