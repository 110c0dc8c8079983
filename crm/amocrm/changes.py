"""One change that a webhook told, and what it means to the directory. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from crm.port import EntityChange, WhatChanged
from routing.client import EntityKind

What = Literal["added", "updated", "deleted", "restored", "stage_changed", "owner_changed", "noted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChange:
    """One thing that changed, with what the delivery carries of it; None = not told, and never "nothing".

    kind: our word ("lead" is an unsorted lead). id: of a lead its uid; of a note or task the entity's own is in target_*.
    numbers: every PHONE value as stored; None where the delivery has no custom fields, () where it has none with numbers.
    deal_ids: of a contact the deals linked to it; of a lead the deal inside it, or the deals that accepting it left.
    outcome: of a deleted lead whether it was accepted or declined.
    """

    kind: EntityKind | Literal["task", "note"]
    what: What
    id: str
    name: str | None = None
    owner_id: str | None = None
    old_owner_id: str | None = None
    numbers: tuple[str, ...] | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    old_stage_id: str | None = None
    is_open: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    by_user: str | None = None
    deal_ids: tuple[str, ...] | None = None
    contact_ids: tuple[str, ...] | None = None
    company_id: str | None = None
    outcome: Literal["accepted", "declined"] | None = None
    target_kind: EntityKind | None = None
    target_id: str | None = None
    text: str | None = None
    is_completed: bool | None = None


_WHAT: Mapping[What, WhatChanged] = {
    "added": "added",
    "updated": "updated",
    "deleted": "deleted",
    "restored": "restored",
    "stage_changed": "stage",
    "owner_changed": "owner",
}


def entity_changes(changes: Iterable[WebhookChange]) -> list[EntityChange]:
    """Those that concern entities, in their order; notes and tasks are nothing to the directory."""
    return [_change(c, _WHAT[c.what]) for c in changes if c.kind not in ("task", "note") and c.what in _WHAT]


def _change(change: WebhookChange, what: WhatChanged) -> EntityChange:
    return EntityChange(
        kind=cast(EntityKind, change.kind),
        id=change.id,
        what=what,
        at=change.updated_at,
        created_at=change.created_at,
        name=change.name,
        owner_id=change.owner_id,
        numbers=change.numbers,
        pipeline_id=change.pipeline_id,
        stage_id=change.stage_id,
        is_open=change.is_open,
        contact_ids=change.contact_ids,
        deal_ids=change.deal_ids,
    )
