"""What the CRM tells of itself, read every few minutes: account, users, pipelines, fields."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from crm.errors import CrmForbidden
from crm.lane import Lane
from crm.port import Crm, CrmField, CrmUser, Pipeline
from crm.store.cursors import write_cursor
from crm.store.directory import follow_archive
from crm.store.metadata import (
    fields_of,
    pipelines_of,
    store_account,
    store_fields,
    store_pipelines,
    store_users,
    users_of,
)
from crm.sync.source import Source
from crm.unread import FIELD_KIND, UnreadKind, UnreadNotes
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


R = TypeVar("R", CrmUser, Pipeline, CrmField)


class _Known:
    """What is stored of what the CRM lists: a row of it that cannot be read, or its name, is what it was."""

    def __init__(self, unread: UnreadNotes) -> None:
        self._unread = unread

    def with_hidden(self, kind: UnreadKind, listed: Sequence[R], stored: Sequence[R]) -> list[R]:
        known = {row.id: row for row in stored}
        named: list[R] = [
            replace(row, name=known[row.id].name) if not row.name and row.id in known else row
            for row in listed
        ]
        shown = {row.id for row in listed}
        hidden: list[R] = [
            row for row in stored if row.id not in shown and self._unread.may_hide(kind, row.id)
        ]
        return named + hidden


async def read_metadata(source: Source, lane: Lane = Lane.SYNC) -> frozenset[str]:
    """Which of account, users, pipelines, fields changed. What the key may not see is noted and stops nothing else."""
    account = await source.crm.account(lane)
    seen = KeySight()
    users = await seen.of("users", source.crm.users(lane))
    pipelines = await seen.of("pipelines", source.crm.pipelines(lane))
    fields = {kind: await seen.of("fields", source.crm.fields(kind, lane)) for kind in _KINDS_WITH_FIELDS}
    async with source.transaction() as conn:
        known = _Known(source.crm.unread)
        changed = {"account": await store_account(conn, source.account_id, account)}
        if users is not None:
            users = known.with_hidden("user", users, await users_of(conn, source.account_id))
            changed["users"] = await store_users(conn, source.account_id, users)
        if pipelines is not None:
            stored = await pipelines_of(conn, source.account_id)
            pipelines = known.with_hidden("pipeline", pipelines, stored)
            changed["pipelines"] = await store_pipelines(conn, source.account_id, pipelines)
            if changed["pipelines"]:
                await follow_archive(conn, source.account_id)
        for kind, listed in fields.items():
            if listed is None:
                continue
            held = await fields_of(conn, source.account_id, kind)
            if await store_fields(
                conn, source.account_id, kind, known.with_hidden(FIELD_KIND[kind], listed, held)
            ):
                changed["fields"] = True
        await write_cursor(conn, source.account_id, FEED, {FORBIDDEN: list(seen.forbidden)})
    return frozenset(name for name, is_changed in changed.items() if is_changed)


async def forbidden_to(crm: Crm, lane: Lane) -> tuple[str, ...]:
    """Return what an administrator's key would be shown and this one is not, as far as few requests tell."""
    seen = KeySight()
    await seen.of("users", crm.users(lane))
    await seen.of("pipelines", crm.pipelines(lane))
    return tuple(seen.forbidden)
