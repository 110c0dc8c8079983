"""What was set aside of an account, of every kind, in one list; and what a person can have done with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from crm.store.unread import AGAIN_BY_ID
from crm.unread import NAMELESS
from gateway.store.intake import inbox
from runtime.database import channels
from runtime.database.pool import Conn

DeskKind = Literal["effect", "event", "update", "call", "case", "change", "webhook", "row"]
KINDS: tuple[DeskKind, ...] = get_args(DeskKind)

# place: orders those of one moment. Each part has an index of its own on what is set aside, which is little.
_ENTRIES: dict[DeskKind, str] = {
    "effect": """SELECT 'effect' AS kind, effect_key AS id, client, what AS about, coalesce(sent_at, created_at) AS since,
        coalesce(error_code, '') AS code, error_field AS field, error_detail AS detail, attempts AS tries, true AS can_retry
        FROM effect WHERE account_id = $1 AND state = 'dead'""",
    "event": """SELECT 'event', event_id::text, client, connection_id || ' ' || call_key, coalesce(applied_at, received_at),
        split_part(error, ':', 1), NULL, error, 1, true FROM inbox WHERE account_id = $1 AND state = 'dead'""",
    "update": """SELECT 'update', u.update_id::text, CASE WHEN u.client_key LIKE '+%' THEN u.client_key END,
        c.name || coalesce(' ' || (u.told->>'told'), ''), coalesce(u.applied_at, u.received_at), split_part(u.error, ':', 1), NULL,
        u.error, 1, true FROM channel_update u JOIN channel c ON c.channel_id = u.channel_id
        WHERE u.account_id = $1 AND u.state = 'dead'""",
    "call": """SELECT 'call', call_id, client, failed_moment, aside_at, split_part(failure, ':', 1), NULL, failure, failures,
        true FROM call WHERE account_id = $1 AND aside_at IS NOT NULL""",
    "case": """SELECT 'case', case_id, client, 'escalation', aside_at, split_part(failure, ':', 1), NULL, failure, failures,
        true FROM missed_case WHERE account_id = $1 AND aside_at IS NOT NULL""",
    "change": """SELECT DISTINCT ON (w.event_id) 'change', w.event_id::text, NULL, w.consumer || ' ' || e.subject || ' ' || e.what,
        e.at, 'crm-event-failed', NULL, w.error, w.tries, true FROM crm_event_work w JOIN crm_event e USING (account_id, event_id)
        WHERE account_id = $1 AND w.is_aside""",
    "webhook": """SELECT 'webhook', webhook_id::text, NULL, 'webhook', aside_at, 'webhook-refused', NULL, error, tries, true
        FROM crm_webhook WHERE account_id = $1 AND aside_at IS NOT NULL""",
    "row": """SELECT 'row', seq::text, NULL, kind || ' ' || entity_id, found_at, 'crm-unreadable', field, why, times,
        kind = ANY($5::text[]) AND NOT starts_with(entity_id, $6)
        FROM crm_unread WHERE account_id = $1 AND ignored_at IS NULL""",
}

_COUNTS = " UNION ALL ".join(
    f"SELECT account_id, '{kind}' AS kind, count(*) AS n FROM {of} GROUP BY 1"  # noqa: S608 - names of ours
    for kind, of in {
        "effect": "effect WHERE state = 'dead'",
        "event": "inbox WHERE state = 'dead'",
        "update": "channel_update WHERE state = 'dead'",
        "call": "call WHERE aside_at IS NOT NULL",
        "case": "missed_case WHERE aside_at IS NOT NULL",
        "change": "(SELECT DISTINCT account_id, event_id FROM crm_event_work WHERE is_aside) AS aside",
        "webhook": "crm_webhook WHERE aside_at IS NOT NULL",
        "row": "crm_unread WHERE ignored_at IS NULL",
    }.items()
)


class AsideRow(NamedTuple):
    """about: what it is of: an order, a call, a change. code, field, detail: why. tries: how often it failed."""

    kind: DeskKind
    id: str
    client: str | None
    about: str
    since: datetime
    code: str
    field: str | None
    detail: str | None
    tries: int
    can_retry: bool


async def aside_rows(
    conn: Conn,
    account_id: str,
    kinds: Sequence[DeskKind],
    *,
    after: tuple[datetime, str] | None = None,
    client: str | None = None,
    limit: int = 100,
) -> list[AsideRow]:
    """Oldest first. after: (since, `kind:id`) of the last one of the list before. client: E.164, None = whoever's."""
    rows = await conn.fetch(
        f"SELECT * FROM ({' UNION ALL '.join(f'({_ENTRIES[kind]})' for kind in KINDS)}) AS aside"  # noqa: S608
        " WHERE kind = ANY($2::text[]) AND ($3::timestamptz IS NULL OR (since, kind || ':' || id) > ($3, $4))"
        " AND ($7::text IS NULL OR client = $7) ORDER BY since, kind || ':' || id LIMIT $8",
        account_id,
        list(kinds),
        *(after or (None, None)),
        list(AGAIN_BY_ID),
        NAMELESS,
        client,
        limit,
    )
    return [AsideRow(*row) for row in rows]


