"""The ledgers of a template and their journal. Whoever picks holds the template's row: decisions come one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import asyncpg
import orjson

from routing.distribution.ledger import EMPTY, UNIT, LedgerEntry, TurnLedger, replay, undo
from routing.distribution.template import DistributionTemplate
from runtime.database.pool import Conn

Ledgers = Mapping[str, TurnLedger]
"""By scope: "" (one list), "groups", "group:<name>"."""

_READ = """
SELECT t.name, t.version, v.body, t.ledgers FROM distribution_template t
JOIN distribution_version v USING (account_id, name, version)
WHERE t.account_id = $1 AND t.name = ANY($2) AND t.removed_at IS NULL ORDER BY t.name
"""

_ENTER = """
INSERT INTO distribution_journal (account_id, template, scope, number, item_id, decision_id, winner, entry, at)
SELECT $1, $2, e.scope, e.number, e.item_id, e.decision_id, e.winner, e.entry, $4
FROM ROWS FROM (jsonb_to_recordset($3::text::jsonb)
    AS (item_id text, decision_id text, scope text, number bigint, winner text, entry jsonb))
    WITH ORDINALITY AS e (item_id, decision_id, scope, number, winner, entry, place)
ORDER BY e.place
"""

# Of as many entries as may be the same could get it, in the same proportion: these are counted before they are taken apart,
# and they are taken apart here: of hundreds of people the database does so in three times the time.
_ALIKE = """
SELECT (at AT TIME ZONE $5)::date AS day, (entry->>'weights') COLLATE "C" AS weights, count(*) AS times
FROM distribution_journal
WHERE account_id = $1 AND template = $2 AND scope = $6 AND undone_at IS NULL AND at >= $3 AND at < $4 GROUP BY 1, 2
"""

_WINNERS = """
SELECT (at AT TIME ZONE $5)::date AS day, winner AS person, count(*) AS given FROM distribution_journal
WHERE account_id = $1 AND template = $2 AND scope = $6 AND undone_at IS NULL AND at >= $3 AND at < $4 GROUP BY 1, 2
"""

# Where who is away earns a share too, each entry has its own.
_BY_DAY_WITH_ABSENT = """
WITH booked AS (
    SELECT (at AT TIME ZONE $5)::date AS day, winner, entry->'shares' AS shares, entry->'weights' AS weights
    FROM distribution_journal
    WHERE account_id = $1 AND template = $2 AND scope = $6 AND undone_at IS NULL AND at >= $3 AND at < $4
), parts AS (
    SELECT day, share.key AS person, share.value::bigint AS meant, 0 AS given, (weights ? share.key)::integer AS could
    FROM booked, jsonb_each_text(shares) AS share
    UNION ALL SELECT day, winner, 0, 1, 0 FROM booked
)
SELECT day, person, sum(meant)::bigint AS meant, sum(given)::integer AS given, sum(could)::integer AS could
FROM parts GROUP BY day, person ORDER BY day, person
"""

_EARNS_AWAY = """
SELECT coalesce(bool_or((body->>'catch_up')::integer > 0), false) FROM distribution_version WHERE account_id = $1 AND name = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateBooks:
    """A template as it is now, with its ledgers."""

    name: str
    version: int
    template: DistributionTemplate
    ledgers: Ledgers


class BookedEntry(NamedTuple):
    """An entry that a decision books for an item."""

    item_id: str
    decision_id: str
    entry: LedgerEntry


class DayShare(NamedTuple):
    """What one person was meant to get that day, in units of a billionth of a deal, and how many they got. could: in how many
    decisions they were among those who could get it."""

    day: date
    person: str
    meant: int
    given: int
    could: int


class JournalRow(NamedTuple):
    """An entry as it stands in the journal."""

    entry_id: int
    entry: LedgerEntry
    item_id: str
    decision_id: str
    at: datetime
    undone_at: datetime | None
    undone_number: int | None


async def hold_template(conn: Conn, account_id: str, name: str) -> TemplateBooks | None:
    """Wait for it; nobody else picks by it until this transaction ends. None: it was removed."""
    return (await books_of(conn, account_id, [name], hold=True)).get(name)


async def books_of(
    conn: Conn, account_id: str, names: Collection[str], *, hold: bool = False
) -> dict[str, TemplateBooks]:
    """Return those of these templates that there are. hold: nobody else picks by them until this transaction ends."""
    rows = await conn.fetch(_READ + ("FOR UPDATE OF t" if hold else ""), account_id, sorted(names))
    return {
        row["name"]: TemplateBooks(
            name=row["name"],
            version=row["version"],
            template=template_of_json(row["body"]),
            ledgers=ledgers_of_json(row["ledgers"]),
        )
        for row in rows
    }


