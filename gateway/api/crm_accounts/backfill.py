"""Sending what was stored while the CRM could not be reached: preview, run, report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from crm.effects import backfill as core
from gateway.admin import backfill
from gateway.admin.input_words import SHORT_COUNTED
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route

Days = Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": backfill.MOST_DAYS})]


class PreviewQuery(Body):
    days: Annotated[Days, Field(description="today and the days before it, in the account's zone")] = (
        core.DAYS
    )


class StartBackfill(Body):
    """days: today and the days before it, in the account's zone. What is older is kept and marked as not sent."""

    days: Days = core.DAYS


class DiscardStored(Body):
    note: str


class ProgressQuery(Body):
    run: Annotated[str, Field(max_length=64, description="else the latest")] | None = None


class ReportQuery(Body):
    run: Annotated[str, Field(max_length=64, description="else the latest")] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    after: Annotated[str, Field(pattern=SHORT_COUNTED, description="`next` of the page before")] | None = None


class BackfillPreviewView(Answer):
    """older_calls: before the window. clients: of messengers, who wait for a contact or a deal. requests, minutes: at the account's budget, reads to stay fresh included."""

    since: datetime
    calls: int
    contacts: int
    deals: int
    leads: int
    notes: int
    tasks: int
    tasks_not_needed: int
    changes: int
    older_calls: int
    clients: int
    requests: int
    minutes: float


class ProgressView(Answer):
    """clients_total, clients_settled: of messengers, for whom a contact or a deal was to be made."""

    run_id: str
    state: Literal["running", "paused", "stopped", "done"]
    since: datetime
    started_at: datetime
    ended_at: datetime | None
    calls_total: int
    calls_settled: int
    clients_total: int
    clients_settled: int
    effects_done: int
    effects_open: int
    effects_dead: int
    effects_skipped: int


class CallReportView(Answer):
    """effects: what, state, code, id in the CRM, was_found, field, detail of each, in order."""

    position: int
    call_id: str
    client: str | None
    started_at: datetime | None
    direction: str | None
    disposition: str | None
    outcome: Literal["waiting", "sent", "partly", "failed", "not_needed", "too_old"]
    effects: list[dict[str, Any]]


class Discarded(Answer):
    effects: int


async def show_preview(call: ApiCall[PreviewQuery, None]) -> BackfillPreviewView:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await backfill.preview(conn, call.account.id, query.days)
    return BackfillPreviewView.model_validate(found)


async def start(call: ApiCall[NoQuery, StartBackfill]) -> ProgressView:
    async with call.services.pool.acquire() as conn:
        return ProgressView.model_validate(await backfill.start(conn, call.account.id, call.body.days))


async def show_progress(call: ApiCall[ProgressQuery, None]) -> ProgressView:
    query = call.query
    return await _progress(call, query.run)


async def _progress(call: AnyCall, run_id: str | None) -> ProgressView:
    async with call.services.pool.acquire() as conn:
        try:
            return ProgressView.model_validate(await core.progress(conn, call.account.id, run_id))
        except core.NoSuchRun as err:
            raise ApiError(404, err.code, "There is no such backfill.") from err


async def change(call: ApiCall) -> ProgressView:
    """pause, resume or stop, as the path says."""
    do = cast("backfill.RunChange", call.path["action"])
    async with call.services.pool.acquire() as conn:
        return ProgressView.model_validate(await backfill.change(conn, call.account.id, do))


async def discard(call: ApiCall[NoQuery, DiscardStored]) -> Discarded:
    async with call.services.pool.acquire() as conn:
        return Discarded(effects=await backfill.discard(conn, call.account.id, call.body.note))


async def show_report(call: ApiCall[ReportQuery, None]) -> Items[CallReportView]:
    query = call.query
    run_id = (await _progress(call, query.run)).run_id
    async with call.services.pool.acquire() as conn:
        found = await core.report(
            conn, call.account.id, run_id, after=int(query.after or 0), limit=query.limit
        )
    return Items[CallReportView](
        items=[CallReportView.model_validate(item) for item in found],
        next=str(found[-1].position) if len(found) == query.limit else None,
    )


_PATH = "/v1/accounts/{account}/backfill"
ROUTES = (
    Route(
        method="GET",
        path=_PATH + "/preview",
        handler=show_preview,
        summary="What a backfill would do now; changes nothing",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_PATH,
        handler=start,
        summary="Send what is held of the last days",
        status=201,
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_PATH,
        handler=show_progress,
        summary="How far the latest backfill is",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_PATH + "/report",
        handler=show_report,
        summary="Every call of a backfill and what became of it",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_PATH + "/discard",
        handler=discard,
        summary="Send nothing of what is held; it is kept and marked as not sent",
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_PATH + "/{action:pause|resume|stop}",
        handler=change,
        summary="Pause, resume or stop the backfill that is open",
        errors=(409,),
    ),
)
