"""The directory's rows: entities, their numbers, the links of deals. Whatever changes them works out the entries too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from crm.port import CrmEntity
from crm.store.entries import lock_directory, refresh_entries
from crm.store.lead_owners import mark_read
from crm.store.marks import remove_marks, set_marks
from crm.store.numberless import set_numberless
from routing.client import EntityKind
from routing.numbers.normalise import digits_of
from routing.numbers.stored import stored_numbers
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

EntityRef = tuple[EntityKind, str]
_Pair = tuple[EntityRef, int]
_Link = tuple[str, EntityKind, str, bool]


_UPSERT = """
    INSERT INTO directory_entity AS e
        (account_id, kind, entity_id, name, owner_id, created_at, updated_at, closed_at, pipeline_id, stage_id, is_open,
         deal_id, first_owner_id)
    SELECT $1, n.*, n.owner_id
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
                $9::text[], $10::text[], $11::boolean[], $12::text[])
        AS n (kind, entity_id, name, owner_id, created_at, updated_at, closed_at, pipeline_id, stage_id, is_open, deal_id)
    ON CONFLICT (account_id, kind, entity_id) DO UPDATE
    SET name = excluded.name, owner_id = excluded.owner_id, created_at = coalesce(excluded.created_at, e.created_at),
        updated_at = coalesce(excluded.updated_at, e.updated_at), closed_at = excluded.closed_at,
        pipeline_id = excluded.pipeline_id, stage_id = excluded.stage_id, is_open = excluded.is_open,
        deal_id = coalesce(excluded.deal_id, e.deal_id),
        first_owner_id = coalesce(e.first_owner_id, e.owner_id, excluded.owner_id)
    WHERE (e.name, e.owner_id, e.updated_at, e.closed_at, e.pipeline_id, e.stage_id, e.is_open, e.deal_id)
          IS DISTINCT FROM
          (excluded.name, excluded.owner_id, coalesce(excluded.updated_at, e.updated_at), excluded.closed_at,
           excluded.pipeline_id, excluded.stage_id, excluded.is_open, coalesce(excluded.deal_id, e.deal_id))
    RETURNING kind, entity_id
"""


_FOLLOW_ARCHIVE = """
    UPDATE directory_entity e SET is_open = w.is_open FROM (
        SELECT d.entity_id, NOT p.is_archived AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(p.stages) s
            WHERE s->>'id' = d.stage_id AND (s->>'is_closed')::boolean) AS is_open
        FROM directory_entity d JOIN crm_pipeline p ON p.account_id = d.account_id AND p.pipeline_id = d.pipeline_id
        WHERE d.account_id = $1 AND d.kind = 'deal'
    ) w
    WHERE e.account_id = $1 AND e.kind = 'deal' AND e.entity_id = w.entity_id AND e.is_open <> w.is_open
    RETURNING e.entity_id
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """numbers: those whose answer changed. stale: entities that were older than what is stored, and left alone."""

    numbers: tuple[int, ...] = ()
    stale: tuple[EntityRef, ...] = ()


def public_numbers(values: Iterable[str], policy: NumberPolicy) -> set[int]:
    """E.164 without the plus, of every number in these stored values."""
    return {digits_of(e164) for value in values for e164 in stored_numbers(value, policy).numbers}


def numberless_values(values: Iterable[str], policy: NumberPolicy) -> list[str]:
    """Those of these stored values in which there should be a number, and none was found."""
    return [value for value in values if stored_numbers(value, policy).is_unread]


