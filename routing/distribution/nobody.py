"""What becomes of it when nobody can get it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from routing.decision import Step
from routing.distribution.eligible import AWAY, SHORT, Chance
from routing.distribution.item import Standings, WorkItem
from routing.distribution.outcome import Distribution, decided
from routing.distribution.reasons import DistributionReason
from routing.distribution.roster import Roster, why_never


def nobody_can(
    chances: Sequence[Chance], roster: Roster, item: WorkItem, standings: Standings, steps: list[Step]
) -> Distribution:
    """Let it wait for working time or for somebody, or give it to who stands in, as the template says."""
    template, reasons = roster.template, frozenset[str]().union(*(c.reasons for c in chances))
    outside = bool(reasons & AWAY) and not reasons & SHORT
    if item.kind == "ring":
        return decided("nobody", "nobody_available", None, steps, "nobody")
    if outside and template.working_time.wait:
        return decided(
            "waits", "waits_for_working_time", None, steps, "nobody", _next_start(roster, standings)
        )
    if template.nobody.do == "fallback" and (found := _fallback(roster, item, steps)):
        return found
    if template.nobody.do in ("fallback", "senior") and (found := to_senior(roster, item, steps, "senior")):
        return found
    if template.nobody.do == "wait" and not outside:
        return decided("waits", "waits_for_somebody", None, steps, "nobody", _next_start(roster, standings))
    reason: DistributionReason = "nobody_available" if roster.people else "nobody_in_template"
    return decided("nobody", "outside_working_time" if outside else reason, None, steps, "nobody")


def to_senior(
    roster: Roster, item: WorkItem, steps: list[Step], reason: DistributionReason
) -> Distribution | None:
    """Give it to the senior manager, else to who stands in for them; None when there is nobody."""
    staff = roster.staff
    for user, what in staff.stand_ins(None):
        person = staff.by_crm_user.get(user)
        if person is not None and person.id not in item.excluded:
            return decided("given", reason, person.id, steps, "nobody", stands_in=what)
    steps.append(Step("nobody", "excluded", "senior_cannot" if staff.senior else "no_senior"))
    return None


def _fallback(roster: Roster, item: WorkItem, steps: list[Step]) -> Distribution | None:
    person = roster.template.nobody.employee_id
    if (
        person
        and person not in item.excluded
        and person not in item.tried
        and not why_never(person, 1, roster.staff)
    ):
        return decided("given", "fallback", person, steps, "nobody")
    steps.append(Step("nobody", "excluded", "fallback_cannot", {"employee": person}))
    return None


def _next_start(roster: Roster, standings: Standings) -> datetime | None:
    """When the first of the people comes on, None when nobody knows."""
    known = (standings[p].back_at for p in roster.people if p in standings)
    return min((at for at in known if at is not None), default=None)
