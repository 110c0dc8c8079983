"""Who came without a valid secret: counts by hour, written by the gateways and read by whoever tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.database.pool import Conn
from runtime.doors.tally import Stranger


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangersSeen:
    """addresses: those that came most often, the most frequent first."""

    what: str
    connection: str
    count: int
    last_at: datetime
    addresses: Sequence[str]


async def add_strangers(conn: Conn, counts: Mapping[Stranger, int]) -> None:
    await conn.execute(
        "INSERT INTO stranger (hour, what, connection, address, count, last_at)"
        " SELECT date_trunc('hour', now()), what, connection, address, count, now()"
        " FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS t (what, connection, address, count)"
        " ORDER BY what, connection, address"
        " ON CONFLICT (hour, what, connection, address)"
        " DO UPDATE SET count = stranger.count + excluded.count, last_at = now()",
        [s.what for s in counts],
        [s.connection for s in counts],
        [s.address for s in counts],
        list(counts.values()),
    )


async def strangers_since(conn: Conn, age: timedelta, *, addresses: int = 3) -> list[StrangersSeen]:
    """Return what was seen within this time, the most frequent first."""
    rows = await conn.fetch(
        "WITH seen AS (SELECT what, connection, address, sum(count)::bigint AS count, max(last_at) AS last_at"
        " FROM stranger WHERE hour > now() - $1::interval GROUP BY 1, 2, 3)"
        " SELECT what, connection, sum(count)::bigint AS count, max(last_at) AS last_at,"
        " (array_agg(address ORDER BY count DESC, address))[:$2] AS addresses"
        " FROM seen GROUP BY 1, 2 ORDER BY count DESC, what, connection",
        age,
        addresses,
    )
    return [
        StrangersSeen(
            what=r["what"],
            connection=r["connection"],
            count=r["count"],
            last_at=r["last_at"],
            addresses=tuple(r["addresses"]),
        )
        for r in rows
    ]


async def forget_old_strangers(conn: Conn, age: timedelta, *, limit: int) -> int:
    """How many rows were removed, a batch at most."""
    done: str = await conn.execute(
        "DELETE FROM stranger WHERE (hour, what, connection, address) IN"
        " (SELECT hour, what, connection, address FROM stranger WHERE hour < now() - $1::interval LIMIT $2)",
        age,
        limit,
    )
    return int(done.split()[-1])
