"""What changed in the CRM, as rows that others work on (table crm_event); the rule of what is one change: crm/news.py.

Written in the transaction that takes a webhook over or moves a poll's cursor, under the lock of the account's directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from crm.news import Heard, History, Seen, Teller, ValueChange, hear, last_after_all, see
from crm.port import CrmEvent, Observed
from crm.store.entries import lock_directory
from runtime.database.pool import Conn

WORK_TASK = "work_crm_events"
"""The job that works on the events of one subject, by the name that its rows carry."""

NewsKey = tuple[str, str, str]
"""(kind, id, aspect)."""

_OF_THEN = timedelta(minutes=2)
_IN_DIRECTORY = frozenset(("stage", "responsible", "name"))
_ONCE = frozenset(("added", "accepted", "declined", "incoming", "outgoing"))
_WHAT = {
    "stage": "stage_changed",
    "responsible": "responsible_changed",
    "price": "price_changed",
    "name": "name_changed",
    "numbers": "numbers_changed",
    "fields": "fields_changed",
    "tag": "tags_changed",
    "incoming": "message_received",
    "outgoing": "message_sent",
}

_KNOWN = """
WITH wanted AS (SELECT DISTINCT * FROM unnest($2::text[], $3::text[]) AS w (kind, entity_id))
SELECT s.entity_kind AS kind, s.entity_id, s.aspect, s.value, s.at FROM crm_entity_state s
JOIN wanted w ON w.kind = s.entity_kind AND w.entity_id = s.entity_id WHERE account_id = $1
UNION ALL
SELECT kind, entity_id, v.aspect, v.value, updated_at FROM directory_entity d JOIN wanted w USING (kind, entity_id),
    LATERAL (VALUES ('stage', pipeline_id || '/' || stage_id), ('responsible', owner_id), ('name', name)) v (aspect, value)
WHERE account_id = $1 AND kind <> 'lead' AND updated_at IS NOT NULL AND v.value IS NOT NULL
"""

_CHANGES = """
SELECT e.* FROM crm_event e JOIN (SELECT DISTINCT * FROM unnest($2::text[], $3::text[]) AS w (kind, entity_id)) w
ON w.kind = e.entity_kind AND w.entity_id = e.entity_id
WHERE account_id = $1 AND (feed_id IS NULL OR told_at >= $4 OR feed_id = ANY($5::text[])) ORDER BY event_id
"""

_ADD = """
INSERT INTO crm_event (account_id, subject, entity_kind, entity_id, aspect, what, old_value, new_value, at, told_at,
    first_told_by, feed_id, by_user)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[], $13::text[])
ON CONFLICT DO NOTHING
RETURNING event_id, subject
"""

_HAND_OUT = """
WITH work AS (
    INSERT INTO crm_event_work (account_id, consumer, event_id, subject)
    SELECT $1, c.name, e.event_id, e.subject FROM unnest($2::bigint[], $3::text[]) AS e (event_id, subject)
    CROSS JOIN crm_event_consumer c WHERE c.is_follower OR NOT $4 ON CONFLICT DO NOTHING RETURNING subject
) SELECT DISTINCT subject FROM work
"""

_DEFER = f"""
SELECT procrastinate_defer_jobs_v1(array_agg(row('clients', '{WORK_TASK}', -250, account_id || ' crm ' || subject, NULL,
    jsonb_build_object('account_id', account_id, 'subject', subject), NULL)::procrastinate_job_to_defer_v1))
