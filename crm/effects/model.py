"""Effects as the writer sees them, and what it needs of the table that keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from crm.lane import Lane
from crm.port import CrmEntity
from routing.client import EntityKind
from routing.effects import Order

EffectState = Literal["waiting", "sending", "unknown", "done", "dead", "skipped", "held", "expired"]

ENTITY_GONE = "entity-gone"
"""Code of what the CRM refused because the entity that it was for is no longer there."""

NOTE_GONE = "note-gone"
"""Code of a change of a note that somebody has deleted: there is nothing left to change."""

OPEN: frozenset[EffectState] = frozenset({"waiting", "sending", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An effect that could be sent now, with just what packing needs.

    target: kind of the entity it goes to, None when it has none. contact: key of the waiting effect that creates the
    contact of this deal, None when the deal needs no other effect. number: of calls and contacts.
    """

    key: str
    seq: int
    lane: Lane
    what: str
    client: str
    target: EntityKind | None = None
    contact: str | None = None
    number: str | None = None
    unknown_attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEffect:
    """An effect in full. order: refs carry ids wherever the effect they name is done. attempt: fences late outcomes."""

    key: str
    seq: int
    lane: Lane
    client: str
    order: Order
    attempt: int
    unknown_attempts: int
    created_at: datetime
    sent_at: datetime | None
    changed_id: str | None = None
    """The id in the CRM of the task or note that it changes, said by the order or left by the effect that made it."""
    contact_found: bool = False
    """Of a CreateDeal: its contact was there already when an effect of ours was to create it."""
    in_lead: bool = False
    """Its target is the deal inside a lead of Unsorted, which the CRM may refuse to touch until somebody accepts it."""
    refused_owners: tuple[str, ...] = ()
    """Users whom the CRM would not have; the order names whoever is next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOutcome:
    """What became of one send or look. is_unknown: it ended without a trustworthy answer."""

    key: str
    attempt: int
    state: EffectState
    crm_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    was_found: bool = False
    code: str | None = None
    field: str | None = None
    detail: str | None = None
    next_try_at: datetime | None = None
    is_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntities:
    """A client who is in the directory. contact: (kind, id) of the contact or company; deals: its open deals, newest
    first, as (id, when created). is_alone: no other contact or company has this number."""

    contact: tuple[EntityKind, str]
    deals: tuple[tuple[str, datetime | None], ...] = ()
    is_alone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNow:
    """Whose it is as far as the CRM has told; is_open: of a deal that it is, of a task that it is still to be done."""

    owner_id: str | None
    is_open: bool = True


class EffectStore(Protocol):
    """The effects of one account. Every method is one transaction, committed when it returns."""

    async def ready(self, now: datetime, lanes: Collection[Lane], limit: int) -> list[Ready]:
        """By lane, oldest first. What an effect of a faster lane needs is moved to that lane (out of `held` too)."""
        ...

    async def take(self, keys: Sequence[str], now: datetime) -> list[StoredEffect]:
        """Mark as `sending` those that are still waiting, and give them back in the order of `keys`."""
        ...

    async def record(
        self,
        outcomes: Sequence[EffectOutcome],
        entities: Sequence[CrmEntity],
        now: datetime,
        gone: Collection[tuple[EntityKind, str]] = (),
    ) -> None:
        """Outcomes and what they created, together. Outcomes of an attempt that was superseded are ignored.

        gone: entities that are no longer in the CRM; the calls of effects that died of it (ENTITY_GONE) are decided anew.
        Effects that need one which is now dead, skipped or expired share its fate.
        """
        ...

    async def recover_in_flight(self, look_at: datetime) -> int:
        """Mark what a predecessor was sending as unknown, to be looked for from then on."""
        ...

    async def unverified(self, now: datetime, limit: int) -> list[StoredEffect]:
        """Unknown effects that are due to be looked for, of the most urgent lane, oldest first, all of one kind of order.

        Not those that need one which is unknown itself: they are recognised by its id.
        """
        ...

    async def known(self, numbers: Collection[str]) -> dict[str, KnownEntities]:
        """Return what the directory knows of these numbers (E.164)."""
        ...

    async def owned_now(self, effects: Sequence[StoredEffect]) -> dict[str, OwnedNow]:
        """Return, by effect, what is known of the card or task that it changes."""
        ...

    async def claimed(self, ids: Collection[str]) -> set[str]:
        """Those CRM ids that done effects of ours stand for."""
        ...

    async def break_account(self, reason: str) -> None:
        """Remember why the authorisation is broken, and hold everything that waits."""
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """When something that is not due yet will be; None when nothing is planned."""
        ...