async def is_free(conn: Conn, account_id: str, name: str) -> bool:
    """Take the template's row unless somebody else holds it; whether it was taken, or there is none to be taken."""
    row = await conn.fetchrow(
        "SELECT EXISTS (SELECT 1 FROM distribution_template WHERE account_id = $1 AND name = $2) AS is_there,"
        " (SELECT 1 FROM (SELECT 1 FROM distribution_template WHERE account_id = $1 AND name = $2"
        "   FOR UPDATE SKIP LOCKED) AS free) AS taken",
        account_id,
        name,
    )
    return row is None or not row["is_there"] or row["taken"] is not None


async def ledgers_of(conn: Conn, account_id: str, name: str) -> Ledgers:
    """Read them, holding nothing: for what books nothing."""
    stored = await conn.fetchval(
        "SELECT ledgers FROM distribution_template WHERE account_id = $1 AND name = $2", account_id, name
    )
    return ledgers_of_json(stored or {})


async def save_ledgers(conn: Conn, account_id: str, name: str, ledgers: Ledgers) -> None:
    await conn.execute(
        "UPDATE distribution_template SET ledgers = $3 WHERE account_id = $1 AND name = $2",
        account_id,
        name,
        {scope: ledger.as_json() for scope, ledger in ledgers.items()},
    )


async def enter(
    conn: Conn, account_id: str, template: str, booked: Sequence[BookedEntry], at: datetime
) -> None:
    """Write what decisions booked into the journal, in this order."""
    rows = [
        {
            "item_id": one.item_id,
            "decision_id": one.decision_id,
            "scope": one.entry.scope,
            "number": one.entry.number,
            "winner": one.entry.winner,
            "entry": one.entry.as_json(),
        }
        for one in booked
    ]
    if rows:
        await conn.execute(_ENTER, account_id, template, orjson.dumps(rows).decode(), at)


async def take_back(
    conn: Conn, account_id: str, held: TemplateBooks, decision_ids: Collection[str], why: str, at: datetime
) -> None:
    """Take back exactly what these decisions booked. Nothing is taken back twice."""
    rows = await conn.fetch(
        "SELECT entry_id, entry FROM distribution_journal WHERE account_id = $1 AND decision_id = ANY($2)"
        " AND template = $3 AND undone_at IS NULL ORDER BY entry_id DESC",
        account_id,
        list(decision_ids),
        held.name,
    )
    if not rows:
        return
    ledgers = dict(held.ledgers)
    undone: list[tuple[int, int]] = []
    for row in rows:
        entry = LedgerEntry.of_json(row["entry"])
        ledgers[entry.scope] = undo(ledgers.get(entry.scope, EMPTY), entry)
        undone.append((row["entry_id"], ledgers[entry.scope].number))
    await conn.execute(
        "UPDATE distribution_journal j SET undone_at = $4, undone_number = u.number, undone_why = $5"
        " FROM unnest($2::bigint[], $3::bigint[]) AS u (entry_id, number)"
        " WHERE j.account_id = $1 AND j.entry_id = u.entry_id",
        account_id,
        [entry_id for entry_id, _ in undone],
        [number for _, number in undone],
        at,
        why,
    )
    await save_ledgers(conn, account_id, held.name, ledgers)


async def shares_by_day(
    conn: Conn,
    account_id: str,
    template: str,
    since: datetime,
    until: datetime,
    zone: str,
    scope: str,
) -> list[DayShare]:
    """Sum up what was booked and not taken back in [since, until), by the local day of the zone."""
    earns_away = await conn.fetchval(_EARNS_AWAY, account_id, template)
    wanted = (account_id, template, since, until, zone, scope)
    if earns_away:
        return [DayShare(*row) for row in await conn.fetch(_BY_DAY_WITH_ABSENT, *wanted)]
    return _summed(await conn.fetch(_ALIKE, *wanted), await conn.fetch(_WINNERS, *wanted))


def _summed(alike: Sequence[asyncpg.Record], winners: Sequence[asyncpg.Record]) -> list[DayShare]:
    """alike: the weights of as many decisions of a day as had the same. By day and person."""
    meant: dict[tuple[date, str], float] = defaultdict(float)
    could: dict[tuple[date, str], int] = defaultdict(int)
    for day, text, times in alike:
        weights: dict[str, int] = orjson.loads(text or "{}")
        whole = sum(weights.values())
        for person, weight in weights.items():
            meant[day, person] += UNIT * weight * times / whole
            could[day, person] += times
    given = {(row["day"], row["person"]): row["given"] for row in winners}
    return [
        DayShare(*at, round(meant.get(at, 0)), given.get(at, 0), could.get(at, 0))
        for at in sorted({*meant, *given})
    ]


