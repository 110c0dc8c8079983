"""Long work that was asked for: how far it is, what came out, and stopping it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, Route, may_see, not_found
from gateway.api.unseen import Unseen, unseen_by
from gateway.store.worker import long_tasks as store
from runtime.database.pool import Conn


class WorkQuery(Body):
    kind: Annotated[str, Field(max_length=40)] | None = None


class WorkView(Answer):
    """done of total steps; total is null while it is not known. result: only of work that is done, read by its id."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    asked: dict[str, Any]
    asked_by: str
    done: int
    total: int | None
    is_stopped: bool
    error: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    result: dict[str, Any] | None


def view_of(work: store.LongTask) -> WorkView:
    return WorkView(
        id=work.work_id,
        kind=work.kind,
        state=work.state,
        asked=dict(work.asked),
        asked_by=work.asked_by,
        done=work.done,
        total=work.total,
        is_stopped=work.is_stopped,
        error=work.error,
        created_at=work.created_at,
        started_at=work.started_at,
        ended_at=work.ended_at,
        result=dict(work.result) if work.result is not None else None,
    )


async def list_work(call: ApiCall[WorkQuery, None]) -> Items[WorkView]:
    async with call.services.pool.acquire() as conn:
        found = await store.all_work(conn, call.account.id, call.query.kind)
        unseen = await unseen_by(call, conn)
    return Items[WorkView](items=[view_of(w) for w in found if _is_seen(call, w, unseen)])


def _is_seen(call: AnyCall, work: store.LongTask, unseen: Unseen) -> bool:
    is_seen = may_see(call, _template_of(work)) and work.asked.get("campaign") not in unseen.campaigns
    return is_seen and work.asked.get("trigger") not in unseen.triggers


def _template_of(work: store.LongTask) -> str | None:
    """Return the template of distribution that it is about: by name, or as a draft."""
    named = work.asked.get("template")
    return named.get("name") if isinstance(named, dict) else named


async def _the_work(call: AnyCall, conn: Conn) -> store.LongTask:
    """Raise NoSuchWork, also for what is about a template that the token is not bound to."""
    work = await store.work_of(conn, call.account.id, call.path["work"])
    if not _is_seen(call, work, await unseen_by(call, conn)):
        raise store.NoSuchWork(call.path["work"])
    return work


async def show_work(call: ApiCall) -> WorkView:
    try:
        async with call.services.pool.acquire() as conn:
            return view_of(await _the_work(call, conn))
    except store.NoSuchWork as err:
        raise not_found("work", call.path["work"]) from err


async def stop_work(call: ApiCall) -> WorkView:
    try:
        async with call.services.pool.acquire() as conn:
            await _the_work(call, conn)
            return view_of(await store.stop(conn, call.account.id, call.path["work"]))
    except store.NoSuchWork as err:
        raise not_found("work", call.path["work"]) from err


_ALL = "/v1/accounts/{account}/work"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_work,
        summary="Long work of the last week, newest first, without results",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ALL + "/{work}",
        handler=show_work,
        summary="How far one piece of long work is, and its result",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ALL + "/{work}/stop",
        handler=stop_work,
        summary="Stop it; what has ended stays as it is",
        role="senior_manager",
    ),
)
