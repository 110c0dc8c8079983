"""Whether an item may be dialled now; if not, why, and until when, in the words that people read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from routing.decision import Step, Trace
from routing.outbound.client_zones import ClientZone
from routing.outbound.windows import CallingHours, is_open, next_opening

DialReason = Literal[
    "dial",
    "account_off",
    "trigger_off",
    "campaign_gone",
    "campaign_paused",
    "deal_unread",
    "deal_gone",
    "deal_closed",
    "left_stage",
    "no_number",
    "own_number",
    "do_not_call",
    "spoken_meanwhile",
    "expired",
    "not_yet",
    "paused",
    "connection_unfit",
    "connection_stopped",
    "connection_away",
    "window_closed",
    "window_never_opens",
    "client_in_call",
    "client_being_called",
    "nobody_free",
    "employee_gone",
    "not_its_turn",
]
DIAL_REASONS: tuple[DialReason, ...] = get_args(DialReason)

_DROPS: frozenset[DialReason] = frozenset(
    (
        "trigger_off",
        "campaign_gone",
        "deal_gone",
        "deal_closed",
        "left_stage",
        "no_number",
        "own_number",
        "do_not_call",
        "spoken_meanwhile",
        "window_never_opens",
    )
)
"""The item ends, without stage and task: it is nothing that anybody failed to do."""
_FAILS: frozenset[DialReason] = frozenset(("expired", "employee_gone"))
"""The item ends as one that did not reach the client, with all that belongs to it."""

KeptBy = Literal["in_call", "not_there", "off_shift", "no_turn"]
"""What keeps an employee from a call now. not_there: by presence. no_turn: their template would give them nothing."""

_IN_CALL_PAUSE = timedelta(minutes=2)
_NOBODY_PAUSE = timedelta(seconds=10)
_UNREAD_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFacts:
    """What is known as the item is looked at. number: E.164, None where the deal has none that can be called. since: when the item
    came. spoken_at: when anybody last talked with the client, in whichever direction, before or after. free: employees who can
    take it now, in the order in which they are to be asked; people: those who could at all. kept: why the others of them cannot now.
    takes: ring times of both sides.
    campaign_says: why the item's campaign does not let it go out. away_until: the PBX did not answer a moment ago. turn_at: when the pace allows the next call, None = now."""

    now: datetime
    is_account_on: bool = True
    is_trigger_on: bool = True
    campaign_says: DialReason | None = None
    is_deal_read: bool = True
    is_deal_there: bool = True
    is_deal_open: bool = True
    is_in_stage: bool = True
    number: str | None
    is_own_number: bool = False
    is_on_do_not_call: bool = False
    since: datetime
    spoken_at: datetime | None = None
    recall_gap: timedelta = timedelta(minutes=60)
    not_before: datetime | None = None
    expires_at: datetime | None = None
    rate: int = 1
    is_connection_fit: bool = True
    is_connection_stopped: bool = False
    away_until: datetime | None = None
    zone: ClientZone
    hours: CallingHours
    takes: timedelta = timedelta(seconds=55)
    is_client_in_call: bool = False
    is_client_being_called: bool = False
    people: Collection[str] = ()
    free: Collection[str] = ()
    kept: Mapping[str, KeptBy] = field(default_factory=dict)
    turn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DialDecision:
    """end: how the item ends, None = it goes on. look_at: when to look again, None = when something changes."""

    reason: DialReason
    steps: Trace
    employee: str | None = None
    end: Literal["dropped", "failed"] | None = None
    look_at: datetime | None = None

    @property
    def is_go(self) -> bool:
        return self.reason == "dial"


def why_not(facts: DialFacts) -> DialDecision:
    """Say whether it is dialled now. What ends an item goes before what only makes it wait, and what nobody can change before what a person can."""
    steps: list[Step] = []
    for rule, reason, look_at in _checks(facts):
        if reason is not None:
            steps.append(Step(rule, "decided", reason, {"until": look_at.isoformat() if look_at else None}))
            return DialDecision(reason=reason, steps=tuple(steps), end=end_of(reason), look_at=look_at)
        steps.append(Step(rule, "passed", "ok"))
    employee = next(iter(facts.free))
    steps.append(Step("dial", "decided", "dial", {"employee": employee, "zone": facts.zone.source}))
    return DialDecision(reason="dial", steps=tuple(steps), employee=employee)


def end_of(reason: DialReason) -> Literal["dropped", "failed"] | None:
    """Say how an item ends for this reason, None = it goes on waiting."""
    return "dropped" if reason in _DROPS else "failed" if reason in _FAILS else None


_Check = tuple[str, DialReason | None, datetime | None]


def _checks(f: DialFacts) -> Iterator[_Check]:
    yield "account", None if f.is_account_on else "account_off", None
    yield "trigger", None if f.is_trigger_on else "trigger_off", None
    yield "campaign", f.campaign_says, None
    yield "read", None if f.is_deal_read else "deal_unread", None if f.is_deal_read else f.now + _UNREAD_PAUSE
    yield "deal", _deal(f), None
    yield "number", _number(f), None
    yield "do_not_call", "do_not_call" if f.is_on_do_not_call else None, None
    yield "spoken", "spoken_meanwhile" if _is_spoken_with(f) else None, None
    yield "expiry", "expired" if f.expires_at is not None and f.now >= f.expires_at else None, None
    yield "people", None if f.people else "employee_gone", None
    waits = f.not_before is not None and f.now < f.not_before
    yield "not_before", "not_yet" if waits else None, f.not_before if waits else None
    yield "rate", "paused" if f.rate <= 0 else None, None
    yield "connection", *_connection(f)
    yield _window(f)
    yield "client", *_client(f)
    yield "free", None if f.free else "nobody_free", None if f.free else f.now + _NOBODY_PAUSE
    is_early = f.turn_at is not None and f.now < f.turn_at
    yield "turn", "not_its_turn" if is_early else None, f.turn_at if is_early else None


def _deal(f: DialFacts) -> DialReason | None:
    if not f.is_deal_there:
        return "deal_gone"
    if not f.is_deal_open:
        return "deal_closed"
    return None if f.is_in_stage else "left_stage"


def _number(f: DialFacts) -> DialReason | None:
    if f.number is None:
        return "no_number"
    return "own_number" if f.is_own_number else None


def _connection(f: DialFacts) -> tuple[DialReason | None, datetime | None]:
    if not f.is_connection_fit:
        return "connection_unfit", None
    if f.is_connection_stopped:
        return "connection_stopped", None
    is_away = f.away_until is not None and f.now < f.away_until
    return ("connection_away", f.away_until) if is_away else (None, None)


def _is_spoken_with(f: DialFacts) -> bool:
    """Whether somebody talked with them since the item came, or so shortly before that it would be the same matter."""
    return f.spoken_at is not None and (f.spoken_at >= f.since or f.since - f.spoken_at < f.recall_gap)


def _window(f: DialFacts) -> _Check:
    if is_open(f.hours, f.zone, f.now, f.takes):
        return "window", None, None
    opens = next_opening(f.hours, f.zone, f.now, f.takes)
    return ("window", "window_closed", opens) if opens else ("window", "window_never_opens", None)


def _client(f: DialFacts) -> tuple[DialReason | None, datetime | None]:
    if f.is_client_being_called:
        return "client_being_called", None
    return ("client_in_call", f.now + _IN_CALL_PAUSE) if f.is_client_in_call else (None, None)
