"""How many calls came in each stretch of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from runtime.database.pool import Conn

_COUNTS = """
SELECT floor(extract(epoch FROM started_at - $2) / $4)::int AS stretch, count(answered_at) AS answered,
    count(*) FILTER (WHERE answered_at IS NULL AND is_over) AS missed, count(*) AS calls
FROM call WHERE account_id = $1 AND started_at >= $2 AND started_at < $3 AND direction = 'inbound' GROUP BY 1
"""


class CallsOfStretch(NamedTuple):
    """Calls from outside that began in it. calls: those that still ring, too."""

    starts: datetime
    calls: int = 0
    answered: int = 0
    missed: int = 0


async def calls_by_stretch(
    conn: Conn, account_id: str, since: datetime, *, stretch: timedelta, count: int
) -> list[CallsOfStretch]:
    """Return `count` stretches from `since` on, the empty ones too."""
    rows = await conn.fetch(_COUNTS, account_id, since, since + stretch * count, stretch.total_seconds())
    by_number = {row["stretch"]: row for row in rows}
    found = []
    for number in range(count):
        row, starts = by_number.get(number), since + stretch * number
        found.append(
            CallsOfStretch(starts, row["calls"], row["answered"], row["missed"])
            if row
            else CallsOfStretch(starts)
        )
    return found
