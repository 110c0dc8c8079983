"""What consumers have still to work on. Rows are written with the events themselves (crm/store/news.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from crm.store.news import enqueue_subjects, value_now
from runtime.database.pool import Conn
from runtime.masking import mask_text

# The first row that is left of each consumer, so that one that has to be tried again keeps its place.
_NEXT = """
SELECT w.consumer, w.tries, e.* FROM (
    SELECT DISTINCT ON (consumer) * FROM crm_event_work
    WHERE account_id = $1 AND subject = $2 AND consumer = ANY($3::text[]) AND NOT is_aside ORDER BY consumer, event_id
) w JOIN crm_event e USING (account_id, event_id)
WHERE w.next_try_at <= now() ORDER BY w.event_id LIMIT 1
"""

_OVERDUE = """
SELECT DISTINCT account_id, subject FROM crm_event_work
WHERE NOT is_aside AND next_try_at <= $1 AND consumer = ANY($2::text[]) AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs j WHERE j.lock = account_id || ' crm ' || subject AND j.status = 'todo')
LIMIT 1000
"""

# Clocks of the CRM and ours may differ, and the CRM may take its time. A matrix may name a field by its code: such a one
# may be any of those that changed.
_RECOGNISE = """
UPDATE crm_event v SET is_ours = true
WHERE v.account_id = $1 AND v.event_id = $2 AND NOT v.is_ours AND (
    v.aspect = 'added' AND EXISTS (SELECT 1 FROM effect e WHERE e.account_id = $1 AND e.crm_id = v.entity_id
        AND e.what = CASE v.entity_kind WHEN 'company' THEN 'create_contact' ELSE 'create_' || v.entity_kind END)
    OR v.entity_kind = 'task' AND EXISTS (SELECT 1 FROM effect made JOIN effect e ON e.account_id = $1
        AND e.what = 'change_task' AND e."order"->>'task' = made.effect_key
        WHERE made.account_id = $1 AND made.crm_id = v.entity_id AND made.what = 'create_task'
        AND e.client = made.client AND e.state IN ('sending', 'unknown', 'done')
        AND v.at BETWEEN e.sent_at - $3::interval AND e.sent_at + $3::interval
        AND (v.aspect = 'completed' AND v.new_value = '1' AND (e."order"->>'is_completed')::boolean
            OR v.aspect = 'responsible' AND v.new_value = e."order"->>'owner_id'))
    OR v.entity_kind = 'task' AND v.aspect = 'responsible' AND EXISTS (SELECT 1 FROM effect e WHERE e.account_id = $1
        AND e.what = 'change_task' AND e."order"->>'task_id' = v.entity_id AND e.state IN ('sending', 'unknown', 'done')
        AND v.at BETWEEN e.sent_at - $3::interval AND e.sent_at + $3::interval AND v.new_value = e."order"->>'owner_id')
    OR EXISTS (SELECT 1 FROM effect e WHERE e.account_id = $1 AND e.what = 'update_entity'
        AND e."order"->'target'->>'id' = v.entity_id AND e.state IN ('sending', 'unknown', 'done')
        AND v.at BETWEEN e.sent_at - $3::interval AND e.sent_at + $3::interval
        AND (v.aspect = 'stage' AND split_part(v.new_value, '/', 2) = e."order"->>'stage_id'
            OR v.aspect = 'responsible' AND v.new_value = e."order"->>'owner_id'
            OR v.aspect LIKE 'tag:%' AND e."order"->'tags' ? substr(v.aspect, 5)
            OR CASE WHEN v.aspect = 'fields' THEN (SELECT count(*) FROM jsonb_each_text(v.new_value::jsonb) n
                FULL JOIN jsonb_each_text(coalesce(v.old_value, '{}')::jsonb) o USING (key)
                WHERE n.value IS DISTINCT FROM o.value AND NOT e."order"->'fields' ? key)
                <= (SELECT count(*) FROM jsonb_object_keys(e."order"->'fields') k WHERE k !~ '^[0-9]+$') ELSE false END))
)
"""
_AROUND = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One change as consumers get it. by_user: CRM user; None: nobody, or the feed has not told yet.

    holds: the thing still is what this change made of it, as far as is known; events come in the order in which they were
    told, and the feed tells later what happened in between.
    """

    account_id: str
    event_id: int
    subject: str
    kind: str
    entity_id: str
    aspect: str
    what: str
    old: str | None
    new: str
    at: datetime
    by_user: str | None
    is_ours: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class ConsumerWork:
    """tries: how often this consumer failed on this event already."""

    consumer: str
    tries: int
    event: EventRow


