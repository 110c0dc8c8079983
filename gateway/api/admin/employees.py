"""Employees: who is who in the CRM and on the phone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.admin import employees
from gateway.admin.input_words import LONGEST_EMAIL, LONGEST_GROUP, LONGEST_NAME, USER_ID, described
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.store.admin import staff as store
from routing.staff import Employee

Address = Annotated[str, Field(min_length=1, max_length=100)]


class EmployeeBody(Body):
    """crm_user_id: empty = the CRM user with the same e-mail address. The first extension is the one that rings."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    email: Annotated[str, Field(max_length=LONGEST_EMAIL)] = ""
    crm_user_id: Annotated[str, described(USER_ID)] | None = None
    extensions: Annotated[list[Address], Field(max_length=20)] = []
    sip: Annotated[list[Address], Field(max_length=20)] = []
    numbers: Annotated[list[Address], Field(max_length=20)] = []
    is_senior: bool = False
    deputy_id: Annotated[str, Field(max_length=64)] | None = None
    group: Annotated[str, Field(max_length=LONGEST_GROUP)] | None = None
    gets_missed_calls: Annotated[
        bool, Field(description="whether templates give them missed calls of callers who are nobody's yet")
    ] = True


class EmployeeRemovalQuery(Body):
    even_if_used: bool = Field(
        False, description="remove them although something names them; their tokens and users are withdrawn"
    )


class EmployeeView(Answer):
    """crm_user_id: as mapped, by hand or by e-mail. is_active: as the CRM says of this user."""

    id: str
    name: str
    email: str
    crm_user_id: str | None
    extensions: list[str]
    sip: list[str]
    numbers: list[str]
    is_active: bool
    is_senior: bool
    deputy_id: str | None
    group: str | None
    gets_missed_calls: bool


def view_of(person: Employee) -> EmployeeView:
    return EmployeeView.model_validate(person.model_dump(mode="json"))


async def list_employees(call: ApiCall) -> Items[EmployeeView]:
    async with call.services.pool.acquire() as conn:
        staff = await store.staff_of(conn, call.account.id)
    return Items[EmployeeView](items=[view_of(p) for p in staff.employees])


async def save_employee(call: ApiCall[NoQuery, EmployeeBody]) -> EmployeeView:
    sent = call.body.model_dump() | {"id": call.path["employee"]}
    async with call.services.pool.acquire() as conn:
        return view_of(await employees.save_employee(conn, call.account.id, Employee.model_validate(sent)))


async def remove_employee(call: ApiCall[EmployeeRemovalQuery, None]) -> None:
    employee = call.path["employee"]
    async with call.services.pool.acquire() as conn:
        if not await employees.remove_employee(
            conn, call.account.id, employee, even_if_used=call.query.even_if_used
        ):
            raise not_found("employee", employee)


_ALL = "/v1/accounts/{account}/employees"
_ONE = _ALL + "/{employee}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_employees,
        summary="Employees with their addresses and CRM users",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_ONE,
        handler=save_employee,
        summary="Add or change an employee",
        errors=(409,),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_employee,
        summary="Remove an employee",
        description="409 with what names them, unless `even_if_used`: then their tokens are withdrawn, and their users sign"
        " in no more.",
        errors=(409,),
    ),
)
