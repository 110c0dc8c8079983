"""One change that a webhook told, and what it means to the directory. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from crm.entity_changes import EntityChange, WhatChanged
from crm.port import Observed
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
    price: str | None = None
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


def observed(changes: Iterable[WebhookChange]) -> list[Observed]:
    """Return what each shows of its thing; a note shows nothing of the kind."""
    return [_observed(change, change.kind) for change in changes if change.kind != "note"]


def _observed(change: WebhookChange, kind: EntityKind | Literal["task"]) -> Observed:
    values, happened = _values(change), _happened(change)
    old_stage = (change.pipeline_id, change.old_stage_id)
    before = {
        "stage": "/".join(part for part in old_stage if part) if all(old_stage) else None,
        "responsible": change.old_owner_id,
        "deleted": "1" if change.what == "restored" else "0",
    }
    aspect = {"stage_changed": "stage", "owner_changed": "responsible"}.get(change.what)
    return Observed(
        kind=kind,
        id=change.id,
        at=change.updated_at or (change.created_at if change.what == "added" else None),
        values={**values, **happened},
        is_changed=frozenset([*happened, *([aspect] if aspect in values else [])]),
        before={name: value for name, value in before.items() if value is not None},
        target=(change.target_kind, change.target_id) if change.target_kind and change.target_id else None,
    )


def _values(change: WebhookChange) -> dict[str, str]:
    if change.what in ("deleted", "restored"):  # tells of its state at another time, or in part
        return {}
    told = {
        "stage": f"{change.pipeline_id}/{change.stage_id}"
        if change.pipeline_id and change.stage_id
        else None,
        "responsible": change.owner_id,
        "price": change.price,
        "name": change.name if change.kind in ("deal", "contact", "company") else None,
        "numbers": None if change.numbers is None else ", ".join(sorted(change.numbers)),
        "completed": None if change.is_completed is None else str(int(change.is_completed)),
    }
    return {name: value for name, value in told.items() if value is not None}


def _happened(change: WebhookChange) -> dict[str, str]:
    if change.what == "added":
        return {"added": "1"}
    if change.kind == "lead" and change.outcome is not None:
        return {change.outcome: "1"}
    return (
        {"deleted": "1" if change.what == "deleted" else "0"}
        if change.what in ("deleted", "restored")
        else {}
    )
