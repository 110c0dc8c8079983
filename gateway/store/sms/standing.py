"""How the SMS of all accounts stand: what each provider is, and how much waits for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from runtime.database.pool import Conn

# Only what has not gone out is counted, by the partial index.
_WAITING = """
SELECT account_id, "order"->'action'->>'provider' AS provider, count(*) AS n FROM outbound_item
WHERE kind = 'sms' AND state = 'waiting' GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsStanding:
    """waiting: texts that are not written yet."""

    saved: SavedSmsConnection
    waiting: int


async def sms_standing(
    conn: Conn, account_ids: Collection[str] | None = None
) -> Mapping[str, list[SmsStanding]]:
    """By account, None = of all; those without a provider are not there."""
    waiting = {(row["account_id"], row["provider"]): row["n"] for row in await conn.fetch(_WAITING)}
    found: dict[str, list[SmsStanding]] = {}
    for saved in await sms_connections(conn):
        if account_ids is None or saved.account_id in account_ids:
            standing = SmsStanding(saved=saved, waiting=waiting.get((saved.account_id, saved.name), 0))
            found.setdefault(saved.account_id, []).append(standing)
    return found
