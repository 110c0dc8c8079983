"""Shift change: what is set, what a move would take, runs and what each of them moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, cast

from pydantic import Field

from gateway.admin.input_words import COUNTED, JOURNAL_PLACE
from gateway.admin.operations import shift_change as service
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.shift_change.people import people_now
from gateway.store.shift_change import moves
from gateway.store.shift_change.moves import MovedKind, MoveRow, MoveState
from gateway.store.shift_change.runs import ShiftRunState
from gateway.texts.sentences import TEXTS
from routing.shift_change.policy import ShiftPolicy
from routing.shift_change.reasons import reason_key
from routing.shift_change.turns import RunKind
from routing.texts.catalogue import Language

MovedEmployee = Annotated[str, Field(min_length=1, max_length=200)]


class ShiftPolicyView(Answer, ShiftPolicy):
    """As it is stored; see `docs/reference/shift-change.md`."""


class MoveQuery(Body):
    employee: MovedEmployee
    kind: Annotated[service.MoveKind, Field(description="deals go away from them, or back to them")] = "away"


class StartShiftRun(Body):
    """kind: the employee's deals go away from them, or what was taken comes back to them."""

    employee: MovedEmployee
    kind: service.MoveKind = "away"


class RunsQuery(Body):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(pattern=COUNTED, description="`next` of the page before")] | None = None


class MovesQuery(Body):
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    after: Annotated[str, Field(max_length=100, pattern=JOURNAL_PLACE)] | None = None


class MovePreviewView(Answer):
    """By what is known now; the CRM is asked for nothing. stay: reason -> how many deals. receivers: employees who share
    them. requests: at 250 deals each, requests_usual: at 50. Tasks are listed when it begins."""

    kind: service.MoveKind
    employee_id: str
    deals: int
    waiting: int
    stay: Mapping[str, int]
    contacts: int
    companies: int
    receivers: list[str]
    requests: int
    requests_usual: int


class ShiftRunView(Answer):
    """deals_total: null until they are listed. reason: why it waits, or ended early. along: contacts, companies and tasks that
    went along."""

    run_id: int
    kind: RunKind
    employee_id: str
    state: ShiftRunState
    is_by_hand: bool
    ordered_by: str
    reason: str
    message: str
    deals_total: int | None
    deals_moved: int
    deals_left: int
    deals_waiting: int
    along: int
    started_at: datetime
    ended_at: datetime | None


class MoveView(Answer):
    """deal_id: itself, or the deal with which it went along. owner_was, given_to, created_for: CRM users."""

    kind: MovedKind
    entity_id: str
    deal_id: str
    state: MoveState
    reason: str
    message: str
    owner_was: str
    given_to: str | None
    employee_id: str | None
    created_for: str | None
    ordered_at: datetime | None
    settled_at: datetime | None


async def show_policy(call: ApiCall) -> ShiftPolicyView:
    async with call.services.pool.acquire() as conn:
        return _policy(await service.show_policy(conn, call.account.id))


async def save_policy(call: ApiCall[NoQuery, ShiftPolicy]) -> ShiftPolicyView:
    async with call.services.pool.acquire() as conn:
        return _policy(await service.save_policy(conn, call.account.id, call.body, call.who.name))


def _policy(policy: ShiftPolicy) -> ShiftPolicyView:
    return ShiftPolicyView.model_validate(policy.model_dump())


async def preview(call: ApiCall[MoveQuery, None]) -> MovePreviewView:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await service.preview(conn, call.account.id, query.employee, query.kind, people_now)
    return MovePreviewView.model_validate(found)


async def start(call: ApiCall[NoQuery, StartShiftRun]) -> ShiftRunView:
    async with call.services.pool.acquire() as conn:
        found = await service.start(conn, call.account.id, call.body.employee, call.body.kind, call.who.name)
    return _view(found, call.account.settings.language)


