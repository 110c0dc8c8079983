"""The status of the installation and its accounts as values: the same for the API, the pages and `check --json`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.store.crm_chats.standing import CrmChatsStanding
from sms.channels.reasons import ChannelState


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class TokenView(_View):
    """days_left: until a person has to act. warning: null = all is well."""

    kind: Literal["long_lived", "oauth", "none"]
    expires_at: datetime | None
    days_left: float | None
    warning: Literal["broken", "expired", "expires-soon"] | None
    message: str


class LoadView(_View):
    """done: entities read so far. kind: what is being read, null when over. total, seconds_left: about, null = not known."""

    done: int
    kind: str | None
    is_done: bool
    total: int | None = None
    seconds_left: float | None = None


class NumberlessView(_View):
    """Phone values of contacts and companies in which no number was found. samples: the latest, digits masked."""

    total: int = 0
    samples: list[str] = []


class DirectoryView(_View):
    """age_seconds: since it last agreed with the CRM. numbers: in this gateway's memory, null where none is asked."""

    is_loaded: bool
    loaded_at: datetime | None
    in_sync_at: datetime | None
    age_seconds: float | None
    numbers: int | None
    load: LoadView
    numberless: NumberlessView = NumberlessView()


class FeedView(_View):
    """last_error: of the latest failure, null after a success."""

    feed: str
    last_success: datetime | None
    last_error: str | None
    last_error_at: datetime | None


class LaneView(_View):
    requests: int
    waiting: int
    last_second: int


class BudgetView(_View):
    """Requests since the worker took over. lanes: realtime, events, sync, backfill, moves."""

    rate: int
    in_flight: int
    paused_seconds: float
    throttled: int
    lanes: dict[str, LaneView]


class CircuitView(_View):
    """name: closed = requests pass; open, probing = the CRM is closed to us."""

    name: str
    refusals: int
    reason: str


class WriterView(_View):
    """reason: code of the CRM's present mood, empty when all is well."""

    last_success: datetime | None
    last_error: str
    last_error_at: datetime | None
    closed_until: datetime | None
    reason: str
    is_alarm: bool
    requests_under_way: int


class CrmView(_View):
    """As the worker that serves the account's CRM told it last. clock_offset_seconds: the CRM's clock minus ours.
    unread_found: rows that could not be read. silent_since: it has answered nothing since."""

    reported_at: datetime
    is_served: bool
    budget: BudgetView | None
    circuit: CircuitView | None
    writer: WriterView | None
    clock_offset_seconds: float | None
    unread_found: int = 0
    moved_to: str | None = None
    silent_since: datetime | None = None


class EffectsView(_View):
    """Effects in states that are not final. oldest_at: when the oldest of those that wait was ordered."""

    waiting: int
    sending: int
    unknown: int
    held: int
    dead: int
    oldest_at: datetime | None


class DistributionFigures(_View):
    """Deals that are to be given. oldest: when the one that waits longest came. too_old: wait longer than their template
    allows. failed: set aside."""

    waiting: int = 0
    oldest: datetime | None = None
    too_old: int = 0
    failed: int = 0


class InboxView(_View):
    pending: int
    lag_seconds: float
    dead: int


class WebhooksView(_View):
    last_at: datetime | None
    applied: int
    refused: int
    last_refusal: str | None
    last_refused_at: datetime | None = None
    registered_again_at: datetime | None = None
    registration_was: str | None = None
    waiting: int


class UnreadView(_View):
    """Rows of the CRM of which something could not be read. by_kind: how many. first: the oldest of them."""

    rows: int = 0
    by_kind: dict[str, int] = {}
    first: str = ""


class CasesView(_View):
    """Missed calls. closed, median_seconds (of working time): in the last seven days."""

    open: int
    overdue: int
    closed: int
    median_seconds: float | None


class BackfillView(_View):
    run_id: str
    state: str
    calls_total: int
    calls_settled: int
    effects_done: int
    effects_open: int
    effects_dead: int
    ended_at: datetime | None = None


class PeopleView(_View):
    """unmapped, inactive: names of employees without a CRM user, and of those whose CRM user is deactivated.
    crm_users_unmapped: active users of the CRM who are no employee. undialable: employees some of whose addresses no
    phone can have, which are never rung."""

    employees: int
    unmapped: list[str]
    undialable: list[str] = []
    inactive: list[str]
    crm_users_unmapped: list[str]
    senior: str | None


class ConnectionState(_View):
    """last_event_at: null when none is among the account's latest events. listener: of kinds with a permanent link.
    reconciliation: of connections whose PBX can be asked for its calls. spoilt_messages: of the last day, those with
    fields that could not be read as they stood; spoilt_fields: their names, the most frequent first.
    clock_offset_seconds: to be added to this PBX's times; null = its clock is right as far as is known."""

    name: str
    kind: str
    is_on: bool
    last_event_at: datetime | None
    listener: dict[str, Any] | None
    reconciliation: dict[str, Any] | None = None
    spoilt_messages: int = 0
    spoilt_fields: list[str] = []
    clock_offset_seconds: float | None = None


