"""Numbers that are neither called nor written to: everything, or one campaign."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from gateway.store.outbound.items import drop_waiting_for_all
from runtime.database.pool import Conn

DoNotCallSource = Literal["admin", "client", "provider"]

EVERYTHING = ""
"""As the campaign: the number is on the list for whatever would go out."""

_LIST = """
SELECT number, campaign, source, said_by, note, since FROM do_not_call WHERE account_id = $1
  AND ($2::text IS NULL OR ($3 <> '' AND strpos(number, $3) > 0) OR strpos(lower(note), lower($2)) > 0)
  AND ($4::text IS NULL OR campaign = $4) AND ($5::text IS NULL OR source = $5)
  AND ($6::timestamptz IS NULL OR (since, number, campaign) < ($6, $7, $8))
ORDER BY since DESC, number DESC, campaign DESC LIMIT $9
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotCallRow:
    """number: E.164. campaign: '' = everything. source: who asked for it: the client, the provider told, or one of ours did.
    said_by: the person, or where the client said it."""

    number: str
    campaign: str
    source: DoNotCallSource
    said_by: str
    note: str
    since: datetime


class PutOnList(NamedTuple):
    """new: numbers that were not on it. dropped: how many items waited for them."""

    new: frozenset[str]
    dropped: int


async def is_listed(conn: Conn, account_id: str, number: str, campaign: str = EVERYTHING) -> bool:
    """Whether nothing may go out to it. campaign: of what would go out, '' = of none."""
    return bool(await listed(conn, account_id, [number], campaign))


async def listed(
    conn: Conn, account_id: str, numbers: Collection[str], campaign: str = EVERYTHING
) -> frozenset[str]:
    """Return those of these to which nothing may go out; as `is_listed`."""
    rows = await conn.fetch(
        "SELECT DISTINCT number FROM do_not_call WHERE account_id = $1 AND number = ANY($2) AND campaign IN ('', $3)",
        account_id,
        list(numbers),
        campaign,
    )
    return frozenset(row["number"] for row in rows)


async def add(
    conn: Conn,
    account_id: str,
    number: str,
    *,
    source: DoNotCallSource,
    said_by: str,
    campaign: str = EVERYTHING,
    note: str = "",
) -> bool:
    """Put it on the list and drop what waits for it, in the caller's transaction. Whether it is new there."""
    put = await add_all(conn, account_id, {number: note}, source=source, said_by=said_by, campaign=campaign)
    return bool(put.new)


async def add_all(
    conn: Conn,
    account_id: str,
    notes: Mapping[str, str],
    *,
    source: DoNotCallSource,
    said_by: str,
    campaign: str = EVERYTHING,
) -> PutOnList:
    """As `add`, of many. notes: by number. One that is there stays as it was first said."""
    rows = await conn.fetch(
        "INSERT INTO do_not_call (account_id, number, campaign, source, said_by, note)"
        " SELECT $1, number, $2, $3, $4, note FROM unnest($5::text[], $6::text[]) AS given (number, note)"
        " ORDER BY number ON CONFLICT DO NOTHING RETURNING number",
        account_id,
        campaign,
        source,
        said_by,
        list(notes),
        list(notes.values()),
    )
    dropped = await drop_waiting_for_all(conn, account_id, list(notes), campaign=campaign)
    return PutOnList(frozenset(row["number"] for row in rows), dropped)


async def remove(conn: Conn, account_id: str, number: str, campaign: str = EVERYTHING) -> bool:
    """Take this one entry away. Whether there was one."""
    done: str = await conn.execute(
        "DELETE FROM do_not_call WHERE account_id = $1 AND number = $2 AND campaign = $3",
        account_id,
        number,
        campaign,
    )
    return done != "DELETE 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotCallFilter:
    """None: whatever it is. text: a part of the note, digits: or of the number, '' = of none. campaign: '' = those for
    everything. after: (since, number, campaign) of the last one of the page before."""

    text: str | None = None
    digits: str = ""
    campaign: str | None = None
    source: DoNotCallSource | None = None
    after: tuple[datetime, str, str] | None = None


async def entries(conn: Conn, account_id: str, wanted: DoNotCallFilter, *, limit: int) -> list[DoNotCallRow]:
    """Newest first."""
    rows = await conn.fetch(
        _LIST,
        account_id,
        wanted.text,
        wanted.digits,
        wanted.campaign,
        wanted.source,
        *(wanted.after or (None, None, None)),
        limit,
    )
    return [DoNotCallRow(**row) for row in rows]
