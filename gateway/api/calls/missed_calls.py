"""Missed-call cases: who waits for a call back, for how long, and how fast it is done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, Route, not_found
from gateway.store.calls import missed_calls as store
from routing.missed_calls import Case
from routing.numbers.normalise import PublicNumber, normalise


class CasesQuery(Body):
    """client: with it all cases of this client, newest first, whatever their state."""

    state: Literal["open", "overdue"] = "open"
    owner: Annotated[str, Field(max_length=40, description="CRM user; only with state=open")] | None = None
    client: Annotated[str, Field(max_length=40, description="phone number in any spelling")] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class FiguresQuery(Body):
    days: Annotated[int, Field(ge=1, le=366, description="cases closed within so many days count")] = 7


class CaseView(Answer):
    """id: of the first missed call. waited_seconds: working time between it and the talk. closed_note: of whoever closed it by hand."""

    id: str
    client: str
    state: Literal["open", "closed"]
    opened_at: datetime
    last_missed_at: datetime
    missed_calls: list[str]
    owner_id: str | None
    target: dict[str, Any] | None
    task_text: str
    task_due_at: datetime
    is_overdue: bool
    escalations: int
    escalate_at: datetime | None
    closed_at: datetime | None
    closed_by_call: str | None
    closed_by: str | None
    waited_seconds: int | None
    closed_note: str


class CaseFiguresView(Answer):
    """median_seconds: working time from the first missed call to the talk; null when no case was closed."""

    open: int
    overdue: int
    closed: int
    median_seconds: float | None


def view_of(case: Case, now: datetime) -> CaseView:
    return CaseView(
        is_overdue=case.state == "open" and case.task_due_at < now,
        **case.model_dump(exclude={"changes"}),
    )


async def list_cases(call: ApiCall[CasesQuery, None]) -> Items[CaseView]:
    query = call.query
    now = datetime.now(UTC)
    async with call.services.pool.acquire() as conn:
        if query.client is not None:
            found = await store.cases_of_client(
                conn, call.account.id, _number(call, query.client), limit=query.limit
            )
        elif query.state == "overdue":
            found = await store.overdue_cases(conn, call.account.id, now, limit=query.limit)
        else:
            found = await store.open_cases(conn, call.account.id, owner_id=query.owner, limit=query.limit)
    return Items[CaseView](items=[view_of(case, now) for case in found])


def _number(call: AnyCall, raw: str) -> str:
    number = normalise(raw, call.services.configuration.now.policy_of(call.account.id))
    if not isinstance(number, PublicNumber):
        raise ApiError(400, "invalid-input", "That is not a phone number.", field="client")
    return number.e164


async def show_case(call: ApiCall) -> CaseView:
    async with call.services.pool.acquire() as conn:
        try:
            case = await store.case(conn, call.account.id, call.path["case"])
            if case.state == "closed" and case.closed_by is None:
                case = case.model_copy(
                    update={"closed_by": await store.completed_by(conn, call.account.id, case.id)}
                )
            return view_of(case, datetime.now(UTC))
        except store.NoSuchCase as err:
            raise not_found("case", call.path["case"]) from err


async def show_figures(call: ApiCall[FiguresQuery, None]) -> CaseFiguresView:
    query = call.query
    now = datetime.now(UTC)
    async with call.services.pool.acquire() as conn:
        figures = await store.case_figures(
            conn, call.account.id, since=now - timedelta(days=query.days), now=now
        )
    return CaseFiguresView.model_validate(figures)


_ALL = "/v1/accounts/{account}/cases"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_cases,
        summary="Missed-call cases that are open or overdue, or all of one client",
        role="manager",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account}/case-figures",
        handler=show_figures,
        summary="How many wait, and how fast clients are called back",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ALL + "/{case}",
        handler=show_case,
        summary="One missed-call case",
        role="manager",
    ),
)