@dataclass(frozen=True, slots=True)
class Backlog:
    """waiting: rows to be worked on, lag_seconds the age of the oldest. aside: what consumers could not work on."""

    waiting: int = 0
    lag_seconds: float = 0.0
    aside: int = 0


class AsideEvent(NamedTuple):
    """A change that a consumer failed on too often. old, new, error (of its last try): numbers and secrets masked."""

    event_id: int
    consumer: str
    subject: str
    what: str
    old: str | None
    new: str
    at: datetime
    tries: int
    error: str


async def register(conn: Conn, consumers: Collection[str], followers: Collection[str] = ()) -> None:
    """From now on these get what happens; one that is known already goes on where it was. followers: of them."""
    await conn.execute(
        "INSERT INTO crm_event_consumer AS c (name, is_follower) SELECT name, name = ANY($2::text[])"
        " FROM unnest($1::text[]) AS n (name) ON CONFLICT (name) DO UPDATE SET is_follower = excluded.is_follower"
        " WHERE c.is_follower <> excluded.is_follower",
        sorted(consumers),
        list(followers),
    )


async def next_work(
    conn: Conn, account_id: str, subject: str, consumers: Collection[str]
) -> ConsumerWork | None:
    row = await conn.fetchrow(_NEXT, account_id, subject, list(consumers))
    if row is None:
        return None
    is_ours = row["is_ours"] or await _recognise(conn, account_id, row["event_id"])
    now = await value_now(conn, account_id, (row["entity_kind"], row["entity_id"], row["aspect"]))
    event = EventRow(
        account_id=account_id,
        event_id=row["event_id"],
        subject=subject,
        kind=row["entity_kind"],
        entity_id=row["entity_id"],
        aspect=row["aspect"],
        what=row["what"],
        old=row["old_value"],
        new=row["new_value"],
        at=row["at"],
        by_user=row["by_user"],
        is_ours=is_ours,
        holds=now is None or now == row["new_value"],
    )
    return ConsumerWork(row["consumer"], row["tries"], event)


async def author_of(conn: Conn, account_id: str, event_id: int) -> str | None:
    """CRM user who made this change; None: nobody, or not told (yet), or cleaned away."""
    user: str | None = await conn.fetchval(
        "SELECT by_user FROM crm_event WHERE account_id = $1 AND event_id = $2", account_id, event_id
    )
    return user


async def _recognise(conn: Conn, account_id: str, event_id: int) -> bool:
    done: str = await conn.execute(_RECOGNISE, account_id, event_id, _AROUND)
    return done != "UPDATE 0"


async def work_done(conn: Conn, work: ConsumerWork) -> None:
    await conn.execute(
        "DELETE FROM crm_event_work WHERE account_id = $1 AND consumer = $2 AND event_id = $3",
        work.event.account_id,
        work.consumer,
        work.event.event_id,
    )


async def work_failed(
    conn: Conn, work: ConsumerWork, error: str, *, pause: timedelta, is_aside: bool
) -> None:
    """Note a failure: tried again after `pause`, or set aside for good: the consumer goes on with its next event."""
    await conn.execute(
        "UPDATE crm_event_work SET tries = tries + 1, error = $4, next_try_at = now() + $5, is_aside = $6"
        " WHERE account_id = $1 AND consumer = $2 AND event_id = $3",
        work.event.account_id,
        work.consumer,
        work.event.event_id,
        error[:2000],
        pause,
        is_aside,
    )


