"""What the CRM tells of itself, read every few minutes: account, users, pipelines, fields."""

from __future__ import annotations

from crm.lane import Lane
from crm.store.cursors import write_cursor
from crm.store.metadata import store_account, store_fields, store_pipelines, store_users
from crm.sync.source import Source
from routing.client import EntityKind

FEED = "metadata"
_KINDS_WITH_FIELDS: tuple[EntityKind, ...] = ("contact", "company", "deal")


async def read_metadata(source: Source, lane: Lane = Lane.SYNC) -> frozenset[str]:
    """Which of account, users, pipelines, fields changed."""
    account = await source.crm.account(lane)
    users = await source.crm.users(lane)
    pipelines = await source.crm.pipelines(lane)
    fields = {kind: await source.crm.fields(kind, lane) for kind in _KINDS_WITH_FIELDS}
    async with source.transaction() as conn:
        changed = {
            "account": await store_account(conn, source.account_id, account),
            "users": await store_users(conn, source.account_id, users),
            "pipelines": await store_pipelines(conn, source.account_id, pipelines),
        }
        for kind, listed in fields.items():
            changed["fields"] = await store_fields(conn, source.account_id, kind, listed) or changed.get(
                "fields", False
            )
        await write_cursor(conn, source.account_id, FEED, {})
    return frozenset(name for name, is_changed in changed.items() if is_changed)
