"""What the CRM tells of itself, read every few minutes: account, users, pipelines, fields."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from crm.errors import CrmForbidden
from crm.lane import Lane
from crm.port import Crm
from crm.store.cursors import write_cursor
from crm.store.metadata import store_account, store_fields, store_pipelines, store_users
from crm.sync.source import Source
from routing.client import EntityKind

T = TypeVar("T")

FEED = "metadata"
FORBIDDEN = "forbidden"
_KINDS_WITH_FIELDS: tuple[EntityKind, ...] = ("contact", "company", "deal")


@dataclass(slots=True)
class KeySight:
    """forbidden: names of what the key may not see, in the order in which it was asked for."""

    forbidden: dict[str, None] = field(default_factory=dict)

    async def of(self, name: str, reading: Awaitable[T]) -> T | None:
        try:
            return await reading
        except CrmForbidden:
            self.forbidden[name] = None
            return None


async def read_metadata(source: Source, lane: Lane = Lane.SYNC) -> frozenset[str]:
    """Which of account, users, pipelines, fields changed. What the key may not see is noted and stops nothing else."""
    account = await source.crm.account(lane)
    seen = KeySight()
    users = await seen.of("users", source.crm.users(lane))
    pipelines = await seen.of("pipelines", source.crm.pipelines(lane))
    fields = {kind: await seen.of("fields", source.crm.fields(kind, lane)) for kind in _KINDS_WITH_FIELDS}
    async with source.transaction() as conn:
        changed = {"account": await store_account(conn, source.account_id, account)}
        if users is not None:
            changed["users"] = await store_users(conn, source.account_id, users)
        if pipelines is not None:
            changed["pipelines"] = await store_pipelines(conn, source.account_id, pipelines)
        for kind, listed in fields.items():
            if listed is not None and await store_fields(conn, source.account_id, kind, listed):
                changed["fields"] = True
        await write_cursor(conn, source.account_id, FEED, {FORBIDDEN: list(seen.forbidden)})
    return frozenset(name for name, is_changed in changed.items() if is_changed)


async def forbidden_to(crm: Crm, lane: Lane) -> tuple[str, ...]:
    """What an administrator's key would be shown and this one is not, as far as few requests tell."""
    seen = KeySight()
    await seen.of("users", crm.users(lane))
    await seen.of("pipelines", crm.pipelines(lane))
    return tuple(seen.forbidden)
