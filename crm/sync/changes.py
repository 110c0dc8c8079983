"""What a webhook tells, in our own words, and how it reaches the directory at once.

A webhook carries some fields of an entity and lacks others (a deal's contacts, for one). What it carries is taken over
in the request's own process; for the rest the account's worker is asked to read the entity again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import asyncpg

from crm.entity_changes import EntityChange
from crm.port import CrmEntity, Observed
from crm.store.cursors import ask_reread, write_cursor
from crm.store.directory import Applied, EntityRef, apply_entities, remove_entities
from crm.store.entries import lock_directory
from crm.store.listing import contradict, stored_entities
from crm.store.metadata import closed_stages
from crm.store.news import record_news
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

T = TypeVar("T")

_MOST_DOUBTED = 20
"""So many deletions that come together are looked up: a repeated webhook may tell of one that was undone since. Beyond it
somebody cleans up, and looking would delay what others wait for."""


_MOST_AHEAD = timedelta(hours=1)
"""So far a CRM's clock may be before ours."""


@dataclass(frozen=True, slots=True)
class TakenChanges:
    """applied: what the directory took over. to_reread: what the worker was asked to read again."""

    applied: Applied
    to_reread: tuple[EntityRef, ...] = ()


async def apply_changes(
    conn: Conn, account_id: str, changes: Sequence[EntityChange], policy: NumberPolicy
) -> TakenChanges:
    """Take over what these changes carry, in the caller's transaction, and ask for the rest to be read.

    A change that is older than what is stored is left alone: webhooks come in any order and more than once. Of two of the
    same second that contradict each other nobody knows which came last: the entity is read again.
    """
    await lock_directory(conn, account_id)
    last = {(c.kind, c.id): c for c in changes}  # of one message, the last word about an entity counts
    known = await stored_entities(conn, account_id, list(last))
    closed = await closed_stages(conn, account_id)
    gone = [ref for ref, c in last.items() if c.what == "deleted"]
    present = [c for c in changes if last[c.kind, c.id].what != "deleted"]
    doubted = _doubted(present, known)
    present = [c for c in present if (c.kind, c.id) not in doubted]
    merged: dict[EntityRef, CrmEntity] = {}
    disputed: set[EntityRef] = set()
    for change in present:
        ref = (change.kind, change.id)
        before = merged.get(ref) or known.get(ref)
        if ref in merged and before and _is_older(change, before):
            continue
        after = _with(before, change, closed)
        if before is not None and contradict(before, after, policy):
            disputed.add(ref)
        else:
            merged[ref] = after
    removed = await remove_entities(conn, account_id, gone)
    applied = await apply_entities(conn, account_id, merged.values(), policy)
    to_reread = {(c.kind, c.id) for c in present if _lacks(c, known)}
    to_reread |= disputed | doubted
    if len(gone) <= _MOST_DOUBTED:
        to_reread |= {ref for ref in gone if ref in known and ref[0] != "lead"}
    to_reread |= {("deal", id) for c in changes if c.kind == "lead" for id in _accepted(c)}
    await ask_reread(conn, account_id, to_reread)
    return TakenChanges(Applied(removed.numbers + applied.numbers, applied.stale), tuple(sorted(to_reread)))


def _doubted(changes: Sequence[EntityChange], known: Mapping[EntityRef, CrmEntity]) -> set[EntityRef]:
    """Those that are looked up before anything of it is believed: a webhook is a hint, and may be late, repeated or forged.

    A change of what nobody has told of may be of what is long gone. One from the future would make all later ones old.
    """
    latest = datetime.now(UTC) + _MOST_AHEAD
    told_new = {(c.kind, c.id) for c in changes if c.what == "added"} | set(known)
    return {
        (c.kind, c.id)
        for c in changes
        if c.kind != "lead" and ((c.kind, c.id) not in told_new or (c.at is not None and c.at > latest))
    }


def _with(stored: CrmEntity | None, change: EntityChange, closed: set[tuple[str, str]]) -> CrmEntity:
    base = stored or CrmEntity(kind=change.kind, id=change.id)
    if stored and _is_older(change, stored):
        return replace(base, updated_at=change.at)  # the store recognises it as stale
    return replace(
        base,
        name=_carried(change.name, base.name),
        owner_id=_carried(change.owner_id, base.owner_id),
        numbers=_carried(change.numbers, base.numbers),
        created_at=_carried(change.created_at, base.created_at),
        updated_at=_carried(change.at, base.updated_at),
        pipeline_id=_carried(change.pipeline_id, base.pipeline_id),
        stage_id=_carried(change.stage_id, base.stage_id),
        contact_ids=_carried(change.contact_ids, base.contact_ids),
        deal_id=change.deal_ids[0] if change.kind == "lead" and change.deal_ids else base.deal_id,
        is_open=_is_open(base, change, closed),
    )


def _is_older(change: EntityChange, entity: CrmEntity) -> bool:
    return bool(entity.updated_at and change.at and change.at < entity.updated_at)


def _is_open(base: CrmEntity, change: EntityChange, closed: set[tuple[str, str]]) -> bool:
    if change.is_open is not None or change.stage_id is None:
        return _carried(change.is_open, base.is_open)
    return (change.pipeline_id or base.pipeline_id or "", change.stage_id) not in closed


def _accepted(change: EntityChange) -> tuple[str, ...]:
    return (change.deal_ids or ()) if change.what == "deleted" else ()


def _carried(value: T | None, stored: T) -> T:
    return stored if value is None else value


def _lacks(change: EntityChange, known: dict[EntityRef, CrmEntity]) -> bool:
    """Say whether more has to be read: a deal's links are never told, nor the owner of the deal inside a lead; anything else that is new to us may lack what
    earlier messages carried. Deals that we made ourselves are known with their links."""
    there = known.get((change.kind, change.id))
    is_new = there is None
    if change.kind == "deal":
        has_links = there is not None and bool(there.contact_ids or there.company_ids)
        return is_new or change.what == "restored" or (change.what == "added" and not has_links)
    if change.kind == "lead":
        return is_new or change.what == "added"
    if there is None:
        return change.numbers is None or change.owner_id is None
    # Whose last field was emptied comes without fields, and so may what tells of something else.
    return change.what == "updated" and change.numbers is None and bool(there.numbers)


async def apply_webhook(
    pool: asyncpg.Pool,
    account_id: str,
    changes: Sequence[EntityChange],
    policy: NumberPolicy,
    observed: Sequence[Observed] = (),
) -> TakenChanges:
    """For the process that got the webhook, with or without the lease: its answer reaches every gateway by NOTIFY."""
    if not changes and not observed:
        return TakenChanges(Applied())
    async with pool.acquire() as conn, conn.transaction():
        await record_news(conn, account_id, observed=observed, told_by="webhook")
        taken = await apply_changes(conn, account_id, changes, policy)
        await write_cursor(conn, account_id, "webhook", {})
    return taken
