"""Everything that the directory knows of one number, for the matrix and the writer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from routing.client import Client, ClientEntity, Ref
from routing.numbers.normalise import digits_of
from routing.numbers.plans import earlier_key
from runtime.database.pool import Conn

_ENTITIES = """
    WITH direct AS (
        SELECT DISTINCT kind, entity_id FROM directory_number WHERE account_id = $1 AND number = ANY($2)
    ), refs AS (
        SELECT kind, entity_id FROM direct
        UNION
        SELECT 'deal', l.deal_id FROM direct d
        JOIN directory_link l ON l.account_id = $1 AND l.kind = d.kind AND l.entity_id = d.entity_id
    )
    SELECT e.*, ARRAY(SELECT mark FROM directory_mark m WHERE m.account_id = $1 AND m.kind = e.kind
        AND m.entity_id = e.entity_id ORDER BY mark) AS marks
    FROM refs r JOIN directory_entity e ON e.account_id = $1 AND e.kind = r.kind AND e.entity_id = r.entity_id
    ORDER BY e.kind, e.is_open DESC, e.updated_at DESC NULLS LAST, length(e.entity_id) DESC, e.entity_id DESC
"""

_OF_DEAL = """
    WITH refs AS (
        SELECT 'deal' AS kind, $2::text AS entity_id
        UNION ALL
        SELECT kind, entity_id FROM directory_link WHERE account_id = $1 AND deal_id = $2
    )
    SELECT e.*, ARRAY(SELECT mark FROM directory_mark m WHERE m.account_id = $1 AND m.kind = e.kind
        AND m.entity_id = e.entity_id ORDER BY mark) AS marks
    FROM refs r JOIN directory_entity e ON e.account_id = $1 AND e.kind = r.kind AND e.entity_id = r.entity_id
    ORDER BY e.kind = 'deal' DESC, e.kind, e.updated_at DESC NULLS LAST, length(e.entity_id) DESC, e.entity_id DESC LIMIT 50
"""

_NUMBERS_OF_DEAL = """
    SELECT DISTINCT n.number FROM directory_link l
    JOIN directory_number n ON n.account_id = l.account_id AND n.kind = l.kind AND n.entity_id = l.entity_id
    WHERE l.account_id = $1 AND l.deal_id = $2 ORDER BY n.number LIMIT 50
"""

_NUMBERS_OF_ENTITY = """
    SELECT DISTINCT number FROM directory_number WHERE account_id = $1 AND kind = $2 AND entity_id = $3
    ORDER BY number LIMIT 50
"""

# Contacts first, then companies; of several the one that changed last. A number of more spellings is asked for by each.
_NAMES = """
    SELECT DISTINCT ON (n.number) n.number, e.name FROM directory_number n
    JOIN directory_entity e ON e.account_id = n.account_id AND e.kind = n.kind AND e.entity_id = n.entity_id
    WHERE n.account_id = $1 AND n.number = ANY($2::bigint[]) AND e.name <> ''
    ORDER BY n.number, array_position(ARRAY['contact', 'company', 'lead', 'deal'], e.kind), e.updated_at DESC NULLS LAST, e.entity_id
"""

# The database may not know which letters are the same in capitals, so it is asked for each way of writing them.
_NAMED = """
    SELECT DISTINCT n.number FROM (
        SELECT kind, entity_id FROM directory_entity WHERE account_id = $1 AND name LIKE ANY($2::text[]) LIMIT 500
    ) AS e JOIN directory_number n ON n.account_id = $1 AND n.kind = e.kind AND n.entity_id = e.entity_id LIMIT $3
"""


def directory_keys(number: str) -> list[int]:
    """Under which numbers the directory may hold what belongs to this one (E.164)."""
    earlier = earlier_key(number)
    return [digits_of(number), *([] if earlier is None else [earlier])]


async def client_of(conn: Conn, account_id: str, number: str) -> Client:
    """Leads, contacts and companies with this number (E.164) and all deals of theirs, closed ones too; open and latest first."""
    rows = await conn.fetch(_ENTITIES, account_id, directory_keys(number))
    return Client(
        number=number,
        entities=tuple(map(_entity, rows)),
    )


async def clients_of_deal(conn: Conn, account_id: str, deal_id: str) -> list[Client]:
    """Return whose deal it is, once for each number: with the deal itself, its contacts and companies; newest of these first."""
    entities = tuple(map(_entity, await conn.fetch(_OF_DEAL, account_id, deal_id)))
    numbers = await conn.fetch(_NUMBERS_OF_DEAL, account_id, deal_id)
    return [Client(number=n, entities=entities) for n in [f"+{r['number']}" for r in numbers] or [""]]


async def numbers_of_entity(conn: Conn, account_id: str, kind: str, id: str) -> tuple[str, ...]:
    """Return the numbers (E.164) of a contact, company or lead, or of those whose deal it is."""
    if kind == "deal":
        rows = await conn.fetch(_NUMBERS_OF_DEAL, account_id, id)
    else:
        rows = await conn.fetch(_NUMBERS_OF_ENTITY, account_id, kind, id)
    return tuple(f"+{row['number']}" for row in rows)


async def entities_of(
    conn: Conn, account_id: str, refs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], ClientEntity]:
    """Return what the directory holds now of these (kind, id); what is gone is left out."""
    rows = await conn.fetch(
        "SELECT e.*, '{}'::text[] AS marks FROM unnest($2::text[], $3::text[]) AS asked (kind, entity_id)"
        " JOIN directory_entity e ON e.account_id = $1 AND e.kind = asked.kind AND e.entity_id = asked.entity_id",
        account_id,
        [kind for kind, _ in refs],
        [id for _, id in refs],
    )
    return {(row["kind"], row["entity_id"]): _entity(row) for row in rows}


async def names_of_numbers(conn: Conn, account_id: str, numbers: Collection[str]) -> dict[str, str]:
    """Return what the CRM calls whom these numbers (E.164) belong to; who is not known is left out."""
    keys = {number: directory_keys(number) for number in numbers}
    rows = await conn.fetch(_NAMES, account_id, sorted({key for found in keys.values() for key in found}))
    names = {row["number"]: row["name"] for row in rows}
    found = {number: next((names[key] for key in of if key in names), "") for number, of in keys.items()}
    return {number: name for number, name in found.items() if name}


async def numbers_named(conn: Conn, account_id: str, text: str, *, limit: int = 500) -> tuple[str, ...]:
    """Return numbers (E.164) of those in whose name this stands, in small letters or capitals."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    ways = {escaped, escaped.lower(), escaped.upper(), escaped.capitalize(), escaped.title()}
    rows = await conn.fetch(_NAMED, account_id, [f"%{way}%" for way in sorted(ways)], limit)
    return tuple(f"+{row['number']}" for row in rows)


def _entity(row: Any) -> ClientEntity:
    return ClientEntity(
        ref=Ref(kind=row["kind"], id=row["entity_id"]),
        name=row["name"],
        owner_id=row["owner_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        pipeline_id=row["pipeline_id"],
        stage_id=row["stage_id"],
        is_open=row["is_open"],
        closed_at=row["closed_at"],
        marks=tuple(row["marks"]),
    )
