"""The client's job in memory: the same folding, matrix and cases as the real one, on rows that are Python objects.

What the database gives the real job is imitated: one job at a time per client, and all of a run or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.effects.match import same_number
from crm.lane import Lane
from crm.port import CrmEntity
from routing import missed_calls
from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import Call, CallEvent
from routing.client import Client, ClientEntity, ClientKind, EntityKind, Ref
from routing.effects import CreateContact, CreateDeal, CreateTask, Effect
from routing.matrix.decide import MatrixDecision, decide, due_moments
from routing.matrix.model import Matrix, Moment
from routing.matrix.situation import Situation
from routing.missed_calls import Case, Missed, Reached, Rules
from routing.settings import AccountSettings
from routing.staff import Staff
from tests.fakes.effects import FakeEffects

MISSED = "missed"
ZONE = "Europe/Moscow"
_GONE = ("dead", "skipped", "expired")
_PROMISES: dict[type, EntityKind] = {CreateContact: "contact", CreateDeal: "deal"}


@dataclass
class CallState:
    """One call. events: all that were told so far. moments: those that were decided. heard_at: when the latest came."""

    call_id: str
    client: str
    connection: str
    events: list[CallEvent] = field(default_factory=list)
    is_pending: bool = False
    heard_at: datetime | None = None
    call: Call | None = None
    kind: ClientKind | None = None
    moments: set[str] = field(default_factory=set)
    ordered: list[str] = field(default_factory=list)
    due_at: datetime | None = None


class Office:
    """now: the virtual clock. `tell` an event, `work` on a client; `due` says who has something to do by himself."""

    def __init__(
        self,
        effects: FakeEffects,
        matrix: Matrix,
        staff: Staff,
        settings: AccountSettings,
        now: Callable[[], datetime],
    ) -> None:
        self.effects, self.matrix, self.staff, self.settings, self.now = effects, matrix, staff, settings, now
        self.rules = Rules(settings.cases, settings.working_time, ZoneInfo(ZONE))
        self.calls: dict[str, CallState] = {}
        self.open_cases: dict[str, Case] = {}
        self.in_cases: set[str] = set()
        self.reached_already: set[str] = set()

    def tell(self, call_id: str, client: str, connection: str, events: Sequence[CallEvent]) -> None:
        """One message of a PBX, stored and not yet looked at; told again it changes nothing."""
        state = self.calls.setdefault(call_id, CallState(call_id, client, connection))
        fresh = [e for e in events if e not in state.events]
        if fresh:
            state.events += fresh
            state.is_pending, state.heard_at = True, self.now()

    def due(self) -> list[str]:
        now = self.now()
        return sorted(
            {c.client for c in self.calls.values() if c.is_pending or (c.due_at and c.due_at <= now)}
        )

    @property
    def next_due(self) -> datetime | None:
        return min((c.due_at for c in self.calls.values() if c.due_at), default=None)

    def work(self, client: str) -> None:
        now = self.now()
        todo = [
            c
            for c in self.calls.values()
            if c.client == client and (c.is_pending or (c.due_at and c.due_at <= now))
        ]
        for state in sorted(todo, key=lambda c: c.call.started_at if c.call else c.heard_at or now):
            self._work_on(state)

    # --- one call ----------------------------------------------------------------------------------------------

    def _work_on(self, state: CallState) -> None:
        assert state.heard_at is not None
        calls = self.settings.calls
        call = fold(state.events)
        lost_at = state.heard_at + timedelta(minutes=calls.lost_hangup_minutes)
        if not call.is_over and self.now() >= lost_at:
            call = close_lost(call, lost_at)
        state.call, state.is_pending, state.due_at = call, False, None
        state.kind = state.kind or self._client(state.client).kind
        settles_at = state.heard_at + timedelta(seconds=calls.settle_seconds)
        for moment in due_moments(call, self._done(state), self.now() >= settles_at):
            self._decide(state, call, moment)
        if call.is_answered:
            self._answered(state, call)
        if not call.is_over:
            state.due_at = lost_at
        elif due_moments(call, self._done(state), True):
            state.due_at = settles_at

    @staticmethod
    def _done(state: CallState) -> frozenset[str]:
        assert state.call is not None
        is_missed = MISSED in state.moments and not state.call.is_answered
        return frozenset(state.moments | ({Moment.END.value} if is_missed else set()))

    def _decide(self, state: CallState, call: Call, moment: Moment) -> None:
        assert state.kind is not None
        decided = decide(
            self.matrix,
            Situation.model_construct(
                call_id=state.call_id,
                moment=moment,
                call=call,
                number=state.client,
                line=call.line,
                connection=state.connection,
                client=self._client(state.client),
                client_kind=state.kind,
                staff=self.staff,
                settings=self.settings,
                time_zone=ZONE,
                now=self.now(),
                ordered=tuple(state.ordered),
                holidays=frozenset(),
            ),
        )
        state.moments.add(MISSED if moment is Moment.END and not call.is_answered else moment.value)
        kept, task = _taken_over(call, decided)
        self._order(state, kept, Lane.EVENTS if moment is Moment.END else Lane.REALTIME)
        if task is not None:
            self._missed(state, call, task)

    def _order(self, state: CallState, effects: Sequence[Effect], lane: Lane) -> None:
        self.effects.order(state.client, lane, self.now(), *effects)
        state.ordered += [e.key for e in effects if e.key not in state.ordered]

    # --- the client's case -------------------------------------------------------------------------------------

    def _missed(self, state: CallState, call: Call, task: CreateTask) -> None:
        told = Missed(call_id=state.call_id, at=call.started_at, task=task)
        before = self.open_cases.get(state.client)
        decided = missed_calls.missed(before, told, self._latest_talk(state.client), state.client, self.rules)
        if decided.reason == "client_reached_already":
            self.reached_already.add(state.call_id)
        self._save(state, decided)

    def _answered(self, state: CallState, call: Call) -> None:
        case = self.open_cases.get(state.client)
        if case is None:
            return
        decided = missed_calls.answered(case, self._talk(state), self.rules)
        if decided.reason == "case_closed" and self._skip_unsent(case):
            decided = decided._replace(effects=())
        self._save(state, decided)

    def _save(self, state: CallState, decided: missed_calls.CaseDecision) -> None:
        if decided.case is not None:
            self.in_cases |= set(decided.case.missed_calls)
            self.open_cases[state.client] = decided.case
            if decided.case.state == "closed":
                del self.open_cases[state.client]
        self._order(state, decided.effects, Lane.EVENTS)

    def _skip_unsent(self, case: Case) -> bool:
        task = self.effects.rows.get(case.task_key)
        if task is None or task.state != "waiting" or task.attempts:
            return False
        for key, row in self.effects.rows.items():
            if key == case.task_key or key.startswith(f"case:{case.id}:change:"):
                row.state = "skipped"
        return True

    def _latest_talk(self, client: str) -> Reached | None:
        talks = [
            self._talk(c) for c in self.calls.values() if c.client == client and c.call and c.call.answered_at
        ]
        return max(talks, key=lambda t: t.until, default=None)

    def _talk(self, state: CallState) -> Reached:
        assert state.call is not None
        assert state.call.answered_at is not None
        return Reached(
            call_id=state.call_id, at=state.call.answered_at, until=state.call.ended_at or self.now()
        )

    # --- what is known -----------------------------------------------------------------------------------------

    def _client(self, number: str) -> Client:
        """What the directory has, and what our effects will bring."""
        known = [_entity(e) for e in self._in_directory(number)]
        there = {(e.ref.kind, e.ref.id) for e in known}
        promised = [
            e for e in self._promised(number) if e.ref.id is None or (e.ref.kind, e.ref.id) not in there
        ]
        return Client(number=number, entities=(*known, *promised))

    def _in_directory(self, number: str) -> list[CrmEntity]:
        mine = [
            e
            for e in self.effects.directory.values()
            if e.kind != "deal" and any(same_number(n, number) for n in e.numbers)
        ]
        ids = {e.id for e in mine}
        deals = [e for e in self.effects.directory.values() if e.kind == "deal" and ids & set(e.contact_ids)]
        return [*mine, *deals]

    def _promised(self, number: str) -> list[ClientEntity]:
        found = []
        for row in self.effects.rows.values():
            kind = _PROMISES.get(type(row.effect.order))
            if row.client != number or kind is None or row.state in _GONE:
                continue
            done = row.state == "done"
            ref = Ref(kind=kind, id=row.crm_id) if done else Ref(kind=kind, effect=row.effect.key)
            owner = getattr(row.effect.order, "owner_id", None)
            found.append(ClientEntity(ref=ref, owner_id=owner, created_at=row.created_at))
        return found


def _entity(entity: CrmEntity) -> ClientEntity:
    return ClientEntity(
        ref=Ref(kind=entity.kind, id=entity.id),
        name=entity.name,
        owner_id=entity.owner_id,
        created_at=entity.created_at,
        updated_at=entity.updated_at,
        is_open=entity.is_open,
    )


def _taken_over(call: Call, decided: MatrixDecision) -> tuple[list[Effect], CreateTask | None]:
    """The call-back task of a missed call is the case's."""
    tasks = [
        e.order for e in decided.effects if isinstance(e.order, CreateTask) and e.order.purpose == "call_back"
    ]
    if call.is_answered or call.direction != "inbound" or not tasks:
        return list(decided.effects), None
    return [e for e in decided.effects if e.order not in tasks], tasks[0]
