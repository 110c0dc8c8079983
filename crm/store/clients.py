"""Everything that the directory knows of one number, for the matrix and the writer."""

from __future__ import annotations

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
