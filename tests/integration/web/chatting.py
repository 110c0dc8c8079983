"""Channels of the sandbox in which clients have written, for the pages: told as the door takes it, worked on as a worker does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg

from gateway.calls.client_job import ClientJob
from gateway.channels.chat_job import ChatJob
from gateway.channels.intake import take_channel_news
from gateway.store.channels.access import set_rights
from gateway.store.channels.channels import add_channel, saved_channels
from routing.dialogues.access import ChannelRight
from routing.dialogues.rules import ChannelRules
from routing.matrix.presets import recommended
from sms.channels.port import MessengerChannel
from sms.channels.sandbox.wire import parse_news
from tests.fakes.channels.sandbox import body_of, client_message, status
from tests.fakes.matrices import PublishedMatrix
from tests.integration.api.client import ACCOUNT

ME = {"chat": {"id": "7"}, "direction": "out", "author": {"kind": "employee", "id": "a"}}


async def connect(
    pool: asyncpg.Pool, id: str, name: str, rights: Mapping[str, ChannelRight], **settings: str
) -> None:
    """rights: by employee."""
    channel = MessengerChannel(account_id=ACCOUNT, id=id, name=name, kind="sandbox", settings=settings)
    rules = ChannelRules(pipeline_id="1", stage_id="11", authors={"a": "anna"})
    async with pool.acquire() as conn, conn.transaction():
        assert await add_channel(conn, channel, rules, secret="hush") is not None
        await set_rights(conn, ACCOUNT, id, dict(rights))


async def told(pool: asyncpg.Pool, *updates: dict[str, Any], channel: str = "c1") -> None:
    now = datetime.now(UTC)
    async with pool.acquire() as conn, conn.transaction():
        siblings = await saved_channels(conn, ACCOUNT)
        saved = next(one for one in siblings if one.id == channel)
        await take_channel_news(conn, saved, siblings, parse_news(body_of(updates)), now)
    job = ChatJob(pool, ClientJob(pool, PublishedMatrix(recommended()), now=lambda: datetime.now(UTC)))
    for row in await pool.fetch("SELECT DISTINCT client_key FROM channel_update WHERE state = 'pending'"):
        await job.run(ACCOUNT, row["client_key"])


async def dialogue_of(pool: asyncpg.Pool, chat: str, channel: str = "c1") -> int:
    found: int = await pool.fetchval(
        "SELECT dialogue_id FROM dialogue WHERE channel_id = $1 AND chat_id = $2", channel, chat
    )
    return found


async def every_message(pool: asyncpg.Pool, client: str = "Zhao", text: str = "Hello") -> None:
    """Chat 7 has one of everything that a message can be."""
    parts = [
        {"kind": "image", "text": "Look", "file": {"name": "kitchen.jpg"}},
        {"kind": "voice"},
        {"kind": "location", "latitude": 55.75, "longitude": 37.6},
        {"kind": "contact", "phone": "+79161112233", "text": client},
        {"kind": "other", "vendor_kind": "poll"},
    ]
    await told(
        pool,
        client_message("m1", text=text, phone="+79161234567", name=client),
        client_message("m2", text="Price?"),
        client_message("m3", text="Gone"),
        {**client_message("m4"), "parts": parts, "quoted_id": "m1", "quoted_text": text},
        {"told": "message", "id": "o1", **ME, "parts": [{"kind": "text", "text": "Good day"}]},
        {"told": "message", "id": "o2", **ME, "parts": [{"kind": "text", "text": "Refused"}]},
    )
    edit = {"id": "e1", "at": datetime.now(UTC).isoformat()}
    await told(
        pool,
        {**client_message("m2", text="What is the price?"), "edit": edit},
        {"told": "deleted", "ids": ["m3"]},
        status("o1", "read"),
        status("o2", "refused", reason="blocked", words="bot was blocked"),
    )