async def apply_entities(
    conn: Conn, account_id: str, entities: Iterable[CrmEntity], policy: NumberPolicy
) -> Applied:
    """Take over entities as the CRM has them now: all their numbers, and of deals all their contacts and companies.

    An entity that is older (updated_at) than the stored one is left alone. is_deleted removes it. A deal that waits in
    Unsorted is no deal yet: it only tells the owner of its lead. Nothing is written
    for what is unchanged. The account's directory stays locked until the caller's transaction ends.
    """
    latest = _latest(entities)
    await lock_directory(conn, account_id)
    stale = await _stale(conn, account_id, latest)
    fresh = [e for ref, e in latest.items() if ref not in stale]
    inside = await inside_leads(conn, account_id, fresh)
    hidden = {d.id for d in inside}
    touched = await _set_lead_owners(conn, account_id, inside)
    out = [e for e in fresh if e.is_deleted or (e.kind == "deal" and e.id in hidden)]
    touched |= await _remove(conn, account_id, [(e.kind, e.id) for e in out])
    alive = await _with_archived_closed(conn, account_id, [e for e in fresh if e not in out])
    changed = await _upsert(conn, account_id, alive)
    await set_marks(conn, account_id, alive)
    touched |= await _set_numbers(conn, account_id, await _wanted_numbers(conn, account_id, alive, policy))
    people = [e for e in alive if e.kind in ("contact", "company")]  # leads may name a PBX instead
    await set_numberless(
        conn, account_id, {(e.kind, e.id): numberless_values(e.numbers, policy) for e in people}
    )
    relinked = await _set_links(conn, account_id, [e for e in alive if e.kind == "deal"])
    touched |= await numbers_of(conn, account_id, changed | relinked)
    return Applied(tuple(await refresh_entries(conn, account_id, touched)), tuple(stale))


async def inside_leads(conn: Conn, account_id: str, entities: Iterable[CrmEntity]) -> list[CrmEntity]:
    """Those of these that are deals in a stage of Unsorted."""
    deals = [e for e in entities if e.kind == "deal" and e.stage_id and not e.is_deleted]
    if not deals:
        return []
    rows = await conn.fetch(
        "SELECT pipeline_id, s->>'id' AS stage_id FROM crm_pipeline, jsonb_array_elements(stages) s"
        " WHERE account_id = $1 AND (s->>'is_unsorted')::boolean",
        account_id,
    )
    waiting = {(r["pipeline_id"], r["stage_id"]) for r in rows}
    return [d for d in deals if (d.pipeline_id, d.stage_id) in waiting]


async def _with_archived_closed(
    conn: Conn, account_id: str, entities: Sequence[CrmEntity]
) -> list[CrmEntity]:
    """Whoever puts a pipeline into the archive has done with its deals: they are closed, whatever their stage."""
    if not any(e.kind == "deal" for e in entities):
        return list(entities)
    rows = await conn.fetch(
        "SELECT pipeline_id FROM crm_pipeline WHERE account_id = $1 AND is_archived", account_id
    )
    archived = {r["pipeline_id"] for r in rows}
    return [
        replace(e, is_open=False) if e.kind == "deal" and e.pipeline_id in archived else e for e in entities
    ]


async def follow_archive(conn: Conn, account_id: str) -> Applied:
    """After pipelines changed: deals of one that went into the archive are closed, those of one that came back are as
    their stage says."""
    await lock_directory(conn, account_id)
    rows = await conn.fetch(_FOLLOW_ARCHIVE, account_id)
    touched = await numbers_of(conn, account_id, [("deal", r["entity_id"]) for r in rows])
    return Applied(tuple(await refresh_entries(conn, account_id, touched)))


async def remove_entities(conn: Conn, account_id: str, refs: Iterable[EntityRef]) -> Applied:
    """Forgets entities that are no longer in the CRM (deleted, merged into others, accepted, declined)."""
    await lock_directory(conn, account_id)
    touched = await _remove(conn, account_id, list(refs))
    return Applied(tuple(await refresh_entries(conn, account_id, touched)))


async def numbers_of(conn: Conn, account_id: str, refs: Collection[EntityRef]) -> set[int]:
    """Every number whose answer depends on these entities; of a deal those of its contacts and companies."""
    if not refs:
        return set()
    kinds, ids = columns(refs)
    rows = await conn.fetch(
        "WITH r AS (SELECT * FROM unnest($2::text[], $3::text[]) AS r (kind, entity_id)),"
        " all_refs AS (SELECT kind, entity_id FROM r UNION SELECT l.kind, l.entity_id FROM r"
        "   JOIN directory_link l ON l.account_id = $1 AND l.deal_id = r.entity_id WHERE r.kind = 'deal')"
        " SELECT DISTINCT n.number FROM all_refs JOIN directory_number n"
        " ON n.account_id = $1 AND n.kind = all_refs.kind AND n.entity_id = all_refs.entity_id",
        account_id,
        kinds,
        ids,
    )
    return {r["number"] for r in rows}


