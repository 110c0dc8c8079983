"""What comes back to who returns: only what was taken from them and nobody has touched since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from routing.shift_change.policy import ShiftPolicy

KeepsReason = Literal[
    "returns_off",
    "not_theirs",
    "not_created_theirs",
    "given_on",
    "changed",
    "closed",
    "other_pipeline",
    "excluded_deal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenDeal:
    """A deal that we gave to somebody, after the last of our moves. taken_from: CRM user who had it before the first of these
    moves. created_for: who was responsible when it was made. given_to: by the last move. owner, is_open, pipeline_id: as it is
    now. was_changed: somebody else than us gave it to anybody after the last move."""

    id: str
    taken_from: str
    created_for: str | None
    given_to: str
    owner: str | None
    is_open: bool
    pipeline_id: str | None
    was_changed: bool = False


def why_kept(policy: ShiftPolicy, deal: TakenDeal, returner: str) -> KeepsReason | None:
    """Why the deal does not come back to this CRM user, None = it does."""
    if policy.returns == "off":
        return "returns_off"
    if deal.taken_from != returner:
        return "not_theirs"
    if policy.returns == "created" and deal.created_for != returner:
        return "not_created_theirs"
    if deal.owner != deal.given_to:
        return "given_on"
    if deal.was_changed:
        return "changed"
    if not deal.is_open:
        return "closed"
    if deal.pipeline_id not in policy.pipelines:
        return "other_pipeline"
    return "excluded_deal" if deal.id in policy.excluded_deals else None
