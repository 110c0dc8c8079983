"""A CRM's clock, entities and events, for the tests of the sync."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.port import CrmEntity, CrmEvent
from crm.store.encoding import decode
from tests.fakes.crm import FakeCrm

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """The time at the CRM and with us."""

    def __init__(self) -> None:
        self.at = T0

    def __call__(self) -> datetime:
        return self.at

    def tick(self, seconds: float = 30) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


def number(i: int) -> str:
    return f"+7900{i:07}"


def contact(i: int, **fields: Any) -> CrmEntity:
    fields = {"numbers": (number(i),), "owner_id": "11", "updated_at": T0 - timedelta(days=1), **fields}
    return CrmEntity(kind="contact", id=str(i), name=f"Contact {i}", **fields)


def deal(i: int, *contacts: int, **fields: Any) -> CrmEntity:
    fields = {"owner_id": "12", "updated_at": T0 - timedelta(days=1), "is_open": True, **fields}
    return CrmEntity(kind="deal", id=str(i), contact_ids=tuple(map(str, contacts)), pipeline_id="1", **fields)


async def found(pool: asyncpg.Pool, i: int) -> list[tuple[str, str, str]]:
    async with pool.acquire() as conn:
        stored = await conn.fetchval(
            "SELECT candidates FROM directory_entry WHERE account_id = 'a' AND number = $1", int(number(i))
        )
    return [(c.kind, c.id, c.owner) for c in decode(stored.encode())] if stored else []


def tell(
    crm: FakeCrm, clock: Clock, kind: Any, ref: tuple[Any, str], other: Any = None, *, late: int = 0
) -> None:
    """late: seconds between the time that the event carries and its appearing in the feed."""
    event_id = f"e{len(crm.feed):06}"
    crm.feed.append(
        CrmEvent(
            id=event_id,
            kind=kind,
            at=clock() - timedelta(seconds=late),
            entity_kind=ref[0],
            entity_id=ref[1],
            by_user=None,
            other=other,
        )
    )
