"""The deals that stand in a stage now, given one after the other: each once a run, whatever is killed on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.store.deals import deals_in_stage
from gateway.distribution.give import Giver, lock_deals
from gateway.store.distribution.entries import deals_in_hand
from gateway.store.distribution.items import NewItem, add_item
from runtime.database.pool import Conn
from runtime.progress import Progress

_PAGE = 100
_TOGETHER = 20
"""So many are given in one transaction; a run is stopped between two."""

_JUST_NOW = timedelta(minutes=1)
"""Who presses "give" a moment after somebody else means the same deals."""


async def deals_to_give(conn: Conn, account_id: str, pipeline_id: str, stage_id: str) -> int:
    """How many open deals stand there now."""
    total = 0
    after: tuple[datetime | None, str] = (None, "")
    while page := await deals_in_stage(conn, account_id, (pipeline_id, stage_id), after=after, limit=5000):
        total += len(page)
        after = page[-1]
    return total


async def stage_work(
    pool: asyncpg.Pool, giver: Giver, account_id: str, asked: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """As long work of the kind `distribution_stage`. asked: template, pipeline, stage, and the run's own id."""
    stage = asked["pipeline"], asked["stage"]
    async with pool.acquire() as conn:
        total = await deals_to_give(conn, account_id, *stage)
    await progress(0, total)
    counts: Counter[str] = Counter()
    after: tuple[datetime | None, str] = (None, "")
    while True:
        async with pool.acquire() as conn:
            page = await deals_in_stage(conn, account_id, stage, after=after, limit=_PAGE)
        if not page:
            return {"deals": counts.total(), "outcomes": dict(counts)}
        for start in range(0, len(page), _TOGETHER):
            deal_ids = [deal_id for _, deal_id in page[start : start + _TOGETHER]]
            counts.update(await _given(pool, giver, account_id, asked, deal_ids))
            await progress(counts.total(), max(total, counts.total()))
        after = page[-1]


async def _given(
    pool: asyncpg.Pool, giver: Giver, account_id: str, asked: Mapping[str, Any], deal_ids: Sequence[str]
) -> list[str]:
    """Return what became of each. What had its turn in this run already, or waits for one because somebody else asked, is left
    alone."""
    async with pool.acquire() as conn, conn.transaction():
        await lock_deals(conn, account_id, deal_ids)
        in_hand = await deals_in_hand(conn, account_id, asked["template"], deal_ids, _JUST_NOW)
        wanted = [deal_id for deal_id in deal_ids if deal_id not in in_hand]
        added = [await add_item(conn, account_id, _item(asked, deal_id)) for deal_id in wanted]
        new = [item_id for item_id in added if item_id]
        given = await giver.give_all(conn, account_id, new)
    return [item.state for item in given] + ["already"] * (len(deal_ids) - len(new))


def _item(asked: Mapping[str, Any], deal_id: str) -> NewItem:
    return NewItem(
        template=asked["template"],
        entity_id=deal_id,
        source="stage",
        entered_at=datetime.now(UTC),
        pipeline_id=asked["pipeline"],
        stage_id=asked["stage"],
        key=asked["run"],
    )
