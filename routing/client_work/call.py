"""One call of a client: folded, and decided for every moment that is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from routing.calls.fold import fold
from routing.calls.lost import close_lost, lost_at
from routing.calls.model import Call
from routing.client import Client
from routing.client_work.cases import on_answered, on_missed, split_callback_task
from routing.client_work.people import took_part
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
    SentNote,
    Setup,
    Told,
    Worked,
)
from routing.decision import decision_id_of, stable_id
from routing.effects import AddNote, AttachCall, CreateLead, CreateTask, Effect
from routing.matrix.by_template.turns import CallTurns
from routing.matrix.decide import MatrixDecision, decide, due_moments
from routing.matrix.model import Matrix, Moment
from routing.matrix.situation import Situation
from routing.numbers.normalise import InternalNumber, NoNumber, PublicNumber, normalise
from routing.orders import promise
from routing.settings import NumberPolicy
from routing.texts.sentences import TEXTS

# A moment under this name is the end of a call that counted as missed. A late "answered" is decided at "end" then.
MISSED = "missed"
NO_CLIENT = "no_client"
_ASK_AGAIN = timedelta(seconds=5)


def call_id_of(account_id: str, connection_id: str, call_key: str) -> str:
    """Ours: 16 letters and digits, always the same for the same call of the same PBX."""
    return stable_id(account_id, connection_id, call_key)[:16]


def folded(before: CallRow | None, told: Told, setup: Setup) -> CallRow:
    """Return the call as its events say, closed where its hangup is lost. before: as stored, None at first sight.

    Raises whatever the rules raise on events they cannot digest.
    """
    call = fold(told.events)
    over_at = lost_at(call, told.heard_at, setup.patience)
    if over_at is not None and setup.now >= over_at:
        call = close_lost(call, over_at)
    part = took_part(before, call, setup)
    return CallRow(
        account_id=told.account_id,
        call_id=call_id_of(told.account_id, told.connection_id, told.call_key),
        connection_id=told.connection_id,
        call_key=told.call_key,
        client=None if call.direction == "internal" else told.client,
        line=line_of(call, told.policy),
        call=call,
        client_kind=before.client_kind if before else None,
        matrix_version=before.matrix_version if before else None,
        trial=before.trial if before else None,
        moments=before.moments if before else {},
        heard_at=told.heard_at,
        clock_offset=told.clock_offset,
        people=part.people,
        is_by_unknown=part.is_by_unknown,
        lookup=before.lookup if before else None,
    )


def line_of(call: Call, policy: NumberPolicy) -> str | None:
    """Our number, E.164 or as the PBX names it."""
    return line_spelled(call.line, policy)


def line_spelled(spelled: str | None, policy: NumberPolicy) -> str | None:
    """Return our number, E.164 or as it was spelled."""
    number = normalise(spelled, policy)
    return number.e164 if isinstance(number, PublicNumber) else spelled


def needs(before: CallRow | None, row: CallRow, setup: Setup) -> Needs:
    """Return what of the client has to be known for `work_on_call`."""
    if row.client is None:
        return Needs()
    due = _due(row, setup)
    return Needs(
        client=bool(due) or not _is_fixed(row) or _may_be_undone(before, setup),
        case=row.call.is_answered or Moment.END in due,
        talk=not row.call.is_answered and Moment.END in due,
        note=any(_new_recordings(before, row)),
    )


def work_on_call(before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> Worked:
    """Return what is due for a folded call of a client. before: the call as stored, None at first sight."""
    if row.client is None:
        raise ValueError("a call without client is worked on by work_without_client")
    work = _Work(before, row, state, setup)
    work.run()
    return Worked(work.row, tuple(work.acts), work.state, work.waits_until)


def work_without_client(row: CallRow, policy: NumberPolicy, setup: Setup) -> Worked:
    """Decide about a call without a client: an internal, anonymous or unreadable caller leaves nothing in the CRM, only the reason why."""
    nobody = ClientState(Client(number=""))
    row = replace(row, due_at=lost_at(row.call, row.heard_at, setup.patience))
    if not row.call.is_over or NO_CLIENT in row.moments:
        return Worked(row, (), nobody)
    decision_id = decision_id_of(row.account_id, row.call_id, NO_CLIENT)
    act = NoClient(decision_id, no_client_reason(row.call, policy), policy)
    return Worked(replace(row, moments={**row.moments, NO_CLIENT: decision_id}), (act,), nobody)


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


class _Work:
    """The work on one call while it is done."""

    def __init__(self, before: CallRow | None, row: CallRow, state: ClientState, setup: Setup) -> None:
        self.before, self.row, self.state, self.setup = before, row, state, setup
        self.acts: list[Act] = []
        self.waits_until: datetime | None = None

    def run(self) -> None:
        self._fix_kind()
        self._decide_moments()
        self._decide_anew()
        self._note_recordings()
        if self.row.call.is_answered:
            self._take(on_answered(self.row, self.state, self.setup))
        self.row = replace(self.row, due_at=self._due_at())

    def _fix_kind(self) -> None:
        """Kind, matrix version and side of a trial are fixed when the call is first seen with its client."""
        if not _is_fixed(self.row):
            kind, version = self.state.client.kind, self._matrix.version
            self.row = replace(self.row, client_kind=kind, matrix_version=version, trial=self.state.trial)

    @property
    def _matrix(self) -> Matrix:
        if self.state.matrix is None:
            raise ValueError("the client's matrix was not looked up though the call needs it")
        return self.state.matrix

    def _decide_moments(self) -> None:
        for moment in _due(self.row, self.setup):
            situation = situation_of(self.row, moment, self.state, self.setup)
            decided = decide(self._matrix, situation)
            if decided.wait_until is not None:
                self.waits_until = decided.wait_until
                return
            self._decided(moment, situation, decided)

    def _decide_anew(self) -> None:
        """Decide again about moments of which the CRM took something no longer: its entity is gone. The case stays as it is."""
        for name, before in self.row.moments.items():
            moment = Moment.END if name == MISSED else Moment(name)
            is_undone = before in self.state.undone or (name == MISSED and self.state.has_undone_task)
            if not is_undone or name != _moment_name(self.row, moment):
                continue
            situation = situation_of(self.row, moment, self.state, self.setup)
            decided = decide(self._matrix, situation)
            decision_id = decision_id_of(self.row.account_id, self.row.call_id, f"{name}~{before}")
            effects, task = split_callback_task(self.row.call, decided.effects)
            self._take([_moment_decided(decision_id, name, decided, situation, effects, ())])
            self._take([DecidedAnew(before, bool(effects), task.target if task else None)])
            self.row = replace(self.row, moments={**self.row.moments, name: decision_id})

    def _decided(self, moment: Moment, situation: Situation, decided: MatrixDecision) -> None:
        name = _moment_name(self.row, moment)
        decision_id = decision_id_of(self.row.account_id, self.row.call_id, name)
        effects, task = split_callback_task(self.row.call, decided.effects)
        of_case = on_missed(self.row, task, self.state, self.setup) if task is not None else []
        self._take([_moment_decided(decision_id, name, decided, situation, effects, _case_orders(of_case))])
        self.row = replace(self.row, moments={**self.row.moments, name: decision_id})
        self._take(of_case)

    def _take(self, acts: list[Act]) -> None:
        """Acts are added, and the client is known to be what they make of it."""
        for act in acts:
            self.acts.append(act)
            self.state = _after(act, self.state, self.setup.now)

    def _note_recordings(self) -> None:
        """Note a link that comes after the call was told to the CRM: into the unsent call note, else as a note of its own."""
        for recording in _new_recordings(self.before, self.row):
            note = self.state.note
            if note is not None and note.is_unsent:
                self._take([RecordingAmended(recording)])
            elif note is not None and note.target is not None:
                said = TEXTS[self.setup.settings.language].say("crm.note.recording", url=recording)
                decision_id = self.row.moments.get(Moment.END.value) or self.row.moments[MISSED]
                effect = Effect(
                    key=f"{self.row.call_id}:recording:{sha256(recording.encode()).hexdigest()[:8]}",
                    order=AddNote(target=note.target, text=said),
                    after=(note.key,),
                )
                self._take([RecordingNoted(decision_id, effect)])

    def _due_at(self) -> datetime | None:
        """When the call has to be looked at although nothing new arrives."""
        row, now = self.row, self.setup.now
        if self.waits_until is not None:
            # Another integration may create the client any moment: asked again soon, at the latest when it is over.
            return max(now, min(self.waits_until, now + _ASK_AGAIN))
        if not row.call.is_over:
            return lost_at(row.call, row.heard_at, self.setup.patience)
        if due_moments(row.call, _done(row), True):
            return row.heard_at + self.setup.settle_time
        return None


def situation_of(row: CallRow, moment: Moment, state: ClientState, setup: Setup) -> Situation:
    """Return what the matrix decides about at one moment of a call whose client and client's kind are known."""
    if row.client is None or row.client_kind is None:
        raise ValueError("the matrix decides about calls of known clients only")
    return Situation(
        call_id=row.call_id,
        moment=moment,
        call=row.call,
        number=row.client,
        line=row.line,
        connection=row.connection_id,
        client=state.client,
        client_kind=row.client_kind,
        staff=setup.staff,
        settings=setup.settings,
        time_zone=setup.time_zone,
        now=setup.now,
        ordered=state.ordered,
        gone=state.gone,
        holidays=frozenset(setup.holidays.free),
        worked_days=dict(setup.holidays.worked),
        gone_places=state.gone_places,
        turns=_turns_of(state),
        campaign=state.campaign,
        trial=row.trial,
    )


