"""PBX connections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue

from gateway.admin import connections
from gateway.admin.connections import ConnectionOrder, pbx_instructions
from gateway.admin.input_words import COUNTRY, SHORT_NAME, described
from gateway.admin.protection.shown_settings import shown_settings
from gateway.admin.refused import NothingOfThatName
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.pbx.connection import Connection
from gateway.store.admin import accounts as rows
from runtime.tokens import new_secret

Setting = JsonValue
"""Judged by the service, in the same words as from a file."""


class ConnectionRemovalQuery(Body):
    even_if_used: bool = Field(False, description="remove it although something goes out through it")


class NewConnection(Body):
    name: Annotated[str, described(SHORT_NAME)]
    kind: str
    dialect: Annotated[str, Field(description="else the kind's own")] | None = None
    region: Annotated[str, described(COUNTRY)] | None = None
    lines: list[str] = []
    keys: dict[str, str] = {}
    settings: dict[str, Setting] = {}


class ConnectionChange(Body):
    """What is absent stays as it is; null takes away what stands there, of the dialect it makes the kind's own. lines, keys,
    settings: given whole, what they do not name goes."""

    dialect: str | None = None
    region: Annotated[str, described(COUNTRY)] | None = None
    lines: list[str] | None = None
    keys: dict[str, str] | None = None
    settings: dict[str, Setting] | None = None
    is_on: bool = True
    new_secret: bool = False


class ConnectionView(Answer):
    """keys: only the names of the secrets that are set."""

    name: str
    account: str
    kind: str
    dialect: str
    region: str | None
    lines: list[str]
    keys: list[str]
    settings: dict[str, Any]
    is_on: bool


class ConnectionCreated(Answer):
    """secret and instructions are shown once: the secret is stored hashed."""

    connection: ConnectionView
    secret: str | None
    instructions: str | None


def view_of(connection: Connection) -> ConnectionView:
    return ConnectionView(
        name=connection.name,
        account=connection.account_id,
        kind=connection.kind,
        dialect=connection.dialect,
        region=connection.region,
        lines=list(connection.lines),
        keys=sorted(connection.keys),
        settings=shown_settings(connection.settings),
        is_on=connection.is_on,
    )


async def list_connections(call: ApiCall) -> Items[ConnectionView]:
    async with call.services.pool.acquire() as conn:
        found = await rows.connections(conn, call.account.id)
    return Items[ConnectionView](items=[view_of(c) for c in found])


async def add_connection(call: ApiCall[NoQuery, NewConnection]) -> ConnectionCreated:
    secret = new_secret()
    order = ConnectionOrder(**call.body.model_dump())
    async with call.services.pool.acquire() as conn:
        added = await connections.add_connection(
            conn, call.account.id, order, secret, call.services.kinds, call.services.allowed_to(call.who)
        )
    return _created(call, added, secret)


async def change_connection(call: ApiCall[NoQuery, ConnectionChange]) -> ConnectionCreated:
    name = call.path["connection"]
    changes = call.body.model_dump(exclude={"new_secret"}, exclude_unset=True)
    secret = new_secret() if call.body.new_secret else None
    if secret is not None:
        changes["secret"] = secret
    async with call.services.pool.acquire() as conn:
        try:
            changed = await connections.change_connection(
                conn, call.account.id, name, changes, call.services.kinds, call.services.allowed_to(call.who)
            )
        except NothingOfThatName as err:
            raise not_found("connection", name) from err
    return _created(call, changed, secret)


async def remove_connection(call: ApiCall[ConnectionRemovalQuery, None]) -> None:
    name = call.path["connection"]
    async with call.services.pool.acquire() as conn:
        try:
            await connections.remove_connection(
                conn, call.account.id, name, even_if_used=call.query.even_if_used
            )
        except NothingOfThatName as err:
            raise not_found("connection", name) from err


def _created(call: AnyCall, connection: Connection, secret: str | None) -> ConnectionCreated:
    base = call.services.settings.base_url
    kinds = call.services.kinds
    text = pbx_instructions(connection.kind, connection.name, secret, base, kinds) if secret else None
    return ConnectionCreated(connection=view_of(connection), secret=secret, instructions=text)


_ALL = "/v1/accounts/{account}/connections"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_connections,
        summary="PBX connections",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=add_connection,
        summary="Connect a PBX; the secret is shown once",
        status=201,
        errors=(409,),
    ),
    Route(
        method="PATCH",
        path=_ALL + "/{connection}",
        handler=change_connection,
        summary="Change a connection, or give it a new secret",
    ),
    Route(
        method="DELETE",
        path=_ALL + "/{connection}",
        handler=remove_connection,
        summary="Remove a connection",
        description="409 with what calls through it, unless `even_if_used`.",
        errors=(409,),
    ),
)
