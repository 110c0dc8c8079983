"""What a distribution comes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from routing.decision import Fact, Step, Trace
from routing.distribution.ledger import LedgerEntry, TurnLedger
from routing.distribution.reasons import DistributionReason

DistributionOutcome = Literal["given", "kept", "waits", "nobody"]
_UNMOVED: Mapping[str, TurnLedger] = {}


class Distribution(NamedTuple):
    """given: to employee_id; by turn where there are entries, else as fallback. kept: it is employee_id's already, no turn is
    spent. waits: until something changes, at the latest looked at again at waits_until. nobody: it stays as it is.

    steps: one for each person considered, the last is the decision. entries: to be booked, the upper ledger's first. ledgers: by
    scope, those that the entries move, after them.
    """

    outcome: DistributionOutcome
    reason: DistributionReason
    employee_id: str | None = None
    steps: Trace = ()
    entries: tuple[LedgerEntry, ...] = ()
    ledgers: Mapping[str, TurnLedger] = _UNMOVED
    waits_until: datetime | None = None


def decided(
    outcome: DistributionOutcome,
    reason: DistributionReason,
    employee_id: str | None,
    steps: list[Step],
    rule: str,
    /,
    waits_until: datetime | None = None,
    **facts: Fact,
) -> Distribution:
    """Close the walk without a turn."""
    said: dict[str, Fact] = {"employee": employee_id} if employee_id else {}
    if waits_until is not None:
        said["until"] = waits_until.isoformat()
    steps.append(Step(rule, "decided", reason, {**said, **facts}))
    return Distribution(outcome, reason, employee_id, tuple(steps), waits_until=waits_until)