async def journal_of(conn: Conn, account_id: str, template: str, scope: str) -> list[JournalRow]:
    """Return what is kept of it, the oldest first."""
    rows = await conn.fetch(
        "SELECT entry_id, entry, item_id, decision_id, at, undone_at, undone_number FROM distribution_journal"
        " WHERE account_id = $1 AND template = $2 AND scope = $3 ORDER BY entry_id",
        account_id,
        template,
        scope,
    )
    return [JournalRow(**{**row, "entry": LedgerEntry.of_json(row["entry"])}) for row in rows]


async def replayed(conn: Conn, account_id: str, template: str) -> Ledgers:
    """Work the ledgers out again, from the journal and what stood before its oldest entry."""
    base = ledgers_of_json(
        await conn.fetchval(
            "SELECT base FROM distribution_template WHERE account_id = $1 AND name = $2", account_id, template
        )
        or {}
    )
    scopes = await conn.fetch(
        "SELECT DISTINCT scope FROM distribution_journal WHERE account_id = $1 AND template = $2",
        account_id,
        template,
    )
    found = dict(base)
    for scope in (row["scope"] for row in scopes):
        rows = await journal_of(conn, account_id, template, scope)
        undone = {row.entry.number: row.undone_number for row in rows if row.undone_number is not None}
        found[scope] = replay((row.entry for row in rows), undone, start=base.get(scope, EMPTY))
    return found


async def delete_journal_older_than(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete old entries; what they came to is kept as what the others begin with. How many."""
    names = await conn.fetch(
        "SELECT DISTINCT template FROM distribution_journal WHERE account_id = $1 AND at < $2 ORDER BY 1",
        account_id,
        before,
    )
    gone: list[int] = []
    for row in names:
        gone += await _fold(conn, account_id, row["template"], before, limit)
    await conn.execute(
        "DELETE FROM distribution_journal WHERE account_id = $1 AND entry_id = ANY($2)", account_id, gone
    )
    return len(gone)


async def _fold(conn: Conn, account_id: str, name: str, before: datetime, limit: int) -> list[int]:
    """Take the oldest entries of a template into its base; return their ids."""
    base = await conn.fetchval(
        "SELECT base FROM distribution_template WHERE account_id = $1 AND name = $2 FOR UPDATE",
        account_id,
        name,
    )
    folded = dict(ledgers_of_json(base or {}))
    old = await conn.fetch(
        "SELECT entry_id, scope, number, entry, undone_number FROM distribution_journal"
        " WHERE account_id = $1 AND template = $2 AND at < $3 ORDER BY entry_id LIMIT $4",
        account_id,
        name,
        before,
        limit,
    )
    gone: list[int] = []
    for scope in {row["scope"] for row in old}:
        folded[scope], ids = _folded(folded.get(scope, EMPTY), [r for r in old if r["scope"] == scope])
        gone += ids
    if gone:
        await conn.execute(
            "UPDATE distribution_template SET base = $3 WHERE account_id = $1 AND name = $2",
            account_id,
            name,
            {scope: ledger.as_json() for scope, ledger in folded.items()},
        )
    return gone


def _folded(start: TurnLedger, rows: Sequence[asyncpg.Record]) -> tuple[TurnLedger, list[int]]:
    """Return the ledger after as many of these entries as go with all that took them back, and the ids of those. The last one
    stays: who takes back what is newer needs its number."""
    entries = [LedgerEntry.of_json(row["entry"]) for row in rows]
    taken_back, cut = 0, 0
    for place, (row, following) in enumerate(pairwise(rows), 1):
        taken_back = max(taken_back, row["undone_number"] or 0)
        if taken_back < following["number"]:
            cut = place
    undone = {r["number"]: r["undone_number"] for r in rows[:cut] if r["undone_number"] is not None}
    return replay(entries[:cut], undone, start=start), [row["entry_id"] for row in rows[:cut]]


def template_of_json(body: Any) -> DistributionTemplate:
    """Read a template as it is stored."""
    return DistributionTemplate.model_validate_json(orjson.dumps(body))


def ledgers_of_json(stored: Mapping[str, Any]) -> Ledgers:
    """Read a template's ledgers as they are stored."""
    return {scope: TurnLedger.of_json(value) for scope, value in stored.items()}
