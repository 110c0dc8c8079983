"""All that was decided about one call, with the PBX's question about it, whenever the call was stored."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.calls.lookups import find_lookup
from gateway.store.decisions.decisions import EffectRow, Explained, NoSuchDecision, decisions_named, explain
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


def effects_known(told: Explained, of_call: Sequence[Explained]) -> tuple[EffectRow, ...] | None:
    """Return what became of what this decision ordered, None where nothing is stored of it. The call-back task of a missed call is
    written by the call's case: what that ordered for this call belongs to it.

    of_call: all decisions about the call.
    """
    row = told.decision
    if not told.effects and not row.outcome.get("effects"):
        return ()
    cases = [one for one in of_call if _is_case_of_call(one, told)] if _leaves_its_task(told) else []
    found = (*told.effects, *(effect for one in cases for effect in one.effects))
    return found if found or cases else None


def _leaves_its_task(told: Explained) -> bool:
    own = {effect.key for effect in told.effects}
    orders = [e for e in told.decision.outcome.get("effects", ()) if e["key"] not in own]
    return any(e["order"].get("purpose") == "call_back" for e in orders)


def _is_case_of_call(one: Explained, told: Explained) -> bool:
    call_id = told.decision.call_id
    return one.decision.kind == "case" and call_id is not None and one.decision.call_id == call_id
