"""`crm.port.Crm` for one amoCRM (or Kommo) account."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

import aiohttp

from crm.amocrm import wire_write, writes
from crm.amocrm.chats.links import ChatLinks
from crm.amocrm.client import AmoClient, Bearer, OnExchange
from crm.amocrm.reads import Reads
from crm.amocrm.rows.doings import DoingReads
from crm.amocrm.rows.queries import same_last_digits
from crm.amocrm.rows.tasks import TaskPages
from crm.amocrm.tables import PLURAL, UNDOCUMENTED_WEBHOOK_SETTINGS, WEBHOOK_SETTINGS
from crm.amocrm.transport import Transport
from crm.amocrm.wire import API, Request
from crm.amocrm.wire_write import Item, Unwritable
from crm.amocrm.writes import Echo, Outcomes, SentBatch, Writes, lines_of, rounds
from crm.budget import Budget, BudgetUse
from crm.doings import CrmDoing
from crm.errors import CrmRefused
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
)
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
from runtime.circuit_breaker import CircuitBreaker, CircuitState

T = TypeVar("T")
SOURCE = "Callmatrix"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmoCrmHealth:
    """How the account's API fares, for the status page and the metrics."""

    circuit: CircuitState
    budget: BudgetUse
    clock_offset_seconds: float | None = None
    moved_to: str | None = None
    silent_since: datetime | None = None


