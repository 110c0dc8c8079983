"""Loading the directory from the CRM, done by the account's worker."""

from __future__ import annotations

from datetime import datetime

from gateway.admin.load_directory import AccountIsOff, ask_for_sync, sync_progress
from gateway.api.frame import Answer, ApiCall, ApiError, Body, NoQuery, Route


class SyncRequest(Body):
    """full: read everything again from the first page; the directory keeps answering meanwhile."""

    full: bool = False


class SyncView(Answer):
    """done: entities read so far. kind: what is being read, null when over. total, seconds_left: about, since the CRM tells no
    totals; null where the load is short or not known yet."""

    done: int
    kind: str | None
    is_done: bool
    loaded_at: datetime | None
    in_sync_at: datetime | None
    error: str | None
    total: int | None
    seconds_left: float | None


async def show_sync(call: ApiCall) -> SyncView:
    async with call.services.pool.acquire() as conn:
        return SyncView.model_validate(await sync_progress(conn, call.account.id))


async def start_sync(call: ApiCall[NoQuery, SyncRequest]) -> SyncView:
    body = call.body
    async with call.services.pool.acquire() as conn:
        try:
            return SyncView.model_validate(await ask_for_sync(conn, call.account.id, is_full=body.full))
        except AccountIsOff as err:
            raise ApiError(
                409,
                err.code,
                "The account is off.",
                detail="Switch it on first: nothing is read from its CRM.",
            ) from err


_PATH = "/v1/accounts/{account}/sync"
ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=show_sync,
        summary="How far the load of the directory is",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_PATH,
        handler=start_sync,
        summary="Ask the worker to look at the CRM now, or to load everything again",
        status=202,
        errors=(409,),
    ),
)
