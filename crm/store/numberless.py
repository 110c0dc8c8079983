"""Phone values of the directory's entities in which no number was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from routing.client import EntityKind
from runtime.database.pool import Conn

MOST_TEXT = 256
_SAMPLES = 3


class NumberlessValue(NamedTuple):
    """value: as the CRM stores it, for logs and people only masked."""

    kind: EntityKind
    entity_id: str
    value: str


class NumberlessValues(NamedTuple):
    """total: all of the account's. samples: the latest few."""

    total: int = 0
    samples: tuple[NumberlessValue, ...] = ()


async def set_numberless(
    conn: Conn, account_id: str, values: Mapping[tuple[EntityKind, str], Sequence[str]]
) -> None:
    """Note that these are all such values that these entities have now."""
    if not values:
        return
    pairs = [(ref, storable(value)) for ref, some in values.items() for value in some]
    held = await conn.fetch(
        "SELECT t.kind, t.entity_id, t.value FROM directory_numberless t"
        " JOIN unnest($2::text[], $3::text[]) AS r (kind, entity_id) USING (kind, entity_id) WHERE t.account_id = $1",
        account_id,
        [kind for kind, _ in values],
        [id for _, id in values],
    )
    gone = {((r["kind"], r["entity_id"]), r["value"]) for r in held} - set(pairs)
    if gone:
        await conn.execute(
            "DELETE FROM directory_numberless t USING unnest($2::text[], $3::text[], $4::text[]) AS g (kind, entity_id, value)"
            " WHERE t.account_id = $1 AND t.kind = g.kind AND t.entity_id = g.entity_id AND t.value = g.value",
            account_id,
            *_columns(gone),
        )
    if pairs:
        await conn.execute(
            "INSERT INTO directory_numberless (account_id, kind, entity_id, value)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING",
            account_id,
            *_columns(pairs),
        )


async def numberless_by_account(
    conn: Conn, account_ids: Sequence[str] | None = None
) -> dict[str, NumberlessValues]:
    """Of these accounts that have any, None = of all."""
    counted = await conn.fetch(
        "SELECT account_id, count(*) AS n FROM directory_numberless"
        " WHERE $1::text[] IS NULL OR account_id = ANY($1) GROUP BY account_id",
        account_ids,
    )
    return {r["account_id"]: NumberlessValues(r["n"], await _samples(conn, r["account_id"])) for r in counted}


async def _samples(conn: Conn, account_id: str) -> tuple[NumberlessValue, ...]:
    rows = await conn.fetch(
        "SELECT kind, entity_id, value FROM directory_numberless WHERE account_id = $1"
        " ORDER BY seen_at DESC, kind, entity_id, value LIMIT $2",
        account_id,
        _SAMPLES,
    )
    return tuple(NumberlessValue(r["kind"], r["entity_id"], r["value"]) for r in rows)


def storable(value: str) -> str:
    """PostgreSQL's text holds no NUL and no half surrogates."""
    return value[:MOST_TEXT].replace("\0", "�").encode("utf-8", "replace").decode()


def _columns(
    pairs: Sequence[tuple[tuple[EntityKind, str], str]] | set[tuple[tuple[EntityKind, str], str]],
) -> tuple[list[str], list[str], list[str]]:
    rows = list(pairs)
    return [ref[0] for ref, _ in rows], [ref[1] for ref, _ in rows], [value for _, value in rows]
