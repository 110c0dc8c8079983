"""What the CRM told that could not be read, and changes that could not be worked on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from crm.store.unread import unread_rows
from gateway.admin.operations.desk import retry_crm_events
from gateway.api.crm_accounts.dead_letters import Changed, DeskQuery, EventId
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route
from gateway.store.crm_events.work import aside_events


class UnreadRowView(Answer):
    """field: where in the row, empty = the row itself. raw: what stood there, numbers masked. is_lost: nothing of the row
    was taken. found_at, last_at: when it was first and last found so. times: how often."""

    kind: str
    id: str
    field: str
    why: str
    raw: str
    is_lost: bool
    found_at: datetime
    last_at: datetime
    times: int


class AsideEventView(Answer):
    """consumer: who failed on it. subject: the deal, contact or task that it is about. old, new, error (of the last try):
    numbers masked."""

    id: str
    consumer: str
    subject: str
    what: str
    old: str | None
    new: str
    at: datetime
    tries: int
    error: str


class RetryCrmEvents(Body):
    """ids: null = all."""

    ids: Annotated[list[EventId], Field(max_length=1000)] | None = None


async def list_unread(call: ApiCall[DeskQuery, None]) -> Items[UnreadRowView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await unread_rows(conn, call.account.id, after=int(query.after or 0), limit=query.limit)
    return Items[UnreadRowView](
        items=[UnreadRowView.model_validate(row) for row in found],
        next=str(found[-1].seq) if len(found) == query.limit else None,
    )


async def list_aside(call: ApiCall[DeskQuery, None]) -> Items[AsideEventView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await aside_events(conn, call.account.id, after=int(query.after or 0), limit=query.limit)
    items = [AsideEventView(id=str(event.event_id), **event._asdict()) for event in found]
    return Items[AsideEventView](items=items, next=items[-1].id if len(items) >= query.limit else None)


async def retry_aside(call: ApiCall[NoQuery, RetryCrmEvents]) -> Changed:
    ids = None if call.body.ids is None else [int(id) for id in call.body.ids]
    async with call.services.pool.acquire() as conn:
        return Changed(count=await retry_crm_events(conn, call.account.id, ids))


_CRM = "/v1/accounts/{account}/crm"
ROUTES = (
    Route(
        method="GET",
        path=_CRM + "/unread",
        handler=list_unread,
        summary="Rows of the CRM of which something could not be read",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_CRM + "/events/aside",
        handler=list_aside,
        summary="Changes in the CRM that could not be worked on",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_CRM + "/events/retry",
        handler=retry_aside,
        summary="Work on some or all of these again",
        role="senior_manager",
    ),
)
