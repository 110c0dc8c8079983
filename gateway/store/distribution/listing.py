"""Items as they are listed, counted and cleaned away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateway.store.distribution.items import ItemRow, as_item
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """None: whatever it is. templates: only of these. type: turn or load, as the template was when it decided. since, until: when it came. after: (created_at, item_id) of the last
    one of the page before."""

    template: str | None = None
    templates: Sequence[str] | None = None
    entity_id: str | None = None
    kind: str | None = None
    type: str | None = None
    source: str | None = None
    state: str | None = None
    employee_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None


_LIST = """
SELECT * FROM distribution_item i WHERE account_id = $1 AND ($2::text IS NULL OR template = $2)
  AND ($3::text[] IS NULL OR template = ANY($3)) AND ($4::text IS NULL OR entity_id = $4)
  AND ($5::text IS NULL OR kind = $5) AND ($6::text IS NULL OR source = $6)
  AND ($7::text IS NULL OR state = $7) AND ($8::text IS NULL OR employee_id = $8)
  AND ($9::timestamptz IS NULL OR created_at >= $9) AND ($10::timestamptz IS NULL OR created_at < $10)
  AND ($11::timestamptz IS NULL OR (created_at, item_id) < ($11, $12))
  AND ($13::text IS NULL OR $13 = (
    SELECT v.body->>'kind' FROM distribution_version v LEFT JOIN distribution_template t USING (account_id, name)
    WHERE v.account_id = i.account_id AND v.name = i.template AND v.version = coalesce(i.version, t.version)))
ORDER BY created_at DESC, item_id DESC LIMIT $14
"""


async def listed_items(conn: Conn, account_id: str, wanted: ItemFilter, *, limit: int) -> list[ItemRow]:
    """Newest first."""
    rows = await conn.fetch(
        _LIST,
        account_id,
        wanted.template,
        None if wanted.templates is None else list(wanted.templates),
        wanted.entity_id,
        wanted.kind,
        wanted.source,
        wanted.state,
        wanted.employee_id,
        wanted.since,
        wanted.until,
        *(wanted.after or (None, None)),
        wanted.type,
        limit,
    )
    return [as_item(row) for row in rows]


class TemplateCounts(NamedTuple):
    """given: since a moment. waiting: now."""

    given: int
    waiting: int


async def counts_by_template(conn: Conn, account_id: str, since: datetime) -> Mapping[str, TemplateCounts]:
    """Return, of templates that have any, what each has given since then and what it has still to give."""
    rows = await conn.fetch(
        "SELECT template, sum(given)::int AS given, sum(waiting)::int AS waiting FROM ("
        " SELECT template, count(*) AS given, 0 AS waiting FROM distribution_item"
        "  WHERE account_id = $1 AND decided_at >= $2 AND state = 'given' GROUP BY 1"
        " UNION ALL SELECT template, 0, count(*) FROM distribution_item"
        "  WHERE account_id = $1 AND state = 'waiting' GROUP BY 1) AS counts GROUP BY 1",
        account_id,
        since,
    )
    return {row["template"]: TemplateCounts(row["given"], row["waiting"]) for row in rows}


class PersonGot(NamedTuple):
    """By one reason. overridden: how many of these a person or another automation gave to somebody else afterwards."""

    employee_id: str
    reason: str
    items: int
    overridden: int


async def got_by_person(conn: Conn, account_id: str, template: str, since: datetime) -> list[PersonGot]:
    """Return what everybody was given by the template since then, and why."""
    rows = await conn.fetch(
        "SELECT employee_id, reason, count(*)::int AS items, count(overridden_by)::int AS overridden FROM distribution_item"
        " WHERE account_id = $1 AND template = $2 AND decided_at >= $3 AND state IN ('given', 'kept')"
        " AND employee_id IS NOT NULL GROUP BY 1, 2",
        account_id,
        template,
        since,
    )
    return [PersonGot(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBacklog:
    """Of one account. waiting: with oldest, when the one that waits longest came. too_old: longer than its template allows.
    failed: set aside."""

    account_id: str
    waiting: int
    oldest: datetime | None
    too_old: int
    failed: int


async def backlogs(conn: Conn, account_ids: Sequence[str] | None) -> list[ItemBacklog]:
    """Of accounts that have any. account_ids: None = of all."""
    rows = await conn.fetch(
        "SELECT i.account_id, count(*) FILTER (WHERE state = 'waiting') AS waiting,"
        " min(entered_at) FILTER (WHERE state = 'waiting') AS oldest,"
        " count(*) FILTER (WHERE state = 'waiting' AND entered_at < now()"
        "   - make_interval(hours => (v.body->'working_time'->>'age_limit_hours')::integer)) AS too_old,"
        " count(*) FILTER (WHERE state = 'failed') AS failed"
        " FROM distribution_item i"
        " LEFT JOIN distribution_template t ON t.account_id = i.account_id AND t.name = i.template"
        " LEFT JOIN distribution_version v ON v.account_id = t.account_id AND v.name = t.name AND v.version = t.version"
        " WHERE i.state IN ('waiting', 'failed') AND ($1::text[] IS NULL OR i.account_id = ANY($1)) GROUP BY 1 ORDER BY 1",
        None if account_ids is None else list(account_ids),
    )
    return [ItemBacklog(**row) for row in rows]


async def delete_items_older_than(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete what was decided long ago, and what nobody waits for any more."""
    done: str = await conn.execute(
        "DELETE FROM distribution_item WHERE (account_id, item_id) IN (SELECT account_id, item_id FROM distribution_item"
        " WHERE account_id = $1 AND created_at < $2 AND state <> 'waiting' AND is_written LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def items_per_day(conn: Conn, account_id: str, template: str) -> float | None:
    """Return how many came for a template on a day with any, of late; None = not known."""
    row = await conn.fetchrow(
        "SELECT count(*) AS items, count(DISTINCT created_at::date) AS days FROM distribution_item"
        " WHERE account_id = $1 AND template = $2 AND created_at > now() - interval '30 days'",
        account_id,
        template,
    )
    return row["items"] / row["days"] if row and row["days"] else None
