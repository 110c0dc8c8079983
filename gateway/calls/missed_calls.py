"""The missed-call case of a client, kept inside their job: the rules decide, rows and effects follow."""

from __future__ import annotations

from typing import Any

from crm.effects.order import order
from crm.lane import Lane
from gateway.calls.context import JobContext
from gateway.store.calls import missed_calls as store
from gateway.store.calls.calls import CallRow, latest_talk
from gateway.store.decisions.decisions import decision_id_of
from routing.calls.model import Call
from routing.effects import CreateTask, Effect
from routing.missed_calls import (
    Case,
    CaseDecision,
    Missed,
    Reached,
    TaskTold,
    answered,
    missed,
    task_changed,
    timer,
)

_WORTH_RECORDING = {
    "case_opened",
    "case_counted",
    "case_closed",
    "case_escalated",
    "client_reached_already",
    "case_closed_in_crm",
    "case_reassigned",
    "escalation_limit",
    "no_senior_left",
}


def split_callback_task(
    row: CallRow, effects: tuple[Effect, ...]
) -> tuple[tuple[Effect, ...], CreateTask | None]:
    """The effects without the call-back task of a missed call, and that task: it is the case's from now on."""
    if row.call.is_answered or row.call.direction != "inbound":
        return effects, None
    tasks = [e.order for e in effects if isinstance(e.order, CreateTask) and e.order.purpose == "call_back"]
    if not tasks:
        return effects, None
    kept = tuple(
        e for e in effects if not (isinstance(e.order, CreateTask) and e.order.purpose == "call_back")
    )
    return kept, tasks[0]


async def note_missed(context: JobContext, row: CallRow, task: CreateTask) -> None:
    """A missed call of the client: opens their case or counts on it."""
    assert row.client is not None
    case = await store.open_case(context.conn, context.account.id, row.client)
    talk = await latest_talk(context.conn, context.account.id, row.client, context.now)
    told = Missed(call_id=row.call_id, at=row.call.started_at, task=task)
    decided = missed(case, told, talk, row.client, context.rules)
    await _carry_out(
        context, case, decided, row.client, row.call_id, {"missed": _json(told), "reached": _json(talk)}
    )


async def note_answered(context: JobContext, row: CallRow) -> None:
    """Somebody talks or talked with the client: closes their case. Does nothing when none is open."""
    assert row.client is not None
    case = await store.open_case(context.conn, context.account.id, row.client)
    talk = _talk(context, row)
    if case is None or talk is None:
        return
    decided = answered(case, talk, context.rules)
    if decided.reason == "case_closed" and await store.skip_unsent(
        context.conn, context.account.id, case, "client_reached"
    ):
        decided = decided._replace(effects=())
    await _carry_out(context, case, decided, row.client, row.call_id, {"answered": _json(talk)})


async def escalate_if_due(context: JobContext, client: str) -> None:
    case = await store.open_case(context.conn, context.account.id, client)
    if case and case.escalate_at and case.escalate_at <= context.now:
        decided = timer(case, context.now, context.staff, context.rules)
        await _carry_out(context, case, decided, client, None, {"timer": context.now.isoformat()})


async def follow_task(context: JobContext, case: Case, told: TaskTold) -> None:
    """What a person did in the CRM with the task of this case."""
    decided = task_changed(case, told, context.staff, context.rules)
    await _carry_out(context, case, decided, case.client, None, {"task": _json(told)})


def _talk(context: JobContext, row: CallRow) -> Reached | None:
    call = row.call
    if call.answered_at is None:
        return None
    return Reached(
        call_id=row.call_id,
        at=call.answered_at,
        until=call.ended_at or context.now,
        by=_who_talked(context, call),
    )


def _who_talked(context: JobContext, call: Call) -> str | None:
    person = context.staff.employee_at(call.answered_by)
    return person.name if person else call.answered_by


async def _carry_out(
    context: JobContext,
    before: Case | None,
    decided: CaseDecision,
    client: str,
    call_id: str | None,
    event: dict[str, Any],
) -> None:
    if decided.case is not None and decided.case != before:
        await store.save_case(context.conn, context.account.id, decided.case)
    if decided.reason not in _WORTH_RECORDING:
        return
    about = call_id or (f"{decided.case.id}:{context.now.isoformat()}" if decided.case else client)
    decision_id = decision_id_of(context.account.id, "case", about, decided.reason)
    await context.record(
        decision_id,
        kind="case",
        call_id=call_id,
        client=client,
        reason=decided.reason,
        outcome={
            "case": _json(decided.case),
            "effects": [e.model_dump(mode="json") for e in decided.effects],
        },
        steps=[s.as_json() for s in decided.steps],
        inputs={
            **event,
            "case": _json(before),
            "client": client,
            "policy": _json(context.account.settings.cases),
            "working_time": _json(context.account.settings.working_time),
            "time_zone": context.account.time_zone,
            "now": context.now.isoformat(),
        },
    )
    await order(
        context.conn,
        account_id=context.account.id,
        decision_id=decision_id,
        call_id=call_id,
        client=client,
        lane=Lane.EVENTS,
        effects=decided.effects,
        held=context.is_held,
    )


def _json(value: Any) -> Any:
    return None if value is None else value.model_dump(mode="json")
