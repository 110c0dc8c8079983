"""The dead-letter desk: effects that the CRM refuses, and PBX events that cannot be processed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from crm.effects import dead_letters
from gateway.admin.operations import desk
from gateway.api.frame import Answer, ApiCall, ApiError, Body, Items, NoQuery, Route
from gateway.store.intake import inbox

EffectKey = Annotated[str, Field(min_length=1, max_length=300)]
EventId = Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]
Note = Annotated[str, Field(min_length=1, max_length=1000)]


class DeskQuery(Body):
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[str, Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before")] | None = (
        None
    )


class DeskItemView(Answer):
    """what, why: plain words. code, field, detail: as the CRM said it. since: the last send. order: what was to be done.
    system: who carries it out: crm, sms, pbx or channel."""

    system: str
    key: str
    call_id: str | None
    client: str
    do: str
    what: str
    why: str
    since: datetime
    attempts: int
    code: str
    field: str
    detail: str
    note: str
    order: dict[str, Any]


class DeadEventView(Answer):
    """raw: the message as it came, at most 4,000 characters."""

    id: str
    connection: str
    call_key: str
    client: str | None
    received_at: datetime
    since: datetime | None
    why: str
    raw: str


class RetryEffects(Body):
    """keys: null = all."""

    keys: Annotated[list[EffectKey], Field(max_length=1000)] | None = None


class EditEffect(Body):
    key: EffectKey
    order: dict[str, Any]
    note: Note | None = None


class IgnoreEffects(Body):
    keys: Annotated[list[EffectKey], Field(min_length=1, max_length=1000)]
    note: Note


class RetryEvents(Body):
    """ids: null = all."""

    ids: Annotated[list[EventId], Field(max_length=1000)] | None = None


class IgnoreEvents(Body):
    ids: Annotated[list[EventId], Field(min_length=1, max_length=1000)]
    note: Note


class Changed(Answer):
    """How many effects or events it concerned, those that depend on the named ones included."""

    count: int


async def list_effects(call: ApiCall[DeskQuery, None]) -> Items[DeskItemView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await dead_letters.items(
            conn,
            call.account.id,
            after=int(query.after or 0),
            limit=query.limit,
            language=call.account.settings.language,
        )
    return Items[DeskItemView](
        items=[DeskItemView.model_validate(item) for item in found],
        next=str(found[-1].seq) if len(found) == query.limit else None,
    )


async def retry_effects(call: ApiCall[NoQuery, RetryEffects]) -> Changed:
    body = call.body
    async with call.services.pool.acquire() as conn:
        return Changed(count=await desk.retry_effects(conn, call.account.id, body.keys))


async def edit_effect(call: ApiCall[NoQuery, EditEffect]) -> Changed:
    body = call.body
    async with call.services.pool.acquire() as conn:
        try:
            count = await desk.edit_effect(conn, call.account.id, body.key, body.order, body.note)
        except dead_letters.DeskItemGone as err:
            raise ApiError(404, err.code, "There is no such effect on the desk (any more).") from err
        except dead_letters.OrderInvalid as err:
            raise ApiError(422, err.code, str(err), field=f"order.{err.field}") from err
    return Changed(count=count)


async def ignore_effects(call: ApiCall[NoQuery, IgnoreEffects]) -> Changed:
    body = call.body
    async with call.services.pool.acquire() as conn:
        return Changed(count=await desk.ignore_effects(conn, call.account.id, body.keys, body.note))


async def list_events(call: ApiCall[DeskQuery, None]) -> Items[DeadEventView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await inbox.dead_letters(
            conn,
            call.account.id,
            after=int(query.after or 0),
            limit=query.limit,
        )
    items = [
        DeadEventView(
            id=str(r["event_id"]),
            connection=r["connection_id"],
            call_key=r["call_key"],
            client=r["client"],
            received_at=r["received_at"],
            since=r["since"],
            why=r["error"] or "",
            raw=bytes(r["raw"]).decode(errors="replace")[:4000],
        )
        for r in found
    ]
    return Items[DeadEventView](items=items, next=items[-1].id if len(items) == query.limit else None)


async def retry_events(call: ApiCall[NoQuery, RetryEvents]) -> Changed:
    body = call.body
    ids = None if body.ids is None else [int(id) for id in body.ids]
    async with call.services.pool.acquire() as conn:
        return Changed(count=await desk.retry_events(conn, call.account.id, ids))


async def ignore_events(call: ApiCall[NoQuery, IgnoreEvents]) -> Changed:
    body = call.body
    async with call.services.pool.acquire() as conn:
        ids = [int(id) for id in body.ids]
        return Changed(count=await desk.ignore_events(conn, call.account.id, ids, body.note))


_DESK = "/v1/accounts/{account}/desk"
ROUTES = (
    Route(
        method="GET",
        path=_DESK,
        handler=list_effects,
        summary="Effects that cannot succeed: what, why, since when",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_DESK + "/retry",
        handler=retry_effects,
        summary="Try some or all again, with what they need and what needs them",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_DESK + "/edit",
        handler=edit_effect,
        summary="Try one again with a changed order of the same kind",
        role="senior_manager",
        errors=(404, 422),
    ),
    Route(
        method="POST",
        path=_DESK + "/ignore",
        handler=ignore_effects,
        summary="Never send these, nor what needs them",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_DESK + "/events",
        handler=list_events,
        summary="PBX events that could not be processed",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_DESK + "/events/retry",
        handler=retry_events,
        summary="Process some or all again",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_DESK + "/events/ignore",
        handler=ignore_events,
        summary="Leave these events out of their calls",
        role="senior_manager",
    ),
)
