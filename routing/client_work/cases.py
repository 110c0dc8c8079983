"""The missed-call case of a client, as a call or the clock changes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.calls.model import Call
from routing.client_work.values import Act, CallRow, CaseDecided, ClientState, Setup
from routing.decision import decision_id_of
from routing.effects import CreateTask, Effect
from routing.missed_calls import (
    Case,
    CaseDecision,
    CaseOrder,
    Missed,
    Reached,
    TaskTold,
    answered,
    by_hand,
    missed,
    task_changed,
    timer,
)

UNFINISHED = timedelta(minutes=2)
"""So long after the last word of it a talk without an end still counts as going on."""

_WORTH_RECORDING = {
    "case_opened",
    "case_counted",
    "case_closed",
    "case_escalated",
    "client_reached_already",
    "case_closed_in_crm",
    "case_reassigned",
    "case_taken",
    "case_closed_by_hand",
    "escalation_limit",
    "escalation_quiet",
    "no_senior_left",
}


def split_callback_task(
    call: Call, effects: tuple[Effect, ...]
) -> tuple[tuple[Effect, ...], CreateTask | None]:
    """Return the effects without the call-back task of a missed call, and that task: it is the case's from now on."""
    if call.is_answered or call.direction != "inbound":
        return effects, None
    tasks = [e.order for e in effects if isinstance(e.order, CreateTask) and e.order.purpose == "call_back"]
    kept = tuple(
        e for e in effects if not (isinstance(e.order, CreateTask) and e.order.purpose == "call_back")
    )
    return kept, tasks[0] if tasks else None


def on_missed(row: CallRow, task: CreateTask, state: ClientState, setup: Setup) -> list[Act]:
    """Take in a missed call of the client: opens the client's case or counts on it."""
    ended_at = None if row.call.is_end_lost else row.call.ended_at
    call = Missed(
        call_id=row.call_id,
        at=row.call.started_at + row.clock_offset,
        ended_at=ended_at + row.clock_offset if ended_at else None,
        task=task,
    )
    decided = missed(state.case, call, state.talk, row.client or "", setup.rules)
    decision_id = _decision_id(row.account_id, row.call_id, decided)
    return [CaseDecided(decision_id, state.case, decided, missed=call, reached=state.talk)]


def on_answered(row: CallRow, state: ClientState, setup: Setup) -> list[Act]:
    """Somebody talks or talked with the client: closes the client's case. Nothing when none is open."""
    talk = talk_of(row, setup)
    if state.case is None or talk is None:
        return []
    decided = answered(state.case, talk, setup.rules)
    skips_task = decided.reason == "case_closed" and state.is_task_unsent
    if skips_task:
        decided = decided._replace(effects=())
    decision_id = _decision_id(row.account_id, row.call_id, decided)
    return [CaseDecided(decision_id, state.case, decided, reached=talk, skips_task=skips_task)]


def escalate(account_id: str, case: Case, setup: Setup) -> CaseDecided | None:
    """Give a case that has waited too long to the next senior manager; None when it is not due."""
    if case.escalate_at is None or setup.now < case.escalate_at:
        return None
    decided = timer(case, setup.now, setup.staff, setup.rules)
    about = f"{case.id}:{setup.now.isoformat()}"
    return CaseDecided(_decision_id(account_id, about, decided), case, decided, timer=setup.now)


def follow_task(account_id: str, case: Case, told: TaskTold, setup: Setup) -> CaseDecided:
    """Take over what a person did in the CRM with the task of this case."""
    decided = task_changed(case, told, setup.staff, setup.rules)
    about = f"{case.id}:{setup.now.isoformat()}"
    return CaseDecided(_decision_id(account_id, about, decided), case, decided, task=told)


def carry_out(
    account_id: str, case: Case, ordered: CaseOrder, setup: Setup, *, is_task_unsent: bool
) -> CaseDecided:
    """Do with the case what a person ordered here. is_task_unsent: the CRM was never told of its task."""
    decided = by_hand(case, ordered, setup.rules)
    skips_task = decided.reason == "case_closed_by_hand" and is_task_unsent
    if skips_task:
        decided = decided._replace(effects=())
    about = f"{case.id}:{setup.now.isoformat()}"
    decision_id = _decision_id(account_id, about, decided)
    return CaseDecided(decision_id, case, decided, ordered=ordered, skips_task=skips_task)


def talk_of(row: CallRow, setup: Setup) -> Reached | None:
    """Who talked with the client in this call, and until when, by our clock."""
    person = setup.staff.employee_at(row.call.answered_by)
    return reached_by(row, setup.now, person.name if person else row.call.answered_by)


def reached_by(row: CallRow, now: datetime, by: str | None) -> Reached | None:
    """Return the talk of this call; None when nobody talked. by: who did.

    One that goes on, or whose end was lost, counts until a little after the last that was heard of it: a client who calls
    later on talks with nobody. If they do all the same, the end of the talk closes their case.
    """
    call = row.call
    if call.answered_at is None:
        return None
    at = call.answered_at + row.clock_offset
    if call.ended_at is not None and not call.is_end_lost:
        until = call.ended_at + row.clock_offset
    else:
        until = max(at, min(now, _last_word(row) + UNFINISHED))
    return Reached(call_id=row.call_id, at=at, until=until, by=by)


def _last_word(row: CallRow) -> datetime:
    """Return when this talk was last known to go on: by the PBX's own times where they are earlier, since what was told late
    does not prolong it."""
    call = row.call
    times = [call.answered_at, call.legs_gone_at, *(talk.started_at for talk in call.talks)]
    return min(row.heard_at, max(at for at in times if at is not None) + row.clock_offset)


def _decision_id(account_id: str, about: str, decided: CaseDecision) -> str | None:
    if decided.reason not in _WORTH_RECORDING:
        return None
    return decision_id_of(account_id, "case", about, decided.reason)
