"""Single deals that are to be given: because a person asks for it, or because a hook of the CRM tells that they came."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gateway.distribution.give import lock_deals
from gateway.store.distribution import entries
from gateway.store.distribution import items as store
from gateway.store.distribution.items import ItemSource, NewItem
from gateway.store.distribution.templates import template_of
from runtime.database.pool import Conn

_SAME_ENTRY = timedelta(minutes=10)
"""A hook that comes so soon after another one, or after the CRM's own word, tells of the same."""

HookedEntry = tuple[str, tuple[str | None, str | None]]
"""(deal, (pipeline, stage) as far as they were told)"""


class HookedItems(NamedTuple):
    """Ids of deals: kept to be given now, and those whose entry was told a moment ago."""

    kept: list[str]
    already: list[str]


async def ask_for(
    conn: Conn,
    account_id: str,
    template: str,
    deal_id: str,
    *,
    source: ItemSource,
    stage: tuple[str | None, str | None] = (None, None),
) -> str | None:
    """Keep a deal to be given by a worker, by a template that is there, in the caller's transaction; return the item, None
    where a hook tells of an entry that was told a moment ago."""
    await lock_deals(conn, account_id, [deal_id])
    if source == "hook" and await entries.same_entry(conn, account_id, deal_id, stage[1], _SAME_ENTRY):
        return None
    new = NewItem(
        template=template,
        entity_id=deal_id,
        source=source,
        entered_at=datetime.now(UTC),
        pipeline_id=stage[0],
        stage_id=stage[1],
        key=secrets.token_hex(8),
    )
    return await store.add_item(conn, account_id, new)


async def keep_hooked(
    conn: Conn, account_id: str, template: str, deals: Sequence[HookedEntry]
) -> HookedItems | None:
    """Keep the deals that a hook of the CRM told of, all or none; None: there is no such template. deals: in the same order by
    whoever tells of several, since each one's lock is held until the end."""
    kept: list[str] = []
    already: list[str] = []
    async with conn.transaction():
        if await template_of(conn, account_id, template) is None:
            return None
        for deal_id, stage in deals:
            item = await ask_for(conn, account_id, template, deal_id, source="hook", stage=stage)
            (kept if item else already).append(deal_id)
    return HookedItems(kept, already)
