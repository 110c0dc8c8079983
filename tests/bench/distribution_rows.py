"""An office of hundreds, with templates, what they gave in a month, and a shift change of thousands of deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.ledgers import BookedEntry, enter, save_ledgers
from gateway.store.distribution.templates import save_template
from gateway.store.shift_change import runs
from routing.distribution.ledger import EMPTY, LedgerEntry, pick
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.staff import Employee
from runtime.database.pool import Conn

LARGE = "Всем"
_ITEMS = """
INSERT INTO distribution_item (account_id, item_id, template, kind, entity_id, source, state, reason, employee_id, round, tried,
    entered_at, created_at, decided_at, refused, is_written, failures)
SELECT $1, i.id, i.template, 'deal', i.id, 'event', 'given', 'turn', i.employee, 1, '{}', i.at, i.at, i.at, '{}', true, 0
FROM jsonb_to_recordset($2::text::jsonb) AS i (id text, template text, employee text, at timestamptz)
"""
_MOVES = """
INSERT INTO shift_move (account_id, run_id, kind, entity_id, deal_id, position, state, owner_was, taken_from, given_to, settled_at)
SELECT $1, $2, 'deal', n::text, n::text, n, 'moved', '1', '1', '2', now() FROM generate_series(1, $3) AS n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeSize:
    """people: of whom all take part in the large template, and fifty in each of the others. results: of all templates, a
    tenth of them the large one's."""

    people: int
    templates: int
    results: int
    moved: int


async def fill_office(pool: asyncpg.Pool, account_id: str, size: OfficeSize) -> None:
    staff = [
        Employee(id=f"p{n}", name=f"Иван Петров {n}", crm_user_id=str(10_000 + n), group=f"Отдел {n // 50}")
        for n in range(size.people)
    ]
    own = [p.id for p in staff]
    rosters = {LARGE: own} | {
        f"Отдел {n}": own[n * 50 % size.people :][:50] for n in range(size.templates - 1)
    }
    async with pool.acquire() as conn:
        await replace_staff(conn, account_id, staff)
        for number, (name, people) in enumerate(rosters.items()):
            members = tuple(TemplateMember(employee_id=id) for id in people)
            await save_template(conn, account_id, DistributionTemplate(name=name, employees=members), "bench")
            share = 10 if name == LARGE else 10 * (size.templates - 1) // 9
            await _give(conn, account_id, name, people, size.results // share, number)
        run = await runs.begin(conn, account_id, "away", "p1", "1", now=datetime.now(UTC))
        await conn.execute(_MOVES, account_id, run.run_id, size.moved)
        await conn.execute("ANALYZE")


async def _give(conn: Conn, account_id: str, name: str, people: list[str], count: int, number: int) -> None:
    """Evenly over thirty days."""
    ledger, weights, now = EMPTY, dict.fromkeys(people, 1), datetime.now(UTC)
    items = []
    for n in range(count):
        entry: LedgerEntry
        entry, ledger = pick(ledger, weights)
        id, at = f"{number}0{n}", now - timedelta(days=30) * (count - n) / count
        await enter(conn, account_id, name, [BookedEntry(id, id, entry)], at)
        items.append({"id": id, "template": name, "employee": entry.winner, "at": at.isoformat()})
    await conn.execute(_ITEMS, account_id, orjson.dumps(items).decode())
    await save_ledgers(conn, account_id, name, {"": ledger})
