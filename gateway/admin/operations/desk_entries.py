"""What was set aside, whatever it is: listed with its reason, tried again, or ignored with a note."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.effects.texts.refusals import TEXTS, what, why
from gateway.admin.input_words import is_counted, refuse_bad_note
from gateway.admin.operations import desk
from gateway.admin.refused import InputRefused
from gateway.channels.afterwards.again import retry_updates
from gateway.store.channels.dead import ignore_dead_updates
from gateway.store.desk import entries as store
from gateway.store.desk.entries import KINDS, AsideRow, DeskKind
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language
from runtime.database.pool import Conn
from runtime.masking import mask_text

# Effects keep the keys that they have everywhere; nothing of theirs begins so.
_PREFIXES: Mapping[str, DeskKind] = {
    "event": "event",
    "update": "update",
    "undecided": "call",
    "missed-case": "case",
    "change": "change",
    "webhook": "webhook",
    "row": "row",
}
_NUMBERED: Collection[DeskKind] = {"event", "update", "change", "webhook", "row"}
_SEPARATOR = "~"
_MOST_GROUPED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEntry:
    """key: what to name it by. what: plain words of an effect, else what it is of. why: the reason, code before it.
    can: what a person may have done with it."""

    key: str
    kind: DeskKind
    client: str | None
    what: str
    why: str
    code: str
    since: datetime
    tries: int
    can: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeskPage:
    """next: to be given as `after` for those that follow; None when there are none."""

    entries: tuple[DeskEntry, ...]
    next: str | None


async def listed(
    conn: Conn,
    account_id: str,
    *,
    kind: DeskKind | None = None,
    client: str | None = None,
    after: str | None = None,
    limit: int = 100,
    language: Language = DEFAULT_LANGUAGE,
) -> DeskPage:
    """Oldest first. kind, client: only such. Raises InputRefused where `after` is of no page."""
    rows = await store.aside_rows(
        conn, account_id, [kind] if kind else KINDS, after=_place(after), client=client, limit=limit
    )
    last = rows[-1] if len(rows) == limit else None
    following = f"{last.since.isoformat()}{_SEPARATOR}{last.kind}:{last.id}" if last else None
    return DeskPage(tuple(_entry(row, language) for row in rows), following)


@dataclass(frozen=True, slots=True)
class DeskGroup:
    """What was set aside for one cause. code, field: what makes the cause. first: one of it, the oldest; its words are those
    of all."""

    kind: DeskKind
    code: str
    field: str
    count: int
    first: DeskEntry

    @property
    def can_retry(self) -> bool:
        return "retry" in self.first.can


async def groups(conn: Conn, account_id: str, language: Language = DEFAULT_LANGUAGE) -> list[DeskGroup]:
    """Return the causes, the most frequent first."""
    found: dict[tuple[DeskKind, str, str], list[AsideRow]] = {}
    for row in await store.aside_rows(conn, account_id, KINDS, limit=_MOST_GROUPED):
        found.setdefault((row.kind, row.code, row.field or ""), []).append(row)
    named = [DeskGroup(*cause, len(rows), _entry(rows[0], language)) for cause, rows in found.items()]
    return sorted(named, key=lambda group: -group.count)


async def entries_of(
    conn: Conn,
    account_id: str,
    cause: tuple[DeskKind, str, str],
    language: Language = DEFAULT_LANGUAGE,
) -> list[DeskEntry]:
    """Return all of one cause (kind, code, field), the oldest first."""
    kind, code, field = cause
    rows = await store.aside_rows(conn, account_id, [kind], limit=_MOST_GROUPED)
    return [_entry(row, language) for row in rows if (row.code, row.field or "") == (code, field)]


async def retry(conn: Conn, account_id: str, keys: Sequence[str] | None) -> int:
    """Try these again, None = everything that can be. How many. Raises InputRefused."""
    named: Mapping[DeskKind, list[str] | None] = (
        _sorted_out(keys) if keys is not None else dict.fromkeys(KINDS)
    )
    async with conn.transaction():
        return sum([await retry_kind(conn, account_id, kind, ids) for kind, ids in named.items()])


async def retry_kind(conn: Conn, account_id: str, kind: DeskKind, ids: list[str] | None) -> int:
    """As `retry`, of one kind; None: all of it. Run it inside a transaction."""
    match kind:
        case "effect":
            return await desk.retry_effects(conn, account_id, ids)
        case "event":
            return await desk.retry_events(conn, account_id, _numbers(ids))
        case "change":
            return await desk.retry_crm_events(conn, account_id, _numbers(ids))
        case "update":
            count = await retry_updates(conn, account_id, _numbers(ids))
        case "call":
            count = await store.retry_calls(conn, account_id, ids)
        case "case":
            count = await store.retry_cases(conn, account_id, ids)
        case "webhook":
            count = await store.retry_webhooks(conn, account_id, _numbers(ids))
        case "row":
            count = await store.retry_unread_rows(conn, account_id, _numbers(ids))
    await desk.keep_decision(conn, account_id, kind, "retried", ids, count)
    return count


async def ignore(conn: Conn, account_id: str, keys: Sequence[str], note: str) -> int:
    """Set these aside for good, with a note for those who ask later. How many. Raises InputRefused."""
    refuse_bad_note(note)
    named = _sorted_out(keys)
    async with conn.transaction():
        return sum([await ignore_kind(conn, account_id, kind, ids, note) for kind, ids in named.items()])


async def ignore_kind(conn: Conn, account_id: str, kind: DeskKind, ids: list[str], note: str) -> int:
    """As `ignore`, of one kind. Run it inside a transaction."""
    match kind:
        case "effect":
            return await desk.ignore_effects(conn, account_id, ids, note)
        case "event":
            return await desk.ignore_events(conn, account_id, _numbers(ids) or [], note)
        case "update":
            count = await ignore_dead_updates(conn, account_id, _numbers(ids) or [], note)
        case "call":
            count = await store.ignore_calls(conn, account_id, ids, note)
        case "case":
            count = await store.ignore_cases(conn, account_id, ids, note)
        case "change":
            count = await store.drop_changes(conn, account_id, _numbers(ids) or [])
        case "webhook":
            count = await store.drop_webhooks(conn, account_id, _numbers(ids) or [])
        case "row":
            count = await store.ignore_unread_rows(conn, account_id, _numbers(ids) or [], note)
    await desk.keep_decision(conn, account_id, kind, "ignored", ids, count, note)
    return count


def _sorted_out(keys: Sequence[str]) -> dict[DeskKind, list[str]]:
    """Ids by kind."""
    named: dict[DeskKind, list[str]] = {}
    for key in keys:
        prefix, colon, id = key.partition(":")
        kind: DeskKind = _PREFIXES.get(prefix, "effect") if colon else "effect"
        if kind in _NUMBERED and not is_counted(id):
            raise InputRefused(
                "keys", f"'{key}': a number must follow '{prefix}:'", "take the keys of the list"
            )
        named.setdefault(kind, []).append(key if kind == "effect" else id)
    return named


def _numbers(ids: Sequence[str] | None) -> list[int] | None:
    return None if ids is None else [int(id) for id in ids]


def _place(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    at, mark, key = after.partition(_SEPARATOR)
    try:
        since = datetime.fromisoformat(at)
    except ValueError:
        since = None
    if not mark or since is None or since.tzinfo is None:
        raise InputRefused("after", "this is the place of no page", "give the 'next' of the page before")
    return since, key


def _entry(row: AsideRow, language: Language) -> DeskEntry:
    texts = TEXTS[language]
    is_effect = row.kind == "effect"
    prefix = next((name for name, kind in _PREFIXES.items() if kind == row.kind), None)
    at_field = f"{row.field}: " if row.field and not is_effect else ""
    return DeskEntry(
        key=row.id if prefix is None else f"{prefix}:{row.id}",
        kind=row.kind,
        client=row.client,
        what=what(row.about, texts) if is_effect else row.about,
        why=why(row.code, row.field, row.detail, texts)
        if is_effect
        else mask_text(f"{at_field}{row.detail or ''}"),
        code=row.code,
        since=row.since,
        tries=row.tries,
        can=("retry", "ignore") if row.can_retry else ("ignore",),
    )
