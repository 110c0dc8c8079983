"""Everything that was set aside, whatever it is: in one list, with its reason and what can be done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.operations import desk_entries
from gateway.api.crm_accounts.dead_letters import Changed, Note
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route
from gateway.store.desk.entries import DeskKind, counts_of

EntryKey = Annotated[str, Field(min_length=1, max_length=320)]


class EntriesQuery(Body):
    kind: DeskKind | None = None
    client: Annotated[str, Field(pattern=r"^\+[0-9]{1,15}$", description="E.164")] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[str, Field(max_length=400, description="`next` of the page before")] | None = None


class DeskEntryView(Answer):
    """key: what to name it by. kind: an effect that the CRM refuses, a PBX's event, a call or case that could not be decided,
    a change in the CRM, a webhook, a row of the CRM. what: of what it is. can: what may be done with it."""

    key: str
    kind: DeskKind
    client: str | None
    what: str
    why: str
    code: str
    since: datetime
    tries: int
    can: list[Literal["retry", "ignore"]]


class DeskCounts(Answer):
    """How much of each kind."""

    effect: int
    event: int
    call: int
    case: int
    change: int
    webhook: int
    row: int


class RetryEntries(Body):
    """keys: null = everything that can be tried again."""

    keys: Annotated[list[EntryKey], Field(max_length=1000)] | None = None


class IgnoreEntries(Body):
    keys: Annotated[list[EntryKey], Field(min_length=1, max_length=1000)]
    note: Note


async def list_entries(call: ApiCall[EntriesQuery, None]) -> Items[DeskEntryView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        page = await desk_entries.listed(
            conn,
            call.account.id,
            kind=query.kind,
            client=query.client,
            after=query.after,
            limit=query.limit,
            language=call.account.settings.language,
        )
    return Items[DeskEntryView](
        items=[DeskEntryView.model_validate(entry) for entry in page.entries], next=page.next
    )


async def count_entries(call: ApiCall[NoQuery, None]) -> DeskCounts:
    async with call.services.pool.acquire() as conn:
        counts = await counts_of(conn, call.account.id)
    return DeskCounts(**{str(kind): n for kind, n in counts.items()})


async def retry_entries(call: ApiCall[NoQuery, RetryEntries]) -> Changed:
    async with call.services.pool.acquire() as conn:
        return Changed(count=await desk_entries.retry(conn, call.account.id, call.body.keys))


async def ignore_entries(call: ApiCall[NoQuery, IgnoreEntries]) -> Changed:
    async with call.services.pool.acquire() as conn:
        return Changed(count=await desk_entries.ignore(conn, call.account.id, call.body.keys, call.body.note))


_ENTRIES = "/v1/accounts/{account}/desk/entries"
ROUTES = (
    Route(
        method="GET",
        path=_ENTRIES,
        handler=list_entries,
        summary="Everything set aside: effects, events, calls, cases, changes, webhooks and rows of the CRM",
        role="senior_manager",
        errors=(422,),
    ),
    Route(
        method="GET",
        path=_ENTRIES + "/count",
        handler=count_entries,
        summary="How much of each kind is set aside",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_ENTRIES + "/retry",
        handler=retry_entries,
        summary="Try some of it again, or everything that can be",
        role="senior_manager",
        errors=(422,),
    ),
    Route(
        method="POST",
        path=_ENTRIES + "/ignore",
        handler=ignore_entries,
        summary="Set some of it aside for good, with a note",
        role="senior_manager",
        errors=(422,),
    ),
)
