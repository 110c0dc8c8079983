"""One call inside its client's job: what the pure core needs is looked up, and what comes back is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.effects.order import order, promised
from crm.lane import Lane
from crm.store.clients import client_of
from crm.store.metadata import gone_places
from gateway.calls.context import JobContext
from gateway.calls.lookups import with_lookup
from gateway.calls.turns import book, held_turns, picking, turns_of
from gateway.store.admin.accounts import Account
from gateway.store.calls import calls as store
from gateway.store.calls import decided_anew as decided_anew_store
from gateway.store.calls import missed_calls as cases
from gateway.store.campaigns.of_call import campaign_of_call
from gateway.store.outbound.adding import add_missed_call
from routing.client import Client
from routing.client_work import cases as cases_of_client
from routing.client_work.call import folded, needs, work_on_call, work_without_client
from routing.client_work.values import (
    Act,
    CallRow,
    CaseDecided,
    ClientState,
    DecidedAnew,
    MomentDecided,
    Needs,
    NoClient,
    RecordingAmended,
    RecordingNoted,
    Told,
)
from routing.effects import CallClient, Effect
from routing.matrix.by_template.turns import NO_TURNS
from routing.matrix.model import Matrix
from routing.matrix.places import GonePlaces, named_places
from routing.matrix.situation import Situation
from routing.missed_calls import Case, CaseOrder, TaskTold
from runtime.database.pool import Conn


async def call_of(context: JobContext, before: CallRow | None, told: Told) -> CallRow:
    """Brings the call up to date and orders what is due. before: as stored, None at first sight. Raises whatever the rules
    raise on events they cannot digest."""
    row = folded(before, told, context.setup)
    if row.client is None:
        worked = work_without_client(row, told.policy, context.setup)
    else:
        state = await _state(context, row, row.client, needs(before, row, context.setup))
        worked = work_on_call(before, row, state, context.setup)
        held: frozenset[str] = frozenset()
        while wanted := picking(worked.acts) - held:
            held |= wanted
            turns = await held_turns(context, state.turns, held)
            if turns != state.turns:  # somebody picked meanwhile
                state = state._replace(turns=turns)
                worked = work_on_call(before, row, state, context.setup)
    for act in worked.acts:
        await _carry_out(context, worked.row, act)
    row = await with_lookup(context.conn, before, worked.row, told.policy)
    await store.save_call(context.conn, row)
    return row


async def escalate_if_due(context: JobContext, client: str) -> None:
    """Hand a case that has waited too long to the next senior manager."""
    case = await cases.open_case(context.conn, context.account.id, client)
    decided = cases_of_client.escalate(context.account.id, case, context.setup) if case else None
    if decided:
        await _change_case(context, client, None, decided)


async def follow_task(context: JobContext, case: Case, told: TaskTold) -> None:
    """Take over what a person did in the CRM with the task of this case."""
    decided = cases_of_client.follow_task(context.account.id, case, told, context.setup)
    await _change_case(context, case.client, None, decided)


async def carry_out_by_hand(context: JobContext, case: Case, ordered: CaseOrder) -> CaseDecided:
    """Do with this case what a person ordered here, and tell the CRM."""
    account_id = context.account.id
    is_unsent = await cases.is_task_unsent(context.conn, account_id, case)
    decided = cases_of_client.carry_out(account_id, case, ordered, context.setup, is_task_unsent=is_unsent)
    await _change_case(context, case.client, None, decided)
    return decided


async def open_case(context: JobContext, row: CallRow, decided: CaseDecided) -> None:
    """Take a missed call into its client's case after all."""
    await _change_case(context, row.client or "", row.call_id, decided)


async def known_client(conn: Conn, account_id: str, number: str) -> Client:
    """Return what the CRM is known to hold of a number (E.164), and what we have ordered for it."""
    known = await client_of(conn, account_id, number)
    ours = await promised(conn, account_id, number)
    there = {(e.ref.kind, e.ref.id) for e in known.entities if e.ref.id}
    fresh = tuple(e for e in ours if e.ref.id is None or (e.ref.kind, e.ref.id) not in there)
    return Client(number=number, entities=(*known.entities, *fresh))


async def gone_from_crm(conn: Conn, account: Account, matrix: Matrix) -> GonePlaces:
    """Return which of the pipelines and stages that this matrix names were deleted in the CRM."""
    pipelines, stages = named_places(matrix, account.settings.default_pipeline_id)
    if not pipelines and not stages:
        return GonePlaces()
    gone_pipelines, gone_stages = await gone_places(conn, account.id, pipelines, stages)
    return GonePlaces(pipelines=gone_pipelines, stages=gone_stages)


async def _state(context: JobContext, row: CallRow, number: str, asked: Needs) -> ClientState:
    conn, account_id = context.conn, context.account.id
    state = ClientState(Client(number=number))
    if asked.client:
        matrix, trial = await context.matrix_of(row)
        gone, undone, has_undone_task = await decided_anew_store.came_to_nothing(
            conn, account_id, row.call_id
        )
        client = await known_client(conn, account_id, number)
        call = row.call
        campaign = await campaign_of_call(
            conn,
            account_id,
            number,
            call.attempt,
            is_inbound=call.direction == "inbound",
            may_leave_traces=context.account.settings.campaigns.leaves_traces,
            there=(row.connection_id, call.campaign_task) if call.campaign_task else None,
        )
        state = state._replace(
            client=client,
            campaign=campaign,
            matrix=matrix,
            trial=trial,
            turns=await turns_of(context, matrix, row.call_id, client),
            gone_places=await gone_from_crm(conn, context.account, matrix),
            ordered=await store.effect_keys(conn, account_id, row.call_id),
            gone=gone,
            undone=undone,
            has_undone_task=has_undone_task,
        )
    if asked.case and (case := await cases.open_case(conn, account_id, number)):
        is_unsent = row.call.is_answered and await cases.is_task_unsent(conn, account_id, case)
        state = state._replace(case=case, is_task_unsent=is_unsent)
    if asked.talk:
        state = state._replace(talk=await store.latest_talk(conn, account_id, number, context.now))
    if asked.note:
        state = state._replace(note=await store.sent_note(conn, account_id, row.call_id))
    return state


