"""Deleting what calls left behind, when its days are over: the calls themselves, what they ordered, their cases.

A call goes with its effects, whose keys are what keeps a repeated message from doing anything twice; and never before its
messages. Whoever is still worked for (a call that goes on, an open case, an effect that was not sent) keeps everything.
"""

from __future__ import annotations

from datetime import datetime

from runtime.database.pool import Conn

_OPEN = "('waiting', 'sending', 'unknown', 'held', 'dead')"

_CALLS = f"""
WITH old AS MATERIALIZED (
    SELECT account_id, call_id FROM call c
    WHERE account_id = $1 AND started_at < $2 AND is_over AND due_at IS NULL AND aside_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.account_id = c.account_id AND e.call_id = c.call_id
            AND e.state IN {_OPEN})
        AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.account_id = c.account_id AND e.client = c.client
            AND e.state IN {_OPEN})
        AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = c.account_id AND m.client = c.client
            AND m.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.account_id = c.account_id AND i.connection_id = c.connection_id
            AND i.call_key = c.call_key)
    ORDER BY started_at LIMIT $3
), effects AS (
    DELETE FROM effect e USING old WHERE e.account_id = old.account_id AND e.call_id = old.call_id
)
DELETE FROM call c USING old WHERE c.account_id = old.account_id AND c.call_id = old.call_id
"""  # noqa: S608 - of this module

_CASES = """
DELETE FROM missed_case WHERE (account_id, case_id) IN (
    SELECT account_id, case_id FROM missed_case m
    WHERE account_id = $1 AND (client = '')::integer IN (0, 1) AND last_missed_at < $2 AND state = 'closed' AND closed_at < $2
        AND NOT EXISTS (SELECT 1 FROM call c WHERE c.account_id = m.account_id AND c.call_id = m.case_id)
    LIMIT $3)
"""

# Of no call, or of one that is gone: what an escalation ordered, and what no call ordered.
_EFFECTS = f"""
DELETE FROM effect WHERE (account_id, effect_key) IN (
    SELECT account_id, effect_key FROM effect e
    WHERE account_id = $1 AND (client = '')::integer IN (0, 1) AND created_at < $2 AND state NOT IN {_OPEN}
        AND NOT EXISTS (SELECT 1 FROM call c WHERE c.account_id = e.account_id AND c.call_id = e.call_id)
        AND NOT EXISTS (SELECT 1 FROM effect o WHERE o.account_id = e.account_id AND o.client = e.client
            AND o.state IN {_OPEN})
        AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = e.account_id AND m.client = e.client
            AND m.state = 'open')
    LIMIT $3)
"""  # noqa: S608


async def delete_calls(conn: Conn, account_id: str, before: datetime, *, limit: int) -> int:
    """Delete calls that began earlier, with all that they ordered. How many calls."""
    return _count(await conn.execute(_CALLS, account_id, before, limit))


async def delete_cases(conn: Conn, account_id: str, before: datetime, *, limit: int) -> int:
    """Delete cases that were closed earlier, once their first call is gone."""
    return _count(await conn.execute(_CASES, account_id, before, limit))


async def delete_effects(conn: Conn, account_id: str, before: datetime, *, limit: int) -> int:
    """Delete effects that were ordered earlier and belong to no call that is kept."""
    return _count(await conn.execute(_EFFECTS, account_id, before, limit))


def _count(done: str) -> int:
    return int(done.split()[-1])
