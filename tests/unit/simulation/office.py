"""The client's job in memory: the product's own core, on rows that are Python objects.

What the database gives the real job is imitated: one job at a time per client, and all of a run or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from crm.effects.match import same_number
from crm.lane import Lane
from crm.port import CrmEntity
from routing.calls.model import CallEvent
from routing.client import Client, ClientEntity, Ref
from routing.client_work import call as client_call
from routing.client_work import cases
from routing.client_work.values import (
    Act,
    CallRow,
    CaseDecided,
    ClientState,
    MomentDecided,
    Needs,
    RecordingAmended,
    RecordingNoted,
    SentNote,
    Setup,
    Told,
    Worked,
)
from routing.effects import Effect
from routing.matrix.model import Matrix
from routing.missed_calls import Case, Reached
from routing.orders import ORDER_KINDS, TELLING_CALL, promised_entity
from routing.schedules.calendar import NO_HOLIDAYS
from routing.settings import AccountSettings, NumberPolicy
from routing.staff import Staff
from tests.fakes.effects import FakeEffects
from tests.fakes.effects import Row as EffectRow

ACCOUNT = "a"
ZONE = "Europe/Moscow"
POLICY = NumberPolicy()
_GONE = ("dead", "skipped", "expired")


class Core(NamedTuple):
    """The functions under test; a test that plants a fault passes another one in the place of its own choice."""

    folded: Callable[[CallRow | None, Told, Setup], CallRow] = client_call.folded
    work_on_call: Callable[[CallRow | None, CallRow, ClientState, Setup], Worked] = client_call.work_on_call
    escalate: Callable[[str, Case, Setup], CaseDecided | None] = cases.escalate


@dataclass
class Inbox:
    """What was told of one call. client: its number, None = nobody's."""

    client: str | None
    connection: str
    key: str
    heard_at: datetime
    events: list[CallEvent] = field(default_factory=list)
    is_pending: bool = False

    @property
    def call_id(self) -> str:
        return client_call.call_id_of(ACCOUNT, self.connection, self.key)


