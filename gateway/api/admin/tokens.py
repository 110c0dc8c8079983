"""Tokens of this API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from gateway.admin import tokens
from gateway.admin.refused import NothingOfThatName
from gateway.admin.tokens import TokenOrder
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route, not_found
from gateway.store.admin import accounts as rows
from gateway.store.admin.roles import ROLES, Role

Names = Annotated[list[str], Field(max_length=100)]


class NewToken(Body):
    """days: how long it is valid; absent = for ever. employee, templates, schedules: what it is bound to besides the
    account; empty lists = to all of them. counters: employees whose counter it may start and stop, whatever the role; empty
    = by the role."""

    name: str
    role: Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})]
    account: str | None = None
    employee: str | None = None
    templates: Names = []
    schedules: Names = []
    counters: Names = []
    days: int | None = None


class TokenChange(Body):
    """What is absent stays as it is."""

    role: Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})] | None = None
    account: str | None = None
    employee: str | None = None
    templates: Names | None = None
    schedules: Names | None = None
    counters: Names | None = None


class ApiTokenView(Answer):
    """last_used_at: to some 20 seconds; null = never."""

    name: str
    role: Role
    account: str | None
    employee: str | None
    templates: list[str]
    schedules: list[str]
    counters: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenCreated(Answer):
    name: str
    token: str


def view_of(token: rows.ApiToken) -> ApiTokenView:
    return ApiTokenView(
        name=token.name,
        role=token.role,
        account=token.account_id,
        employee=token.bound.employee,
        templates=list(token.bound.templates),
        schedules=list(token.bound.schedules),
        counters=list(token.bound.counters),
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )


def refuse_other_account(call: AnyCall, account_id: str | None) -> None:
    """Raise ApiError where a token that is for one account would let somebody into another."""
    if call.who.account_id is not None and account_id != call.who.account_id:
        raise ApiError(403, "forbidden", "This token may let others into its own account only.")


def bound_fields(body: Body) -> dict[str, Any]:
    """Return what was sent, by the names of the services; null is something that was sent."""
    sent = {n: getattr(body, n) for n in body.model_fields_set}
    if "account" in sent:
        sent["account_id"] = sent.pop("account")
    return {n: tuple(v) if isinstance(v, list) else v for n, v in sent.items()}


async def list_tokens(call: ApiCall) -> Items[ApiTokenView]:
    async with call.services.pool.acquire() as conn:
        found = await rows.api_tokens(conn)
    return Items[ApiTokenView](
        items=[view_of(t) for t in found if call.who.account_id in (None, t.account_id)]
    )


async def add_token(call: ApiCall[NoQuery, NewToken]) -> TokenCreated:
    body = call.body
    refuse_other_account(call, body.account)
    order = TokenOrder(account_id=body.account, **body.model_dump(exclude={"account"}))
    async with call.services.pool.acquire() as conn:
        return TokenCreated(name=body.name, token=await tokens.add_token(conn, order))


async def change_token(call: ApiCall[NoQuery, TokenChange]) -> ApiTokenView:
    changes = bound_fields(call.body)
    if "account_id" in changes:
        refuse_other_account(call, changes["account_id"])
    given = {n: v for n, v in changes.items() if v is not None or n in ("account_id", "employee")}
    async with call.services.pool.acquire() as conn:
        try:
            return view_of(await tokens.change_token(conn, call.path["name"], given, call.who.account_id))
        except NothingOfThatName as err:
            raise not_found("token", call.path["name"]) from err


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
    Route(
        method="PATCH",
        path="/v1/tokens/{name}",
        handler=change_token,
        summary="Change a token's role and what it is bound to",
        errors=(409,),
    ),
    Route(
        method="DELETE",
        path="/v1/tokens/{name}",
        handler=remove_token,
        summary="Withdraw a token",
        errors=(409,),
    ),
)
