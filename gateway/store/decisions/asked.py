"""Lookups of a client around a moment: among them is the one about a call."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from routing.calls.pbx_question import SAME_ID
from runtime.database.pool import Conn

_MOST = 50


class StoredLookup(NamedTuple):
    """did: our number as the PBX spelled it."""

    decision_id: str
    at: datetime
    reason: str
    pbx_call_id: str | None
    did: str | None


async def lookups_around(
    conn: Conn, account_id: str, connection_id: str, client: str | None, at: datetime
) -> list[StoredLookup]:
    """Return what this PBX asked of this client (None: of callers without a number) in the minutes around, the latest first."""
    whose = "client IS NULL AND $2::text IS NULL" if client is None else "client = $2"
    rows = await conn.fetch(
        "SELECT decision_id, at, reason, inputs->>'pbx_call_id', inputs->>'did' FROM decision"  # noqa: S608 - of ours
        f" WHERE account_id = $1 AND {whose} AND kind = 'lookup' AND at BETWEEN $3 AND $4 AND inputs->>'connection' = "
        "(SELECT name FROM connection WHERE account_id = $1 AND connection_id = $5) ORDER BY at DESC, seq DESC LIMIT $6",
        account_id,
        client,
        at - SAME_ID,
        at + SAME_ID,
        connection_id,
        _MOST,
    )
    return [StoredLookup(*row) for row in rows]
