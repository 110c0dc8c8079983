"""The PBX's question about a call is joined to it: what was answered while the phone rang belongs to the call."""

from __future__ import annotations

from dataclasses import replace

from gateway.store.decisions.asked import StoredLookup, lookups_around
from routing.calls.pbx_question import LookupOfCall, PbxQuestion, lookup_of
from routing.client_work.call import line_spelled
from routing.client_work.values import CallRow
from routing.settings import NumberPolicy
from runtime.database.pool import Conn


async def with_lookup(conn: Conn, before: CallRow | None, row: CallRow, policy: NumberPolicy) -> CallRow:
    """Return the call with the question about it. It is looked for at first sight, and when the call is over: questions are
    written down a moment after they were answered. before: as stored."""
    is_time = before is None or (row.call.is_over and row.due_at is None)
    if row.lookup is not None or row.call.direction != "inbound" or not is_time:
        return row
    found = await find_lookup(conn, row, policy)
    return replace(row, lookup=found) if found else row


async def find_lookup(conn: Conn, row: CallRow, policy: NumberPolicy) -> LookupOfCall | None:
    """policy: how the connection's numbers are read."""
    began = row.call.started_at + row.clock_offset
    stored = await lookups_around(conn, row.account_id, row.connection_id, row.client, began)
    asked = [_asked(lookup, policy) for lookup in stored]
    return lookup_of(row.call_key, row.client, row.line, began, asked)


def _asked(lookup: StoredLookup, policy: NumberPolicy) -> PbxQuestion:
    line = line_spelled(lookup.did, policy) if lookup.did else None
    return PbxQuestion(lookup.decision_id, lookup.at, lookup.reason, lookup.pbx_call_id, line)
