"""How the calls that go out stand, of all accounts at once: what waits, what is under way, and what needs a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.database.pool import Conn

# Only what has not ended is counted, by the partial indexes.
_STANDING = """
SELECT account_id, connection, state, count(*) AS n FROM outbound_item
WHERE kind <> 'sms' AND state IN ('waiting', 'dialling', 'unknown') GROUP BY account_id, connection, state
"""
_REFUSED = """
SELECT account_id, connection, code, words, stopped_at IS NOT NULL AS is_stopped FROM outbound_connection
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsOut:
    """Of one account. unknown: items of which nobody knows. refused: connection -> (why, how many wait for it), None = calls were
    refused or missed by it once, and are placed again; those of which nothing was ever heard so are not there."""

    waiting: int = 0
    dialling: int = 0
    unknown: int = 0
    refused: Mapping[str, tuple[str, int] | None] = field(default_factory=dict)


NO_CALLS = CallsOut()


async def calls_out(conn: Conn) -> dict[str, CallsOut]:
    """By account; those of which nothing goes out are not there."""
    counts: dict[str, dict[str, int]] = {}
    waiting: dict[tuple[str, str], int] = {}
    for row in await conn.fetch(_STANDING):
        of_account = counts.setdefault(row["account_id"], {})
        of_account[row["state"]] = of_account.get(row["state"], 0) + row["n"]
        if row["state"] == "waiting":
            waiting[row["account_id"], row["connection"] or ""] = row["n"]
    refused: dict[str, dict[str, tuple[str, int] | None]] = {}
    for row in await conn.fetch(_REFUSED):
        key = row["account_id"], row["connection"]
        why = row["words"] or row["code"], waiting.get(key, 0)
        refused.setdefault(key[0], {})[key[1]] = why if row["is_stopped"] else None
    return {
        id: CallsOut(**counts.get(id, {}), refused=refused.get(id, {})) for id in sorted({*counts, *refused})
    }
