"""Which open deals of a person pass on, and in what order: those first that somebody waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from routing.shift_change.policy import ExcludedField, ShiftPolicy

DUE_SOON = timedelta(hours=1)

StaysReason = Literal[
    "excluded_deal",
    "excluded_tag",
    "excluded_field",
    "for_one_person",
    "other_pipeline",
    "closed",
    "not_theirs",
    "old",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedDeal:
    """A deal as it is known now. owner: CRM user. waiting_since: the client wrote and nobody answered. task_due_at: of the
    earliest open task of its owner. tags, fields (id -> text): only where they were asked for.
    is_reserved: its client is for its owner only."""

    id: str
    owner: str | None
    pipeline_id: str | None
    is_open: bool = True
    created_at: datetime | None = None
    waiting_since: datetime | None = None
    task_due_at: datetime | None = None
    tags: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    is_reserved: bool = False


def why_stays(
    policy: ShiftPolicy, deal: OwnedDeal, owner: str, since: datetime | None = None
) -> StaysReason | None:
    """Why this deal of the CRM user does not pass on, None = it does. since: only those that were made from then on."""
    if deal.owner != owner:
        return "not_theirs"
    if not deal.is_open:
        return "closed"
    if deal.pipeline_id not in policy.pipelines:
        return "other_pipeline"
    if deal.is_reserved:
        return "for_one_person"
    if deal.id in policy.excluded_deals:
        return "excluded_deal"
    if not deal.tags.isdisjoint(policy.excluded_tags):
        return "excluded_tag"
    if any(_has(deal, one) for one in policy.excluded_fields):
        return "excluded_field"
    if since is not None and (deal.created_at is None or deal.created_at < since):
        return "old"
    return None


def _has(deal: OwnedDeal, excluded: ExcludedField) -> bool:
    found = deal.fields.get(excluded.field_id, "")
    return bool(found) if excluded.value is None else found == excluded.value


def in_order(deals: Iterable[OwnedDeal], now: datetime) -> list[OwnedDeal]:
    """Put waiting dialogues first, the longest wait before the others; then tasks due soon or overdue, by their time; then the
    newest deals, whose clients are the likeliest to be heard of next."""
    return sorted(deals, key=lambda deal: _urgency(deal, now))


def _urgency(deal: OwnedDeal, now: datetime) -> tuple[int, float, int, str]:
    number = (len(deal.id), deal.id)
    if deal.waiting_since is not None:
        return (0, deal.waiting_since.timestamp(), *number)
    if deal.task_due_at is not None and deal.task_due_at <= now + DUE_SOON:
        return (1, deal.task_due_at.timestamp(), *number)
    return (2, -deal.created_at.timestamp() if deal.created_at else 0.0, *number)
