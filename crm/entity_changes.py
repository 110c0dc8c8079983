"""What a webhook of a CRM tells of one entity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.client import EntityKind

WhatChanged = Literal["added", "updated", "deleted", "restored", "stage", "owner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChange:
    """One entity's change. Everything but kind, id and what may be None = not carried.

    numbers: all numbers that the entity has now, any spelling. at: the entity's updated_at after the change.
    is_open: of a deal; where it is not carried but the stage is, the stage decides. deal_ids: of a lead the deal inside
    it, of a lead that is gone what accepting it left.
    """

    kind: EntityKind
    id: str
    what: WhatChanged
    at: datetime | None = None
    created_at: datetime | None = None
    name: str | None = None
    owner_id: str | None = None
    numbers: tuple[str, ...] | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    is_open: bool | None = None
    contact_ids: tuple[str, ...] | None = None
    deal_ids: tuple[str, ...] | None = None
