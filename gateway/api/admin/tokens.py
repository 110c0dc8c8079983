"""Tokens of this API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from gateway.api.frame import Answer, ApiCall, ApiError, Body, Items, NoQuery, Route, not_found
from gateway.store.admin import accounts as rows
from gateway.store.admin.roles import Role


class NewToken(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    account: Annotated[str, Field(max_length=63)] | None = None
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


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
    if body.account is not None and body.account not in call.services.configuration.now.accounts:
        raise ApiError(400, "invalid-input", "There is no such account.", field="account")
    expires = datetime.now(UTC) + timedelta(days=body.days) if body.days else None
    async with call.services.pool.acquire() as conn:
        if body.name in {t.name for t in await rows.api_tokens(conn)}:
            raise ApiError(409, "already-exists", f"There is a token '{body.name}' already.", field="name")
        token = await rows.add_api_token(
            conn, name=body.name, role=body.role, account_id=body.account, expires_at=expires
        )
    return TokenCreated(name=body.name, token=token)


async def remove_token(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        known = {t.name: t for t in await rows.api_tokens(conn)}
        token = known.get(call.path["name"])
        if token is None or call.who.account_id not in (None, token.account_id):
            raise not_found("token", call.path["name"])
        await rows.remove_api_token(conn, token.name)


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
