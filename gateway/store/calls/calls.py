"""Calls as rows: what their events were folded into, and what is still to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import orjson

from routing.calls.model import Call
from routing.calls.pbx_question import LookupOfCall
from routing.client import ClientKind, Ref
from routing.client_work.cases import reached_by
from routing.client_work.values import CallRow, SentNote
from routing.matrix.versions.trial import TrialOfCall
from routing.missed_calls import Reached
from routing.orders import TELLING_CALL
from runtime.database import locks
from runtime.database.pool import Conn

_SAVE = """
INSERT INTO call (account_id, call_id, connection_id, call_key, client, line, direction, disposition, is_over,
    started_at, answered_at, ended_at, facts, client_kind, matrix_version, moments, due_at, heard_at, failed_side,
    clock_offset, attempt_id, campaign_task, people, is_by_unknown, lookup_id, lookup_reason, lookup_by, trial)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
ON CONFLICT (account_id, call_id) DO UPDATE SET client = excluded.client, line = excluded.line,
    direction = excluded.direction, disposition = excluded.disposition, is_over = excluded.is_over,
    started_at = excluded.started_at, answered_at = excluded.answered_at, ended_at = excluded.ended_at,
    facts = excluded.facts, client_kind = excluded.client_kind, matrix_version = excluded.matrix_version,
    moments = excluded.moments, due_at = excluded.due_at, heard_at = excluded.heard_at,
    failed_side = excluded.failed_side, clock_offset = excluded.clock_offset, attempt_id = excluded.attempt_id,
    campaign_task = excluded.campaign_task, people = excluded.people, is_by_unknown = excluded.is_by_unknown,
    lookup_id = excluded.lookup_id, lookup_reason = excluded.lookup_reason, lookup_by = excluded.lookup_by, trial = excluded.trial, updated_at = now(),
    failures = 0, failed_moment = NULL, failure = NULL, aside_at = NULL
"""

_FAILED = """
UPDATE call SET failures = failures + 1, failed_moment = $5, failure = $6, due_at = $4::timestamptz + ($7::interval[])[failures + 1],
    aside_at = CASE WHEN failures >= cardinality($7::interval[]) THEN $4 END
WHERE account_id = $1 AND connection_id = $2 AND call_key = $3
"""

# Calls that this client's job has to look at: with a message that waits, or whose moment has come. Messages that do not name
# the client are found from their calls, or of somebody with very many calls, from what waits.
_CONCERNED = """
WITH many AS MATERIALIZED (
    SELECT count(*) > 200 AS calls FROM (SELECT FROM call WHERE account_id = $1 AND client = $2 LIMIT 201) AS first_ones
)
SELECT connection_id, call_key FROM inbox WHERE account_id = $1 AND client = $2 AND state = 'pending'
UNION
SELECT connection_id, call_key FROM call WHERE account_id = $1 AND client = $2 AND due_at <= $3
UNION
SELECT c.connection_id, c.call_key FROM call c WHERE NOT (SELECT calls FROM many) AND c.account_id = $1 AND c.client = $2
    AND EXISTS (SELECT 1 FROM inbox i WHERE i.account_id = c.account_id
        AND i.connection_id = c.connection_id AND i.call_key = c.call_key AND i.state = 'pending')
UNION
SELECT i.connection_id, i.call_key FROM inbox i WHERE (SELECT calls FROM many) AND i.account_id = $1 AND i.state = 'pending'
    AND i.client IS DISTINCT FROM $2 AND $2 = (SELECT c.client FROM call c WHERE c.account_id = i.account_id
        AND c.connection_id = i.connection_id AND c.call_key = i.call_key)
ORDER BY 1, 2
"""

# Until when is worked out by routing/client_work/cases.py; here only which of them may be the latest.
_REACHED = """
SELECT * FROM call WHERE account_id = $1 AND client = $2 AND answered_at IS NOT NULL AND direction <> 'internal'
ORDER BY coalesce(ended_at, 'infinity') DESC LIMIT 20
"""


_STORED = """
SELECT call.* FROM call JOIN unnest($2::text[], $3::text[]) AS asked (connection_id, call_key)
    USING (connection_id, call_key) WHERE account_id = $1
