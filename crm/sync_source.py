"""What every feed of the sync works with: one account, its CRM, its database, and what time it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from crm.port import Crm, CrmEntity, Lane
from crm.store.cursors import read_cursor, write_cursor
from crm.store.directory import Applied, EntityRef, apply_entities, remove_entities
from routing.policy import NumberPolicy

READ_AT_ONCE = 250  # ids in one by_ids


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Source:
    """policy: may be replaced while the sync runs; numbers read before keep their reading until the next full load."""

    crm: Crm
    pool: asyncpg.Pool
    account_id: str
    policy: NumberPolicy
    now: Callable[[], datetime] = field(default=utc_now)

    async def cursor(self, feed: str) -> dict[str, Any]:
        async with self.pool.acquire() as conn:
            return await read_cursor(conn, self.account_id, feed)

    async def apply(
        self,
        entities: Iterable[CrmEntity] = (),
        *,
        gone: Collection[EntityRef] = (),
        feed: str | None = None,
        cursor: dict[str, Any] | None = None,
    ) -> Applied:
        """Rows and the cursor that speaks of them, in one transaction."""
        async with self.pool.acquire() as conn, conn.transaction():
            removed = await remove_entities(conn, self.account_id, gone) if gone else Applied()
            applied = await apply_entities(conn, self.account_id, entities, self.policy)
            if feed is not None and cursor is not None:
                await write_cursor(conn, self.account_id, feed, cursor)
        return Applied(removed.numbers + applied.numbers, applied.stale)

    async def read_again(
        self, refs: Collection[EntityRef], lane: Lane
    ) -> tuple[list[CrmEntity], list[EntityRef]]:
        """What the CRM has of these now, and those that it no longer has."""
        found: list[CrmEntity] = []
        for kind, ids in _by_kind(refs).items():
            for start in range(0, len(ids), READ_AT_ONCE):
                found += await self.crm.by_ids(kind, ids[start : start + READ_AT_ONCE], lane)
        present = {(e.kind, e.id) for e in found if not e.is_deleted}
        return [e for e in found if not e.is_deleted], [ref for ref in refs if ref not in present]


def _by_kind(refs: Iterable[EntityRef]) -> dict[Any, Sequence[str]]:
    kinds: dict[Any, list[str]] = {}
    for kind, id in sorted(refs):
        kinds.setdefault(kind, []).append(id)
    return dict(kinds)


def as_text(at: datetime) -> str:
    return at.isoformat()


def from_text(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
