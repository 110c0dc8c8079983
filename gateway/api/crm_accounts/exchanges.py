"""What was said between us and vendors: secrets removed, numbers masked, kept for some days."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.admin.input_words import COUNTED
from gateway.api.frame import Answer, ApiCall, Body, Items, Route
from gateway.store.crm_accounts.exchanges import exchanges


class ExchangesQuery(Body):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(pattern=COUNTED, description="`next` of the page before")] | None = None


class ExchangeView(Answer):
    """status: null when no answer came. error: why it was no good answer, empty when it was."""

    id: str
    vendor: str
    at: datetime
    method: str
    target: str
    status: int | None
    took_ms: int
    lane: str
    sent: str
    received: str
    error: str


async def list_exchanges(call: ApiCall[ExchangesQuery, None]) -> Items[ExchangeView]:
    query = call.query
    before = int(query.after) if query.after is not None else None
    async with call.services.pool.acquire() as conn:
        found = await exchanges(conn, call.account.id, before=before, limit=query.limit)
    items = [
        ExchangeView(
            id=str(r["exchange_id"]),
            **{name: r[name] for name in ExchangeView.model_fields if name != "id"},
        )
        for r in found
    ]
    return Items[ExchangeView](items=items, next=items[-1].id if len(items) == query.limit else None)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account}/exchanges",
        handler=list_exchanges,
        summary="Exchanges with the CRM, newest first",
    ),
)
