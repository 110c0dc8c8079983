"""What is read from an amoCRM account. Filters may be ignored without a word, so every returned row is checked again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal, TypeVar

from crm.amocrm import wire_read
from crm.amocrm.client import AmoClient
from crm.amocrm.fields import Node
from crm.amocrm.rows import events
from crm.amocrm.rows.inside import DealsInside
from crm.amocrm.rows.page import LostRow, NoteUnread, page_of, read_row
from crm.amocrm.rows.paging import Paging, Query
from crm.amocrm.rows.queries import (
    are_of,
    chunks,
    in_order,
    list_path,
    newest_first,
    same_last_digits,
    with_links,
)
from crm.amocrm.rows.walks import Walks
from crm.amocrm.tables import EVENT_KIND, EVENTS_LIMIT, PAGE_LIMIT, PLURAL
from crm.amocrm.wire import API, Request
from crm.errors import CrmError, CrmForbidden, CrmNotFound, CrmUnreadable
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
    Page,
    Pipeline,
)
from crm.unread import FIELD_KIND, UnreadKind, UnreadNotes
from routing.client import EntityKind
from routing.numbers.plans import spellings

N = TypeVar("N", CrmNote, CrmTask)
R = TypeVar("R", CrmUser, Pipeline, CrmField)

SEARCH_PAGES = 4  # a search for ten digits that fills more pages than this is not a search for a number
NOTE_PAGES = 4


class Reads:
    """same_number: (as stored, E.164) -> whether they are one number."""

    def __init__(
        self,
        client: AmoClient,
        *,
        unread: UnreadNotes,
        same_number: Callable[[str, str], bool] = same_last_digits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._same_number, self._clock = client, same_number, clock
        self._paging = Paging(self.get)
        self._unread = unread
        self._walks = Walks(clock)
        self._filters_work: bool | None = None
        self._are_inside_hidden = False  # lists leave out the deals inside leads
        self._task_types: dict[str, str] | None = None
        self._field_types: dict[EntityKind, dict[str, str]] = {}
        self._inside = DealsInside(clock)

    async def account(self, lane: Lane) -> CrmAccount:
        query = [("with", "task_types,datetime_settings,is_api_filter_enabled")]
        answer = await self.get("/account", lane, query)
        if answer is None:
            raise CrmUnreadable("the account has no answer", "account")
        account = read_row(answer, wire_read.account, self._note("account"), "")
        if isinstance(account, LostRow):
            raise CrmUnreadable("the account's own answer cannot be read", "account")
        if account.are_filters_on:  # else a first try will tell: what exactly the add-on covers is disputed
            self._filters_work = True
        self._task_types = dict(account.task_types)
        return account

    async def task_types(self, lane: Lane) -> dict[str, str]:
        """id -> code or name, read once."""
        if self._task_types is None:
            await self.account(lane)
        return self._task_types or {}

    async def users(self, lane: Lane) -> list[CrmUser]:
        return await self._all("/users", "users", "user", wire_read.user, lane)

    async def pipelines(self, lane: Lane) -> list[Pipeline]:
        """Return the one list without pages."""
        answer = await self.get("/leads/pipelines", lane)
        page = page_of(answer, "pipelines", wire_read.pipeline, self._note("pipeline"))
        found = list({pipeline.id: pipeline for pipeline in page.items}.values())
        self._unread.listed("pipeline", {*page.lost, *(pipeline.id for pipeline in found)})
        self._inside.stages = {s.id for p in found for s in p.stages if s.is_unsorted}
        return found

    async def fields(self, kind: EntityKind, lane: Lane) -> list[CrmField]:
        if kind == "lead":
            raise ValueError("leads have no fields of their own: ask for those of deals")
        path, row_kind = f"/{PLURAL[kind]}/custom_fields", FIELD_KIND[kind]
        found = await self._all(path, "custom_fields", row_kind, wire_read.field, lane)
        self._field_types[kind] = {f.id: f.type for f in found} | {f.code: f.type for f in found if f.code}
        return found

    async def field_types(self, kind: EntityKind, lane: Lane) -> dict[str, str]:
        """Types of custom fields by id and by code, read once."""
        if kind not in self._field_types:
            await self.fields(kind, lane)
        return self._field_types[kind]

    async def page(
        self, kind: EntityKind, lane: Lane, *, page: int, newest: Literal["updated", "id"] | None
    ) -> Page[CrmEntity]:
        return self._judged(kind, newest, page, await self._rows(kind, lane, page, newest))

    async def pages(self, kind: EntityKind, lane: Lane, *, page: int, count: int) -> list[Page[CrmEntity]]:
        """Judged in their order, whatever the order of the answers."""
        numbers = range(page, page + count)
        answers = await asyncio.gather(
            *(self._rows(kind, lane, number, None) for number in numbers), return_exceptions=True
        )
        found: list[Page[CrmEntity]] = []
        for number, answer in zip(numbers, answers, strict=True):
            if isinstance(answer, BaseException):
                if not found or not isinstance(answer, CrmError):
                    raise answer
                break
            found.append(self._judged(kind, None, number, answer))
            if not found[-1].has_next:
                break
        return found

    async def _rows(
        self, kind: EntityKind, lane: Lane, page: int, newest: Literal["updated", "id"] | None
    ) -> Node | None:
        query = [*with_links(kind), in_order(kind, newest)]
        return await self._page(list_path(kind), PLURAL[kind], lane, query, page)

    def _judged(
        self, kind: EntityKind, newest: Literal["updated", "id"] | None, page: int, answer: Node | None
    ) -> Page[CrmEntity]:
        found = self._walks.judged(f"{kind} {newest or ''}", page, self._entities(answer, kind))
        if kind != "lead":
            self._inside.recognise(found.items)
            return found
        return replace(found, items=tuple(self._inside.told(lead) for lead in found.items))

    async def by_ids(self, kind: EntityKind, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        wanted = list(dict.fromkeys(ids))
        if kind == "lead":
            found = await self._single(kind, wanted, lane)
            return await self._owned(found, lane)
        rows, rest = await self._by_filter(kind, wanted, lane)
        rows += await self._single(kind, rest, lane)
        self._inside.recognise(rows)
        return [row for row in rows if not row.is_deleted]

    async def deals_in_leads(self, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        """Read these by id: filtered lists may leave them out, a single read does not: where they do, the next are not asked for so."""
        wanted = list(dict.fromkeys(ids))
        found: list[CrmEntity] = []
        if len(wanted) > 1 and self._filters_work is not False and not self._are_inside_hidden:
            found, _ = await self._by_filter("deal", wanted, lane)
            self._are_inside_hidden = not found
        seen = {deal.id for deal in found}
        found += await self._single("deal", [i for i in wanted if i not in seen], lane)
        self._inside.learn(found)
        return [deal for deal in found if not deal.is_deleted]

    async def find_by_number(
        self, kind: Literal["contact", "company"], number: str, lane: Lane
    ) -> list[CrmEntity]:
        found: dict[str, CrmEntity] = {}
        for digits in dict.fromkeys(spelled[-10:] for spelled in spellings(number)):
            for page in range(1, SEARCH_PAGES + 1):
                query = [("query", digits), *with_links(kind)]
                answer = await self._page(list_path(kind), PLURAL[kind], lane, query, page)
                some = self._entities(answer, kind)
                found |= {e.id: e for e in some.items if not e.is_deleted and self._has(e, number)}
                if not some.has_next:
                    break
        return list(found.values())

    async def events(
        self,
        since: datetime,
        lane: Lane,
        *,
        kinds: Collection[CrmEventKind],
        until: datetime | None,
        page: int,
    ) -> Page[CrmEvent]:
        first, last = int(since.timestamp()), int(until.timestamp()) if until else None
        query = [
            ("filter[created_at][from]", str(first)),
            *([("filter[created_at][to]", str(last))] if last is not None else ()),
            *(("filter[type][]", type_) for type_, kind in EVENT_KIND.items() if kind in kinds),
        ]
        answer = await self._paging.page("/events", "events", lane, query, page=page, limit=EVENTS_LIMIT)
        found = page_of(answer, "events", self._event, self._note("event"))
        found = self._walks.judged("events", page, found)
        # The CRM may ignore a filter: what is too old ends the reading, the rest is left out.
        recent = [event for event in found.items if event.at.timestamp() >= first]
        self._inside.forget([event.entity_id for event in recent if event.kind == "owner_changed"])
        wanted = (e for e in recent if e.kind in kinds and (last is None or e.at.timestamp() < last + 1))
        return Page(items=tuple(wanted), has_next=found.has_next and len(recent) == len(found.items))

    async def notes(self, kind: EntityKind, ids: Sequence[str], lane: Lane) -> list[CrmNote]:
        found: list[CrmNote] = []
        for some in chunks(ids):
            path, narrow = f"/{PLURAL[kind]}/notes", [("filter[entity_id][]", i) for i in some]
            if len(some) == 1:
                path, narrow = f"/{PLURAL[kind]}/{some[0]}/notes", []
            found += await self._newest(
                path, "notes", "note", wire_read.notes_of(kind), are_of(kind, some), narrow, lane
            )
        return sorted(found, key=newest_first, reverse=True)[:PAGE_LIMIT]

    async def tasks(self, kind: EntityKind | None, ids: Sequence[str], lane: Lane) -> list[CrmTask]:
        if kind is None:
            return await self._newest("/tasks", "tasks", "task", wire_read.TASKS, lambda _: True, [], lane)
        found: list[CrmTask] = []
        for some in chunks(ids):
            narrow = [("filter[entity_type]", PLURAL[kind]), *(("filter[entity_id][]", i) for i in some)]
            found += await self._newest(
                "/tasks", "tasks", "task", wire_read.TASKS, are_of(kind, some), narrow, lane
            )
        return sorted(found, key=newest_first, reverse=True)

    async def webhooks(self, lane: Lane) -> list[CrmWebhook]:
        answer = await self.get("/webhooks", lane)
        return list(page_of(answer, "webhooks", wire_read.webhook, self._note("webhook")).items)

    async def deal_of_lead(self, uid: str, lane: Lane) -> str | None:
        """Return the deal inside a lead of Unsorted, on which notes and tasks can be put; None when there is no such lead."""
        found = await self._single("lead", [uid], lane)
        return found[0].deal_id if found else None

    # --- inside ----------------------------------------------------------------------------------------------------

    async def get(self, path: str, lane: Lane, query: Sequence[tuple[str, str]] = ()) -> Node | None:
        return await self._client.ask(Request(method="GET", path=f"{API}{path}", query=tuple(query)), lane)

    async def _page(self, path: str, plural: str, lane: Lane, query: Query, page: int) -> Node | None:
        return await self._paging.page(path, plural, lane, query, page=page, limit=PAGE_LIMIT)

    def _note(self, kind: UnreadKind) -> NoteUnread:
        return partial(self._unread.tell, kind)

    def _entities(self, answer: Node | None, kind: EntityKind) -> Page[CrmEntity]:
        return page_of(answer, PLURAL[kind], wire_read.entity_reader(kind), self._note(kind))

    def _event(self, row: Node) -> CrmEvent:
        """Return the event; where it cannot be read, ask for what it is about, so that nothing is missed."""
        try:
            return events.event(row)
        except CrmUnreadable:
            if (about := events.entity_of_event(row)) is not None:
                self._unread.ask(about)
            raise

    async def _all(
        self, path: str, plural: str, kind: UnreadKind, read: Callable[[Node], R], lane: Lane
    ) -> list[R]:
        """Return the whole list, each row once."""
        found: dict[str, R] = {}
        lost: set[str] = set()
        page = 1
        while True:
            answer = await self._page(path, plural, lane, (), page)
            listed: Page[R] = page_of(answer, plural, read, self._note(kind))
            some: Page[R] = self._walks.judged(path, page, listed)
            found |= {row.id: row for row in some.items}
            lost |= {*some.lost}
            if not some.has_next:
                self._unread.listed(kind, lost | found.keys())
                return list(found.values())
            page += 1

    async def _newest(
        self,
        path: str,
        plural: str,
        kind: UnreadKind,
        reader: wire_read.RowReader[N],
        is_wanted: Callable[[N], bool],
        narrow: Query,
        lane: Lane,
    ) -> list[N]:
        """Return the newest ones that are wanted, a page full of them at most; more pages only where a filter was ignored."""
        found: list[N] = []
        for page in range(1, NOTE_PAGES + 1):
            query = [("order[id]", "desc"), *narrow]
            answer = await self._page(path, plural, lane, query, page)
            some = page_of(answer, plural, reader.read, self._note(kind))
            found += [item for item in some.items if is_wanted(item) or not item.is_whole]
            found += [reader.lost(id) for id in some.lost]
            if not some.has_next or len(found) >= PAGE_LIMIT:
                break
        return found[:PAGE_LIMIT]

    async def _by_filter(
        self, kind: EntityKind, ids: list[str], lane: Lane
    ) -> tuple[list[CrmEntity], list[str]]:
        """Those found by filtered pages, and those that have to be read one by one because filters are ignored."""
        rows: list[CrmEntity] = []
        rest: list[str] = []

        async def ask(some: list[str]) -> None:
            if len(ids) == 1 or self._filters_work is False:
                rest.extend(some)
                return
            found, missing = await self._filtered(kind, some, lane)
            rows.extend(found)
            rest.extend(missing)

        await self._paging.of_ids(list_path(kind), ids, ask)
        return rows, rest

    async def _filtered(
        self, kind: EntityKind, ids: list[str], lane: Lane
    ) -> tuple[list[CrmEntity], list[str]]:
        """Those found by filtered pages, and those still to be read because the filter was ignored.

        What a page lacks is asked for again: it may have held fewer than it should.
        """
        rows: list[CrmEntity] = []
        left = ids
        while left:
            query = [("limit", str(len(left))), *with_links(kind), *(("filter[id][]", i) for i in left)]
            found = self._entities(await self.get(list_path(kind), lane, query), kind)
            wanted = set(left)
            some = [row for row in found.items if row.id in wanted]
            rows += some
            seen = {row.id for row in some} | {*found.lost}
            left = [i for i in left if i not in seen]
            if len(some) < len(found.items) or found.has_next:
                self._filters_work = False
                return rows, left
            if any(id not in wanted for id in found.lost):  # one of ours, but which?
                return rows, left
            if not some:
                break
        for id in left:
            self._unread.tell(kind, id)
        return rows, []

    async def _single(self, kind: EntityKind, ids: Iterable[str], lane: Lane) -> list[CrmEntity]:
        """One request each. An unknown id is answered 204 (an unknown uid 404)."""
        found: list[CrmEntity] = []
        for entity_id in ids:
            try:
                answer = await self.get(f"{list_path(kind)}/{entity_id}", lane, with_links(kind))
            except CrmNotFound:
                answer = None
            if answer is None:
                self._unread.tell(kind, entity_id)
                continue
            row = read_row(answer, wire_read.entity_reader(kind), self._note(kind), entity_id)
            if not isinstance(row, LostRow):
                found.append(row)
        return found

    async def _owned(self, leads: Sequence[CrmEntity], lane: Lane) -> list[CrmEntity]:
        """Leads with the owner of the deal inside them, and with its contact's numbers where the metadata has none."""
        await self._read_deals([lead.deal_id for lead in leads if lead.deal_id], lane)
        return [await self._numbered(self._inside.told(lead), lane) for lead in leads]

    async def _read_deals(self, ids: list[str], lane: Lane) -> None:
        """Read these deals, so that the owner of their leads is known; where the key may not see them it stays unknown."""
        self._inside.forget(ids)
        try:
            await self.deals_in_leads(ids, lane)
        except CrmForbidden:
            return

    async def _numbered(self, lead: CrmEntity, lane: Lane) -> CrmEntity:
        if lead.numbers or not lead.contact_ids:
            return lead
        try:
            people = await self._single("contact", lead.contact_ids[:1], lane)
        except CrmForbidden:
            return lead
        return replace(lead, numbers=tuple(n for person in people for n in person.numbers))

    def _has(self, entity: CrmEntity, number: str) -> bool:
        return any(self._same_number(stored, number) for stored in entity.numbers)