async def overdue_subjects(
    conn: Conn, consumers: Collection[str], *, before: datetime
) -> list[tuple[str, str]]:
    """(account_id, subject) of what should be worked on since then, and has no job."""
    return [(r[0], r[1]) for r in await conn.fetch(_OVERDUE, before, list(consumers))]


async def aside_events(conn: Conn, account_id: str, *, after: int = 0, limit: int = 100) -> list[AsideEvent]:
    """Return what consumers could not work on, oldest first, an event of several consumers never parted, so that there may
    be a few more than `limit`. after: event_id of the last one of the list before."""
    rows = await conn.fetch(
        "SELECT event_id, w.consumer, e.subject, e.what, e.old_value AS old, e.new_value AS new, e.at, w.tries,"
        " coalesce(w.error, '') AS error FROM crm_event_work w JOIN crm_event e USING (account_id, event_id)"
        " WHERE account_id = $1 AND w.is_aside AND event_id > $2 ORDER BY event_id FETCH FIRST $3 ROWS WITH TIES",
        account_id,
        after,
        limit,
    )
    return [
        AsideEvent(**{**r, **{part: r[part] and mask_text(r[part]) for part in ("old", "new", "error")}})
        for r in sorted(rows, key=itemgetter("event_id", "consumer"))
    ]


async def put_back(conn: Conn, account_id: str, event_ids: Sequence[int] | None) -> int:
    """Consumers work on these set-aside events again, None = on all of the account. How many."""
    async with conn.transaction():
        rows = await conn.fetch(
            "UPDATE crm_event_work SET is_aside = false, tries = 0, next_try_at = now()"
            " WHERE account_id = $1 AND is_aside AND ($2::bigint[] IS NULL OR event_id = ANY($2)) RETURNING subject",
            account_id,
            event_ids,
        )
        await enqueue_subjects(conn, [(account_id, s) for s in sorted({r["subject"] for r in rows})])
    return len(rows)


async def backlog(conn: Conn) -> Backlog:
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE NOT is_aside) AS waiting, count(*) FILTER (WHERE is_aside) AS aside,"
        " coalesce(extract(epoch FROM now() - min(next_try_at) FILTER (WHERE NOT is_aside)), 0)::float8 AS age"
        " FROM crm_event_work"
    )
    assert row is not None
    return Backlog(row["waiting"], max(0.0, row["age"]), row["aside"])


async def backlog_by_consumer(conn: Conn, account_ids: Sequence[str] | None) -> dict[str, Backlog]:
    """Of every consumer that is known; account_ids: only what is theirs."""
    rows = await conn.fetch(
        "SELECT c.name, count(w.event_id) FILTER (WHERE NOT is_aside) AS waiting,"
        " count(w.event_id) FILTER (WHERE is_aside) AS aside,"
        " coalesce(extract(epoch FROM now() - min(received_at) FILTER (WHERE NOT is_aside)), 0)::float8 AS age"
        " FROM crm_event_consumer c LEFT JOIN crm_event_work w ON w.consumer = c.name"
        " AND ($1::text[] IS NULL OR w.account_id = ANY($1))"
        " LEFT JOIN crm_event e ON e.account_id = w.account_id AND e.event_id = w.event_id GROUP BY 1 ORDER BY 1",
        account_ids,
    )
    return {r["name"]: Backlog(r["waiting"], max(0.0, r["age"]), r["aside"]) for r in rows}


async def delete_events_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Events and what consumers left of them, set aside or of a consumer that is no more."""
    done: str = await conn.execute(
        "WITH old AS (DELETE FROM crm_event WHERE (account_id, event_id) IN (SELECT account_id, event_id FROM crm_event"
        " WHERE received_at < $1 ORDER BY received_at LIMIT $2) RETURNING account_id, event_id)"
        ", gone AS (DELETE FROM crm_event_work w USING old"
        " WHERE w.account_id = old.account_id AND w.event_id = old.event_id)"
        " SELECT 1 FROM old",
        before,
        limit,
    )
    return int(done.split()[-1])