def _turns_of(state: ClientState) -> CallTurns:
    """Who calls the client back already is known by their case."""
    if state.case is None or state.case.owner_id is None:
        return state.turns
    return state.turns.model_copy(update={"case_owner": state.case.owner_id})


def next_moment(row: CallRow) -> str | None:
    """Return the name of the moment that is to be decided next; None where nothing of the call is open."""
    due = due_moments(row.call, _done(row), True)
    return _moment_name(row, due[0]) if due else None


def _is_fixed(row: CallRow) -> bool:
    return row.client_kind is not None and row.matrix_version is not None


def _may_be_undone(before: CallRow | None, setup: Setup) -> bool:
    """Whoever finds that an entity is gone makes the call due."""
    return before is not None and before.due_at is not None and before.due_at <= setup.now


def _due(row: CallRow, setup: Setup) -> tuple[Moment, ...]:
    return due_moments(row.call, _done(row), setup.now >= row.heard_at + setup.settle_time)


def _done(row: CallRow) -> frozenset[str]:
    """Return the moments that are done: a missed end is the end, unless somebody turns out to have answered after all."""
    done = frozenset(row.moments)
    return done | {Moment.END.value} if MISSED in done and not row.call.is_answered else done


def _moment_name(row: CallRow, moment: Moment) -> str:
    return MISSED if moment is Moment.END and not row.call.is_answered else moment.value


