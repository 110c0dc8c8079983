"""What a PBX would be told of a caller now, in the form of a stored decision; asked of the database instead of the memory
that answers PBXs."""

from __future__ import annotations

from datetime import UTC, datetime

from crm.store.entries import candidates_of
from gateway.lookup.recorder import outcome_of
from gateway.store.admin.accounts import Account
from gateway.store.decisions.decisions import DecisionRow, Explained
from routing.lookup.available import ANYBODY, Reachability
from routing.lookup.decide import decide
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Staff
from runtime.database.pool import Conn

ID = "asked-now"


async def asked_now(
    conn: Conn,
    account: Account,
    policy: NumberPolicy,
    staff: Staff,
    phone: str,
    at: datetime,
    available: Reachability = ANYBODY,
) -> Explained:
    """phone: in any spelling. at: when the call is said to ring. available: who can be rung. It is not recorded."""
    number = normalise(phone, policy)
    e164 = number.e164 if isinstance(number, PublicNumber) else None
    candidates = await candidates_of(conn, account.id, e164) if e164 else []
    stated = [list(candidate) for candidate in candidates]
    decision = decide(number, candidates, staff, account.settings.lookup, available)
    row = DecisionRow(
        account_id=account.id,
        decision_id=ID,
        kind="lookup",
        at=at.astimezone(UTC),
        call_id=None,
        client=e164,
        reason=decision.reason,
        outcome=outcome_of(decision),
        steps=[step.as_json() for step in decision.steps],
        inputs={"phone": phone, "candidates": stated, "staff_version": staff.version},
    )
    return Explained(decision=row, effects=(), joined_by="id")