FROM unnest($1::text[], $2::text[]) AS s (account_id, subject) HAVING count(*) > 0
"""  # noqa: S608 - a constant

_KEEP = """
INSERT INTO crm_entity_state AS s (account_id, entity_kind, entity_id, aspect, value, at)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
ON CONFLICT (account_id, entity_kind, entity_id, aspect) DO UPDATE SET value = excluded.value, at = excluded.at
WHERE (s.value, s.at) IS DISTINCT FROM (excluded.value, excluded.at)
"""


@dataclass(frozen=True, slots=True)
class _Telling:
    key: NewsKey
    told: Seen | Heard


async def record_news(
    conn: Conn,
    account_id: str,
    *,
    observed: Sequence[Observed] = (),
    told_by: Teller,
    heard: Sequence[CrmEvent] = (),
) -> int:
    """Write what of this is news, and hand it out to every consumer; before the directory takes it over. How many."""
    now = datetime.now(UTC)
    tellings = [*_seen(observed, told_by, now), *_heard(heard)]
    if not tellings:
        return 0
    await lock_directory(conn, account_id)
    before = await _histories(conn, account_id, tellings)
    after = dict(before)
    for telling in tellings:
        history = after[telling.key]
        told = telling.told
        after[telling.key] = see(history, told) if isinstance(told, Seen) else hear(history, told)
    subjects = await _subjects(conn, account_id, observed, after)
    new = [(key, c) for key, history in after.items() for c in history.changes if c.event_id is None]
    new.sort(key=lambda pair: pair[1].at)
    await _confirm(conn, account_id, before, after)
    await _add(conn, account_id, new, subjects)
    await _tell_again(conn, account_id, before, after, subjects)
    await _keep(conn, account_id, before, after, observed)
    return len(new)


async def value_now(conn: Conn, account_id: str, key: NewsKey) -> str | None:
    """Return what this aspect of the thing was last known to be."""
    return (await values_now(conn, account_id, [key[:2]])).get(key)


async def values_now(
    conn: Conn, account_id: str, things: Sequence[tuple[str, str]]
) -> dict[NewsKey, str | None]:
    """Return what each aspect of these things, (kind, id) each, was last known to be."""
    rows = await conn.fetch(_KNOWN, account_id, [kind for kind, _ in things], [id for _, id in things])
    by_key = itemgetter("kind", "entity_id", "aspect")
    found: dict[NewsKey, Any] = {}
    for row in rows:
        known = found.setdefault(by_key(row), row)
        if row["at"] > known["at"]:
            found[by_key(row)] = row
    return {key: row["value"] for key, row in found.items()}


async def enqueue_subjects(conn: Conn, subjects: Sequence[tuple[str, str]]) -> None:
    """Make the jobs of these (account_id, subject)."""
    if subjects:
        await conn.execute(_DEFER, [a for a, _ in subjects], [s for _, s in subjects])


async def keep_fields(conn: Conn, account_id: str, observed: Sequence[Observed]) -> None:
    """Keep what custom fields hold before anything changes in them: no feed tells of their changes one by one."""
    kept = {(o.kind, o.id): (o.values["fields"], o.at) for o in observed if "fields" in o.values and o.at}
    if kept:
        await conn.execute(
            f"{_KEEP} AND s.at <= excluded.at",
            account_id,
            [kind for kind, _ in kept],
            [id for _, id in kept],
            ["fields"] * len(kept),
            [value for value, _ in kept.values()],
            [at for _, at in kept.values()],
        )


def _seen(observed: Iterable[Observed], told_by: Teller, now: datetime) -> Iterable[_Telling]:
    for thing in observed:
        for aspect, value in thing.values.items():
            yield _Telling(
                (thing.kind, thing.id, aspect),
                Seen(
                    value=value,
                    at=thing.at or now,
                    told_by=told_by,
                    before=thing.before.get(aspect),
                    is_change=aspect in thing.is_changed,
                ),
            )


def _heard(events: Iterable[CrmEvent]) -> Iterable[_Telling]:
    for event in events:
        if event.entity_kind == "other" or (meant := _meant(event)) is None:
            continue
        aspect, before, after = meant
        told = Heard(
            id=event.id,
            at=event.at,
            before=before,
            after=after,
            by_user=event.by_user,
            is_once=aspect.partition(":")[0] in _ONCE,
        )
        yield _Telling((event.entity_kind, event.entity_id, aspect), told)


def _meant(event: CrmEvent) -> tuple[str, str | None, str | None] | None:
    """(aspect, before, after); None for what is no change of a thing's own."""
    match event.kind:
        case "added":
            return "added", None, "1"
        case "deleted":
            return "deleted", "0", "1"
        case "restored":
            return "deleted", "1", "0"
        case "task_completed":
            return "completed", "0", "1"
        case "stage_changed":
            return "stage", event.before, event.after
        case "owner_changed":
            return "responsible", event.before, event.after
        case "message":
            return f"{event.aspect or 'incoming'}:{event.after or event.id}", None, "1"
        case "changed" if event.aspect:
            return event.aspect, event.before, event.after
    return None


async def _histories(conn: Conn, account_id: str, tellings: Sequence[_Telling]) -> dict[NewsKey, History]:
    keys = {telling.key for telling in tellings}
    kinds, ids = [kind for kind, _, _ in keys], [id for _, id, _ in keys]
    feed_ids = [t.told.id for t in tellings if isinstance(t.told, Heard)]
    since = min(telling.told.at for telling in tellings) - _OF_THEN
    changes: dict[NewsKey, list[ValueChange]] = {}
    for row in await conn.fetch(_CHANGES, account_id, kinds, ids, since, feed_ids):
        key = (row["entity_kind"], row["entity_id"], row["aspect"])
        changes.setdefault(key, []).append(_change(row))
    known: dict[NewsKey, tuple[str, datetime]] = {}
    for row in await conn.fetch(_KNOWN, account_id, kinds, ids):
        key = (row["kind"], row["entity_id"], row["aspect"])
        if key not in known or row["at"] > known[key][1]:
            known[key] = (row["value"], row["at"])
    histories: dict[NewsKey, History] = {}
    for key in keys:
        value, at = known.get(key, (None, None))
        histories[key] = History(value, at, tuple(changes.get(key, ())))
    return histories


def _change(row: Any) -> ValueChange:
    return ValueChange(
        old=row["old_value"],
        new=row["new_value"],
        at=row["at"],
        told_at=row["told_at"],
        told_by=row["first_told_by"],
        feed_id=row["feed_id"],
        by_user=row["by_user"],
        event_id=row["event_id"],
    )


