"""All that was decided about one call, with the PBX's question about it, whenever the call was stored."""

from __future__ import annotations

from gateway.calls.lookups import find_lookup
from gateway.store.decisions.decisions import Explained, NoSuchDecision, decisions_named, explain
from routing.client_work.values import CallRow
from routing.settings import NumberPolicy
from runtime.database.pool import Conn


async def decisions_about(conn: Conn, row: CallRow, policy: NumberPolicy) -> list[Explained]:
    """Return them in the order in which they were taken; none where their days are over. policy: of the connection's numbers."""
    try:
        found = await explain(conn, row.account_id, row.call_id)
    except NoSuchDecision:
        found = []
    if row.call.direction != "inbound" or any(e.decision.kind == "lookup" for e in found):
        return found
    lookup = row.lookup or await find_lookup(conn, row, policy)
    if lookup is not None:
        stored = await decisions_named(conn, row.account_id, [lookup.decision_id])
        found += [Explained(decision=d, effects=(), joined_by=lookup.joined_by) for d in stored.values()]
    return sorted(found, key=lambda e: e.decision.at)