UNION ALL
SELECT later.* FROM unnest($2::text[], $3::text[]) AS asked (connection_id, first_key), LATERAL (
    SELECT * FROM call c WHERE c.account_id = $1 AND c.connection_id = asked.connection_id
        AND split_part(c.call_key, '␟', 1) = asked.first_key AND strpos(c.call_key, '␟') > 0
    ORDER BY started_at DESC LIMIT 5) AS later
"""

# Ids with our mark that were kept before it was taken out of what PBXs tell are no numbers.
_TIMES_USED = """
SELECT greatest(1, max(CASE WHEN number ~ '^[0-9]{1,9}$' THEN number::integer END)) FROM (
    SELECT split_part(call_key, '␟', 2) AS number FROM call WHERE account_id = $1 AND connection_id = $2
        AND split_part(call_key, '␟', 1) = $3 AND strpos(call_key, '␟') > 0
    UNION ALL
    SELECT split_part(call_key, '␟', 2) FROM inbox WHERE account_id = $1 AND connection_id = $2
        AND split_part(call_key, '␟', 1) = $3 AND strpos(call_key, '␟') > 0) AS later
"""


class NoSuchCall(Exception):
    """No call of this id."""

    code = "no-such-call"


async def lock_client(conn: Conn, account_id: str, client_key: str) -> None:
    """Until the end of the transaction nobody else works on this client."""
    await locks.take(conn, locks.client(account_id, client_key))


async def lock_calls(conn: Conn, account_id: str, calls: Sequence[tuple[str, str]]) -> None:
    """Lock calls (connection_id, call_key), whose client may still be unknown. Taken in one order by everybody."""
    for connection_id, call_key in sorted(calls):
        await locks.take(conn, locks.call(account_id, connection_id, call_key))


async def concerned_calls(conn: Conn, account_id: str, client: str, now: datetime) -> list[tuple[str, str]]:
    """(connection_id, call_key) of the calls of this client that have something pending or due."""
    return [(r[0], r[1]) for r in await conn.fetch(_CONCERNED, account_id, client, now)]


async def stored_calls(
    conn: Conn, account_id: str, calls: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], CallRow]:
    """Return the calls of these ids (connection_id, the PBX's id), of an id that came again the latest ones too."""
    if not calls:
        return {}
    rows = await conn.fetch(_STORED, account_id, [c for c, _ in calls], [k for _, k in calls])
    return {(r["connection_id"], r["call_key"]): call_of_row(r) for r in rows}


async def times_used(conn: Conn, account_id: str, call: tuple[str, str]) -> int:
    """Return of how many calls this (connection_id, the PBX's id) is the id so far, 1 at least."""
    found: int = await conn.fetchval(_TIMES_USED, account_id, *call)
    return found


async def save_call(conn: Conn, row: CallRow) -> None:
    call, lookup = row.call, row.lookup
    await conn.execute(
        _SAVE,
        row.account_id,
        row.call_id,
        row.connection_id,
        row.call_key,
        row.client,
        row.line,
        call.direction,
        call.disposition.value,
        call.is_over,
        call.started_at,
        call.answered_at,
        call.ended_at,
        call.model_dump(mode="json"),
        row.client_kind.value if row.client_kind else None,
        row.matrix_version,
        dict(row.moments),
        row.due_at,
        row.heard_at,
        call.failed_side.value if call.failed_side else None,
        row.clock_offset,
        call.attempt,
        call.campaign_task,
        None if row.people is None else list(row.people),
        row.is_by_unknown,
        *(lookup or (None, None, None)),
        row.trial.model_dump(mode="json") if row.trial else None,
    )


async def decision_failed(
    conn: Conn,
    account_id: str,
    call: tuple[str, str],
    *,
    now: datetime,
    moment: str,
    error: str,
    pauses: Sequence[timedelta],
) -> None:
    """Note that what is due of the call (connection_id, call_key) could not be decided; looked at again after the pause of
    as many failures, and set aside when there are none left."""
    await conn.execute(_FAILED, account_id, *call, now, moment, error[:2000], list(pauses))


async def call(conn: Conn, account_id: str, call_id: str) -> CallRow:
    """Return the call. Raises NoSuchCall."""
    row = await conn.fetchrow(
        "SELECT * FROM call WHERE account_id = $1 AND call_id = $2", account_id, call_id
    )
    if row is None:
        raise NoSuchCall(call_id)
    return call_of_row(row)


async def latest_talk(conn: Conn, account_id: str, client: str, now: datetime) -> Reached | None:
    """Return the talk with this client that ended last, by our clock. by: as the PBX names them."""
    rows = [call_of_row(row) for row in await conn.fetch(_REACHED, account_id, client)]
    talks = [talk for row in rows if (talk := reached_by(row, now, row.call.answered_by))]
    return max(talks, key=lambda talk: talk.until, default=None)


async def amend_recording(conn: Conn, account_id: str, call_id: str, recording: str) -> None:
    """Put the link into the effect that tells the CRM of this call, where that was not sent yet."""
    await conn.execute(
        """UPDATE effect SET "order" = jsonb_set("order", '{recording}', to_jsonb($3::text))"""
        " WHERE account_id = $1 AND call_id = $2 AND what = ANY($4)"
        " AND state IN ('waiting', 'held') AND attempts = 0",
        account_id,
        call_id,
        recording,
        sorted(TELLING_CALL),
    )


async def sent_note(conn: Conn, account_id: str, call_id: str) -> SentNote | None:
    """Return the effect that told the CRM of this call, None when nothing did. Stays as it is until the transaction ends."""
    rows = await conn.fetch(
        """SELECT effect_key, "order"->'target' AS target, state IN ('waiting', 'held') AND attempts = 0 AS is_unsent"""
        " FROM effect WHERE account_id = $1 AND call_id = $2 AND what = ANY($3) AND state NOT IN ('skipped', 'expired')"
        " ORDER BY what, seq DESC FOR UPDATE",
        account_id,
        call_id,
        sorted(TELLING_CALL),
    )
    if not rows:
        return None
    target = Ref.model_validate(rows[0]["target"]) if rows[0]["target"] else None
    return SentNote(rows[0]["effect_key"], target, any(r["is_unsent"] for r in rows))


async def effect_keys(conn: Conn, account_id: str, call_id: str) -> tuple[str, ...]:
    """Keys of everything ordered for this call so far."""
    rows = await conn.fetch(
        "SELECT effect_key FROM effect WHERE account_id = $1 AND call_id = $2 ORDER BY seq",
        account_id,
        call_id,
    )
    return tuple(r["effect_key"] for r in rows)


def call_of_row(row: asyncpg.Record) -> CallRow:
    return CallRow(
        account_id=row["account_id"],
        call_id=row["call_id"],
        connection_id=row["connection_id"],
        call_key=row["call_key"],
        client=row["client"],
        line=row["line"],
        call=Call.model_validate_json(orjson.dumps(row["facts"])),
        client_kind=ClientKind(row["client_kind"]) if row["client_kind"] else None,
        matrix_version=row["matrix_version"],
        trial=TrialOfCall.model_validate(row["trial"]) if row["trial"] else None,
        moments=row["moments"],
        due_at=row["due_at"],
        heard_at=row["heard_at"],
        clock_offset=row["clock_offset"],
        emptied=tuple(row["emptied"]),
        people=None if row["people"] is None else tuple(row["people"]),
        is_by_unknown=row["is_by_unknown"],
        lookup=_lookup(row),
    )


def _lookup(row: asyncpg.Record) -> LookupOfCall | None:
    if row["lookup_id"] is None:
        return None
    return LookupOfCall(row["lookup_id"], row["lookup_reason"], row["lookup_by"])
