"""What a number leads to, worked out from the directory's rows and kept ready for the gateways' memory.

One statement computes it, for some numbers after a change and for all of them after a bulk load. A row is written only
where the answer differs from the stored one, with the next `seq` of the account.
"""

# ruff: noqa: S608 (one statement is put together from parts of this file; no value ever enters the text)

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any, NamedTuple

from crm.store.clients import directory_keys
from crm.store.encoding import EncodedRow, decode
from routing.client import Candidate
from runtime.database import channels
from runtime.database.pool import Conn

_NAME_LENGTH = 120
_PER_KIND = 20  # of one number: a switchboard shared by thousands must not slow its lookup

# Letters: crm.directory.KINDS. The order of rows is the stated rule for shared numbers: open deal first, then the most
# recently updated, then the newest id.
_COMPUTE = f"""
    direct AS MATERIALIZED (
        SELECT n.number, e.kind, e.entity_id, e.owner_id, e.updated_at, e.name
        FROM wanted w
        JOIN directory_number n ON n.account_id = $1 AND n.number = w.number
        JOIN directory_entity e ON e.account_id = $1 AND e.kind = n.kind AND e.entity_id = n.entity_id
    ),
    deals AS MATERIALIZED (
        SELECT d.number, d.kind AS via_kind, d.entity_id AS via_id, e.entity_id, e.owner_id, e.updated_at, e.name
        FROM direct d
        JOIN directory_link l ON l.account_id = $1 AND l.kind = d.kind AND l.entity_id = d.entity_id
        JOIN directory_entity e
          ON e.account_id = $1 AND e.kind = 'deal' AND e.entity_id = l.deal_id AND e.is_open
    ),
    all_rows AS (
        SELECT d.number, CASE d.kind WHEN 'lead' THEN 'l' WHEN 'contact' THEN 'c' ELSE 'o' END AS letter,
               d.entity_id, d.owner_id, d.updated_at, d.name,
               CASE WHEN v.via_id IS NULL THEN 0 ELSE 1 END AS has_open_deal
        FROM direct d
        LEFT JOIN (SELECT DISTINCT number, via_kind, via_id FROM deals) v
          ON v.number = d.number AND v.via_kind = d.kind AND v.via_id = d.entity_id
        UNION ALL
        SELECT DISTINCT number, 'd', entity_id, owner_id, updated_at, name, 0 FROM deals
    ),
    ranked AS (
        SELECT *, row_number() OVER (
            PARTITION BY number, letter
            ORDER BY has_open_deal DESC, updated_at DESC NULLS LAST, length(entity_id) DESC, entity_id DESC
        ) AS place
        FROM all_rows
    ),
    computed AS (
        SELECT number, '[' || string_agg(
            '["' || letter || '",' || to_json(entity_id)::text || ',' || to_json(coalesce(owner_id, ''))::text
            || ',' || coalesce(extract(epoch FROM updated_at)::bigint, 0)
            || ',' || to_json(left(name, {_NAME_LENGTH}))::text || ',' || has_open_deal || ']',
            ',' ORDER BY letter, place
        ) || ']' AS candidates
        FROM ranked WHERE place <= {_PER_KIND} GROUP BY number
    )
"""

_REFRESH = f"""
    WITH wanted AS (SELECT DISTINCT unnest($2::bigint[]) AS number), {_COMPUTE},
    changed AS (
        SELECT w.number, coalesce(c.candidates, '') AS candidates
        FROM wanted w
        LEFT JOIN computed c USING (number)
        LEFT JOIN directory_entry o ON o.account_id = $1 AND o.number = w.number
        WHERE coalesce(o.candidates, '') <> coalesce(c.candidates, '')
    )
    INSERT INTO directory_entry (account_id, number, seq, candidates)
    SELECT $1, number, $3, candidates FROM changed
    ON CONFLICT (account_id, number) DO UPDATE SET seq = excluded.seq, candidates = excluded.candidates
    RETURNING number
"""


class DirectoryState(NamedTuple):
    """seq: of the latest change. changed_at: when that was. loaded_at: end of the first load. in_sync_at: see Directory."""

    account_id: str
    seq: int
    changed_at: datetime | None
    loaded_at: datetime | None
    in_sync_at: datetime | None


async def lock_directory(conn: Conn, account_id: str) -> int:
    """Lock it and return the account's present seq; until the end of the transaction nobody else changes its directory.

    Whoever writes what the CRM tells of an account (its directory, changes, states, cursors, what is to be read again) takes
    this lock before any row of these: two who took them in another order would wait for each other.
    """
    await conn.execute(
        "INSERT INTO directory_state (account_id) VALUES ($1) ON CONFLICT DO NOTHING", account_id
    )
    seq: int = await conn.fetchval(
        "SELECT seq FROM directory_state WHERE account_id = $1 FOR UPDATE", account_id
    )
    return seq


