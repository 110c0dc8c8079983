"""Templates as a call asks them: read without holding them, counted, and booked once a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.store.deals import open_deals_of
from gateway.store.distribution.items import given_not_seen_yet, given_since
from gateway.store.distribution.ledgers import TemplateBooks, books_of
from gateway.store.distribution.templates import attachments_of
from routing.decision import stable_id
from routing.distribution.ledger import TurnLedger
from routing.distribution.template import DistributionTemplate
from routing.staff import Staff
from runtime.database.pool import Conn

KIND = "call"
"""Of what is given because somebody called."""

_GIVE = """
INSERT INTO distribution_item (account_id, item_id, template, version, kind, entity_id, source, state, reason, employee_id,
    decision_id, round, entered_at, decided_at)
VALUES ($1, $2, $3, $4, 'call', $5, 'call', $6, $7, $8, $9, 1, $10, $11)
ON CONFLICT DO NOTHING RETURNING item_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurns:
    """A template and its ledgers. open_deals, given: by employee id, where the template asks for them."""

    name: str
    version: int
    template: DistributionTemplate
    ledgers: Mapping[str, TurnLedger]
    open_deals: Mapping[str, int]
    given: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCall:
    """What a template gave because of a call."""

    call_id: str
    template: str
    version: int
    state: str
    reason: str
    employee_id: str
    decision_id: str
    entered_at: datetime
    at: datetime


async def turns_now(
    conn: Conn, account_id: str, names: Collection[str], staff: Staff, now: datetime, *, hold: bool = False
) -> dict[str, StoredTurns]:
    """Return those of these templates that there are. hold: nobody else picks by them until this transaction ends."""
    if not names:
        return {}
    books = await books_of(conn, account_id, names, hold=hold)
    return {name: await _counted(conn, account_id, of_one, staff, now) for name, of_one in books.items()}


async def picked_for_call(conn: Conn, account_id: str, call_id: str) -> dict[str, str]:
    """Return who got this call already, by template."""
    rows = await conn.fetch(
        "SELECT template, employee_id FROM distribution_item WHERE account_id = $1 AND kind = $2 AND entity_id = $3"
        " AND employee_id IS NOT NULL",
        account_id,
        KIND,
        call_id,
    )
    return {row["template"]: row["employee_id"] for row in rows}


async def give_call(conn: Conn, account_id: str, given: GivenCall) -> str | None:
    """Keep that it was given; return the item's id, None where this call was given by this template before."""
    added: str | None = await conn.fetchval(
        _GIVE,
        account_id,
        stable_id(account_id, "distribution item", KIND, given.call_id, given.template),
        given.template,
        given.version,
        given.call_id,
        given.state,
        given.reason,
        given.employee_id,
        given.decision_id,
        given.entered_at,
        given.at,
    )
    return added


async def _counted(
    conn: Conn, account_id: str, books: TemplateBooks, staff: Staff, now: datetime
) -> StoredTurns:
    return StoredTurns(
        name=books.name,
        version=books.version,
        template=books.template,
        ledgers=books.ledgers,
        open_deals=await open_deals_now(conn, account_id, books.template, staff),
        given=await given_now(conn, account_id, books.template, now),
    )


async def open_deals_now(
    conn: Conn, account_id: str, template: DistributionTemplate, staff: Staff
) -> dict[str, int]:
    """Return how many open deals each has in the pipelines of the template's stages, by employee id, with those given that the
    directory does not show yet; empty where the template does not ask."""
    if not template.counts_open_deals:
        return {}
    users = {p.crm_user_id: p.id for p in staff.employees if p.crm_user_id}
    attached = await attachments_of(conn, account_id, template.name)
    pipelines = sorted({a.pipeline_id for a in attached})
    counted = await open_deals_of(conn, account_id, list(users), pipelines or None)
    found = {users[user]: n for user, n in counted.items()}
    for employee_id, n in (await given_not_seen_yet(conn, account_id)).items():
        found[employee_id] = found.get(employee_id, 0) + n
    return found


async def given_now(
    conn: Conn, account_id: str, template: DistributionTemplate, now: datetime
) -> dict[str, int]:
    """Return how many each was given within the template's window, by employee id; empty where it has none."""
    if template.window is None:
        return {}
    return await given_since(
        conn, account_id, template.name, now - timedelta(minutes=template.window.minutes)
    )
