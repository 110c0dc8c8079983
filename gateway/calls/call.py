"""One call inside its client's job: folded, saved, and decided for every moment that is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from crm.effects.order import order, promised
from crm.lane import Lane
from crm.store.clients import client_of
from gateway.calls.context import JobContext
from gateway.calls.missed_calls import note_answered, note_missed, split_callback_task
from gateway.store.calls import calls as store
from gateway.store.calls.calls import CallRow
from gateway.store.decisions.decisions import decision_id_of
from routing.calls.fold import fold
from routing.calls.lost import close_lost, lost_at
from routing.calls.model import Call, CallEvent
from routing.client import Client, Ref
from routing.effects import AddNote, Effect
from routing.matrix.decide import MatrixDecision, decide, due_moments
from routing.matrix.model import Moment
from routing.matrix.situation import Situation
from routing.numbers.normalise import InternalNumber, NoNumber, PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.texts.sentences import TEXTS
from runtime.database.pool import Conn

# A moment under this name is the end of a call that counted as missed. A late "answered" is decided at "end" then.
MISSED = "missed"
_NO_CLIENT = "no_client"
_ASK_AGAIN = timedelta(seconds=5)


async def work_on_call(
    context: JobContext,
    row: CallRow | None,
    key: tuple[str, str],
    client: str | None,
    events: Sequence[CallEvent],
    heard_at: datetime,
) -> CallRow:
    """Brings the call up to date and orders what is due. row: as stored, None at first sight. key: (connection_id,
    call_key). heard_at: our time of the latest event. Raises whatever the rules raise on events they cannot digest."""
    connection_id, call_key = key
    call = _closed_when_lost(fold(events), heard_at, context)
    policy = context.policies.get(connection_id) or NumberPolicy(region=context.account.region)
    now = CallRow(
        account_id=context.account.id,
        call_id=store.call_id_of(context.account.id, connection_id, call_key),
        connection_id=connection_id,
        call_key=call_key,
        client=None if call.direction == "internal" else client,
        line=_line(call, policy),
        call=call,
        client_kind=row.client_kind if row else None,
        matrix_version=row.matrix_version if row else None,
        moments=row.moments if row else {},
        heard_at=heard_at,
    )
    now = await (_with_client(context, now) if now.client else _without_client(context, now, policy))
    if now.client:
        now = await _decide_moments(context, now)
        await _late_recording(context, row, now)
        if call.is_answered:
            await note_answered(context, now)
    now = replace(now, due_at=now.due_at or _due_at(context, now))
    await store.save_call(context.conn, now)
    return now


def _closed_when_lost(call: Call, heard_at: datetime, context: JobContext) -> Call:
    """A call of which nothing was heard for so long is over, whatever the PBX forgot to say."""
    until = _lost_at(call, heard_at, context)
    return close_lost(call, until) if until is not None and context.now >= until else call


def _lost_at(call: Call, heard_at: datetime, context: JobContext) -> datetime | None:
    return lost_at(call, heard_at, timedelta(minutes=context.account.settings.calls.lost_hangup_minutes))


def _line(call: Call, policy: NumberPolicy) -> str | None:
    number = normalise(call.line, policy)
    return number.e164 if isinstance(number, PublicNumber) else call.line


async def _with_client(context: JobContext, row: CallRow) -> CallRow:
    """Kind and matrix version are fixed when the call is first seen with its client."""
    if row.client_kind is not None and row.matrix_version is not None:
        return row
    matrix = await context.matrices.current(context.conn, context.account.id)
    client = await _client(context, row)
    return replace(row, client_kind=client.kind, matrix_version=matrix.version)


async def _client(context: JobContext, row: CallRow) -> Client:
    assert row.client is not None
    return await known_client(context.conn, context.account.id, row.client)


async def known_client(conn: Conn, account_id: str, number: str) -> Client:
    """What the CRM is known to hold of a number (E.164), and what we have ordered for it."""
    known = await client_of(conn, account_id, number)
    ours = await promised(conn, account_id, number)
    there = {(e.ref.kind, e.ref.id) for e in known.entities if e.ref.id}
    fresh = tuple(e for e in ours if e.ref.id is None or (e.ref.kind, e.ref.id) not in there)
    return Client(number=number, entities=(*known.entities, *fresh))


async def _without_client(context: JobContext, row: CallRow, policy: NumberPolicy) -> CallRow:
    """An internal, anonymous or unreadable caller leaves nothing in the CRM, only the reason why."""
    if not row.call.is_over or _NO_CLIENT in row.moments:
        return row
    reason = no_client_reason(row.call, policy)
    decision_id = decision_id_of(context.account.id, row.call_id, _NO_CLIENT)
    await context.record(
        decision_id,
        kind="matrix",
        call_id=row.call_id,
        client=None,
        reason=reason,
        outcome={"effects": [], "reason": reason},
        steps=[{"rule": "client", "verdict": "decided", "because": reason, "facts": {}}],
        inputs={"call": row.call.model_dump(mode="json"), "policy": policy.model_dump(mode="json")},
    )
    return replace(row, moments={**row.moments, _NO_CLIENT: decision_id})


def no_client_reason(call: Call, policy: NumberPolicy) -> str:
    """Reason why a call leaves nothing in the CRM: it is internal, from one of our own numbers, or without a number."""
    if call.direction == "internal":
        return "internal"
    match normalise(call.client, policy):
        case NoNumber(reason=reason):
            return reason
        case InternalNumber():
            return "internal"
        case _:
            return "own_number"


async def _decide_moments(context: JobContext, row: CallRow) -> CallRow:
    settled = context.now >= row.heard_at + timedelta(seconds=context.account.settings.calls.settle_seconds)
    for moment in due_moments(row.call, _done(row), settled):
        decided, decision_id = await _decide(context, row, moment)
        if decided.wait_until is not None:
            # Another integration may create the client any moment: asked again soon, at the latest when it is over.
            return replace(row, due_at=max(context.now, min(decided.wait_until, context.now + _ASK_AGAIN)))
        name = _moment_name(row, moment)
        row = replace(row, moments={**row.moments, name: decision_id})
    return row


def _moment_name(row: CallRow, moment: Moment) -> str:
    return MISSED if moment is Moment.END and not row.call.is_answered else moment.value


def _done(row: CallRow) -> frozenset[str]:
    """A missed end is the end, unless somebody turns out to have answered after all."""
    done = frozenset(row.moments)
    return done | {Moment.END.value} if MISSED in done and not row.call.is_answered else done


async def _decide(context: JobContext, row: CallRow, moment: Moment) -> tuple[MatrixDecision, str]:
    assert row.client is not None
    assert row.client_kind is not None
    assert row.matrix_version is not None
    matrix = await context.matrices.at(context.conn, context.account.id, row.matrix_version)
    rules = context.rules
    situation = Situation(
        call_id=row.call_id,
        moment=moment,
        call=row.call,
        number=row.client,
        line=row.line,
        connection=row.connection_id,
        client=await _client(context, row),
        client_kind=row.client_kind,
        staff=context.staff,
        settings=context.account.settings,
        time_zone=context.account.time_zone,
        now=context.now,
        ordered=await store.effect_keys(context.conn, context.account.id, row.call_id),
        holidays=frozenset(rules.holidays),
    )
    decided = decide(matrix, situation)
    decision_id = decision_id_of(context.account.id, row.call_id, _moment_name(row, moment))
    if decided.wait_until is None:
        await _carry_out(context, row, situation, decided, decision_id)
    return decided, decision_id


async def _carry_out(
    context: JobContext, row: CallRow, situation: Situation, decided: MatrixDecision, decision_id: str
) -> None:
    assert row.client is not None
    await context.record(
        decision_id,
        kind="matrix",
        call_id=row.call_id,
        client=row.client,
        reason=decided.reason,
        outcome=decided.model_dump(mode="json", exclude={"steps"}),
        steps=[step.as_json() for step in decided.steps],
        inputs={**situation.model_dump(mode="json", exclude={"staff"}), "matrix_version": row.matrix_version},
    )
    effects, task = split_callback_task(row, decided.effects)
    await _order(context, row, decision_id, effects, _lane(decided.moment))
    if task is not None:
        await note_missed(context, row, task)


def _lane(moment: Moment) -> Lane:
    """What a person looks at while they talk goes before what is written afterwards."""
    return Lane.EVENTS if moment is Moment.END else Lane.REALTIME


async def _order(
    context: JobContext, row: CallRow, decision_id: str, effects: Sequence[Effect], lane: Lane
) -> None:
    assert row.client is not None
    await order(
        context.conn,
        account_id=context.account.id,
        decision_id=decision_id,
        call_id=row.call_id,
        client=row.client,
        lane=lane,
        effects=effects,
        held=context.is_held,
    )


async def _late_recording(context: JobContext, before: CallRow | None, row: CallRow) -> None:
    """A link that comes after the call was told to the CRM: into the unsent call note, else as a note of its own."""
    if before is None or not ({MISSED, Moment.END.value} & frozenset(before.moments)):
        return
    for recording in (r for r in row.call.recordings if r not in before.call.recordings):
        if await store.amend_recording(context.conn, context.account.id, row.call_id, recording):
            continue
        told = await store.attached_to(context.conn, context.account.id, row.call_id)
        if told is None or told[2] is None:
            continue
        key, _, target = told
        said = TEXTS[context.account.settings.language].say("crm.note.recording", url=recording)
        effect = Effect(
            key=f"{row.call_id}:recording:{sha256(recording.encode()).hexdigest()[:8]}",
            order=AddNote(target=Ref.model_validate(target), text=said),
            after=(key,),
        )
        decision_id = row.moments.get(Moment.END.value) or row.moments[MISSED]
        await _order(context, row, decision_id, (effect,), Lane.EVENTS)


def _due_at(context: JobContext, row: CallRow) -> datetime | None:
    """When the call has to be looked at although nothing new arrives."""
    policy = context.account.settings.calls
    if not row.call.is_over:
        return _lost_at(row.call, row.heard_at, context)
    if row.client and due_moments(row.call, _done(row), True):
        return row.heard_at + timedelta(seconds=policy.settle_seconds)
    return None
