"""What we need of any CRM, in our own words. `crm/amocrm/adapter.py` is the one implementation; a fake for tests stands
in `tests/fakes/crm.py`; one contract suite runs against both.

Every call names the lane that pays for it. Ids are text. Times are aware UTC. Errors are those of `crm/errors.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar

from crm.lane import Lane
from crm.unread import UnreadNotes
from routing.client import EntityKind
from routing.effects import (
    AddNote,
    AttachCall,
    ChangeNote,
    ChangeTask,
    CreateContact,
    CreateDeal,
    CreateLead,
    CreateTask,
    ShowCard,
    UpdateEntity,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmAccount:
    id: str
    name: str
    time_zone: str | None
    is_unsorted_on: bool
    are_filters_on: bool
    task_types: Mapping[str, str] = field(default_factory=dict)  # id -> code or name


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmUser:
    id: str
    name: str
    email: str
    is_active: bool
    is_admin: bool = False
    group_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """colour: as the CRM says it ("#99ccff"), "" = it says none."""

    id: str
    name: str
    sort: int
    is_closed: bool
    is_unsorted: bool
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    id: str
    name: str
    is_main: bool
    is_archived: bool
    is_unsorted_on: bool
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmField:
    id: str
    code: str | None
    name: str
    type: str
    choices: Mapping[str, str] = field(default_factory=dict)  # enum id -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmEntity:
    """A contact, company, deal or (as "lead") an incoming lead of Unsorted.

    id: for a lead its uid. numbers: as the CRM stores them, any spelling. owner_id: of a lead the embedded deal's
    responsible where it could be read, else the user named in its metadata, else None. is_open: deals only.
    deal_id: of a lead, the deal embedded in it (which is hidden until acceptance). fields: JSON of custom field id -> text
    of all that are filled in, but numbers. tags, fields: None = not told. unread: what the CRM told unreadably: what was known still holds.
    """

    kind: EntityKind
    id: str
    name: str = ""
    numbers: tuple[str, ...] = ()
    owner_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    is_open: bool = True
    is_deleted: bool = False
    contact_ids: tuple[str, ...] = ()
    company_ids: tuple[str, ...] = ()
    deal_ids: tuple[str, ...] = ()
    deal_id: str | None = None
    source_uid: str | None = None
    main_contact_id: str | None = None
    created_by: str | None = None
    price: int | None = None
    tags: tuple[str, ...] | None = None
    fields: str | None = None
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmNote:
    id: str
    target_kind: EntityKind
    target_id: str
    uniq: str | None
    text: str | None
    created_at: datetime | None
    is_whole: bool = True  # nothing that it is recognised by was unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmTask:
    id: str
    target_kind: EntityKind | None
    target_id: str | None
    owner_id: str | None
    text: str
    due_at: datetime
    is_completed: bool
    created_at: datetime | None
    updated_at: datetime | None = None
    is_whole: bool = True  # as of a note


CrmEventKind = Literal[
    "added",
    "deleted",
    "restored",
    "merged",
    "linked",
    "unlinked",
    "stage_changed",
    "owner_changed",
    "changed",
    "task_completed",
    "message",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmEvent:
    """One row of the CRM's feed of events. other: the entity linked to or unlinked from, (kind, id).

    aspect: what changed (see Observed.values), where the kind does not say it. before, after: values, None when not told
    or not read.
    """

    id: str
    kind: CrmEventKind
    at: datetime
    entity_kind: EntityKind | Literal["task", "other"]
    entity_id: str
    by_user: str | None
    other: tuple[EntityKind, str] | None = None
    aspect: str | None = None
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a webhook or a poll shows of one thing. at: the CRM's time of that state, None when it does not say.

    values, by aspect: stage (pipeline/stage), responsible, price, name, numbers, fields (JSON of custom field id -> text),
    completed (of a task, 1 or 0), and what happened: added, deleted (0 = restored), accepted, declined; what is not told is absent. is_changed: aspects that the
    CRM says have just changed. before: what they were. target: of a task what it is about.
    """

    kind: EntityKind | Literal["task"]
    id: str
    at: datetime | None
    values: Mapping[str, str]
    is_changed: frozenset[str] = frozenset()
    before: Mapping[str, str] = field(default_factory=dict)
    target: tuple[EntityKind, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """has_next: there may be more. lost: ids of rows that are there and cannot be read; partial: of those read in part."""

    items: tuple[T, ...]
    has_next: bool
    lost: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmWebhook:
    """lacks: names of changes that we need and that it is not registered for."""

    destination: str
    is_disabled: bool = False
    lacks: frozenset[str] = frozenset()


LEFT_OUT = "left_out"
NAME_LENGTH = 255
"""Characters of a contact's or deal's name that a CRM keeps; more are not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """key: of the effect; id: of what exists in the CRM now. extra: ids created along with it, e.g. {"contact": "17"}, and
    under LEFT_OUT what it was written without, `field: code; field: code`."""

    key: str
    id: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The CRM will not have this item; its neighbours were written. field: path of the value. is_owner: it is the user.
    is_entity: it is the card that the item goes to."""

    key: str
    code: str
    field: str
    detail: str
    is_owner: bool = False
    is_entity: bool = False


ItemOutcome = Written | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed(Generic[T]):
    """An order with the key of its effect and every id that it needs filled in (refs carry `id`, never `effect`)."""

    key: str
    order: T


@dataclass(frozen=True, slots=True, kw_only=True)
class DealWithContact:
    """A deal and, in the same request, its new contact."""

    deal: Keyed[CreateDeal]
    contact: Keyed[CreateContact]


class Crm(Protocol):
    """One account of a CRM. Writes take at most their limit of items (limits below) and answer for every one of them.

    A batch is all-or-nothing on validation: the adapter sends the good rest again by itself and returns `Refused` for
    the bad ones. `CrmError.is_outcome_unknown` says that the whole batch has to be looked for before it is sent again.
    A row or value of an answer that cannot be read costs itself only: it is left out and told to `unread`.
    """

    @property
    def unread(self) -> UnreadNotes: ...

    async def account(self, lane: Lane) -> CrmAccount: ...
    async def users(self, lane: Lane) -> list[CrmUser]: ...
    async def pipelines(self, lane: Lane) -> list[Pipeline]: ...
    async def fields(self, kind: EntityKind, lane: Lane) -> list[CrmField]: ...

    async def page(
        self, kind: EntityKind, lane: Lane, *, page: int = 1, newest: Literal["updated", "id"] | None = None
    ) -> Page[CrmEntity]:
        """One page of up to 250. newest: order, latest first; None = by id, oldest first (stable while loading).

        A lead has the owner that the list names, which is the deal's only where that deal was seen already.
        """
        ...

    async def pages(self, kind: EntityKind, lane: Lane, *, page: int, count: int) -> list[Page[CrmEntity]]:
        """Consecutive pages by id, asked for at the same time. Ends with the last one there is, or before the first that
        failed; raises CrmError where that is the very first."""
        ...

    async def by_ids(self, kind: EntityKind, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        """Those of `ids` that exist and are not deleted, links included; works with ignored filters as well."""
        ...

    async def deals_in_leads(self, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        """Those of these deals that exist. They stand inside leads of Unsorted, so lists may leave them out."""
        ...

    async def find_by_number(
        self, kind: Literal["contact", "company"], number: str, lane: Lane
    ) -> list[CrmEntity]:
        """Every entity whose PHONE values contain `number` (E.164), verified locally: the CRM's search is loose."""
        ...

    async def events(
        self,
        since: datetime,
        lane: Lane,
        *,
        kinds: Collection[CrmEventKind],
        until: datetime | None = None,
        page: int = 1,
    ) -> Page[CrmEvent]:
        """Events of these kinds, newest first, up to 100 a page. since, until: whole seconds, both included."""
        ...

    async def notes(self, target_kind: EntityKind, target_ids: Sequence[str], lane: Lane) -> list[CrmNote]:
        """Call notes and plain notes of these entities, newest first, as far as needed to see the latest 250."""
        ...

    async def tasks(
        self, target_kind: EntityKind | None, target_ids: Sequence[str], lane: Lane
    ) -> list[CrmTask]:
        """Tasks of these entities, newest first; with target_kind None the newest 250 tasks of the account."""
        ...

    async def create_contacts(
        self, items: Sequence[Keyed[CreateContact]], lane: Lane
    ) -> list[ItemOutcome]: ...
    async def create_deals(self, items: Sequence[Keyed[CreateDeal]], lane: Lane) -> list[ItemOutcome]: ...

    async def create_deals_with_contacts(
        self, items: Sequence[DealWithContact], lane: Lane
    ) -> list[ItemOutcome]:
        """At most 50. One outcome per deal (its `extra["contact"]` is the contact's id) under the deal's key."""
        ...

    async def create_leads(self, items: Sequence[Keyed[CreateLead]], lane: Lane) -> list[ItemOutcome]: ...
    async def attach_calls(self, items: Sequence[Keyed[AttachCall]], lane: Lane) -> list[ItemOutcome]:
        """As call notes on their targets (all of the same kind)."""
        ...

    async def attach_calls_by_number(
        self, items: Sequence[Keyed[AttachCall]], lane: Lane
    ) -> list[ItemOutcome]:
        """Through the CRM's own matching by number, which takes original times. Not found = `Refused("not-found")`."""
        ...

    async def add_notes(self, items: Sequence[Keyed[AddNote]], lane: Lane) -> list[ItemOutcome]: ...
    async def change_notes(
        self, items: Sequence[tuple[str, Keyed[ChangeNote]]], lane: Lane
    ) -> list[ItemOutcome]:
        """Items are (the note's id in the CRM, order), all on the same kind of entity."""
        ...

    async def create_tasks(self, items: Sequence[Keyed[CreateTask]], lane: Lane) -> list[ItemOutcome]: ...

    async def change_tasks(
        self, items: Sequence[tuple[str, Keyed[ChangeTask]]], lane: Lane
    ) -> list[ItemOutcome]:
        """Items are (the task's id in the CRM, order)."""
        ...

    async def update_entities(self, items: Sequence[Keyed[UpdateEntity]], lane: Lane) -> list[ItemOutcome]:
        """All of the same kind. Sends changed keys only."""
        ...

    async def show_card(self, order: ShowCard, lane: Lane) -> None: ...

    async def webhooks(self, lane: Lane) -> list[CrmWebhook]:
        """Every webhook of the account."""
        ...

    async def register_webhook(self, destination: str, lane: Lane) -> None:
        """Everything that the directory and the triggers need. Registering the same destination again is harmless."""
        ...

    def url_of(self, kind: EntityKind, id: str) -> str:
        """Return the page of this entity for a person."""
        ...