class AmoCrm:
    """One account. `session` may be shared by accounts; `budget` and `tokens` belong to this account alone.

    base_url: any http(s) address, paths included; ignored where `tokens` knows a newer one.
    do_notes_take_dates: whether the account accepts `created_at` of notes. same_number: (as stored, E.164) -> one number?
    on_exchange: told every exchange with secrets removed and numbers masked; it must not block.
    """

    def __init__(
        self,
        base_url: str,
        tokens: Bearer,
        budget: Budget,
        session: aiohttp.ClientSession,
        *,
        do_notes_take_dates: bool = False,
        source: str = SOURCE,
        same_number: Callable[[str, str], bool] = same_last_digits,
        on_exchange: OnExchange | None = None,
        transport: Transport | None = None,
        circuit: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport or Transport(session)
        self._client = AmoClient(
            self._transport, tokens, budget, circuit=circuit, on_exchange=on_exchange, clock=clock
        )
        self.chat_links = ChatLinks(self._client)
        self._base_url = base_url.rstrip("/")
        self.unread = UnreadNotes()
        self._reads = Reads(self._client, unread=self.unread, same_number=same_number, clock=clock)
        self._doings = DoingReads(self._reads.get)
        self._writes = Writes(self._client)
        self._tasks = TaskPages(self._client, self.unread)
        self._source, self._do_notes_take_dates = source, do_notes_take_dates

    @property
    def breaker(self) -> CircuitBreaker:
        """For those who ask nothing while the account's API is closed to us."""
        return self._client.circuit

    async def is_answering(self) -> bool:
        """Whether it answers what no limit counts: what was sent to it before has arrived then."""
        return await self._transport.is_answering(self._client.base_url)

    def health(self) -> AmoCrmHealth:
        return AmoCrmHealth(
            circuit=self._client.circuit.state,
            budget=self._client.budget.use(),
            clock_offset_seconds=self._client.clock_offset_seconds,
            moved_to=self._client.moved_to,
            silent_since=self._client.silent_since,
        )

    # --- reads -----------------------------------------------------------------------------------------------------

    async def account(self, lane: Lane) -> CrmAccount:
        return await self._reads.account(lane)

    async def users(self, lane: Lane) -> list[CrmUser]:
        return await self._reads.users(lane)

    async def pipelines(self, lane: Lane) -> list[Pipeline]:
        return await self._reads.pipelines(lane)

    async def fields(self, kind: EntityKind, lane: Lane) -> list[CrmField]:
        return await self._reads.fields(kind, lane)

    async def page(
        self, kind: EntityKind, lane: Lane, *, page: int = 1, newest: Literal["updated", "id"] | None = None
    ) -> Page[CrmEntity]:
        return await self._reads.page(kind, lane, page=page, newest=newest)

    async def pages(self, kind: EntityKind, lane: Lane, *, page: int, count: int) -> list[Page[CrmEntity]]:
        return await self._reads.pages(kind, lane, page=page, count=count)

    async def by_ids(self, kind: EntityKind, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        return await self._reads.by_ids(kind, ids, lane)

    async def deals_in_leads(self, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        return await self._reads.deals_in_leads(ids, lane)

    async def find_by_number(
        self, kind: Literal["contact", "company"], number: str, lane: Lane
    ) -> list[CrmEntity]:
        return await self._reads.find_by_number(kind, number, lane)

    async def events(
        self,
        since: datetime,
        lane: Lane,
        *,
        kinds: Collection[CrmEventKind],
        until: datetime | None = None,
        page: int = 1,
    ) -> Page[CrmEvent]:
        return await self._reads.events(since, lane, kinds=kinds, until=until, page=page)

    async def doings(self, since: datetime, lane: Lane, *, page: int = 1) -> Page[CrmDoing]:
        return await self._doings.page(since, lane, page)

    async def notes(self, target_kind: EntityKind, target_ids: Sequence[str], lane: Lane) -> list[CrmNote]:
        if target_kind == "lead":
            raise ValueError("notes of a lead stand on its deal: read those of `deal_id`")
        return await self._reads.notes(target_kind, target_ids, lane) if target_ids else []

    async def tasks(
        self, target_kind: EntityKind | None, target_ids: Sequence[str], lane: Lane
    ) -> list[CrmTask]:
        if target_kind == "lead":
            raise ValueError("tasks of a lead stand on its deal: read those of `deal_id`")
        if target_kind is not None and not target_ids:
            return []
        return await self._reads.tasks(target_kind, target_ids, lane)

    # --- writes ----------------------------------------------------------------------------------------------------

    async def open_tasks(self, owner_id: str, lane: Lane, *, page: int = 1) -> Page[CrmTask]:
        return await self._tasks.page(owner_id, lane, page)

    async def create_contacts(self, items: Sequence[Keyed[CreateContact]], lane: Lane) -> list[ItemOutcome]:
        types = await self._types("contact", [i.order.fields for i in items], lane)
        return await self._create(
            items, "/contacts", writes.created("contacts"), lane, lambda o: wire_write.contact(o, types)
        )

    async def create_deals(self, items: Sequence[Keyed[CreateDeal]], lane: Lane) -> list[ItemOutcome]:
        types = await self._types("deal", [i.order.fields for i in items], lane)
        return await self._create(
            items, "/leads", writes.created("leads"), lane, lambda o: wire_write.deal(o, types)
        )

    async def create_deals_with_contacts(
        self, items: Sequence[DealWithContact], lane: Lane
    ) -> list[ItemOutcome]:
        of_deals = await self._types("deal", [i.deal.order.fields for i in items], lane)
        of_contacts = await self._types("contact", [i.contact.order.fields for i in items], lane)

        def write(pair: DealWithContact) -> Item:
            person = wire_write.contact(pair.contact.order, of_contacts)
            return wire_write.deal(pair.deal.order, of_deals, person)

        keyed = [Keyed(key=item.deal.key, order=item) for item in items]
        return await self._create(keyed, "/leads/complex", writes.created_with_contact, lane, write)

    async def create_leads(self, items: Sequence[Keyed[CreateLead]], lane: Lane) -> list[ItemOutcome]:
        types = await self._types("deal", [i.order.fields for i in items], lane)
        return await self._create(
            items, "/leads/unsorted/sip", writes.created_leads, lane, lambda o: wire_write.lead(o, types)
        )

    async def attach_calls(self, items: Sequence[Keyed[AttachCall]], lane: Lane) -> list[ItemOutcome]:
        def write(order: AttachCall, target_id: str) -> Item:
            return wire_write.call_note(
                order, target_id, source=self._source, takes_dates=self._do_notes_take_dates
            )

        return await self._note([(i.key, i.order.target, i.order) for i in items], lane, write)

    async def attach_calls_by_number(
        self, items: Sequence[Keyed[AttachCall]], lane: Lane
    ) -> list[ItemOutcome]:
        return await self._create(
            items, "/calls", writes.matched, lane, lambda o: wire_write.call(o, source=self._source)
        )

    async def add_notes(self, items: Sequence[Keyed[AddNote]], lane: Lane) -> list[ItemOutcome]:
        def write(order: AddNote, target_id: str) -> Item:
            return wire_write.plain_note(
                order, target_id, source=self._source, takes_dates=self._do_notes_take_dates
            )

        return await self._note([(i.key, i.order.target, i.order) for i in items], lane, write)

    async def change_notes(
        self, items: Sequence[tuple[str, Keyed[ChangeNote]]], lane: Lane
    ) -> list[ItemOutcome]:
        async def write(item: tuple[str, Keyed[ChangeNote]]) -> Item:
            _, target_id = await self._place_of(item[1].order.target, lane)
            return wire_write.note_change(item[0], item[1].order, target_id, source=self._source)

        outcomes = Outcomes([item.key for _, item in items])
        lines = await lines_of(outcomes, [(i[1].key, _later(write, i)) for i in items])
        path = wire_write.notes_path(_one_kind([item.order.target for _, item in items]))
        return await self._sent("PATCH", path, rounds(lines), writes.updated("notes"), outcomes, lane)

    async def create_tasks(self, items: Sequence[Keyed[CreateTask]], lane: Lane) -> list[ItemOutcome]:
        plain = all(item.order.type in ("call", "meeting") or item.order.type.isdigit() for item in items)
        types = {} if plain else await self._reads.task_types(lane)

        async def write(order: CreateTask) -> Item:
            target = await self._place_of(order.target, lane) if order.target else None
            return wire_write.task(order, target, types)

        outcomes = Outcomes([item.key for item in items])
        lines = await lines_of(outcomes, [(i.key, _later(write, i.order)) for i in items])
        return await self._sent("POST", "/tasks", [lines], writes.created("tasks"), outcomes, lane)

    async def change_tasks(
        self, items: Sequence[tuple[str, Keyed[ChangeTask]]], lane: Lane
    ) -> list[ItemOutcome]:
        async def write(item: tuple[str, Keyed[ChangeTask]]) -> Item:
            return wire_write.task_change(item[0], item[1].order)

        outcomes = Outcomes([item.key for _, item in items])
        lines = await lines_of(outcomes, [(i[1].key, _later(write, i)) for i in items])
        return await self._sent("PATCH", "/tasks", rounds(lines), writes.updated("tasks"), outcomes, lane)

    async def update_entities(self, items: Sequence[Keyed[UpdateEntity]], lane: Lane) -> list[ItemOutcome]:
        kind = _one_kind([item.order.target for item in items])
        types = await self._types(kind, [i.order.fields for i in items], lane)

        async def write(order: UpdateEntity) -> Item:
            return wire_write.change(order, types)

        outcomes = Outcomes([item.key for item in items])
        lines = await lines_of(outcomes, [(i.key, _later(write, i.order)) for i in items])
        plural = PLURAL[kind]
        return await self._sent("PATCH", f"/{plural}", rounds(lines), writes.updated(plural), outcomes, lane)

    async def show_card(self, order: ShowCard, lane: Lane) -> None:
        try:
            request = wire_write.card(order)
        except Unwritable as err:
            raise CrmRefused(str(err), (("", err.field, err.code, str(err)),)) from err
        await self._client.ask(request, lane)

    async def webhooks(self, lane: Lane) -> list[CrmWebhook]:
        return await self._reads.webhooks(lane)

    async def register_webhook(self, destination: str, lane: Lane) -> None:
        try:
            await self._register(destination, (*WEBHOOK_SETTINGS, *UNDOCUMENTED_WEBHOOK_SETTINGS), lane)
        except CrmRefused:
            await self._register(destination, WEBHOOK_SETTINGS, lane)

    def url_of(self, kind: EntityKind, id: str) -> str:
        return entity_url(self._client.base_url or self._base_url, kind, id)

    # --- inside ----------------------------------------------------------------------------------------------------

    async def _create(
        self,
        items: Sequence[Keyed[T]],
        path: str,
        echo: Echo,
        lane: Lane,
        write: Callable[[T], Item],
    ) -> list[ItemOutcome]:
        async def written(order: T) -> Item:
            return write(order)

        outcomes = Outcomes([item.key for item in items])
        lines = await lines_of(outcomes, [(i.key, _later(written, i.order)) for i in items])
        return await self._sent("POST", path, [lines], echo, outcomes, lane)

    async def _note(
        self, items: Sequence[tuple[str, Ref | None, T]], lane: Lane, write: Callable[[T, str], Item]
    ) -> list[ItemOutcome]:
        """Put notes on entities of one kind; those on a lead stand on the deal inside it."""
        kind = _one_kind([ref for _, ref, _ in items])

        async def written(item: tuple[str, Ref | None, T]) -> Item:
            _, ref, order = item
            _, target_id = await self._place_of(ref, lane)
            return write(order, target_id)

        outcomes = Outcomes([key for key, _, _ in items])
        lines = await lines_of(outcomes, [(i[0], _later(written, i)) for i in items])
        return await self._sent(
            "POST", wire_write.notes_path(kind), [lines], writes.created("notes"), outcomes, lane
        )

    async def _sent(
        self,
        method: Literal["POST", "PATCH"],
        path: str,
        parts: Sequence[Sequence[writes.Line]],
        echo: Echo,
        outcomes: Outcomes,
        lane: Lane,
    ) -> list[ItemOutcome]:
        for lines in parts:
            await self._writes.send(SentBatch(method, path, lines, echo), outcomes, lane)
        return outcomes.all()

    async def _place_of(self, ref: Ref | None, lane: Lane) -> tuple[EntityKind, str]:
        """Kind and id of what a note or task is put on."""
        if ref is None or ref.id is None:
            raise Unwritable("target", "the entity has no id yet")
        if ref.kind != "lead":
            return ref.kind, ref.id
        deal_id = await self._reads.deal_of_lead(ref.id, lane)
        if deal_id is None:
            raise Unwritable("target", "there is no such lead in Unsorted any more", "not-found")
        return "deal", deal_id

    async def _types(
        self, kind: EntityKind, fields: Sequence[Mapping[str, str]], lane: Lane
    ) -> Mapping[str, str] | None:
        """Types of custom fields, read only when a field is written."""
        return await self._reads.field_types(kind, lane) if any(fields) and kind != "lead" else None

    async def _register(self, destination: str, settings: Sequence[str], lane: Lane) -> None:
        body = {"destination": destination, "settings": list(settings)}
        await self._client.ask(Request(method="POST", path=f"{API}/webhooks", body=body), lane)


def _later(write: Callable[[T], Awaitable[Item]], order: T) -> Callable[[], Awaitable[Item]]:
    return lambda: write(order)


def _one_kind(refs: Sequence[Ref | None]) -> EntityKind:
    kinds = {ref.kind for ref in refs if ref is not None}
    if len(kinds) != 1:
        raise ValueError(f"one request carries entities of one kind, not of {sorted(kinds)}")
    return kinds.pop()


def entity_url(base_url: str, kind: EntityKind, id: str) -> str:
    """Return the page of this entity for a person; leads have none of their own and stand in the pipeline."""
    return f"{base_url}/leads/pipeline/" if kind == "lead" else f"{base_url}/{PLURAL[kind]}/detail/{id}"
