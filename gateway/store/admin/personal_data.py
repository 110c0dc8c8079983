"""Emptying what is kept of clients: rows and figures stay, numbers, names, links and payloads go.

Each statement takes some rows and may be repeated; what still waits for something (a call that goes on, an effect that was
not sent, an open case) is left for the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runtime.database.pool import Conn

# Of a call that is over, and whose client nobody works for any more.
_AT_REST = """
    is_over AND due_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.account_id = c.account_id AND e.call_id = c.call_id
        AND e.state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))
    AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = c.account_id AND m.client = c.client
        AND m.state = 'open')
    AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.account_id = c.account_id AND i.connection_id = c.connection_id
        AND i.call_key = c.call_key AND i.state IN ('pending', 'dead'))
"""
# What may have been emptied of a call that still has one of these fields: the index is asked for each, so that what is done
# with is not looked at again.
_WAYS = """(VALUES ('{}'::text[]), ('{number}'), ('{params}'), ('{recordings}'), ('{number,params}'), ('{number,recordings}'),
        ('{params,recordings}'), ('{number,params,recordings}')) AS ways (emptied)"""
_CALLS = f"""
WITH old AS (
    SELECT c.* FROM {_WAYS} CROSS JOIN LATERAL (
        SELECT account_id, call_id, connection_id, call_key FROM call c
        WHERE account_id = $1 AND emptied = ways.emptied AND started_at < $2 AND ($3::text IS NULL OR client = $3) AND {_AT_REST}
        LIMIT $5) AS c
    WHERE NOT ways.emptied @> $4::text[] LIMIT $5
), messages AS (
    UPDATE inbox i SET client = CASE WHEN 'number' = ANY($4) THEN NULL ELSE i.client END, raw = '', error = NULL, note = NULL,
        events = (SELECT coalesce(jsonb_agg(
            CASE WHEN 'params' = ANY($4) THEN shorter - 'params' ELSE shorter END), '[]')
            FROM jsonb_array_elements(i.events) AS event,
            LATERAL (SELECT CASE WHEN 'number' = ANY($4) THEN event - 'client' ELSE event END AS nameless) n,
            LATERAL (SELECT CASE WHEN 'recordings' = ANY($4) THEN nameless - 'recording' ELSE nameless END AS shorter) s)
    FROM old WHERE i.account_id = old.account_id AND i.connection_id = old.connection_id AND i.call_key = old.call_key
)
UPDATE call c SET failure = NULL, aside_note = NULL, emptied = ARRAY(SELECT DISTINCT unnest(c.emptied || $4::text[]) ORDER BY 1),
    client = CASE WHEN 'number' = ANY($4) THEN NULL ELSE c.client END,
    facts = c.facts
        || CASE WHEN 'number' = ANY($4) THEN '{{"client": null}}'::jsonb ELSE '{{}}' END
        || CASE WHEN 'recordings' = ANY($4) THEN '{{"recording": null, "recordings": []}}'::jsonb ELSE '{{}}' END
        || CASE WHEN 'params' = ANY($4) THEN '{{"params": {{}}}}'::jsonb ELSE '{{}}' END
FROM old WHERE c.account_id = old.account_id AND c.call_id = old.call_id
"""  # noqa: S608 - of this module
_RAW = """
UPDATE inbox SET raw = '' WHERE (account_id, event_id) IN (
    SELECT account_id, event_id FROM inbox WHERE account_id = $1 AND received_at < $2
        AND ($3::text IS NULL OR client = $3) AND raw <> '' AND state IN ('applied', 'ignored') LIMIT $4)
"""
# Told of the client within the call of another, whose recording it may name.
_STRAYS = """
UPDATE inbox i SET client = NULL, raw = '', error = NULL, note = NULL, events = (
    SELECT coalesce(jsonb_agg(event - CASE WHEN EXISTS (SELECT FROM call c WHERE c.account_id = i.account_id
            AND c.connection_id = i.connection_id AND c.call_key = i.call_key AND c.client IS NOT NULL)
        THEN '{client,params}'::text[] ELSE '{client,params,recording}' END ORDER BY place), '[]')
    FROM jsonb_array_elements(i.events) WITH ORDINALITY AS told (event, place))
WHERE account_id = $1 AND client = $2 AND state IN ('applied', 'ignored')
"""
# The kinds of an account's decisions, $1. They are few.
KINDS = """
WITH RECURSIVE kinds (kind) AS (
    SELECT min(kind) FROM decision WHERE account_id = $1
    UNION ALL
    SELECT (SELECT min(d.kind) FROM decision d WHERE d.account_id = $1 AND d.kind > kinds.kind) FROM kinds
    WHERE kinds.kind IS NOT NULL
)"""
# Decisions hold numbers and names in all their parts, so they go whole.
_DECISIONS = f"""
{KINDS}
DELETE FROM decision WHERE (account_id, decision_id) IN (
    SELECT account_id, decision_id FROM decision d WHERE account_id = $1 AND kind = ANY(ARRAY(SELECT kind FROM kinds))
        AND at < $2 AND ($3::text IS NULL OR client = $3)
        AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = d.account_id AND m.client = d.client
            AND m.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.account_id = d.account_id AND e.call_id = d.call_id
            AND e.state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))
        AND NOT EXISTS (SELECT 1 FROM call c WHERE c.account_id = d.account_id AND c.call_id = d.call_id
            AND (NOT c.is_over OR c.due_at IS NOT NULL))
    LIMIT $4)