async def list_runs(call: ApiCall[RunsQuery, None]) -> Items[ShiftRunView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        found = await service.progress_of_all(
            conn, call.account.id, before=int(query.after) if query.after else None, limit=query.limit
        )
    return Items[ShiftRunView](
        items=[_view(one, call.account.settings.language) for one in found],
        next=str(found[-1].run.run_id) if len(found) == query.limit else None,
    )


async def show_run(call: ApiCall) -> ShiftRunView:
    return await _progress(call)


async def change(call: ApiCall) -> ShiftRunView:
    """pause, resume or stop, as the path says."""
    do = cast("service.ShiftAct", call.path["action"])
    run_id = (await _progress(call)).run_id
    async with call.services.pool.acquire() as conn:
        changed = await service.change(conn, call.account.id, run_id, do)
    return _view(changed, call.account.settings.language)


async def list_moves(call: ApiCall[MovesQuery, None]) -> Items[MoveView]:
    query, run_id = call.query, (await _progress(call)).run_id
    after = _place(query.after) if query.after else None
    async with call.services.pool.acquire() as conn:
        found = await moves.journal(conn, call.account.id, run_id, after=after, limit=query.limit)
    last = found[-1] if len(found) == query.limit else None
    return Items[MoveView](
        items=[_move(row, call.account.settings.language) for row in found],
        next=f"{last.position}/{last.kind}/{last.entity_id}" if last else None,
    )


def _move(row: MoveRow, language: Language) -> MoveView:
    return MoveView.model_validate({**asdict(row), "message": _message(row.reason, language)})


def _message(reason: str, language: Language) -> str:
    return TEXTS[language].word(reason_key(reason), reason) if reason else ""


def _place(after: str) -> tuple[int, str, str]:
    position, kind, id = after.split("/", 2)
    return int(position), kind, id


async def _progress(call: AnyCall) -> ShiftRunView:
    name = call.path["run"]
    if not (name.isascii() and name.isdigit() and len(name) <= 18):
        raise not_found("shift-run", name)
    async with call.services.pool.acquire() as conn:
        try:
            found = await service.progress(conn, call.account.id, int(name))
        except service.NoSuchShiftRun as err:
            raise not_found("shift-run", name) from err
    return _view(found, call.account.settings.language)


def _view(found: service.RunProgress, language: Language) -> ShiftRunView:
    run, counts = found.run, found.counts
    return ShiftRunView(
        run_id=run.run_id,
        kind=run.kind,
        employee_id=run.employee_id,
        state=run.state,
        is_by_hand=run.is_by_hand,
        ordered_by=run.ordered_by,
        reason=run.reason,
        message=_message(run.reason, language),
        deals_total=run.total,
        deals_moved=counts.moved,
        deals_left=counts.left_out,
        deals_waiting=counts.waiting,
        along=counts.along,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


_PATH = "/v1/accounts/{account}/shift-change"
_RUN = _PATH + "/runs/{run}"
ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=show_policy,
        summary="What is set for shift change",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_PATH,
        handler=save_policy,
        summary="Set shift change; nothing is moved until it is switched on",
    ),
    Route(
        method="GET",
        path=_PATH + "/preview",
        handler=preview,
        summary="What moving an employee's deals would do now; changes nothing",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_PATH + "/runs",
        handler=start,
        summary="Move an employee's deals to those left, or back, by hand",
        role="senior_manager",
        status=201,
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_PATH + "/runs",
        handler=list_runs,
        summary="Moves of employees' deals, the latest first",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_RUN,
        handler=show_run,
        summary="How far a move of an employee's deals is",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_RUN + "/moves",
        handler=list_moves,
        summary="Every deal of a move: its former owner, who got it, or why it stayed",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_RUN + "/{action:pause|resume|stop}",
        handler=change,
        summary="Pause, resume or stop a move of an employee's deals",
        role="senior_manager",
        errors=(409,),
    ),
)
