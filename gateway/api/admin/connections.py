"""PBX connections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.admin import connections
from gateway.admin.connections import ConnectionOrder, ConnectionRefused, pbx_instructions
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route, not_found
from gateway.pbx.connection import Connection
from gateway.store.admin import accounts as rows
from runtime.database.pool import Conn
from runtime.tokens import new_secret

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
SettingValue = Annotated[str, Field(max_length=500)]
Setting = SettingValue | int | bool | list[SettingValue] | None


class NewConnection(Body):
    name: Name
    kind: Annotated[str, Field(max_length=40)]
    dialect: Annotated[str, Field(max_length=40, description="else the kind's own")] | None = None
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    lines: Annotated[list[SettingValue], Field(max_length=1000)] = []
    keys: dict[str, SettingValue] = {}
    settings: dict[str, Setting] = {}


class ConnectionChange(Body):
    """What is absent stays as it is."""

    dialect: Annotated[str, Field(max_length=40)] | None = None
    lines: Annotated[list[SettingValue], Field(max_length=1000)] | None = None
    keys: dict[str, SettingValue] | None = None
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
    secret = new_secret()
    order = ConnectionOrder(**call.body.model_dump())
    async with call.services.pool.acquire() as conn:
        try:
            added = await connections.add_connection(conn, call.account.id, order, secret)
        except ConnectionRefused as err:
            raise _refused(err) from err
        except rows.AlreadyExists as err:
            raise ApiError(
                409, err.code, f"There is a connection '{order.name}' already.", field="name"
            ) from err
    return _created(call, added, secret)


async def change_connection(call: ApiCall[NoQuery, ConnectionChange]) -> ConnectionCreated:
    wanted = call.body.model_dump(exclude={"new_secret"}, exclude_none=True)
    secret = new_secret() if call.body.new_secret else None
    changes = {**wanted, "secret": secret} if secret is not None else wanted
    async with call.services.pool.acquire() as conn:
        now = await _own(conn, call)
        described = {name: wanted.get(name, getattr(now, name)) for name in ("dialect", "lines")}
        # What stands there already may be older than what is known of the kind today: only what is sent is judged.
        order = ConnectionOrder(
            name=now.name,
            kind=now.kind,
            region=now.region,
            keys=wanted.get("keys", {}),
            settings=wanted.get("settings", {}),
            **described,
        )
        try:
            changed = await connections.change_connection(conn, call.account.id, order, changes)
        except ConnectionRefused as err:
            raise _refused(err) from err
    return _created(call, changed, secret)


def _refused(err: ConnectionRefused) -> ApiError:
    return ApiError(400, err.code, err.message, detail=err.remedy, field=err.field)


async def remove_connection(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        await _own(conn, call)
        await rows.remove_connection(conn, call.path["connection"])


async def _own(conn: Conn, call: AnyCall) -> Connection:
    found = {c.name: c for c in await rows.connections(conn, call.account.id)}
    if call.path["connection"] not in found:
        raise not_found("connection", call.path["connection"])
    return found[call.path["connection"]]


def _created(call: AnyCall, connection: Connection, secret: str | None) -> ConnectionCreated:
    settings = call.services.settings
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    text = pbx_instructions(connection.kind, connection.name, secret, base) if secret else None
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
        method="DELETE", path=_ALL + "/{connection}", handler=remove_connection, summary="Remove a connection"
    ),
)
