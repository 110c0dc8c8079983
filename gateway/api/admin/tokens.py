"""Tokens of this API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.admin import tokens
from gateway.admin.refused import NothingOfThatName
from gateway.admin.tokens import TokenOrder
from gateway.api.frame import Answer, ApiCall, ApiError, Body, Items, NoQuery, Route, not_found
from gateway.store.admin import accounts as rows
from gateway.store.admin.roles import ROLES, Role


class NewToken(Body):
    """days: how long it is valid; absent = for ever."""

    name: str
    role: Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})]
    account: str | None = None
    days: int | None = None


class ApiTokenView(Answer):
    name: str
    role: Role
    account: str | None
    expires_at: datetime | None


class TokenCreated(Answer):
    name: str
    token: str


async def list_tokens(call: ApiCall) -> Items[ApiTokenView]:
    async with call.services.pool.acquire() as conn:
        found = await rows.api_tokens(conn)
    return Items[ApiTokenView](
        items=[
            ApiTokenView(name=t.name, role=t.role, account=t.account_id, expires_at=t.expires_at)
            for t in found
            if call.who.account_id in (None, t.account_id)
        ]
    )


async def add_token(call: ApiCall[NoQuery, NewToken]) -> TokenCreated:
    body = call.body
    if call.who.account_id is not None and body.account != call.who.account_id:
        raise ApiError(403, "forbidden", "This token may make tokens of its own account only.")
    order = TokenOrder(name=body.name, role=body.role, account_id=body.account, days=body.days)
    async with call.services.pool.acquire() as conn:
        return TokenCreated(name=body.name, token=await tokens.add_token(conn, order))


async def remove_token(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        try:
            await tokens.remove_token(conn, call.path["name"], call.who.account_id)
        except NothingOfThatName as err:
            raise not_found("token", call.path["name"]) from err


ROUTES = (
    Route(
        method="GET",
        path="/v1/tokens",
        handler=list_tokens,
        summary="Tokens of this API",
    ),
    Route(
        method="POST",
        path="/v1/tokens",
        handler=add_token,
        summary="Create a token; it is shown once",
        status=201,
        errors=(409,),
    ),
    Route(method="DELETE", path="/v1/tokens/{name}", handler=remove_token, summary="Withdraw a token"),
)
