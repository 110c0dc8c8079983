"""Questions that the sync asks of the directory's rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from crm.port import CrmEntity
from crm.store.directory import EntityRef, columns, public_numbers
from crm.store.entries import lock_directory
from routing.client import EntityKind
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

DealLink = tuple[str, EntityKind, str]
"""(deal id, kind, id) of a deal's contact or company."""


async def others_like(
    conn: Conn, account_id: str, entities: Sequence[CrmEntity], policy: NumberPolicy
) -> list[EntityRef]:
    """Others of the same kind that share a number with one of these; for deals, that share a contact or company."""
    numbered = [(e.kind, n) for e in entities for n in public_numbers(e.numbers, policy)]
    owners = [("contact", id) for e in entities if e.kind == "deal" for id in e.contact_ids]
    owners += [("company", id) for e in entities if e.kind == "deal" for id in e.company_ids]
    rows = await conn.fetch(
        "SELECT n.kind, n.entity_id FROM directory_number n"
        " JOIN unnest($2::text[], $3::bigint[]) AS r (kind, number) USING (kind, number) WHERE account_id = $1"
        " UNION SELECT 'deal', l.deal_id FROM directory_link l"
        " JOIN unnest($4::text[], $5::text[]) AS r (kind, entity_id) USING (kind, entity_id) WHERE account_id = $1",
        account_id,
        [kind for kind, _ in numbered],
        [number for _, number in numbered],
        [kind for kind, _ in owners],
        [id for _, id in owners],
    )
    given = {(e.kind, e.id) for e in entities}
    return sorted(ref for r in rows if (ref := (r["kind"], r["entity_id"])) not in given)


async def deals_of(conn: Conn, account_id: str, refs: Collection[EntityRef]) -> list[EntityRef]:
    """Return the deals that are linked to these contacts and companies."""
    kinds, ids = columns(refs)
    rows = await conn.fetch(
        "SELECT DISTINCT deal_id FROM directory_link JOIN unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " USING (kind, entity_id) WHERE account_id = $1 ORDER BY deal_id",
        account_id,
        kinds,
        ids,
    )
    return [("deal", r["deal_id"]) for r in rows]


async def known_refs(conn: Conn, account_id: str, refs: Collection[EntityRef]) -> set[EntityRef]:
    """Those of these that the directory holds."""
    kinds, ids = columns(refs)
    rows = await conn.fetch(
        "SELECT kind, entity_id FROM directory_entity JOIN unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " USING (kind, entity_id) WHERE account_id = $1",
        account_id,
        kinds,
        ids,
    )
    return {(r["kind"], r["entity_id"]) for r in rows}


async def links_of(conn: Conn, account_id: str, deal_ids: Collection[str]) -> set[DealLink]:
    """Return the links that the directory holds of these deals, as far as it holds the deals."""
    rows = await conn.fetch(
        "SELECT l.deal_id, l.kind, l.entity_id FROM directory_link l JOIN directory_entity e"
        " ON e.account_id = l.account_id AND e.kind = 'deal' AND e.entity_id = l.deal_id"
        " WHERE l.account_id = $1 AND l.deal_id = ANY($2::text[])",
        account_id,
        list(deal_ids),
    )
    return {(r["deal_id"], r["kind"], r["entity_id"]) for r in rows}