class SmsProviderState(_View):
    """One SMS provider. is_gone: it was removed, and texts wait for it. lacks: what it cannot send without. stop_reason: why nothing
    goes out; stop_words: as it says it. link_reason: why its link does not stand. balance: when it was last asked for."""

    name: str
    kind: str
    is_on: bool
    lacks: list[str] = []
    stop_reason: str | None = None
    stop_words: str = ""
    stopped_at: datetime | None = None
    link_reason: str = ""
    is_gone: bool = False
    waiting: int = 0
    balance: float | None = None
    currency: str = ""
    balance_error: str = ""


class ChannelStanding(_View):
    """A messenger channel. lacks: what it needs. misfits: (rule, code, value) of what is not there. gap: nobody listened, of a week."""

    id: str
    name: str
    kind: str
    is_on: bool
    lacks: list[str] = []
    state: ChannelState = ChannelState.ACTIVE
    state_words: str = ""
    state_at: datetime
    misfits: list[tuple[str, str, str]] = []
    gap: tuple[datetime, datetime] | None = None


CampaignObstacle = Literal["", "connection", "nobody", "engine", "line", "hours_never", "hours_far", "paused"]


class CampaignAtWork(_View):
    """One campaign that runs. waiting: numbers that are not done with. obstacle: why none of them is called, "" = nothing is in the way. engine_trouble,
    engine_words: of its contact centre, where that is it. opens_at: where the hours are far."""

    name: str
    connection: str
    waiting: int
    obstacle: CampaignObstacle = ""
    engine_trouble: str = ""
    engine_words: str = ""
    opens_at: datetime | None = None


class TemplatesView(_View):
    """The templates of distribution, or the triggers that are on, as they were last checked. first: the worst of the problems, with what to
    do; first_ru: the same in Russian."""

    checked_at: datetime
    errors: int
    warnings: int
    first: str | None
    first_ru: str | None = None


class MatrixView(TemplatesView):
    """The published matrix as it was last checked."""

    version: int


class AccountStatus(_View):
    """desk: how much of each kind is set aside. forbidden: what the CRM does not show this key. left_out: `field: code` -> how often the CRM would not have that value
    in the last week, and it was left out. crm_chats: null = not set up. presence_doubt: why nobody is taken off as absent just now, "" = they are."""

    id: str
    name: str
    url: str
    time_zone: str
    state: Literal["on", "off", "broken"]
    state_reason: str
    state_since: datetime
    token: TokenView
    directory: DirectoryView
    feeds: list[FeedView]
    crm: CrmView | None
    effects: EffectsView
    inbox: InboxView
    webhooks: WebhooksView
    unread: UnreadView = UnreadView()
    desk: dict[str, int] = {}
    cases: CasesView
    distribution: DistributionFigures = DistributionFigures()
    backfill: BackfillView | None
    people: PeopleView
    forbidden: list[str] = []
    left_out: dict[str, int] = {}
    presence_doubt: str = ""
    matrix: MatrixView | None
    templates: TemplatesView | None = None
    triggers: TemplatesView | None = None
    connections: list[ConnectionState]
    sms: list[SmsProviderState] = []
    channels: list[ChannelStanding] = []
    crm_chats: CrmChatsStanding | None = None
    campaigns: list[CampaignAtWork] = []


class JobsView(_View):
    done: int
    failed: int
    revived: int
    last_success: datetime | None
    last_error: str | None


class LoopView(_View):
    """Something that runs in the background. error: of its latest turn, null when that went well."""

    last_success: datetime | None
    error: str | None


class WorkerView(_View):
    """One worker process. is_alive: it has reported within the last seconds. loops: by name."""

    name: str
    started_at: datetime | None
    reported_at: datetime
    is_alive: bool
    jobs: JobsView
    loops: dict[str, LoopView]
    exchanges_lost: int
    configuration_heard: bool


class ConsumerView(_View):
    """What one consumer of CRM events has still to work on. lag_seconds: of the oldest. aside: failed too often."""

    name: str
    waiting: int
    lag_seconds: float
    aside: int


class OpenAlertView(_View):
    """An alarm that is open. account: empty = the installation's. kind: `pbx-silent`, … object: which of several."""

    account: str
    kind: str
    object: str
    since: datetime


class AlertsView(_View):
    """What people are told. unsent: messages that did not go out yet; given_up: never will; error: of the latest attempt."""

    open: list[OpenAlertView] = []
    unsent: int = 0
    given_up: int = 0
    error: str = ""


class KeyUse(_View):
    """key: its id, null = plain text. is_known: this process has it. is_newest: it is the one that seals. secrets: how many."""

    key: str | None
    is_known: bool
    is_newest: bool
    secrets: int


class SecretsState(_View):
    """How secrets are sealed. keys: this process's, and those that rows use. unreadable: what no key of ours opens."""

    keys: list[KeyUse]
    unreadable: list[str]


class InstallationStatus(_View):
    """secrets: null for who may see one account only."""

    at: datetime
    postgresql: str
    workers: list[WorkerView]
    jobs_queued: int
    crm_event_consumers: list[ConsumerView]
    accounts: list[AccountStatus]
    alerts: AlertsView = AlertsView()
    secrets: SecretsState | None = None