async def _carry_out(context: JobContext, row: CallRow, act: Act) -> None:
    match act:
        case NoClient():
            await _record_no_client(context, row, act)
        case MomentDecided():
            await _record_moment(context, row, act)
            await book(context, row, act)
            await _order(context, row.client, row.call_id, act.decision_id, act.effects, _lane(act))
        case DecidedAnew():
            await decided_anew_store.decided_anew(context.conn, context.account.id, row.call_id, act)
        case CaseDecided():
            await _change_case(context, row.client or "", row.call_id, act)
        case RecordingAmended(recording=recording):
            await store.amend_recording(context.conn, context.account.id, row.call_id, recording)
        case RecordingNoted(decision_id=decision_id, effect=effect):
            await _order(context, row.client, row.call_id, decision_id, (effect,), Lane.EVENTS)


async def _record_no_client(context: JobContext, row: CallRow, act: NoClient) -> None:
    await context.record(
        act.decision_id,
        kind="matrix",
        call_id=row.call_id,
        client=None,
        reason=act.reason,
        outcome={"effects": [], "reason": act.reason},
        steps=[{"rule": "client", "verdict": "decided", "because": act.reason, "facts": {}}],
        inputs={"call": row.call.model_dump(mode="json"), "policy": act.policy.model_dump(mode="json")},
    )


async def _record_moment(context: JobContext, row: CallRow, act: MomentDecided) -> None:
    situation = _asked(act).model_dump(mode="json", exclude={"staff"})
    if act.situation.turns is NO_TURNS:
        del situation["turns"]
    for absent in ("campaign", "trial"):
        if getattr(act.situation, absent) is None:
            del situation[absent]
    await context.record(
        act.decision_id,
        kind="matrix",
        call_id=row.call_id,
        client=row.client,
        reason=act.decision.reason,
        outcome=act.decision.model_dump(mode="json", exclude={"steps"}),
        steps=[step.as_json() for step in act.decision.steps],
        inputs={**situation, "matrix_version": row.matrix_version},
    )


def _asked(act: MomentDecided) -> Situation:
    """Return the situation with those templates only that the decision walked through."""
    known, asked = act.situation.turns, act.decision.asked_templates
    if not known.templates:
        return act.situation
    kept = {name: now for name, now in known.templates.items() if name in asked}
    return act.situation.model_copy(update={"turns": known.model_copy(update={"templates": kept})})


def _lane(act: MomentDecided) -> Lane:
    """Return the lane: what a person looks at while they talk goes before what is written afterwards."""
    return Lane.REALTIME if act.is_urgent else Lane.EVENTS


async def _change_case(context: JobContext, client: str, call_id: str | None, act: CaseDecided) -> None:
    conn, account_id = context.conn, context.account.id
    if act.skips_task and act.before is not None:
        await cases.skip_unsent(conn, account_id, act.before, "client_reached")
    if act.decision.case is not None and act.decision.case != act.before:
        await cases.save_case(conn, account_id, act.decision.case)
    if act.decision_id is None:
        return
    await _record_case(context, client, call_id, act.decision_id, act)
    await _order(context, client, call_id, act.decision_id, act.decision.effects, Lane.EVENTS)


async def _record_case(
    context: JobContext, client: str, call_id: str | None, decision_id: str, act: CaseDecided
) -> None:
    decided, settings = act.decision, context.account.settings
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
            **_event(act),
            "case": _json(act.before),
            "client": client,
            "policy": _json(settings.cases),
            "working_time": _json(settings.working_time),
            "time_zone": context.account.time_zone,
            "now": context.now.isoformat(),
        },
    )


def _event(act: CaseDecided) -> Mapping[str, Any]:
    if act.timer is not None:
        return {"timer": act.timer.isoformat()}
    if act.task is not None:
        return {"task": _json(act.task)}
    if act.ordered is not None:
        return {"ordered": _json(act.ordered)}
    if act.missed is not None:
        return {"missed": _json(act.missed), "reached": _json(act.reached)}
    return {"answered": _json(act.reached)}


def _json(value: Any) -> Any:
    return None if value is None else value.model_dump(mode="json")


async def _order(
    context: JobContext,
    client: str | None,
    call_id: str | None,
    decision_id: str,
    effects: Sequence[Effect],
    lane: Lane,
) -> None:
    assert client is not None
    for effect in effects:
        if isinstance(effect.order, CallClient):
            await add_missed_call(context.conn, context.account.id, effect.key, effect.order, decision_id)
    await order(
        context.conn,
        account_id=context.account.id,
        decision_id=decision_id,
        call_id=call_id,
        client=client,
        lane=lane,
        effects=[effect for effect in effects if not isinstance(effect.order, CallClient)],
        held=context.is_held,
    )
