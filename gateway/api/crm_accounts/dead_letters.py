"""The dead-letter desk: everything that was set aside, whatever it is, in one list with its reason and what can be done.

Effects and PBX events have lists of their own besides, with the order and the message in full; what is done with them
there is done as in the one list.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from crm.effects import dead_letters
from gateway.admin.input_words import COUNTED, E164
from gateway.admin.operations import desk, desk_entries
from gateway.api.channels.dialogues import onlooker
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route
from gateway.store.channels.dead import ListedUpdate, dead_updates
from gateway.store.desk.entries import DeskKind, counts_of
from gateway.store.intake import inbox
from routing.dialogues.access import seen_in
from runtime.masking import mask_text

EffectKey = Annotated[str, Field(min_length=1, max_length=300)]
EventId = Annotated[str, Field(pattern=COUNTED)]
EntryKey = Annotated[str, Field(min_length=1, max_length=320)]
Note = Annotated[str, Field(min_length=1, max_length=1000)]


class EntriesQuery(Body):
    kind: DeskKind | None = None
    client: Annotated[str, Field(pattern=E164, description="E.164")] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[str, Field(max_length=400, description="`next` of the page before")] | None = None


class DeskEntryView(Answer):
    """key: what to name it by. kind: an effect that the CRM refuses, a PBX's event, what a messenger told, a call or case that could not be decided,
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
    update: int
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


class DeskQuery(Body):
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[str, Field(pattern=COUNTED, description="`next` of the page before")] | None = None


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


class DeadUpdateView(Answer):
    """What a messenger told. told: as it was read, null where it could not be. raw: the message as it came, at most 4,000
    characters. Both are null where you may not read the channel."""

    id: str
    channel: str
    received_at: datetime
    since: datetime
    why: str
    told: dict[str, Any] | None
    raw: str | None


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
    return await _retried(call, "effect", call.body.keys)


async def _retried(call: AnyCall, kind: DeskKind, ids: list[str] | None) -> Changed:
    async with call.services.pool.acquire() as conn, conn.transaction():
        return Changed(count=await desk_entries.retry_kind(conn, call.account.id, kind, ids))


async def _ignored(call: AnyCall, kind: DeskKind, ids: list[str], note: str) -> Changed:
    async with call.services.pool.acquire() as conn, conn.transaction():
        return Changed(count=await desk_entries.ignore_kind(conn, call.account.id, kind, ids, note))


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
    return await _ignored(call, "effect", call.body.keys, call.body.note)


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


async def list_updates(call: ApiCall[DeskQuery, None]) -> Items[DeadUpdateView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        seen = seen_in(await onlooker(conn, call))
        found = await dead_updates(conn, call.account.id, after=int(query.after or 0), limit=query.limit)
    items = [
        _update_view(one, is_seen=seen.channels is None or one.channel_id in seen.channels) for one in found
    ]
    return Items[DeadUpdateView](items=items, next=items[-1].id if len(items) == query.limit else None)


def _update_view(one: ListedUpdate, *, is_seen: bool) -> DeadUpdateView:
    raw = None if one.raw is None else one.raw.decode(errors="replace")[:4000]
    return DeadUpdateView(
        id=str(one.update_id),
        channel=one.channel,
        received_at=one.received_at,
        since=one.applied_at or one.received_at,
        why=mask_text(one.error or ""),
        told=dict(one.told) if is_seen and one.told is not None else None,
        raw=raw if is_seen else None,
    )


async def retry_events(call: ApiCall[NoQuery, RetryEvents]) -> Changed:
    return await _retried(call, "event", call.body.ids)


async def ignore_events(call: ApiCall[NoQuery, IgnoreEvents]) -> Changed:
    return await _ignored(call, "event", call.body.ids, call.body.note)


_DESK = "/v1/accounts/{account}/desk"
_ENTRIES = f"{_DESK}/entries"
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
    Route(
        method="GET",
        path=_DESK + "/updates",
        handler=list_updates,
        summary="What messengers told that could not be read or carried out",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_ENTRIES,
        handler=list_entries,
        summary="Everything set aside: effects, events, what messengers told, calls, cases, changes, webhooks and rows of the CRM",
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
