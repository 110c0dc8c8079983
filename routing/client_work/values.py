"""What goes into the work on a client's call and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.calls.campaign import CampaignOfCall
from routing.calls.model import Call, CallEvent
from routing.calls.pbx_question import LookupOfCall
from routing.client import Client, ClientKind, Ref
from routing.effects import Effect
from routing.matrix.by_template.turns import NO_TURNS, BookedTurn, CallTurns
from routing.matrix.decide import MatrixDecision
from routing.matrix.model import Matrix
from routing.matrix.places import GonePlaces
from routing.matrix.situation import Situation
from routing.matrix.versions.trial import TrialOfCall
from routing.missed_calls import Case, CaseDecision, CaseOrder, Missed, Reached, Rules, TaskTold
from routing.schedules.calendar import PublicHolidays
from routing.settings import AccountSettings, NumberPolicy
from routing.staff import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call as stored. client: E.164, None while unknown. client_kind, matrix_version: fixed when the call was first seen
    with a client.

    moments: moment -> decision id. due_at: when it has to be looked at again. heard_at: our time of its latest event.
    clock_offset: to be added to its times where they are compared with those of another PBX. trial: which side of a trial
    it is on, fixed with the version; None = none ran.
    """

    account_id: str
    call_id: str
    connection_id: str
    call_key: str
    client: str | None
    line: str | None
    call: Call
    client_kind: ClientKind | None = None
    matrix_version: int | None = None
    trial: TrialOfCall | None = None
    moments: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None
    heard_at: datetime
    clock_offset: timedelta = timedelta(0)
    emptied: tuple[str, ...] = ()
    """What of it was emptied when its days were over: number, recordings, params."""
    people: tuple[str, ...] | None = None
    """Employees whose phones rang or who talked, as it was known then; None: stored before it was kept."""
    is_by_unknown: bool = False
    """Answered on an address of nobody who is mapped to the CRM."""
    lookup: LookupOfCall | None = None
    """The PBX's question about this call."""


class Setup(NamedTuple):
    """What the account has configured, and the time. holidays: around `now`."""

    staff: Staff
    settings: AccountSettings
    time_zone: str
    holidays: PublicHolidays
    now: datetime

    @property
    def rules(self) -> Rules:
        s = self.settings
        return Rules(s.cases, s.working_time, ZoneInfo(self.time_zone), self.holidays, s.language)

    @property
    def settle_time(self) -> timedelta:
        return timedelta(seconds=self.settings.calls.settle_seconds)

    @property
    def patience(self) -> timedelta:
        """How long nothing may be heard of a call before it is taken as over."""
        return timedelta(minutes=self.settings.calls.lost_hangup_minutes)


class Told(NamedTuple):
    """All events of one call so far. client: E.164, None while unknown. heard_at: our time of the latest message.
    policy: how the connection's numbers are read. clock_offset: of its clock to ours."""

    account_id: str
    connection_id: str
    call_key: str
    client: str | None
    events: Sequence[CallEvent]
    heard_at: datetime
    policy: NumberPolicy
    clock_offset: timedelta = timedelta(0)


class Needs(NamedTuple):
    """What has to be looked up before the work on a call: the client's entities and the matrix; the open case, and
    whether its task was sent; the latest talk; the call's note."""

    client: bool = False
    case: bool = False
    talk: bool = False
    note: bool = False


class SentNote(NamedTuple):
    """The effect that tells the CRM of a call. target: None when it has none. is_unsent: a link can still be put into it."""

    key: str
    target: Ref | None
    is_unsent: bool


class ClientState(NamedTuple):
    """What is known of the client when the work begins; what `Needs` does not ask for may be left out.

    ordered: keys of the call's effects so far; gone: of those that came to nothing (see Situation). undone: decisions of
    which the CRM took something no longer, because what it was for is gone; has_undone_task: the call's case has a task
    that was refused for that. is_task_unsent: the CRM was never told of the case's task. talk: the latest. gone_places: of
    those that the matrix names. turns: what templates of distribution say, where the matrix names any. campaign: as of Situation.
    trial: of a call that is seen for the first time.
    """

    client: Client
    matrix: Matrix | None = None
    ordered: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    undone: frozenset[str] = frozenset()
    has_undone_task: bool = False
    case: Case | None = None
    is_task_unsent: bool = False
    talk: Reached | None = None
    note: SentNote | None = None
    gone_places: GonePlaces = GonePlaces()
    turns: CallTurns = NO_TURNS
    campaign: CampaignOfCall | None = None
    trial: TrialOfCall | None = None


class MomentDecided(NamedTuple):
    """The matrix has decided about a moment. name: of the moment as it is stored. effects: what is ordered at once; a
    call-back task is the case's. is_urgent: a person looks at it while they talk. turns: to be booked with it."""

    decision_id: str
    name: str
    decision: MatrixDecision
    situation: Situation
    effects: tuple[Effect, ...]
    is_urgent: bool
    turns: tuple[BookedTurn, ...] = ()


class DecidedAnew(NamedTuple):
    """What this decision ordered, and the CRM would not have because its entity is gone, was decided anew.

    is_ordered: a later decision orders it; otherwise it is for a person. task: where the case's task stands now.
    """

    decision_id: str
    is_ordered: bool
    task: Ref | None


class NoClient(NamedTuple):
    """The call leaves nothing in the CRM, only the reason why."""

    decision_id: str
    reason: str
    policy: NumberPolicy


class CaseDecided(NamedTuple):
    """The client's case before and after. decision_id: None = changed nothing worth recording. missed, reached, timer, task,
    ordered: what it was decided about. skips_task: task and changes were never sent and are dropped."""

    decision_id: str | None
    before: Case | None
    decision: CaseDecision
    missed: Missed | None = None
    reached: Reached | None = None
    timer: datetime | None = None
    task: TaskTold | None = None
    ordered: CaseOrder | None = None
    skips_task: bool = False


class RecordingAmended(NamedTuple):
    """The link goes into the effect that was not sent yet."""

    recording: str


class RecordingNoted(NamedTuple):
    """The call was told to the CRM already: the link becomes a note of its own."""

    decision_id: str
    effect: Effect


Act = MomentDecided | DecidedAnew | NoClient | CaseDecided | RecordingAmended | RecordingNoted


class Worked(NamedTuple):
    """row: the call as it is to be stored, with the time at which it is due again. acts: to be carried out in this order,
    all or none. state: of the client afterwards. waits_until: the end of waiting for another integration's entities."""

    row: CallRow
    acts: tuple[Act, ...]
    state: ClientState
    waits_until: datetime | None = None
