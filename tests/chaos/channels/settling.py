"""Until everything that was told is worked on, sent and copied. What waits for an hour to be over is looked at as though it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from tests.chaos.channels.shop import IDS, Shop
from tests.chaos.saying import say

_CALM = 4
_STUCK_SECONDS, _SAY_SECONDS = 120.0, 20.0
_LEFT = """
SELECT (SELECT count(*) FROM channel_update WHERE state = 'pending') AS updates,
       (SELECT count(*) FROM inbox WHERE state = 'pending') AS events,
       (SELECT count(*) FROM call WHERE due_at IS NOT NULL) AS calls,
       (SELECT count(*) FROM effect WHERE state IN ('waiting', 'sending', 'unknown', 'held')) AS effects,
       (SELECT count(*) FROM crm_webhook WHERE aside_at IS NULL) AS webhooks,
       (SELECT count(*) FROM chat_message WHERE status IN ('waiting', 'sending')) AS messages,
       (SELECT count(*) FROM chat_copy_message WHERE is_pending) AS "messages to be copied",
       (SELECT count(*) FROM chat_copy WHERE due_at IS NOT NULL) AS notes,
       (SELECT count(*) FROM channel_gap WHERE state = 'repairing') AS gaps
"""
_OPEN_EFFECTS = """
SELECT what, state, error_code, error_detail, attempts, client, after, not_before, next_try_at, "order", effect_key FROM effect
WHERE state IN ('waiting', 'sending', 'unknown', 'held') ORDER BY seq LIMIT 12
"""
_UNKNOWN = "SELECT own_key FROM chat_message WHERE channel_id = $1 AND status = 'unknown'"
_HOURS_PASS = """
UPDATE chat_copy SET due_at = now() WHERE due_at > now() AND NOT EXISTS (SELECT FROM chat_copy_message WHERE is_pending)
"""


async def until_settled(shop: Shop, seconds: float) -> Mapping[str, Any]:
    """Return what is left when nothing of it changes any more."""
    deadline, calm = time.monotonic() + seconds, 0
    before, changed_at = None, time.monotonic()
    said_at = changed_at
    while time.monotonic() < deadline:
        left = dict((await shop.site.fetch(_LEFT))[0])
        left["messages that are found when looked for"] = await _to_be_found(shop)
        left["telling"] = int(not shop.is_quiet)
        left["updates of Telegram"] = len(shop.telegram.updates)
        if left != before:
            before, changed_at = left, time.monotonic()
        if time.monotonic() - said_at > _SAY_SECONDS:
            said_at = time.monotonic()
            say(f"left: { ({name: count for name, count in left.items() if count}) }")
        if time.monotonic() - changed_at > _STUCK_SECONDS:
            for row in await shop.site.fetch(_OPEN_EFFECTS):
                say(f"still open: {dict(row)}")
            break
        calm = 0 if any(left.values()) else calm + 1
        if calm >= _CALM:
            return {}
        if not (left["telling"] or left["updates"] or left["messages"]):
            await _hours_pass(shop)
        await asyncio.sleep(0.5)
    return {name: count for name, count in (before or {}).items() if count}


async def _hours_pass(shop: Shop) -> None:
    async def pass_time() -> None:
        async with shop.site.connection() as conn:
            await conn.execute(_HOURS_PASS)

    await shop.site.insist("letting hours pass", pass_time)


async def _to_be_found(shop: Shop) -> int:
    """Of those whose answer was lost: the sandbox's messenger has them, and can be asked."""
    rows = await shop.site.fetch(_UNKNOWN, IDS["sandbox"])
    return sum(bool(shop.truth.taken(row["own_key"].removeprefix("key-"))) for row in rows)