async def _confirm(
    conn: Conn, account_id: str, before: dict[NewsKey, History], after: dict[NewsKey, History]
) -> None:
    """Store what the feed filled in on rows that are there."""
    stored = {c.event_id: c for history in before.values() for c in history.changes}
    differing = [
        c
        for history in after.values()
        for c in history.changes
        if c.event_id is not None and c != stored[c.event_id]
    ]
    if differing:
        await conn.execute(
            "UPDATE crm_event e SET old_value = n.old_value, at = n.at, feed_id = n.feed_id, by_user = n.by_user"
            " FROM unnest($2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])"
            " AS n (event_id, old_value, at, feed_id, by_user) WHERE e.account_id = $1 AND e.event_id = n.event_id",
            account_id,
            [c.event_id for c in differing],
            [c.old for c in differing],
            [c.at for c in differing],
            [c.feed_id for c in differing],
            [c.by_user for c in differing],
        )


async def _add(
    conn: Conn,
    account_id: str,
    new: Sequence[tuple[NewsKey, ValueChange]],
    subjects: dict[tuple[str, str], str],
) -> None:
    if not new:
        return
    rows = await conn.fetch(
        _ADD,
        account_id,
        [subjects[key[:2]] for key, _ in new],
        [key[0] for key, _ in new],
        [key[1] for key, _ in new],
        [key[2] for key, _ in new],
        [_what(key[2], change) for key, change in new],
        [c.old for _, c in new],
        [c.new for _, c in new],
        [c.at for _, c in new],
        [c.told_at for _, c in new],
        [c.told_by for _, c in new],
        [c.feed_id for _, c in new],
        [c.by_user for _, c in new],
    )
    await _hand_out(conn, account_id, [(r["event_id"], r["subject"]) for r in rows])


async def _tell_again(
    conn: Conn,
    account_id: str,
    before: dict[NewsKey, History],
    after: dict[NewsKey, History],
    subjects: dict[tuple[str, str], str],
) -> None:
    """Followers get once more what turned out to come last, though nothing is new."""
    last = {key: last_after_all(before[key], history) for key, history in after.items()}
    again = [(c.event_id, subjects[key[:2]]) for key, c in last.items() if c is not None and c.event_id]
    if again:
        await _hand_out(conn, account_id, again, only_followers=True)


async def _hand_out(
    conn: Conn, account_id: str, events: Sequence[tuple[int, str]], *, only_followers: bool = False
) -> None:
    """events: (event_id, subject)."""
    ids, subjects = [id for id, _ in events], [subject for _, subject in events]
    rows = await conn.fetch(_HAND_OUT, account_id, ids, subjects, only_followers)
    await enqueue_subjects(conn, [(account_id, r["subject"]) for r in rows])


def _what(aspect: str, change: ValueChange) -> str:
    name = aspect.partition(":")[0]
    if name == "deleted" and change.new == "0":
        return "restored"
    if name == "completed" and change.new == "0":
        return "reopened"
    return _WHAT.get(name, name)


async def _subjects(
    conn: Conn, account_id: str, observed: Iterable[Observed], after: dict[NewsKey, History]
) -> dict[tuple[str, str], str]:
    """Return what is worked on: of a task what it is about, where that was ever told."""
    subjects = {(kind, id): f"{kind}:{id}" for kind, id, _ in after}
    tasks = [id for kind, id in subjects if kind == "task"]
    if tasks:
        rows = await conn.fetch(
            "SELECT entity_id, value FROM crm_entity_state WHERE account_id = $1 AND entity_kind = 'task'"
            " AND aspect = 'target' AND entity_id = ANY($2::text[])",
            account_id,
            tasks,
        )
        subjects |= {("task", r["entity_id"]): r["value"] for r in rows}
    subjects |= {(o.kind, o.id): ":".join(o.target) for o in observed if o.target}
    return subjects


async def _keep(
    conn: Conn,
    account_id: str,
    before: dict[NewsKey, History],
    after: dict[NewsKey, History],
    observed: Iterable[Observed],
) -> None:
    """Latest values. What the directory is about to take over itself needs no second place."""
    kept: dict[NewsKey, tuple[str, datetime]] = {}
    for key, history in after.items():
        is_elsewhere = key[2] in _IN_DIRECTORY and key[0] != "task"
        is_same = history.value == before[key].value if is_elsewhere else history == before[key]
        if history.value is None or history.at is None or is_same:
            continue
        if not is_elsewhere or history.changes != before[key].changes:
            kept[key] = (history.value, history.at)
    for thing in observed:
        if thing.kind == "task" and thing.target and thing.at:
            kept["task", thing.id, "target"] = (":".join(thing.target), thing.at)
    if kept:
        await conn.execute(
            _KEEP,
            account_id,
            [key[0] for key in kept],
            [key[1] for key in kept],
            [key[2] for key in kept],
            [value for value, _ in kept.values()],
            [at for _, at in kept.values()],
        )