class Office:
    """now: the virtual clock. `tell` an event, `work` on a client; `due` says who has something to do."""

    def __init__(
        self,
        effects: FakeEffects,
        matrix: Matrix,
        staff: Staff,
        settings: AccountSettings,
        now: Callable[[], datetime],
        core: Core | None = None,
    ) -> None:
        self.effects, self.matrix, self.staff, self.settings, self.now = effects, matrix, staff, settings, now
        self.core = core or Core()
        self.inboxes: dict[str, Inbox] = {}
        self.calls: dict[str, CallRow] = {}
        self.ordered: dict[str, list[str]] = {}
        self.open_cases: dict[str, Case] = {}
        self.in_cases: set[str] = set()
        self.reached_already: set[str] = set()
        self.waited = 0

    @property
    def setup(self) -> Setup:
        return Setup(self.staff, self.settings, ZONE, NO_HOLIDAYS, self.now())

    def tell(self, key: str, client: str | None, connection: str, events: Sequence[CallEvent]) -> None:
        """One message of a PBX, stored and not yet looked at; told again it changes nothing."""
        call_id = client_call.call_id_of(ACCOUNT, connection, key)
        inbox = self.inboxes.setdefault(call_id, Inbox(client, connection, key, self.now()))
        if fresh := [e for e in events if e not in inbox.events]:
            inbox.events += fresh
            inbox.is_pending, inbox.heard_at = True, self.now()

    def due(self) -> list[str]:
        """Clients (or calls of nobody) whose job has something to do."""
        calls = {i.client or i.call_id for i in self.inboxes.values() if self._is_due(i)}
        late = {c.client for c in self.open_cases.values() if c.escalate_at and c.escalate_at <= self.now()}
        return sorted(calls | late)

    @property
    def next_due(self) -> datetime | None:
        calls = (c.due_at for c in self.calls.values())
        return min(
            (at for at in (*calls, *(c.escalate_at for c in self.open_cases.values())) if at), default=None
        )

    def work(self, client: str) -> None:
        """The job of one client."""
        todo = [i for i in self.inboxes.values() if (i.client or i.call_id) == client and self._is_due(i)]
        for inbox in sorted(todo, key=self._began):
            self._work_on(inbox)
        case = self.open_cases.get(client)
        if case and (act := self.core.escalate(ACCOUNT, case, self.setup)):
            self._change_case(client, None, act)

    def _is_due(self, inbox: Inbox) -> bool:
        row = self.calls.get(inbox.call_id)
        return inbox.is_pending or bool(row and row.due_at and row.due_at <= self.now())

    def _began(self, inbox: Inbox) -> datetime:
        row = self.calls.get(inbox.call_id)
        return row.call.started_at if row else inbox.heard_at

    def _work_on(self, inbox: Inbox) -> None:
        before = self.calls.get(inbox.call_id)
        told = Told(ACCOUNT, inbox.connection, inbox.key, inbox.client, inbox.events, inbox.heard_at, POLICY)
        row = self.core.folded(before, told, self.setup)
        if row.client is None:
            worked = client_call.work_without_client(row, POLICY, self.setup)
        else:
            state = self._state(row, row.client, client_call.needs(before, row, self.setup))
            worked = self.core.work_on_call(before, row, state, self.setup)
        for act in worked.acts:
            self._carry_out(worked.row, act)
        self.waited += worked.waits_until is not None
        self.calls[row.call_id], inbox.is_pending = worked.row, False

    # --- what is looked up: only what the core asks for --------------------------------------------------------

    def _state(self, row: CallRow, number: str, asked: Needs) -> ClientState:
        state = ClientState(Client(number=number))
        if asked.client:
            ordered = tuple(self.ordered.get(row.call_id, ()))
            state = state._replace(client=self._client(number), matrix=self.matrix, ordered=ordered)
        if asked.case and (case := self.open_cases.get(number)):
            task = self.effects.rows.get(case.task_key)
            state = state._replace(case=case, is_task_unsent=task is not None and _is_unsent(task))
        if asked.talk:
            state = state._replace(talk=self._latest_talk(number))
        if asked.note:
            state = state._replace(note=self._sent_note(row.call_id))
        return state

    def _latest_talk(self, client: str) -> Reached | None:
        talks = [cases.talk_of(c, self.setup) for c in self.calls.values() if c.client == client]
        return max((t for t in talks if t), key=lambda t: t.until, default=None)

    def _sent_note(self, call_id: str) -> SentNote | None:
        rows = [r for r in self._telling(call_id) if r.state not in ("skipped", "expired")]
        if not rows:
            return None
        target = getattr(rows[-1].effect.order, "target", None)
        return SentNote(rows[-1].effect.key, target, any(_is_unsent(r) for r in rows))

    def _telling(self, call_id: str) -> list[EffectRow]:
        rows = (self.effects.rows[key] for key in self.ordered.get(call_id, ()))
        return [r for r in rows if r.effect.order.do in TELLING_CALL]

    def _client(self, number: str) -> Client:
        """What the directory has, and what our effects will bring."""
        known = [_entity(e) for e in self._in_directory(number)]
        there = {(e.ref.kind, e.ref.id) for e in known}
        ours = [e for e in self._promised(number) if e.ref.id is None or (e.ref.kind, e.ref.id) not in there]
        return Client(number=number, entities=(*known, *ours))

    def _in_directory(self, number: str) -> list[CrmEntity]:
        everything = self.effects.directory.values()
        mine = [e for e in everything if e.kind != "deal" and any(same_number(n, number) for n in e.numbers)]
        ids = {e.id for e in mine}
        return [*mine, *(e for e in everything if e.kind == "deal" and ids & set(e.contact_ids))]

    def _promised(self, number: str) -> list[ClientEntity]:
        found = []
        for row in self.effects.rows.values():
            order = row.effect.order
            kind = ORDER_KINDS[order.do].creates
            if row.client != number or kind is None or row.state in _GONE:
                continue
            ids = {"id": row.crm_id} if row.state == "done" else {"effect": row.effect.key}
            found.append(promised_entity(order.__dict__, Ref(kind=kind, **ids), row.created_at))
        return found

    # --- what is carried out -----------------------------------------------------------------------------------

    def _carry_out(self, row: CallRow, act: Act) -> None:
        client = row.client or ""
        match act:
            case MomentDecided(effects=effects, is_urgent=is_urgent):
                self._order(client, row.call_id, effects, Lane.REALTIME if is_urgent else Lane.EVENTS)
            case CaseDecided():
                self._change_case(client, row.call_id, act)
            case RecordingAmended(recording=recording):
                for effect in filter(_is_unsent, self._telling(row.call_id)):
                    order = effect.effect.order.model_copy(update={"recording": recording})
                    effect.effect = effect.effect.model_copy(update={"order": order})
            case RecordingNoted(effect=effect):
                self._order(client, row.call_id, (effect,), Lane.EVENTS)

    def _order(self, client: str, call_id: str | None, effects: Sequence[Effect], lane: Lane) -> None:
        self.effects.order(client, lane, self.now(), *effects)
        if call_id is not None:
            mine = self.ordered.setdefault(call_id, [])
            mine += [e.key for e in effects if e.key not in mine]

    def _change_case(self, client: str, call_id: str | None, act: CaseDecided) -> None:
        if act.skips_task and act.before is not None:
            self._skip_unsent(act.before)
        if act.decision.reason == "client_reached_already" and call_id is not None:
            self.reached_already.add(call_id)
        if (case := act.decision.case) is not None:
            self.in_cases |= set(case.missed_calls)
            self.open_cases[client] = case
            if case.state == "closed":
                del self.open_cases[client]
        if act.decision_id is not None:
            self._order(client, call_id, act.decision.effects, Lane.EVENTS)

    def _skip_unsent(self, case: Case) -> None:
        for key, row in self.effects.rows.items():
            if (key == case.task_key or key.startswith(f"case:{case.id}:change:")) and _is_unsent(row):
                row.state = "skipped"


def _is_unsent(row: EffectRow) -> bool:
    return row.state in ("waiting", "held") and row.attempts == 0


def _entity(entity: CrmEntity) -> ClientEntity:
    return ClientEntity(
        ref=Ref(kind=entity.kind, id=entity.id),
        name=entity.name,
        owner_id=entity.owner_id,
        created_at=entity.created_at,
        updated_at=entity.updated_at,
        is_open=entity.is_open,
    )