def _new_recordings(before: CallRow | None, row: CallRow) -> Iterator[str]:
    """Links that came after the end was decided."""
    if before is None or not ({MISSED, Moment.END.value} & frozenset(before.moments)):
        return iter(())
    return (r for r in row.call.recordings if r not in before.call.recordings)


def _moment_decided(
    decision_id: str,
    name: str,
    decided: MatrixDecision,
    situation: Situation,
    effects: tuple[Effect, ...],
    of_case: tuple[Effect, ...],
) -> MomentDecided:
    """of_case: what its missed-call case orders. A turn for which nothing is ordered after all is not booked."""
    ordered = {effect.key for effect in (*effects, *of_case)}
    if any(isinstance(effect.order, CreateTask) for effect in of_case):
        ordered |= {e.key for e in decided.effects if isinstance(e.order, CreateTask)}
    turns = tuple(turn for turn in decided.turns if ordered.intersection(turn.effects))
    is_urgent = situation.moment is not Moment.END
    return MomentDecided(decision_id, name, decided, situation, effects, is_urgent, turns)


def _case_orders(acts: list[Act]) -> tuple[Effect, ...]:
    return tuple(e for act in acts if isinstance(act, CaseDecided) for e in act.decision.effects)


def _after(act: Act, state: ClientState, now: datetime) -> ClientState:
    """Return what is known of the client once this is carried out."""
    match act:
        case MomentDecided(effects=effects, turns=turns):
            picked = {**state.turns.picked, **{turn.template: turn.employee_id for turn in turns}}
            known = state.turns.model_copy(update={"picked": picked}) if turns else state.turns
            return _with_orders(state._replace(turns=known), effects, now)
        case RecordingNoted(effect=effect):
            return _with_orders(state, (effect,), now)
        case CaseDecided(decision=decided):
            case = decided.case if decided.case and decided.case.state == "open" else None
            is_unsent = state.is_task_unsent or decided.reason == "case_opened"
            state = state._replace(case=case, is_task_unsent=is_unsent)
            return _with_orders(state, decided.effects, now)
        case _:
            return state


def _with_orders(state: ClientState, effects: tuple[Effect, ...], now: datetime) -> ClientState:
    if not effects:
        return state
    client, note = state.client, state.note
    if promised := tuple(e for effect in effects if (e := promise(effect, now))):
        client = Client(number=client.number, entities=(*client.entities, *promised))
    for effect in effects:
        if isinstance(effect.order, AttachCall | CreateLead):
            note = SentNote(effect.key, getattr(effect.order, "target", None), is_unsent=True)
    ordered = (*state.ordered, *(e.key for e in effects))
    return state._replace(client=client, ordered=ordered, note=note)
