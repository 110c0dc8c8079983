"""Rows and values of the CRM that could not be read, until they read well or are gone from the CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from crm.store.directory import EntityRef
from crm.unread import LONGEST_FIELD, NAMELESS, Unread, UnreadRef
from runtime.database.pool import Conn

MOST_WITH_RAW = 1000
"""Of one account: beyond it something is wrong with all rows, and more samples of it would only fill the disk."""

AGAIN_BY_ID = ("contact", "company", "deal", "lead")
"""Kinds of rows that are asked for by their id again."""

_KEEP = """
INSERT INTO crm_unread AS u (account_id, kind, entity_id, field, why, raw, is_lost, next_try_at)
SELECT $1, t.kind, t.entity_id, t.field, t.why, CASE WHEN $8 THEN t.raw ELSE '' END, t.is_lost, now() + interval '30 seconds'
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
    AS t (kind, entity_id, field, why, raw, is_lost)
ON CONFLICT (account_id, kind, entity_id, field) DO UPDATE
SET why = excluded.why, raw = excluded.raw, is_lost = excluded.is_lost, last_at = now(), times = u.times + 1,
    next_try_at = now() + interval '30 seconds' * least(120, 2 ^ least(u.times, 7)),
    ignored_at = CASE WHEN (u.why, u.raw) = (excluded.why, excluded.raw) THEN u.ignored_at END
RETURNING kind, entity_id, field, times
"""


class UnreadRow(NamedTuple):
    """seq: its place in the list. found_at, last_at: when it was first and last found so. times: how often."""

    seq: int
    kind: str
    id: str
    field: str
    why: str
    raw: str
    is_lost: bool
    found_at: datetime
    last_at: datetime
    times: int


class UnreadCounts(NamedTuple):
    """by_kind: rows. fields, first: one of them, for a sentence."""

    by_kind: dict[str, int]
    first: str

    @property
    def rows(self) -> int:
        return sum(self.by_kind.values())


NOTHING_UNREAD = UnreadCounts({}, "")


async def keep_unread(
    conn: Conn, account_id: str, told: Mapping[UnreadRef, Sequence[Unread]]
) -> list[tuple[str, str, str]]:
    """Take over the latest readings: () = the row is no longer noted. (kind, id, field) of what was not noted before."""
    if not told:
        return []
    faults = [(ref, fault) for ref, found in told.items() for fault in found]
    await conn.execute(
        "DELETE FROM crm_unread u USING unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " WHERE account_id = $1 AND u.kind = r.kind AND u.entity_id = r.entity_id AND NOT EXISTS"
        " (SELECT 1 FROM unnest($4::text[], $5::text[], $6::text[]) AS f (kind, entity_id, field)"
        "  WHERE f.kind = u.kind AND f.entity_id = u.entity_id AND f.field = u.field)",
        account_id,
        [kind for kind, _ in told],
        [id for _, id in told],
        [ref[0] for ref, _ in faults],
        [ref[1] for ref, _ in faults],
        [fault.field[:LONGEST_FIELD] for _, fault in faults],
    )
    if not faults:
        return []
    latest = {(*ref, fault.field[:LONGEST_FIELD]): fault for ref, fault in faults}
    held: int = await conn.fetchval("SELECT count(*) FROM crm_unread WHERE account_id = $1", account_id)
    rows = await conn.fetch(
        _KEEP,
        account_id,
        [key[0] for key in latest],
        [key[1] for key in latest],
        [key[2] for key in latest],
        [fault.why[:1000] for fault in latest.values()],
        [fault.raw for fault in latest.values()],
        [fault.is_lost for fault in latest.values()],
        held < MOST_WITH_RAW,
    )
    return [(r["kind"], r["entity_id"], r["field"]) for r in rows if r["times"] == 1]


async def unread_refs(conn: Conn, account_id: str) -> list[UnreadRef]:
    rows = await conn.fetch(
        "SELECT DISTINCT kind, entity_id FROM crm_unread WHERE account_id = $1", account_id
    )
    return [(r["kind"], r["entity_id"]) for r in rows]


async def due_unread(conn: Conn, account_id: str, limit: int) -> list[EntityRef]:
    """Entities of which something could not be read and that may be asked for by id again, longest due first."""
    rows = await conn.fetch(
        "SELECT kind, entity_id FROM crm_unread WHERE account_id = $1 AND kind = ANY($2::text[])"
        " AND NOT starts_with(entity_id, $3) GROUP BY 1, 2 HAVING min(next_try_at) <= now()"
        " ORDER BY min(next_try_at) LIMIT $4",
        account_id,
        list(AGAIN_BY_ID),
        NAMELESS,
        limit,
    )
    return [(r["kind"], r["entity_id"]) for r in rows]


async def unread_rows(conn: Conn, account_id: str, *, after: int = 0, limit: int = 100) -> list[UnreadRow]:
    """Oldest first. after: `seq` of the last one of the list before."""
    rows = await conn.fetch(
        "SELECT seq, kind, entity_id AS id, field, why, raw, is_lost, found_at, last_at, times FROM crm_unread"
        " WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        account_id,
        after,
        limit,
    )
    return [UnreadRow(**r) for r in rows]


async def unread_by_account(conn: Conn, account_ids: Sequence[str] | None) -> dict[str, UnreadCounts]:
    """account_ids: None = of all. An account of which everything reads well is not there."""
    found: dict[str, UnreadCounts] = {}
    for row in await conn.fetch(
        "SELECT account_id, kind, count(DISTINCT entity_id) AS n,"
        " (array_agg(entity_id || CASE WHEN field = '' THEN '' ELSE ', ' || field END ORDER BY seq))[1] AS first"
        " FROM crm_unread WHERE ignored_at IS NULL AND ($1::text[] IS NULL OR account_id = ANY($1))"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        account_ids,
    ):
        counts = found.setdefault(row["account_id"], UnreadCounts({}, f"{row['kind']} {row['first']}"))
        counts.by_kind[row["kind"]] = row["n"]
    return found


async def forget_old_unread(conn: Conn, before: datetime, *, limit: int) -> int:
    """Rows that were not seen again since then, and that no reading by id can bring back."""
    done: str = await conn.execute(
        "DELETE FROM crm_unread WHERE (account_id, seq) IN (SELECT account_id, seq FROM crm_unread WHERE last_at < $1"
        " AND (kind <> ALL($2::text[]) OR starts_with(entity_id, $3)) LIMIT $4)",
        before,
        list(AGAIN_BY_ID),
        NAMELESS,
        limit,
    )
    return int(done.split()[-1])