def _latest(entities: Iterable[CrmEntity]) -> dict[EntityRef, CrmEntity]:
    """Return each once: a page read while entities move may hold one twice; the newer counts, of equals the later in the list."""
    latest: dict[EntityRef, CrmEntity] = {}
    for entity in entities:
        seen = latest.get((entity.kind, entity.id))
        if seen is None or not (
            seen.updated_at and entity.updated_at and seen.updated_at > entity.updated_at
        ):
            latest[entity.kind, entity.id] = entity
    return latest


async def _stale(conn: Conn, account_id: str, latest: dict[EntityRef, CrmEntity]) -> set[EntityRef]:
    dated = [e for e in latest.values() if e.updated_at]
    rows = await conn.fetch(
        "SELECT e.kind, e.entity_id FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS n (kind, entity_id, at)"
        " JOIN directory_entity e ON e.account_id = $1 AND e.kind = n.kind AND e.entity_id = n.entity_id"
        " WHERE e.updated_at > n.at",
        account_id,
        [e.kind for e in dated],
        [e.id for e in dated],
        [e.updated_at for e in dated],
    )
    return {(r["kind"], r["entity_id"]) for r in rows}


async def _upsert(conn: Conn, account_id: str, entities: Sequence[CrmEntity]) -> set[EntityRef]:
    """Those that are new or changed."""
    columns = [
        [getattr(e, name) for e in entities]
        for name in ("kind", "id", "name", "owner_id", "created_at", "updated_at", "closed_at")
    ]
    columns += [
        [getattr(e, name) for e in entities] for name in ("pipeline_id", "stage_id", "is_open", "deal_id")
    ]
    rows = await conn.fetch(_UPSERT, account_id, *columns) if entities else []
    return {(r["kind"], r["entity_id"]) for r in rows}


async def _set_lead_owners(conn: Conn, account_id: str, inside: Sequence[CrmEntity]) -> set[int]:
    """Set the owners; return the numbers of the leads whose owner is another one now."""
    owned = [d for d in inside if d.owner_id]
    if not owned:
        return set()
    await mark_read(conn, account_id, [d.id for d in owned])
    rows = await conn.fetch(
        "UPDATE directory_entity e SET owner_id = d.owner_id"
        " FROM unnest($2::text[], $3::text[]) AS d (deal_id, owner_id)"
        " WHERE e.account_id = $1 AND e.kind = 'lead' AND e.deal_id = d.deal_id"
        " AND e.owner_id IS DISTINCT FROM d.owner_id RETURNING e.kind, e.entity_id",
        account_id,
        [d.id for d in owned],
        [d.owner_id for d in owned],
    )
    return await numbers_of(conn, account_id, [(r["kind"], r["entity_id"]) for r in rows])


# What we made and is gone is no promise any more (crm/effects/store/orders.py). A lead that is accepted is gone, too, and its
# deal may still have to be read.
_MADE_BY_US = """
UPDATE effect e SET crm_extra = e.crm_extra || '{"gone": "yes"}'
FROM unnest($2::text[], $3::text[]) AS r (kind, entity_id)
WHERE e.account_id = $1 AND e.crm_id = r.entity_id AND e.state = 'done' AND r.kind <> 'lead'
  AND e.what IN ('create_contact', 'create_deal') AND coalesce(e.crm_extra->>'kind', substr(e.what, 8)) = r.kind
  AND NOT e.crm_extra ? 'gone'
"""


async def _remove(conn: Conn, account_id: str, refs: Sequence[EntityRef]) -> set[int]:
    """Remove the entities; return the numbers that led to them."""
    if not refs:
        return set()
    touched = await numbers_of(conn, account_id, refs)
    kinds, ids = columns(refs)
    for table, kind, id in (
        ("directory_entity", "t.kind", "t.entity_id"),
        ("crm_unread", "t.kind", "t.entity_id"),
        ("directory_number", "t.kind", "t.entity_id"),
        ("directory_numberless", "t.kind", "t.entity_id"),
        ("directory_link", "t.kind", "t.entity_id"),
        ("directory_link", "'deal'", "t.deal_id"),
    ):
        await conn.execute(
            f"DELETE FROM {table} t USING unnest($2::text[], $3::text[]) AS r (kind, entity_id)"  # noqa: S608
            f" WHERE t.account_id = $1 AND {kind} = r.kind AND {id} = r.entity_id",
            account_id,
            kinds,
            ids,
        )
    await remove_marks(conn, account_id, kinds, ids)
    await conn.execute(_MADE_BY_US, account_id, kinds, ids)
    return touched


