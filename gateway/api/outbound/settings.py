"""How clients are called and written to, the queue, and taking what waits out of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import StrictFloat, StrictInt, StrictStr

from gateway.admin.outbound import queue, why_not
from gateway.admin.outbound import settings as service
from gateway.admin.outbound.items import reason_in_words
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.frame import Answer, ApiCall, Body, NoQuery, Route
from gateway.store.outbound.items import OutboundKind, OutboundState
from routing.outbound.settings import OutboundSettings


class RateBody(Body):
    """rate: calls a minute, 0 pauses, a whole number; a text is read as a person types it."""

    rate: StrictInt | StrictFloat | StrictStr


class QueuePartView(Answer):
    """since: the oldest of them. look_at: when the next one is looked at again."""

    kind: OutboundKind
    state: OutboundState
    reason: str
    message: str
    items: int
    since: datetime
    look_at: datetime | None


class ConnectionStopView(Answer):
    """stopped_at: since when nothing is placed by it, until a person says that it goes on. away_until: it did not answer, and is
    tried again then by itself. words: the PBX's own."""

    connection: str
    stopped_at: datetime | None
    away_until: datetime | None
    code: str
    words: str


class QueueView(Answer):
    """gates: what keeps the account's calls as a whole from going out, in words. waiting: by kind; what is not there has none
    waiting, and nothing to clear; what waits of campaigns is not cleared here. parts: by kind, state and reason."""

    rate: int
    gates: list[str]
    stops: list[ConnectionStopView]
    waiting: dict[str, int]
    under_way: int
    unknown: int
    parts: list[QueuePartView]


class ClearBody(Body):
    """kind: `campaign` is refused: stop or finish the campaign instead."""

    kind: OutboundKind = "callback"


class ClearedView(Answer):
    """cleared: how many waited and do no more."""

    cleared: int


async def show_settings(call: ApiCall) -> OutboundSettings:
    async with call.services.pool.acquire() as conn:
        return await service.show_settings(conn, call.account.id)


async def save_settings(call: ApiCall[NoQuery, OutboundSettings]) -> OutboundSettings:
    async with call.services.pool.acquire() as conn:
        return await service.save_settings(conn, call.account.id, call.body)


async def set_rate(call: ApiCall[NoQuery, RateBody]) -> OutboundSettings:
    async with call.services.pool.acquire() as conn:
        return await service.change_settings(conn, call.account.id, {"rate": call.body.rate})


async def show_queue(call: ApiCall[AccountLanguageQuery, None]) -> QueueView:
    async with call.services.pool.acquire() as conn:
        seen = await queue.queue_seen(conn, call.account.id, call.query.lang)
    parts = seen.parts
    texts = call.texts(call.query.lang)
    waiting: dict[str, int] = {}
    for part in parts:
        if part.state == "waiting":
            waiting[part.kind] = waiting.get(part.kind, 0) + part.items
    said = [
        QueuePartView.model_validate(
            {**asdict(part), "message": reason_in_words(part.kind, part.reason, texts, seen.gate)}
        )
        for part in parts
    ]
    return QueueView(
        rate=seen.rate,
        gates=list(seen.gates),
        stops=[ConnectionStopView.model_validate(stop) for stop in seen.stops],
        waiting=waiting,
        under_way=sum(part.items for part in parts if part.state in ("dialling", "sending")),
        unknown=sum(part.items for part in parts if part.state == "unknown"),
        parts=said,
    )


async def clear_queue(call: ApiCall[NoQuery, ClearBody]) -> ClearedView:
    async with call.services.pool.acquire() as conn:
        return ClearedView(cleared=await queue.clear_queue(conn, call.account.id, call.body.kind))


async def resume(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        await why_not.resume_connection(conn, call.account.id, call.path["connection"])


_ALL = "/v1/accounts/{account}/outbound"
ROUTES = (
    Route(
        method="GET",
        path=_ALL + "/settings",
        handler=show_settings,
        summary="How clients are called and written to: pace, hours, ring times, retries",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_ALL + "/settings",
        handler=save_settings,
        summary="Replace how clients are called and written to; it holds at once",
    ),
    Route(
        method="PUT",
        path=_ALL + "/rate",
        handler=set_rate,
        summary="Set calls a minute; 0 pauses, and what is under way goes on",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_ALL + "/queue",
        handler=show_queue,
        summary="How much waits, is under way, or is known of by nobody, by reason",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ALL + "/queue/clear",
        handler=clear_queue,
        summary="Take all of a kind that waits out of the queue: no stage, no task; what is under way goes on",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_ALL + "/connections/{connection}/resume",
        handler=resume,
        summary="Let calls be placed by a connection again that had refused them",
        role="senior_manager",
        errors=(409,),
    ),
)
