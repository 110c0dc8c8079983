"""Everything that the directory knows of one number, for the matrix and the writer."""

from __future__ import annotations

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
    SELECT e.* FROM refs r
    JOIN directory_entity e ON e.account_id = $1 AND e.kind = r.kind AND e.entity_id = r.entity_id
    ORDER BY e.kind, e.is_open DESC, e.updated_at DESC NULLS LAST, length(e.entity_id) DESC, e.entity_id DESC
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
        entities=tuple(
            ClientEntity(
                ref=Ref(kind=r["kind"], id=r["entity_id"]),
                name=r["name"],
                owner_id=r["owner_id"],
                created_at=r["created_at"],
                updated_at=r["updated_at"],
                pipeline_id=r["pipeline_id"],
                stage_id=r["stage_id"],
                is_open=r["is_open"],
                closed_at=r["closed_at"],
            )
            for r in rows
        ),
    )