async def _wanted_numbers(
    conn: Conn, account_id: str, entities: Sequence[CrmEntity], policy: NumberPolicy
) -> dict[EntityRef, set[int]]:
    """Deals have none of their own. A lead without a number has those of its contacts, where these are known."""
    wanted: dict[EntityRef, set[int]] = {}
    for entity in entities:
        if entity.kind == "deal":
            continue
        wanted[entity.kind, entity.id] = public_numbers(entity.numbers, policy)
        if entity.kind == "lead" and not wanted[entity.kind, entity.id]:
            contacts: list[EntityRef] = [("contact", id) for id in entity.contact_ids]
            wanted[entity.kind, entity.id] = await numbers_of(conn, account_id, contacts)
    return wanted


async def _set_numbers(conn: Conn, account_id: str, wanted: dict[EntityRef, set[int]]) -> set[int]:
    """Set the numbers; return those that came or went."""
    if not wanted:
        return set()
    kinds, ids = columns(wanted)
    rows = await conn.fetch(
        "SELECT n.kind, n.entity_id, n.number FROM unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " JOIN directory_number n ON n.account_id = $1 AND n.kind = r.kind AND n.entity_id = r.entity_id",
        account_id,
        kinds,
        ids,
    )
    held: set[_Pair] = {((r["kind"], r["entity_id"]), r["number"]) for r in rows}
    needed: set[_Pair] = {(ref, number) for ref, numbers in wanted.items() for number in numbers}
    await conn.execute(
        "DELETE FROM directory_number t USING unnest($2::text[], $3::text[], $4::bigint[]) AS g (kind, entity_id, number)"
        " WHERE t.account_id = $1 AND t.kind = g.kind AND t.entity_id = g.entity_id AND t.number = g.number",
        account_id,
        *_paircolumns(held - needed),
    )
    await conn.execute(
        "INSERT INTO directory_number (account_id, kind, entity_id, number)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[]) ON CONFLICT DO NOTHING",
        account_id,
        *_paircolumns(needed - held),
    )
    return {number for _, number in held ^ needed}


async def _set_links(conn: Conn, account_id: str, deals: Sequence[CrmEntity]) -> set[EntityRef]:
    """Set the links; return the contacts and companies that gained or lost a deal."""
    if not deals:
        return set()
    rows = await conn.fetch(
        "SELECT deal_id, kind, entity_id, is_main FROM directory_link WHERE account_id = $1 AND deal_id = ANY($2)",
        account_id,
        [d.id for d in deals],
    )
    held: set[_Link] = {(r["deal_id"], r["kind"], r["entity_id"], r["is_main"]) for r in rows}
    needed: set[_Link] = {
        (d.id, "contact", id, id == d.main_contact_id) for d in deals for id in d.contact_ids
    }
    needed |= {(d.id, "company", id, False) for d in deals for id in d.company_ids}
    gone, new = sorted(held - needed), sorted(needed - held)
    await conn.execute(
        "DELETE FROM directory_link t USING unnest($2::text[], $3::text[], $4::text[]) AS g (deal_id, kind, entity_id)"
        " WHERE t.account_id = $1 AND t.deal_id = g.deal_id AND t.kind = g.kind AND t.entity_id = g.entity_id",
        account_id,
        *([row[i] for row in gone] for i in range(3)),
    )
    await conn.execute(
        "INSERT INTO directory_link (account_id, deal_id, kind, entity_id, is_main)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) ON CONFLICT DO NOTHING",
        account_id,
        *([row[i] for row in new] for i in range(4)),
    )
    return {(kind, id) for _, kind, id, _ in held ^ needed}


def columns(refs: Iterable[EntityRef]) -> tuple[list[str], list[str]]:
    pairs = list(refs)
    return [kind for kind, _ in pairs], [id for _, id in pairs]


def _paircolumns(pairs: Iterable[_Pair]) -> tuple[list[str], list[str], list[int]]:
    rows = list(pairs)
    return [ref[0] for ref, _ in rows], [ref[1] for ref, _ in rows], [number for _, number in rows]
