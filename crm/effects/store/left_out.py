"""SQL of what was written without a value that the CRM would not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from runtime.database.pool import Conn

_LEFT_OUT = """
SELECT account_id, crm_extra->>'left_out' AS told, count(*) AS n FROM effect
WHERE crm_extra ? 'left_out' AND done_at > now() - interval '7 days'
  AND ($1::text[] IS NULL OR account_id = ANY($1))
GROUP BY 1, 2
"""


async def left_out_by_account(conn: Conn, account_ids: Sequence[str] | None) -> dict[str, dict[str, int]]:
    """By account: `field: code` -> how often in the last week."""
    found: dict[str, Counter[str]] = {}
    for row in await conn.fetch(_LEFT_OUT, account_ids):
        counts = found.setdefault(row["account_id"], Counter())
        for told in row["told"].split("; "):
            counts[told] += row["n"]
    return {account: dict(counts) for account, counts in found.items()}