async def stored_entities(
    conn: Conn, account_id: str, refs: Collection[EntityRef]
) -> dict[EntityRef, CrmEntity]:
    """Those of these that the directory holds, as it holds them: numbers in E.164 and values without one, of deals their
    links."""
    kinds, ids = columns(refs)
    rows = await conn.fetch(
        "SELECT e.*, ARRAY(SELECT number FROM directory_number n WHERE n.account_id = $1 AND n.kind = e.kind"
        "   AND n.entity_id = e.entity_id ORDER BY number) AS numbers,"
        " ARRAY(SELECT value FROM directory_numberless u WHERE u.account_id = $1 AND u.kind = e.kind"
        "   AND u.entity_id = e.entity_id ORDER BY value) AS numberless,"
        " ARRAY(SELECT l.entity_id FROM directory_link l WHERE l.account_id = $1 AND e.kind = 'deal'"
        "   AND l.deal_id = e.entity_id AND l.kind = 'contact') AS contact_ids,"
        " ARRAY(SELECT l.entity_id FROM directory_link l WHERE l.account_id = $1 AND e.kind = 'deal'"
        "   AND l.deal_id = e.entity_id AND l.kind = 'company') AS company_ids,"
        " (SELECT l.entity_id FROM directory_link l WHERE l.account_id = $1 AND e.kind = 'deal'"
        "   AND l.deal_id = e.entity_id AND l.is_main LIMIT 1) AS main_contact_id"
        " FROM directory_entity e JOIN unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " ON e.kind = r.kind AND e.entity_id = r.entity_id WHERE e.account_id = $1",
        account_id,
        kinds,
        ids,
    )
    return {
        (r["kind"], r["entity_id"]): CrmEntity(
            kind=r["kind"],
            id=r["entity_id"],
            name=r["name"],
            numbers=(*(f"+{n}" for n in r["numbers"]), *r["numberless"]),
            owner_id=r["owner_id"],
            created_at=r["created_at"],
            updated_at=r["updated_at"],
            closed_at=r["closed_at"],
            pipeline_id=r["pipeline_id"],
            stage_id=r["stage_id"],
            is_open=r["is_open"],
            contact_ids=tuple(r["contact_ids"]),
            company_ids=tuple(r["company_ids"]),
            main_contact_id=r["main_contact_id"],
            deal_id=r["deal_id"],
        )
        for r in rows
    }


async def with_what_was_known(conn: Conn, account_id: str, entities: Iterable[CrmEntity]) -> list[CrmEntity]:
    """Return the same; what of one of them could not be read stays as it was."""
    given = list(entities)
    partly = [(entity.kind, entity.id) for entity in given if entity.unread]
    if not partly:
        return given
    await lock_directory(conn, account_id)
    known = await stored_entities(conn, account_id, partly)
    return [_kept(entity, known.get((entity.kind, entity.id))) for entity in given]


def _kept(entity: CrmEntity, known: CrmEntity | None) -> CrmEntity:
    values = {name: getattr(known, name) for name in entity.unread} if known else {}
    return replace(entity, **values) if values else entity


async def disputed_entities(
    conn: Conn, account_id: str, entities: Sequence[CrmEntity], policy: NumberPolicy
) -> list[EntityRef]:
    """Those of these that the directory holds otherwise, as of the very same second: which of the two is right is not
    known. Leads have no time of their own change."""
    refs = [(e.kind, e.id) for e in entities if e.kind != "lead" and e.updated_at and not e.is_deleted]
    known = await stored_entities(conn, account_id, refs) if refs else {}
    return sorted(
        {
            (entity.kind, entity.id)
            for entity in entities
            if (there := known.get((entity.kind, entity.id))) and contradict(there, entity, policy)
        }
    )


def contradict(a: CrmEntity, b: CrmEntity, policy: NumberPolicy) -> bool:
    """Whether two states of one entity cannot both be that of their second."""
    if a.updated_at is None or a.updated_at != b.updated_at:
        return False
    return _decisive(a, policy) != _decisive(b, policy)


def _decisive(entity: CrmEntity, policy: NumberPolicy) -> tuple[object, ...]:
    numbers = frozenset(public_numbers(entity.numbers, policy))
    return entity.name, entity.owner_id, entity.pipeline_id, entity.stage_id, numbers


async def ids_between(
    conn: Conn, account_id: str, kind: EntityKind, after: str, up_to: str | None
) -> list[str]:
    """Ids of a kind in (after, up_to], in the numeric order of decimal ids; "" = from the first, None = to the last."""
    rows = await conn.fetch(
        "SELECT entity_id FROM directory_entity WHERE account_id = $1 AND kind = $2"
        ' AND (length(entity_id), entity_id COLLATE "C") > (length($3::text), $3::text COLLATE "C")'
        ' AND ($4::text IS NULL OR (length(entity_id), entity_id COLLATE "C")'
        ' <= (length($4::text), $4::text COLLATE "C"))',
        account_id,
        kind,
        after,
        up_to,
    )
    return [r["entity_id"] for r in rows]


async def all_ids(conn: Conn, account_id: str, kind: EntityKind) -> set[str]:
    rows = await conn.fetch(
        "SELECT entity_id FROM directory_entity WHERE account_id = $1 AND kind = $2", account_id, kind
    )
    return {r["entity_id"] for r in rows}
