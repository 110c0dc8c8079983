"""A journal of any size, filled by the database itself: calls, messages, decisions, effects and missed-call cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from routing.calls.model import Call, Disposition, Talk
from routing.staff import Employee
from runtime.database.pool import Conn

BIG, SMALL = "big", "small"
CONNECTION = "pbx"
LINE = "+74951230000"
OFTEN = "+79160000000"
"""Who has called more often than all others: every sixteenth call is theirs."""
TABLES = ("call", "inbox", "decision", "effect", "missed_case")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSize:
    """days: over how many the calls are spread, until now. A tenth of everything is another account's."""

    calls: int
    effects: int
    cases: int
    open_cases: int
    days: int = 180

    @property
    def clients(self) -> int:
        return max(10, self.calls // 5)


# n: of a call, 1 is the newest. Ids are as random as ours are.
_ROW = """
    CASE WHEN n % 10 = 3 THEN 'small' ELSE 'big' END AS account_id, md5('call' || n) AS call_id, 'k' || n AS call_key,
    CASE WHEN n % 16 = 0 THEN '+79160000000' ELSE '+7916' || lpad((1 + n * 7919::bigint % $2)::text, 7, '0') END AS client,
    now() - interval '1 hour' - n * make_interval(secs => $3) AS at, n % 3 <> 0 AS is_answered
    FROM generate_series(1, $1::bigint) AS n
"""

_CALLS = f"""
INSERT INTO call (account_id, call_id, connection_id, call_key, client, line, direction, disposition, is_over, started_at,
    answered_at, ended_at, facts, client_kind, matrix_version, moments, heard_at, first_seen_at, updated_at, people, lookup_reason)
SELECT account_id, call_id, 'pbx', call_key, client, '+74951230000', 'inbound',
    CASE WHEN is_answered THEN 'answered' ELSE 'no_answer' END, true, at, CASE WHEN is_answered THEN at + interval '5 s' END,
    at + interval '2 min', CASE WHEN is_answered THEN $4::jsonb ELSE $5::jsonb END
        || jsonb_build_object('call_key', call_key, 'client', client, 'started_at', at, 'ended_at', at + interval '2 min',
           'answered_at', CASE WHEN is_answered THEN at + interval '5 s' END),
    'known_without_deal', 1, jsonb_build_object('end', md5('decision' || n)), at, at, at,
    ARRAY['person' || n % 40], 'contact_owner'
FROM (SELECT n, {_ROW}) AS r ORDER BY n DESC
"""

_MESSAGES = f"""
INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, state, applied_at)
SELECT account_id, 'pbx', sha256(call_id::bytea), call_key, client, at, convert_to(repeat('event=hangup&callId=', 12), 'UTF8'),
    jsonb_build_array(jsonb_build_object('kind', 'summary', 'call_key', call_key, 'at', at, 'direction', 'inbound',
        'client', client, 'line', '+74951230000', 'party', '101', 'talk_seconds', 115, 'params', '{{}}'::jsonb)),
    'applied', at
FROM (SELECT n, {_ROW}) AS r ORDER BY n DESC
"""

_DECISIONS = f"""
INSERT INTO decision (account_id, decision_id, kind, at, call_id, client, reason, outcome, steps, inputs)
SELECT account_id, md5('decision' || n), CASE WHEN n % 4 = 1 THEN 'lookup' ELSE 'matrix' END, at, call_id, client,
    'contact_owner', jsonb_build_object('outcome', 'manager', 'orders', '[]'::jsonb),
    (SELECT jsonb_agg(jsonb_build_object('rule', 'rule' || s, 'verdict', 'passed', 'because', 'no_lead',
        'facts', jsonb_build_object('client', client))) FROM generate_series(1, 5) AS s),
    jsonb_build_object('moment', 'end', 'client', client, 'client_kind', 'new', 'staff_version', 1, 'line', '+74951230000')
FROM (SELECT n, {_ROW}) AS r ORDER BY n DESC
"""

_EFFECTS = f"""
INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state, attempts, sent_at, done_at,
    crm_id, created_at)
SELECT account_id, call_id || ':note', md5('decision' || n), call_id, client, 1, 'attach_call',
    jsonb_build_object('do', 'attach_call', 'uniq', call_id, 'number', client, 'at', at, 'direction', 'inbound',
        'talk_seconds', 115, 'status', 'talked', 'target', jsonb_build_object('kind', 'contact', 'id', n::text)),
    'done', 1, at, at, (10000000 + n)::text, at
FROM (SELECT n, {_ROW}) AS r ORDER BY n DESC
"""

# $4: how many of the newest are open.
_CASES = f"""
INSERT INTO missed_case (account_id, case_id, client, state, opened_at, last_missed_at, missed_calls, owner_id, target, task_text,
    task_due_at, closed_at, waited_seconds, escalate_at)
SELECT account_id, call_id, CASE WHEN n <= $4 THEN '+7495' || lpad(n::text, 7, '0') ELSE client END,
    CASE WHEN n <= $4 THEN 'open' ELSE 'closed' END, at, at, ARRAY[call_id], (n % 40)::text,
    jsonb_build_object('kind', 'contact', 'id', n::text), 'Перезвонить клиенту', at + interval '15 min',
    CASE WHEN n > $4 THEN at + interval '20 min' END, CASE WHEN n > $4 THEN 1200 END,
    CASE WHEN n <= $4 THEN now() + interval '1 hour' END
FROM (SELECT n, {_ROW}) AS r ORDER BY n DESC
"""

# What a call of a new client leaves to be done: contact, deal, note and task, each of which needs the one before.
_OPEN_EFFECTS = """
INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", after, state, created_at)
SELECT 'big', 'open' || n || ':' || what, 'open' || n, 'open' || n, '+7921' || lpad(n::text, 7, '0'), 1, what,
    "order", needs, $2, now() - interval '1 hour' + n * interval '1 ms'
FROM generate_series(1, $1::bigint / 4) AS n, LATERAL (VALUES
    (1, 'create_contact', jsonb_build_object('do', 'create_contact', 'name', 'Клиент', 'number', '+7921' || lpad(n::text, 7, '0')),
        '{}'::text[]),
    (2, 'create_deal', jsonb_build_object('do', 'create_deal', 'name', 'Сделка',
        'contact', jsonb_build_object('kind', 'contact', 'effect', 'open' || n || ':create_contact')),
        ARRAY['open' || n || ':create_contact']),
    (3, 'attach_call', jsonb_build_object('do', 'attach_call', 'uniq', 'open' || n, 'direction', 'inbound',
        'number', '+7921' || lpad(n::text, 7, '0'), 'at', now(), 'talk_seconds', 60, 'status', 'talked',
        'target', jsonb_build_object('kind', 'deal', 'effect', 'open' || n || ':create_deal')),
        ARRAY['open' || n || ':create_deal']),
    (4, 'create_task', jsonb_build_object('do', 'create_task', 'text', 'Перезвонить', 'due_at', now(), 'owner_id', '1',
        'target', jsonb_build_object('kind', 'deal', 'effect', 'open' || n || ':create_deal')),
        ARRAY['open' || n || ':create_deal'])) AS o (place, what, "order", needs)
ORDER BY n, place
"""


async def fill_journal(pool: asyncpg.Pool, size: JournalSize) -> None:
    """Two accounts and their journal, in the order in which it would have come; statistics are fresh afterwards."""
    async with pool.acquire() as conn:
        for account_id in (BIG, SMALL):
            await _add_account(conn, account_id)
        async with conn.transaction():
            for table in TABLES:
                await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await _fill(conn, size)
            for table in TABLES:
                await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        await conn.execute("VACUUM (ANALYZE)", timeout=600)  # as autovacuum would have done day after day


async def order_effects(conn: Conn, count: int, state: str = "waiting") -> None:
    """What so many effects, of a quarter as many new clients, look like before they are sent."""
    await conn.execute("ALTER TABLE effect DISABLE TRIGGER USER")
    await conn.execute(_OPEN_EFFECTS, count, state, timeout=300)
    await conn.execute("ALTER TABLE effect ENABLE TRIGGER USER")
    await conn.execute("ANALYZE effect")


async def drop_open_effects(conn: Conn) -> None:
    await conn.execute("DELETE FROM effect WHERE account_id = 'big' AND effect_key LIKE 'open%'", timeout=300)


async def _add_account(conn: Conn, account_id: str) -> None:
    await accounts.add_account(conn, account_id=account_id, name=account_id, base_url="http://127.0.0.1:1")
    await accounts.add_connection(
        conn, account_id=account_id, name=f"{account_id}-pbx", kind="generic", secret="demo", lines=(LINE,)
    )
    await conn.execute(
        "UPDATE connection SET connection_id = $2 WHERE account_id = $1", account_id, CONNECTION
    )
    boss = Employee(id="boss", name="Ольга", crm_user_id="1", extensions=("100",), is_senior=True)
    await replace_staff(conn, account_id, [boss])


async def _fill(conn: Conn, size: JournalSize) -> None:
    apart = size.days * 86400 / size.calls

    async def insert(sql: str, count: int, *more: object) -> None:
        await conn.execute(sql, count, size.clients, apart, *more, timeout=600)

    await insert(_CALLS, size.calls, _facts(is_answered=True), _facts(is_answered=False))
    await insert(_MESSAGES, size.calls)
    await insert(_DECISIONS, size.calls)
    await insert(_EFFECTS, size.effects)
    await insert(_CASES, size.cases, size.open_cases)


def _facts(*, is_answered: bool) -> dict[str, object]:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    call = Call(
        call_key="k",
        direction="inbound",
        client=None,
        line=LINE,
        started_at=at,
        answered_at=at if is_answered else None,
        ended_at=at,
        disposition=Disposition.ANSWERED if is_answered else Disposition.NO_ANSWER,
        is_over=True,
        rung=("101",),
        talks=(Talk(party="101", started_at=at, ended_at=at),) if is_answered else (),
        talk_seconds=115 if is_answered else 0,
        wait_seconds=5,
    )
    return call.model_dump(mode="json")