async def refresh_entries(conn: Conn, account_id: str, numbers: Collection[int]) -> list[int]:
    """Brings the entries of these numbers up to date. Those that changed; nobody is notified when none did.

    The directory must be locked by this transaction (`lock_directory`).
    """
    if not numbers:
        return []
    seq = await lock_directory(conn, account_id) + 1
    changed = [r["number"] for r in await conn.fetch(_REFRESH, account_id, list(numbers), seq)]
    if changed:
        await _announce(conn, account_id, seq)
    return changed


async def candidates_of(conn: Conn, account_id: str, number: str) -> list[Candidate]:
    """Return what the gateways' memory holds of a number (E.164), for who has no such memory."""
    for key in directory_keys(number):
        encoded = await conn.fetchval(
            "SELECT candidates FROM directory_entry WHERE account_id = $1 AND number = $2", account_id, key
        )
        if encoded:
            return decode(encoded.encode())
    return []


async def count_numbers(conn: Conn, account_id: str) -> int:
    """How many numbers lead to somebody."""
    found: int = await conn.fetchval(
        "SELECT count(*) FROM directory_entry WHERE account_id = $1 AND candidates <> ''", account_id
    )
    return found


async def mark_loaded(conn: Conn, account_id: str) -> None:
    """Note that the first load is complete: from now on a number that is not there is unknown to the CRM."""
    await lock_directory(conn, account_id)
    await conn.execute(
        "UPDATE directory_state SET loaded_at = coalesce(loaded_at, now()) WHERE account_id = $1", account_id
    )
    await notify(conn, account_id)


async def mark_in_sync(conn: Conn, account_id: str, at: datetime) -> None:
    """Note that the directory agreed with the CRM at this moment; every gateway hears of it."""
    await conn.execute(
        "INSERT INTO sync_cursor (account_id, feed, last_success) VALUES ($1, 'agreed', $2)"
        " ON CONFLICT (account_id, feed) DO UPDATE"
        " SET last_success = greatest(sync_cursor.last_success, excluded.last_success)",
        account_id,
        at,
    )
    await notify(conn, account_id)


async def directory_states(conn: Conn, account_ids: Collection[str] | None = None) -> list[DirectoryState]:
    """Of these accounts, None = of all that have a directory or could have one."""
    rows = await conn.fetch(
        "SELECT coalesce(account.account_id, s.account_id) AS account_id, coalesce(s.seq, 0) AS seq, s.changed_at, s.loaded_at,"
        " c.last_success AS in_sync_at"
        " FROM account FULL JOIN directory_state s ON s.account_id = account.account_id"
        " LEFT JOIN sync_cursor c ON c.account_id = coalesce(account.account_id, s.account_id) AND c.feed = 'agreed'"
        " WHERE $1::text[] IS NULL OR coalesce(account.account_id, s.account_id) = ANY($1)",
        None if account_ids is None else list(account_ids),
    )
    return [DirectoryState(**r) for r in rows]


async def entries_after(
    conn: Conn, account_id: str, seq: int, number: int, limit: int
) -> list[tuple[int, int, bytes]]:
    """(seq, number, encoded candidates) of entries changed after (seq, number), in that order."""
    rows = await conn.fetch(
        "SELECT seq, number, convert_to(candidates, 'UTF8') AS encoded FROM directory_entry"
        " WHERE account_id = $1 AND (seq, number) > ($2, $3) ORDER BY seq, number LIMIT $4",
        account_id,
        seq,
        number,
        limit,
    )
    return [(r["seq"], r["number"], r["encoded"]) for r in rows]


async def all_entries(conn: Conn, account_id: str, chunk: int = 1000) -> AsyncIterator[list[EncodedRow]]:
    """Every entry in ascending order of number, in chunks. Needs a transaction (REPEATABLE READ to be one moment's)."""
    cursor: Any = await conn.cursor(
        "SELECT number, convert_to(candidates, 'UTF8') FROM directory_entry"
        " WHERE account_id = $1 AND candidates <> '' ORDER BY number",
        account_id,
    )
    while rows := await cursor.fetch(chunk):
        yield rows


async def delete_directory(conn: Conn, account_id: str) -> None:
    """Remove the account's directory, and everything that says where its feeds stand. Run it inside a transaction."""
    await lock_directory(conn, account_id)
    for table in (
        "directory_entry",
        "directory_number",
        "directory_numberless",
        "directory_mark",
        "directory_link",
        "directory_entity",
        "directory_reread",
        "crm_unread",
        "directory_state",
        "sync_cursor",
    ):
        await conn.execute(f"DELETE FROM {table} WHERE account_id = $1", account_id)
    await notify(conn, account_id)


async def notify(conn: Conn, account_id: str) -> None:
    await channels.notify(conn, channels.DIRECTORY, account_id)


async def _announce(conn: Conn, account_id: str, seq: int) -> None:
    await conn.execute(
        "UPDATE directory_state SET seq = $2, changed_at = clock_timestamp() WHERE account_id = $1",
        account_id,
        seq,
    )
    await notify(conn, account_id)
