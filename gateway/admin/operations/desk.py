"""What a person decides at the desk, each kept with who decided it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from crm.effects import dead_letters
from gateway.admin.input_words import problems_of, refuse_bad_note
from gateway.store.admin.audit import AuditChange, record
from gateway.store.crm_events.work import put_back
from gateway.store.intake import inbox
from runtime.database.pool import Conn

_NAMED = 100
"""So many of the decided items are named in the record; how many there were is always told."""


async def retry_effects(conn: Conn, account_id: str, keys: Sequence[str] | None = None) -> int:
    """None: all. How many are tried again."""
    async with conn.transaction():
        count = await dead_letters.retry(conn, account_id, keys)
        await keep_decision(conn, account_id, "effect", "retried", keys, count)
        return count


async def edit_effect(
    conn: Conn, account_id: str, key: str, order: Mapping[str, Any], note: str | None
) -> int:
    """Raise InputRefused, DeskItemGone, OrderInvalid; nothing is stored then."""
    if note is not None:
        refuse_bad_note(note)
    async with conn.transaction():
        try:
            count = await dead_letters.edit_and_retry(conn, account_id, key, order, note)
        except dead_letters.OrderInvalid as err:
            raise _in_words(err) from err
        await keep_decision(conn, account_id, "effect", "edited", [key], count, note)
        return count


def _in_words(err: dead_letters.OrderInvalid) -> dead_letters.OrderInvalid:
    """Say it in our words, where it is told in the library's."""
    if not isinstance(err.__cause__, ValidationError):
        return err
    said = problems_of(err.__cause__, "do")[0][1]
    return dead_letters.OrderInvalid(f"{err.field}: {said}", err.field)


async def ignore_effects(conn: Conn, account_id: str, keys: Sequence[str], note: str) -> int:
    """How many are set aside for good. Raise InputRefused."""
    refuse_bad_note(note)
    async with conn.transaction():
        count = await dead_letters.ignore(conn, account_id, keys, note)
        await keep_decision(conn, account_id, "effect", "ignored", keys, count, note)
        return count


async def retry_events(conn: Conn, account_id: str, event_ids: Sequence[int] | None = None) -> int:
    """None: all. How many are worked on again."""
    async with conn.transaction():
        count = await inbox.retry_dead(conn, account_id, event_ids)
        await keep_decision(conn, account_id, "event", "retried", event_ids, count)
        return count


async def ignore_events(conn: Conn, account_id: str, event_ids: Sequence[int], note: str) -> int:
    """How many are set aside for good. Raise InputRefused."""
    refuse_bad_note(note)
    async with conn.transaction():
        done = [await inbox.ignore_dead(conn, account_id, event_id, note) for event_id in event_ids]
        await keep_decision(conn, account_id, "event", "ignored", event_ids, sum(done), note)
        return sum(done)


async def retry_crm_events(conn: Conn, account_id: str, event_ids: Sequence[int] | None) -> int:
    """None: all that were set aside. How many are worked on again."""
    async with conn.transaction():
        count = await put_back(conn, account_id, event_ids)
        await keep_decision(conn, account_id, "crm event", "retried", event_ids, count)
        return count


async def keep_decision(
    conn: Conn,
    account_id: str,
    what: str,
    action: str,
    names: Sequence[object] | None,
    count: int,
    note: str | None = None,
) -> None:
    """Write down who decided what; nothing where nothing was there to decide."""
    if not count:
        return
    said = {"count": count, "names": [str(name) for name in (names or ())[:_NAMED]], "note": note}
    object_ = "all" if names is None else str(names[0]) if len(names) == 1 else f"{count} of them"
    kept = {name: value for name, value in said.items() if value}
    change = AuditChange(what=what, object=object_, action=action, account_id=account_id, after=kept)
    await record(conn, change)
