"""A CRM in memory behind `crm.port.Crm`, for the writer, the directory and the sync.

It keeps the port's promises (bad items are refused one by one, a batch has a limit) and fails loudly on a request that
our own code must never send: a batch too large, mixed kinds, a reference without an id, or a method outside `only`.

    crm = FakeCrm()
    crm.seed(CrmEntity(kind="contact", id="1", numbers=("+79001234567",), owner_id="11"))
    crm.fail("create_contacts", CrmOutcomeUnknown("lost"), has_effect=True)     # the next such request
    crm.refuse("call-7:contact", "NotSupportedChoice", "responsible_user_id")   # this item, until allowed again
    crm.requests                                                               # everything that was asked, in order
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from crm.errors import CrmError
from crm.lane import Lane
from crm.port import (
    CrmAccount,
    CrmEntity,
    CrmEvent,
    CrmEventKind,
    CrmField,
    CrmNote,
    CrmTask,
    CrmUser,
    CrmWebhook,
    DealWithContact,
    ItemOutcome,
    Keyed,
    Page,
    Pipeline,
    Refused,
    Stage,
    Written,
)
from crm.portions import BATCH_LIMIT, COMPLEX_LIMIT
from crm.unread import UnreadNotes
from routing.client import EntityKind, Ref
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

CLOSED_STAGES = frozenset({"142", "143"})
PAGE_SIZE = 250
EVENTS_PAGE = 100


class UnexpectedRequest(AssertionError):
    """Our code asked the CRM for something it must never ask for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the fake saw it. keys: of the items of a write, or the ids or the page of a read."""

    method: str
    lane: Lane
    keys: tuple[str, ...]


@dataclass
class _Fault:
    error: CrmError | None
    has_effect: bool
    gate: asyncio.Event | None = None


def default_pipelines() -> list[Pipeline]:
    stages = (
        Stage(id="9", name="Unsorted", sort=10, is_closed=False, is_unsorted=True),
        Stage(id="10", name="First", sort=20, is_closed=False, is_unsorted=False),
        Stage(id="20", name="Second", sort=30, is_closed=False, is_unsorted=False),
        Stage(id="142", name="Won", sort=10000, is_closed=True, is_unsorted=False),
        Stage(id="143", name="Lost", sort=11000, is_closed=True, is_unsorted=False),
    )
    return [
        Pipeline(id="1", name="Sales", is_main=True, is_archived=False, is_unsorted_on=True, stages=stages)
    ]


class FakeCrm:
    """users: those that may own things; empty = any. only: methods that may be called at all, None = every one.

    clock: aware UTC; without one, every write is one second later than the one before.
    """

    def __init__(
        self,
        *,
        users: Iterable[CrmUser] = (),
        only: Iterable[str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.user_list = list(users)
        self.pipeline_list = default_pipelines()
        self.field_lists: dict[EntityKind, list[CrmField]] = {}
        self.account_value = CrmAccount(
            id="1", name="Fake", time_zone="Europe/Moscow", is_unsorted_on=True, are_filters_on=False
        )
        self.unread = UnreadNotes()
        self.requests: list[Asked] = []
        self.cards: list[ShowCard] = []
        self.hooks: dict[str, CrmWebhook] = {}
        self.feed: list[CrmEvent] = []
        self.tags: dict[tuple[EntityKind, str], set[str]] = defaultdict(set)
        self.fields_of: dict[tuple[EntityKind, str], dict[str, str]] = defaultdict(dict)
        self.calls: dict[str, AttachCall] = {}
        """Call notes by note id, as ordered."""
        self._entities: dict[tuple[EntityKind, str], CrmEntity] = {}
        self._notes: dict[str, CrmNote] = {}
        self._tasks: dict[str, CrmTask] = {}
        self._faults: dict[str, deque[_Fault]] = defaultdict(deque)
        self._refusals: dict[str, tuple[str, str, str]] = {}
        self._only = frozenset(only) if only is not None else None
        self._clock = clock
        self._ticks = 0
        self._last_id = 1000

    # --- what a test arranges and looks at ---------------------------------------------------------------------

    def seed(self, *entities: CrmEntity) -> None:
        """Put entities in as if somebody had made them by hand. No events, no requests."""
        for entity in entities:
            self._entities[entity.kind, entity.id] = entity

    def seed_task(self, *tasks: CrmTask) -> None:
        for task in tasks:
            self._tasks[task.id] = task

    def seed_note(self, *notes: CrmNote) -> None:
        for note in notes:
            self._notes[note.id] = note

    def remove(self, kind: EntityKind, entity_id: str) -> None:
        """Delete an entity by hand; the feed tells of it."""
        self._put(replace(self._entities[kind, entity_id], is_deleted=True))
        self._tell("deleted", kind, entity_id)

    def remove_note(self, note_id: str) -> None:
        del self._notes[note_id]

    def all(self, kind: EntityKind) -> list[CrmEntity]:
        """Everything of a kind that is not deleted, oldest id first."""
        return sorted(
            (e for (k, _), e in self._entities.items() if k == kind and not e.is_deleted), key=_order
        )

    def all_tasks(self) -> list[CrmTask]:
        return list(self._tasks.values())

    def all_notes(self) -> list[CrmNote]:
        return list(self._notes.values())

    def fail(
        self, method: str, error: CrmError, *, has_effect: bool = False, times: int = 1, after: int = 0
    ) -> None:
        """The next `times` requests of `method` end in `error`, once `after` more have passed unharmed.

        has_effect: the CRM carries the write out all the same (answered but lost).
        """
        self._faults[method].extend(_Fault(None, False) for _ in range(after))
        self._faults[method].extend(_Fault(error, has_effect) for _ in range(times))

    def hold(self, method: str) -> asyncio.Event:
        """The next request of `method` waits, before it has any effect, until the returned event is set."""
        gate = asyncio.Event()
        self._faults[method].append(_Fault(None, False, gate))
        return gate

    def refuse(self, key: str, code: str, field: str = "", detail: str = "refused by the test") -> None:
        """Refuse the item with this effect key in every write, until `allow`."""
        self._refusals[key] = (code, field, detail)

    def allow(self, key: str) -> None:
        self._refusals.pop(key, None)

    def count(self, method: str) -> int:
        return sum(1 for asked in self.requests if asked.method == method)

    # --- reads -------------------------------------------------------------------------------------------------

    async def account(self, lane: Lane) -> CrmAccount:
        return await self._read("account", lane, (), lambda: self.account_value)

    async def users(self, lane: Lane) -> list[CrmUser]:
        return await self._read("users", lane, (), lambda: list(self.user_list))

    async def pipelines(self, lane: Lane) -> list[Pipeline]:
        return await self._read("pipelines", lane, (), lambda: list(self.pipeline_list))

    async def fields(self, kind: EntityKind, lane: Lane) -> list[CrmField]:
        return await self._read("fields", lane, (kind,), lambda: list(self.field_lists.get(kind, [])))

    async def page(
        self, kind: EntityKind, lane: Lane, *, page: int = 1, newest: Literal["updated", "id"] | None = None
    ) -> Page[CrmEntity]:
        def read() -> Page[CrmEntity]:
            rows = self.all(kind)
            if newest == "updated":
                rows.sort(key=lambda e: (e.updated_at or _EPOCH, _order(e)), reverse=True)
            elif newest == "id":
                rows.reverse()
            return _page(rows, page, PAGE_SIZE)

        return await self._read("page", lane, (kind, str(page)), read)

    async def pages(self, kind: EntityKind, lane: Lane, *, page: int, count: int) -> list[Page[CrmEntity]]:
        found: list[Page[CrmEntity]] = []
        try:
            while len(found) < count and (not found or found[-1].has_next):
                found.append(await self.page(kind, lane, page=page + len(found)))
        except CrmError:
            if not found:
                raise
        return found

    async def by_ids(self, kind: EntityKind, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        wanted = set(ids)
        return await self._read(
            "by_ids", lane, tuple(ids), lambda: [e for e in self.all(kind) if e.id in wanted]
        )

    async def deals_in_leads(self, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        wanted = set(ids)
        return await self._read(
            "deals_in_leads", lane, tuple(ids), lambda: [e for e in self.all("deal") if e.id in wanted]
        )

    async def find_by_number(
        self, kind: Literal["contact", "company"], number: str, lane: Lane
    ) -> list[CrmEntity]:
        tail = _tail(number)
        return await self._read(
            "find_by_number",
            lane,
            (number,),
            lambda: [e for e in self.all(kind) if any(_tail(n) == tail for n in e.numbers)],
        )

    async def events(
        self,
        since: datetime,
        lane: Lane,
        *,
        kinds: Collection[CrmEventKind],
        until: datetime | None = None,
        page: int = 1,
    ) -> Page[CrmEvent]:
        def read() -> Page[CrmEvent]:
            first, last = int(since.timestamp()), int(until.timestamp()) if until else 2**40
            asked = (e for e in self.feed if e.kind in kinds and first <= int(e.at.timestamp()) <= last)
            rows = sorted(asked, key=lambda e: (e.at, e.id), reverse=True)
            return _page(rows, page, EVENTS_PAGE)

        return await self._read("events", lane, (str(page),), read)

    async def notes(self, target_kind: EntityKind, target_ids: Sequence[str], lane: Lane) -> list[CrmNote]:
        wanted = set(target_ids)
        return await self._read(
            "notes",
            lane,
            tuple(target_ids),
            lambda: [
                n
                for n in reversed(self._notes.values())
                if n.target_kind == target_kind and n.target_id in wanted
            ][:PAGE_SIZE],
        )

    async def tasks(
        self, target_kind: EntityKind | None, target_ids: Sequence[str], lane: Lane
    ) -> list[CrmTask]:
        wanted = set(target_ids)
        return await self._read(
            "tasks",
            lane,
            tuple(target_ids),
            lambda: [
                t
                for t in reversed(self._tasks.values())
                if target_kind is None or (t.target_kind == target_kind and t.target_id in wanted)
            ][:PAGE_SIZE],
        )

    # --- writes ------------------------------------------------------------------------------------------------

    async def open_tasks(self, owner_id: str, lane: Lane, *, page: int = 1) -> Page[CrmTask]:
        def answer() -> Page[CrmTask]:
            mine = [t for t in self._tasks.values() if t.owner_id == owner_id and not t.is_completed]
            mine.sort(key=lambda task: task.due_at)
            first = (page - 1) * PAGE_SIZE
            return Page(items=tuple(mine[first : first + PAGE_SIZE]), has_next=len(mine) > first + PAGE_SIZE)

        return await self._read("open_tasks", lane, (owner_id, str(page)), answer)

    async def create_contacts(self, items: Sequence[Keyed[CreateContact]], lane: Lane) -> list[ItemOutcome]:
        return await self._write("create_contacts", items, lane, self._create_contact)

    async def create_deals(self, items: Sequence[Keyed[CreateDeal]], lane: Lane) -> list[ItemOutcome]:
        for item in items:
            _resolved(item.order.contact)
        return await self._write("create_deals", items, lane, self._create_deal)

    async def create_deals_with_contacts(
        self, items: Sequence[DealWithContact], lane: Lane
    ) -> list[ItemOutcome]:
        if any(item.deal.order.contact and item.deal.order.contact.id for item in items):
            raise UnexpectedRequest("the deal's contact exists already: use create_deals")
        pairs = [Keyed(key=item.deal.key, order=item) for item in items]
        return await self._write(
            "create_deals_with_contacts", pairs, lane, self._create_both, limit=COMPLEX_LIMIT
        )

    async def create_leads(self, items: Sequence[Keyed[CreateLead]], lane: Lane) -> list[ItemOutcome]:
        return await self._write("create_leads", items, lane, self._create_lead)

    async def attach_calls(self, items: Sequence[Keyed[AttachCall]], lane: Lane) -> list[ItemOutcome]:
        _same_kind([_target(item.order.target) for item in items])
        return await self._write("attach_calls", items, lane, self._attach)

    async def attach_calls_by_number(
        self, items: Sequence[Keyed[AttachCall]], lane: Lane
    ) -> list[ItemOutcome]:
        return await self._write("attach_calls_by_number", items, lane, self._attach_by_number)

    async def add_notes(self, items: Sequence[Keyed[AddNote]], lane: Lane) -> list[ItemOutcome]:
        _same_kind([_target(item.order.target) for item in items])
        return await self._write("add_notes", items, lane, self._add_note)

    async def change_notes(
        self, items: Sequence[tuple[str, Keyed[ChangeNote]]], lane: Lane
    ) -> list[ItemOutcome]:
        _same_kind([_target(item.order.target) for _, item in items])
        pairs = [Keyed(key=item.key, order=(note_id, item.order)) for note_id, item in items]
        return await self._write("change_notes", pairs, lane, self._change_note)

    async def create_tasks(self, items: Sequence[Keyed[CreateTask]], lane: Lane) -> list[ItemOutcome]:
        for item in items:
            _resolved(item.order.target)
        return await self._write("create_tasks", items, lane, self._create_task)

    async def change_tasks(
        self, items: Sequence[tuple[str, Keyed[ChangeTask]]], lane: Lane
    ) -> list[ItemOutcome]:
        pairs = [Keyed(key=item.key, order=(task_id, item.order)) for task_id, item in items]
        return await self._write("change_tasks", pairs, lane, self._change_task)

    async def update_entities(self, items: Sequence[Keyed[UpdateEntity]], lane: Lane) -> list[ItemOutcome]:
        _same_kind([_target(item.order.target) for item in items])
        return await self._write("update_entities", items, lane, self._update)

    async def show_card(self, order: ShowCard, lane: Lane) -> None:
        self._ask("show_card", lane, (order.number,))
        await self._faulty("show_card", lambda: self.cards.append(order))

    async def webhooks(self, lane: Lane) -> list[CrmWebhook]:
        return await self._read("webhooks", lane, (), lambda: list(self.hooks.values()))

    async def register_webhook(self, destination: str, lane: Lane) -> None:
        self._ask("register_webhook", lane, (destination,))
        hook = CrmWebhook(destination=destination)
        await self._faulty("register_webhook", lambda: self.hooks.update({destination: hook}))

    def url_of(self, kind: EntityKind, id: str) -> str:
        return f"https://fake.example/{kind}/{id}"

    # --- inside ------------------------------------------------------------------------------------------------

    async def _read(self, method: str, lane: Lane, keys: tuple[str, ...], answer: Callable[[], T]) -> T:
        self._ask(method, lane, keys)
        return await self._faulty(method, answer)

    async def _write(
        self,
        method: str,
        items: Sequence[Keyed[T]],
        lane: Lane,
        apply: Callable[[str, T], ItemOutcome],
        limit: int = BATCH_LIMIT,
    ) -> list[ItemOutcome]:
        if not items:
            raise UnexpectedRequest(f"{method}: nothing to write")
        if len(items) > limit:
            raise UnexpectedRequest(f"{method}: {len(items)} items, at most {limit}")
        self._ask(method, lane, tuple(item.key for item in items))
        return await self._faulty(method, lambda: [self._apply(item, apply) for item in items])

    def _apply(self, item: Keyed[T], apply: Callable[[str, T], ItemOutcome]) -> ItemOutcome:
        if refusal := self._refusals.get(item.key):
            code, field, detail = refusal
            return Refused(key=item.key, code=code, field=field, detail=detail)
        return apply(item.key, item.order)

    def _ask(self, method: str, lane: Lane, keys: tuple[str, ...]) -> None:
        if self._only is not None and method not in self._only:
            raise UnexpectedRequest(f"{method}({', '.join(keys)}) was not expected here")
        self.requests.append(Asked(method, lane, keys))

    async def _faulty(self, method: str, answer: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        fault = self._faults[method].popleft() if self._faults[method] else _Fault(None, False)
        if fault.gate is not None:
            await fault.gate.wait()
        if fault.error is None:
            return answer()
        if fault.has_effect:
            answer()
        raise fault.error

    def _create_contact(self, key: str, order: CreateContact) -> ItemOutcome:
        if refused := self._bad_owner(key, order.owner_id):
            return refused
        entity = self._new("contact", name=order.name, numbers=(order.number,), owner_id=order.owner_id)
        self._decorate(entity, order.tags, order.fields)
        return Written(key=key, id=entity.id)

    def _create_deal(self, key: str, order: CreateDeal) -> ItemOutcome:
        if order.contact is not None and not self._exists(order.contact):
            return _no_such(key, "_embedded.contacts.0.id")
        if refused := self._bad_owner(key, order.owner_id):
            return refused
        pipeline = order.pipeline_id or next(p.id for p in self.pipeline_list if p.is_main)
        stages = next((p.stages for p in self.pipeline_list if p.id == pipeline), None)
        if stages is None:
            return _no_such(key, "pipeline_id")
        stage = order.stage_id or next(s.id for s in stages if not s.is_unsorted)
        entity = self._new("deal", name=order.name, owner_id=order.owner_id)
        entity = replace(entity, pipeline_id=pipeline, stage_id=stage, is_open=stage not in CLOSED_STAGES)
        if order.contact is not None and order.contact.id is not None:
            entity = self._linked(entity, order.contact.kind, order.contact.id)
        self._put(entity)
        self._decorate(entity, order.tags, order.fields)
        return Written(key=key, id=entity.id)

    def _create_both(self, key: str, order: DealWithContact) -> ItemOutcome:
        if refusal := self._refusals.get(order.contact.key):
            return Refused(key=key, code=refusal[0], field=refusal[1], detail=refusal[2])
        for owner in (order.deal.order.owner_id, order.contact.order.owner_id):
            if refused := self._bad_owner(key, owner):
                return refused
        contact = self._create_contact(order.contact.key, order.contact.order)
        assert isinstance(contact, Written)
        ref = Ref(kind="contact", id=contact.id)
        deal = self._create_deal(key, order.deal.order.model_copy(update={"contact": ref}))
        if isinstance(deal, Refused):
            del self._entities["contact", contact.id]
            return deal
        return replace(deal, extra={"contact": contact.id})

    def _create_lead(self, key: str, order: CreateLead) -> ItemOutcome:
        entity = self._new("lead", name=order.name, numbers=(order.number,), owner_id=order.owner_id)
        self._put(replace(entity, source_uid=order.source_uid, pipeline_id=order.pipeline_id))
        return Written(key=key, id=entity.id)

    def _attach(self, key: str, order: AttachCall) -> ItemOutcome:
        target = _target(order.target)
        if not self._exists(target):
            return _no_such(key, "entity_id")
        if refused := self._bad_owner(key, order.owner_id):
            return refused
        note = self._note(target, uniq=order.uniq, text=None)
        self.calls[note.id] = order
        return Written(key=key, id=note.id)

    def _attach_by_number(self, key: str, order: AttachCall) -> ItemOutcome:
        tail = _tail(order.number)
        kinds: tuple[EntityKind, ...] = ("contact", "company")
        found = [e for k in kinds for e in self.all(k) if any(_tail(n) == tail for n in e.numbers)]
        if not found:
            return Refused(key=key, code="not-found", field="phone", detail="nobody has this number")
        deals = [d for d in self.all("deal") if d.is_open and found[0].id in (*d.contact_ids, *d.company_ids)]
        hit = deals[0] if len(deals) == 1 else found[0]
        note = self._note(Ref(kind=hit.kind, id=hit.id), uniq=order.uniq, text=None)
        self.calls[note.id] = order
        return Written(key=key, id=note.id, extra={"target_kind": hit.kind, "target_id": hit.id})

    def _add_note(self, key: str, order: AddNote) -> ItemOutcome:
        if not self._exists(order.target):
            return _no_such(key, "entity_id")
        return Written(key=key, id=self._note(order.target, uniq=None, text=order.text).id)

    def _change_note(self, key: str, order: tuple[str, ChangeNote]) -> ItemOutcome:
        note = self._notes.get(order[0])
        if note is None:
            told = "the CRM knows nothing with this id"
            return Refused(key=key, code="not-found", field="id", detail=told, is_entity=True)
        self._notes[note.id] = replace(note, text=order[1].text)
        return Written(key=key, id=note.id)

    def _create_task(self, key: str, order: CreateTask) -> ItemOutcome:
        if order.target is not None and not self._exists(order.target):
            return _no_such(key, "entity_id")
        if refused := self._bad_owner(key, order.owner_id):
            return refused
        at = self._now()
        task = CrmTask(
            id=self._next_id(),
            target_kind=order.target.kind if order.target else None,
            target_id=order.target.id if order.target else None,
            owner_id=order.owner_id,
            text=order.text,
            due_at=order.due_at.replace(microsecond=0),
            is_completed=False,
            created_at=at,
            updated_at=at,
        )
        self._tasks[task.id] = task
        return Written(key=key, id=task.id)

    def _change_task(self, key: str, order: tuple[str, ChangeTask]) -> ItemOutcome:
        task_id, change = order
        task = self._tasks.get(task_id)
        if task is None:
            return _no_such(key, "id")
        if refused := self._bad_owner(key, change.owner_id):
            return refused
        self._tasks[task_id] = replace(
            task,
            text=task.text if change.text is None else change.text,
            owner_id=change.owner_id or task.owner_id,
            due_at=(change.due_at or task.due_at).replace(microsecond=0),
            is_completed=task.is_completed if change.is_completed is None else change.is_completed,
            updated_at=self._now(),
        )
        return Written(key=key, id=task_id)

    def _update(self, key: str, order: UpdateEntity) -> ItemOutcome:
        target = order.target
        if not self._exists(target):
            told = "the CRM knows nothing with this id"
            return Refused(key=key, code="not-found", field="id", detail=told, is_entity=True)
        if refused := self._bad_owner(key, order.owner_id):
            return refused
        assert target.id is not None
        before = self._entities[target.kind, target.id]
        stage = order.stage_id or before.stage_id
        after = replace(
            before,
            owner_id=order.owner_id or before.owner_id,
            pipeline_id=order.pipeline_id or before.pipeline_id,
            stage_id=stage,
            is_open=stage not in CLOSED_STAGES,
            updated_at=self._now(),
        )
        self._put(after)
        self._decorate(after, order.tags, order.fields)
        return Written(key=key, id=target.id)

    def _new(
        self, kind: EntityKind, *, name: str, owner_id: str | None, numbers: tuple[str, ...] = ()
    ) -> CrmEntity:
        at = self._now()
        entity = CrmEntity(
            kind=kind,
            id=self._next_id(),
            name=name,
            numbers=numbers,
            owner_id=owner_id,
            created_at=at,
            updated_at=at,
        )
        self._put(entity)
        if kind != "lead":
            self._tell("added", kind, entity.id)
        return entity

    def _linked(self, deal: CrmEntity, kind: EntityKind, entity_id: str) -> CrmEntity:
        other = self._entities[kind, entity_id]
        self._put(replace(other, deal_ids=(*other.deal_ids, deal.id)))
        if kind == "company":
            return replace(deal, company_ids=(*deal.company_ids, entity_id))
        main = deal.main_contact_id or entity_id
        return replace(deal, contact_ids=(*deal.contact_ids, entity_id), main_contact_id=main)

    def _decorate(self, entity: CrmEntity, tags: Iterable[str], fields: object) -> None:
        self.tags[entity.kind, entity.id].update(tags)
        self.fields_of[entity.kind, entity.id].update(fields)  # type: ignore[call-overload]

    def _note(self, target: Ref, *, uniq: str | None, text: str | None) -> CrmNote:
        assert target.id is not None
        note = CrmNote(
            id=self._next_id(),
            target_kind=target.kind,
            target_id=target.id,
            uniq=uniq,
            text=text,
            created_at=self._now(),
        )
        self._notes[note.id] = note
        return note

    def _tell(self, kind: CrmEventKind, entity_kind: EntityKind, entity_id: str) -> None:
        event_id = f"event-{len(self.feed) + 1}"
        at = self._now()
        self.feed.append(
            CrmEvent(
                id=event_id, kind=kind, at=at, entity_kind=entity_kind, entity_id=entity_id, by_user=None
            )
        )

    def _bad_owner(self, key: str, owner_id: str | None) -> Refused | None:
        if owner_id is None or not self.user_list:
            return None
        if any(u.id == owner_id and u.is_active for u in self.user_list):
            return None
        return replace(_no_such(key, "responsible_user_id"), is_owner=True)

    def _exists(self, ref: Ref) -> bool:
        entity = self._entities.get((ref.kind, _resolved(ref) or ""))
        return entity is not None and not entity.is_deleted

    def _put(self, entity: CrmEntity) -> None:
        self._entities[entity.kind, entity.id] = entity

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    def _now(self) -> datetime:
        if self._clock is not None:
            return self._clock()
        self._ticks += 1
        return _EPOCH + timedelta(seconds=self._ticks)


_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def _order(entity: CrmEntity) -> tuple[int, int, str]:
    return (0, int(entity.id), "") if entity.id.isdigit() else (1, 0, entity.id)


def _page(rows: Sequence[T], page: int, size: int) -> Page[T]:
    start = (page - 1) * size
    return Page(items=tuple(rows[start : start + size]), has_next=len(rows) > start + size)


def _tail(number: str) -> str:
    return "".join(c for c in number if c.isdigit())[-10:]


def _no_such(key: str, field: str) -> Refused:
    return Refused(key=key, code="NotSupportedChoice", field=field, detail="no such thing in the fake")


def _resolved(ref: Ref | None) -> str | None:
    if ref is not None and ref.id is None:
        raise UnexpectedRequest(f"{ref!r} has no id yet: its effect has to be applied first")
    return ref.id if ref else None


def _target(ref: Ref | None) -> Ref:
    if ref is None:
        raise UnexpectedRequest("a note needs a target")
    _resolved(ref)
    return ref


def _same_kind(refs: Sequence[Ref]) -> None:
    if len({ref.kind for ref in refs}) > 1:
        raise UnexpectedRequest("one request carries entities of one kind")
