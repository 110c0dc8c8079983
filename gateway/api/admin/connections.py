"""PBX connections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.admin.connections import pbx_instructions
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route, not_found
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts as rows
from routing.numbers.normalise import PublicNumber, normalise
from runtime.tokens import new_secret

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Value = Annotated[str, Field(max_length=500)]
Setting = Value | int | bool | list[Value] | None


class NewConnection(Body):
    name: Name
    kind: Annotated[str, Field(max_length=40)]
    dialect: Annotated[str, Field(max_length=40, description="else the kind's own")] | None = None
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    lines: Annotated[list[Value], Field(max_length=1000)] = []
    keys: dict[str, Value] = {}
    settings: dict[str, Setting] = {}


class ConnectionChange(Body):
    """What is absent stays as it is."""

    dialect: Annotated[str, Field(max_length=40)] | None = None
    lines: Annotated[list[Value], Field(max_length=1000)] | None = None
    keys: dict[str, Value] | None = None
    settings: dict[str, Setting] | None = None
    is_on: bool | None = None
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
        settings=dict(connection.settings),
        is_on=connection.is_on,
    )


async def list_connections(call: ApiCall) -> Items[ConnectionView]:
    async with call.services.pool.acquire() as conn:
        found = await rows.connections(conn, call.account.id)
    return Items[ConnectionView](items=[view_of(c) for c in found])


async def add_connection(call: ApiCall[NoQuery, NewConnection]) -> ConnectionCreated:
    body = call.body
    if body.kind not in KINDS:
        raise ApiError(
            400, "invalid-input", f"Unknown kind; known: {', '.join(sorted(KINDS))}.", field="kind"
        )
    secret = new_secret()
    async with call.services.pool.acquire() as conn:
        try:
            added = await rows.add_connection(
                conn,
                account_id=call.account.id,
                name=body.name,
                kind=body.kind,
                secret=secret,
                keys=body.keys,
                dialect=body.dialect or KINDS[body.kind].default_dialect,
                region=body.region,
                lines=_lines(call, body.lines),
                settings=body.settings,
            )
        except rows.AlreadyExists as err:
            raise ApiError(
                409, err.code, f"There is a connection '{body.name}' already.", field="name"
            ) from err
    return _created(call, added, secret)


async def change_connection(call: ApiCall[NoQuery, ConnectionChange]) -> ConnectionCreated:
    body = call.body
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("dialect", body.dialect),
            ("keys", body.keys),
            ("settings", body.settings),
            ("is_on", body.is_on),
        )
        if value is not None
    }
    if body.lines is not None:
        changes["lines"] = _lines(call, body.lines)
    secret = new_secret() if body.new_secret else None
    if secret is not None:
        changes["secret"] = secret
    async with call.services.pool.acquire() as conn:
        await _own(conn, call)
        changed = await rows.change_connection(conn, call.path["connection"], **changes)
    return _created(call, changed, secret)


async def remove_connection(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        await _own(conn, call)
        await rows.remove_connection(conn, call.path["connection"])


async def _own(conn: Any, call: AnyCall) -> None:
    if call.path["connection"] not in {c.name for c in await rows.connections(conn, call.account.id)}:
        raise not_found("connection", call.path["connection"])


def _created(call: AnyCall, connection: Connection, secret: str | None) -> ConnectionCreated:
    settings = call.services.settings
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    text = pbx_instructions(connection.kind, connection.name, secret, base) if secret else None
    return ConnectionCreated(connection=view_of(connection), secret=secret, instructions=text)


def _lines(call: AnyCall, raw: list[str]) -> tuple[str, ...]:
    policy = call.services.configuration.now.policy_of(call.account.id)
    lines = []
    for text in raw:
        number = normalise(text, policy)
        if not isinstance(number, PublicNumber):
            raise ApiError(400, "invalid-input", f"'{text}' is not a phone number.", field="lines")
        lines.append(number.e164)
    return tuple(dict.fromkeys(lines))


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
        method="DELETE", path=_ALL + "/{connection}", handler=remove_connection, summary="Remove a connection"
    ),
)
