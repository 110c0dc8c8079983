"""People who sign in to the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from gateway.admin import users
from gateway.admin.refused import NothingOfThatName
from gateway.admin.users import UserOrder
from gateway.api.admin.tokens import Names, bound_fields, refuse_other_account
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.store.admin import users as store
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES, Role
from gateway.store.admin.users import AdminUser


class NewUser(Body):
    """password: absent = one is made up and told once. account: absent = every one. employee: who this is on the phone.
    templates, schedules: empty = all of them. counters: employees whose counter this person may start and stop, whatever
    the role; empty = by the role."""

    login: str
    role: Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})]
    name: str | None = None
    password: str | None = None
    account: str | None = None
    employee: str | None = None
    templates: Names = []
    schedules: Names = []
    counters: Names = []


class UserChange(Body):
    """What is absent stays as it is."""

    name: str | None = None
    role: Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})] | None = None
    is_on: bool | None = None
    account: str | None = None
    employee: str | None = None
    templates: Names | None = None
    schedules: Names | None = None
    counters: Names | None = None


class NewPassword(Body):
    """password: absent = one is made up and told once."""

    password: str | None = None


class UserView(Answer):
    login: str
    name: str
    role: Role
    account: str | None
    employee: str | None
    templates: list[str]
    schedules: list[str]
    counters: list[str]
    is_on: bool
    has_second_factor: bool
    created_at: datetime


class PasswordTold(Answer):
    """password: where one was made up, told once."""

    login: str
    password: str | None


def view_of(user: AdminUser) -> UserView:
    return UserView(
        login=user.login,
        name=user.name,
        role=user.role,
        account=user.account_id,
        employee=user.bound.employee,
        templates=list(user.bound.templates),
        schedules=list(user.bound.schedules),
        counters=list(user.bound.counters),
        is_on=user.is_on,
        has_second_factor=user.has_second_factor,
        created_at=user.created_at,
    )


async def list_users(call: ApiCall) -> Items[UserView]:
    async with call.services.pool.acquire() as conn:
        found = await store.users(conn, call.who.account_id)
    return Items[UserView](items=[view_of(user) for user in found])


async def add_user(call: ApiCall[NoQuery, NewUser]) -> PasswordTold:
    body = call.body
    refuse_other_account(call, body.account)
    bound = Bindings(
        account_id=body.account,
        employee=body.employee,
        templates=tuple(body.templates),
        schedules=tuple(body.schedules),
        counters=tuple(body.counters),
    )
    order = UserOrder(login=body.login, role=body.role, name=body.name, bound=bound, password=body.password)
    async with call.services.pool.acquire() as conn:
        return PasswordTold(login=body.login, password=await users.add_user(conn, order))


async def change_user(call: ApiCall[NoQuery, UserChange]) -> UserView:
    login, changes = call.path["login"], bound_fields(call.body)
    if "account_id" in changes:
        refuse_other_account(call, changes["account_id"])
    async with call.services.pool.acquire() as conn:
        try:
            return view_of(await users.change_user(conn, login, _given(changes), call.who.account_id))
        except NothingOfThatName as err:
            raise not_found("user", login) from err


async def set_password(call: ApiCall[NoQuery, NewPassword]) -> PasswordTold:
    login = call.path["login"]
    async with call.services.pool.acquire() as conn:
        try:
            made = await users.set_password(conn, login, call.body.password, call.who.account_id)
        except NothingOfThatName as err:
            raise not_found("user", login) from err
    return PasswordTold(login=login, password=made)


async def remove_user(call: ApiCall) -> None:
    login = call.path["login"]
    async with call.services.pool.acquire() as conn:
        try:
            await users.remove_user(conn, login, call.who.account_id)
        except NothingOfThatName as err:
            raise not_found("user", login) from err


def _given(changes: dict[str, Any]) -> dict[str, Any]:
    """Name and the like are never nothing; to be bound to nothing is something that can be said."""
    return {n: v for n, v in changes.items() if v is not None or n in ("account_id", "employee")}


_ALL = "/v1/users"
_ONE = _ALL + "/{login}"
ROUTES = (
    Route(method="GET", path=_ALL, handler=list_users, summary="People who sign in to the pages"),
    Route(
        method="POST",
        path=_ALL,
        handler=add_user,
        summary="Let a person sign in; a password that was made up is told once",
        status=201,
        errors=(409,),
    ),
    Route(
        method="PATCH",
        path=_ONE,
        handler=change_user,
        summary="Change role, name and what the person is bound to",
        errors=(409,),
    ),
    Route(
        method="PUT", path=_ONE + "/password", handler=set_password, summary="Give a person another password"
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_user,
        summary="Let a person sign in no more",
        errors=(409,),
    ),
)