"""  # noqa: S608 - of ours
# The kind of an order, its target and its owner stay; texts and values do not. '' stands for a client who was emptied.
_EFFECTS = """
UPDATE effect SET client = '', error_detail = NULL, note = NULL, "order" = (
    SELECT jsonb_object_agg(key, CASE
        WHEN key IN ('name', 'contact_name', 'text', 'result', 'number', 'recording')
            AND jsonb_typeof(value) = 'string' THEN '""'::jsonb
        WHEN key = 'fields' THEN '{}'::jsonb ELSE value END) FROM jsonb_each("order"))
WHERE (account_id, effect_key) IN (
    SELECT account_id, effect_key FROM effect e WHERE account_id = $1 AND created_at < $2 AND (client = '')::integer = 0
        AND ($3::text IS NULL OR client = $3) AND state IN ('done', 'skipped', 'expired')
        AND NOT EXISTS (SELECT 1 FROM effect o WHERE o.account_id = e.account_id AND o.client = e.client
            AND o.state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))
        AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = e.account_id AND m.client = e.client
            AND m.state = 'open')
    LIMIT $4)
"""
_CASES = """
UPDATE missed_case SET client = '', task_text = '', closed_note = '', target = NULL, failure = NULL, aside_note = NULL WHERE (account_id, case_id) IN (
    SELECT account_id, case_id FROM missed_case WHERE account_id = $1 AND last_missed_at < $2 AND (client = '')::integer = 0
        AND ($3::text IS NULL OR client = $3) AND state = 'closed' LIMIT $4)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientData:
    """How much is kept of one client. open_work: calls under way, open cases and effects that were not sent yet."""

    calls: int
    messages: int
    decisions: int
    effects: int
    cases: int
    open_work: int


async def empty_calls(
    conn: Conn,
    account_id: str,
    before: datetime,
    fields: frozenset[str],
    *,
    client: str | None = None,
    limit: int,
) -> int:
    """Empty these fields of calls that began earlier, and of the messages they were made of: number, recordings, params."""
    return await _carried_out(conn, _CALLS, account_id, before, client, sorted(fields), limit)


async def empty_raw(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    """Empty what PBXs sent, word by word; what was read of it, and the key by which it is recognised, stay."""
    return await _carried_out(conn, _RAW, account_id, before, client, limit)


async def empty_strays(conn: Conn, account_id: str, client: str) -> int:
    """Empty what is left of a client's messages once their own calls are emptied: they are of calls of others."""
    return _count(await conn.execute(_STRAYS, account_id, client))


async def drop_decisions(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    return await _carried_out(conn, _DECISIONS, account_id, before, client, limit)


async def empty_effects(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    """Empty the texts of what was carried out; that it was, and what it became in the CRM, stays."""
    return await _carried_out(conn, _EFFECTS, account_id, before, client, limit)


async def empty_cases(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    return await _carried_out(conn, _CASES, account_id, before, client, limit)


async def client_data(conn: Conn, account_id: str, client: str) -> ClientData:
    row = await conn.fetchrow(
        "SELECT (SELECT count(*) FROM call WHERE account_id = $1 AND client = $2) AS calls,"
        " (SELECT count(*) FROM inbox WHERE account_id = $1 AND client = $2) AS messages,"
        " (SELECT count(*) FROM decision WHERE account_id = $1 AND client = $2) AS decisions,"
        " (SELECT count(*) FROM effect WHERE account_id = $1 AND client = $2) AS effects,"
        " (SELECT count(*) FROM missed_case WHERE account_id = $1 AND client = $2) AS cases,"
        " (SELECT count(*) FROM call WHERE account_id = $1 AND client = $2 AND (NOT is_over OR due_at IS NOT NULL))"
        " + (SELECT count(*) FROM effect WHERE account_id = $1 AND client = $2"
        "   AND state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))"
        " + (SELECT count(*) FROM inbox WHERE account_id = $1 AND client = $2 AND state IN ('pending', 'dead'))"
        " + (SELECT count(*) FROM missed_case WHERE account_id = $1 AND client = $2 AND state = 'open') AS open_work",
        account_id,
        client,
    )
    assert row is not None
    return ClientData(**row)


async def _carried_out(conn: Conn, sql: str, *args: object) -> int:
    """Planned for these very values: a plan for any values, as PostgreSQL makes it from the sixth time on, reads the whole
    table where, as most often, nothing is old enough."""
    async with conn.transaction():
        await conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        return _count(await conn.execute(sql, *args))


def _count(done: str) -> int:
    return int(done.split()[-1])