async def counts_by_account(conn: Conn) -> dict[str, dict[DeskKind, int]]:
    """Return how much is set aside, of the accounts that have anything so."""
    found: dict[str, dict[DeskKind, int]] = {}
    for row in await conn.fetch(_COUNTS):
        found.setdefault(row["account_id"], {})[row["kind"]] = row["n"]
    return found


async def counts_of(conn: Conn, account_id: str) -> dict[DeskKind, int]:
    rows = await conn.fetch(
        f"SELECT kind, n FROM ({_COUNTS}) AS c WHERE account_id = $1",  # noqa: S608
        account_id,
    )
    found = {r["kind"]: r["n"] for r in rows}
    return {kind: found.get(kind, 0) for kind in KINDS}


async def retry_calls(conn: Conn, account_id: str, ids: Sequence[str] | None) -> int:
    """Have calls that were set aside (None = all) decided again, with their messages on the desk. How many calls."""
    rows = await conn.fetch(
        "UPDATE call SET aside_at = NULL, failures = 0, due_at = now()"
        " WHERE account_id = $1 AND aside_at IS NOT NULL AND ($2::text[] IS NULL OR call_id = ANY($2))"
        " RETURNING connection_id, call_key",
        account_id,
        ids,
    )
    for row in rows:
        await inbox.retry_dead_of(conn, account_id, row["connection_id"], row["call_key"])
    return len(rows)


async def ignore_calls(conn: Conn, account_id: str, ids: Sequence[str], note: str) -> int:
    """Leave calls undecided, until a new message of them comes. How many."""
    done: str = await conn.execute(
        "UPDATE call SET aside_at = NULL, due_at = NULL, aside_note = $3"
        " WHERE account_id = $1 AND aside_at IS NOT NULL AND call_id = ANY($2)",
        account_id,
        list(ids),
        note,
    )
    return int(done.split()[-1])


async def retry_cases(conn: Conn, account_id: str, ids: Sequence[str] | None) -> int:
    done: str = await conn.execute(
        "UPDATE missed_case SET aside_at = NULL, failures = 0, escalate_at = now()"
        " WHERE account_id = $1 AND aside_at IS NOT NULL AND ($2::text[] IS NULL OR case_id = ANY($2))",
        account_id,
        ids,
    )
    return int(done.split()[-1])


async def ignore_cases(conn: Conn, account_id: str, ids: Sequence[str], note: str) -> int:
    """Hand these cases on no more; they stay open with whom they are. How many."""
    done: str = await conn.execute(
        "UPDATE missed_case SET aside_at = NULL, aside_note = $3"
        " WHERE account_id = $1 AND aside_at IS NOT NULL AND case_id = ANY($2)",
        account_id,
        list(ids),
        note,
    )
    return int(done.split()[-1])


async def retry_webhooks(conn: Conn, account_id: str, ids: Sequence[int] | None) -> int:
    done: str = await conn.execute(
        "UPDATE crm_webhook SET aside_at = NULL, tries = 0"
        " WHERE account_id = $1 AND aside_at IS NOT NULL AND ($2::bigint[] IS NULL OR webhook_id = ANY($2))",
        account_id,
        ids,
    )
    await conn.execute("SELECT pg_notify($1, $2)", channels.WEBHOOKS, account_id)
    return int(done.split()[-1])


async def drop_webhooks(conn: Conn, account_id: str, ids: Sequence[int]) -> int:
    done: str = await conn.execute(
        "DELETE FROM crm_webhook WHERE account_id = $1 AND aside_at IS NOT NULL AND webhook_id = ANY($2)",
        account_id,
        list(ids),
    )
    return int(done.split()[-1])


async def retry_unread_rows(conn: Conn, account_id: str, seqs: Sequence[int] | None) -> int:
    """Have rows that can be asked for by id (None = all such) read again now. How many."""
    done: str = await conn.execute(
        "UPDATE crm_unread SET next_try_at = now() WHERE account_id = $1 AND ignored_at IS NULL"
        " AND kind = ANY($3::text[]) AND NOT starts_with(entity_id, $4) AND ($2::bigint[] IS NULL OR seq = ANY($2))",
        account_id,
        seqs,
        list(AGAIN_BY_ID),
        NAMELESS,
    )
    return int(done.split()[-1])


async def ignore_unread_rows(conn: Conn, account_id: str, seqs: Sequence[int], note: str) -> int:
    """Show these no more, until the CRM tells something else there. How many."""
    done: str = await conn.execute(
        "UPDATE crm_unread SET ignored_at = now(), note = $3 WHERE account_id = $1 AND ignored_at IS NULL AND seq = ANY($2)",
        account_id,
        list(seqs),
        note,
    )
    return int(done.split()[-1])


async def drop_changes(conn: Conn, account_id: str, event_ids: Sequence[int]) -> int:
    """Have no consumer work on these set-aside changes. How many."""
    rows = await conn.fetch(
        "DELETE FROM crm_event_work WHERE account_id = $1 AND is_aside AND event_id = ANY($2) RETURNING event_id",
        account_id,
        list(event_ids),
    )
    return len({r["event_id"] for r in rows})
