"""When people are told that something needs them: one alarm for one cause, one word when it is over.

A cause that comes and goes is told ever less often: after each return the calm that must pass before it counts as over is
twice as long as before, so that a day of flapping makes a handful of messages, and never one at each turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

AlertKind = Literal[
    "crm-broken",
    "token-expires",
    "writer-stopped",
    "pbx-link-down",
    "pbx-silent",
    "desk-full",
    "deals-waiting",
    "trigger-circles",
    "calls-refused",
    "calls-unknown",
    "sms-stopped",
    "channel-stopped",
    "crm-chats-failing",
    "workers-missing",
    "backfill-ended",
]
ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)

Health = Literal["bad", "good", "unknown"]
"""unknown: nobody can say now. It changes nothing."""

AlertWord = Literal["begun", "over", "withdrawn"]
"""withdrawn: what was watched is no more (a connection removed, an account switched off)."""

_CALM = timedelta(minutes=5)
_LONGEST_CALM = timedelta(hours=4)
_FORGIVEN_AFTER = timedelta(hours=24)
_DOUBLINGS = 6

PATIENCE: dict[AlertKind, timedelta] = {
    "crm-broken": timedelta(0),
    "token-expires": timedelta(0),
    "writer-stopped": timedelta(minutes=10),
    "pbx-link-down": timedelta(minutes=2),
    "pbx-silent": timedelta(0),
    "desk-full": timedelta(0),
    "deals-waiting": timedelta(0),
    "trigger-circles": timedelta(0),
    "calls-refused": timedelta(0),
    "calls-unknown": timedelta(0),
    "sms-stopped": timedelta(0),
    "channel-stopped": timedelta(0),
    "crm-chats-failing": timedelta(minutes=10),
    "workers-missing": timedelta(minutes=1),
    "backfill-ended": timedelta(0),
}
"""How long a cause must last before it is told; what has counted its own time is told at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCause:
    """account_id: empty = of the installation. object: which of several, e.g. the connection's name."""

    kind: AlertKind
    account_id: str = ""
    object: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What is remembered of one cause. bad_since, good_since: of the present run. told_at: the alarm is open since then.
    over_at: when the latest one was over. relapses: how often it came back within a day of that."""

    bad_since: datetime | None = None
    good_since: datetime | None = None
    told_at: datetime | None = None
    over_at: datetime | None = None
    relapses: int = 0

    @property
    def is_open(self) -> bool:
        return self.told_at is not None

    @property
    def is_blank(self) -> bool:
        """Nothing in it that would be missed."""
        return self.bad_since is None and self.told_at is None and self.over_at is None


NEVER_SEEN = AlertState()


def follow(
    before: AlertState, health: Health | None, now: datetime, patience: timedelta
) -> tuple[AlertState, AlertWord | None]:
    """Return what is to be remembered, and the word that people are to be told.

    health: None = what was watched is no more. patience: how long it must be bad before that is told.
    """
    if health == "unknown":
        return before, None
    if health is None:
        return NEVER_SEEN, "withdrawn" if before.is_open else None
    if health == "bad":
        return _bad(before, now, patience)
    return _good(before, now)


def calm_after(relapses: int) -> timedelta:
    """How long it must be good before it counts as over."""
    return min(_CALM * (1 << min(relapses, _DOUBLINGS)), _LONGEST_CALM)


def _bad(before: AlertState, now: datetime, patience: timedelta) -> tuple[AlertState, AlertWord | None]:
    since = now if before.bad_since is None else before.bad_since
    if before.is_open or now - since < patience:
        return _with(before, bad_since=since, good_since=None), None
    is_relapse = before.over_at is not None and now - before.over_at < _FORGIVEN_AFTER
    told = AlertState(
        bad_since=since,
        told_at=now,
        over_at=before.over_at,
        relapses=before.relapses + 1 if is_relapse else 0,
    )
    return told, "begun"


def _good(before: AlertState, now: datetime) -> tuple[AlertState, AlertWord | None]:
    if not before.is_open:
        is_forgiven = before.over_at is None or now - before.over_at >= _FORGIVEN_AFTER
        return (NEVER_SEEN if is_forgiven else _with(before, bad_since=None, good_since=None)), None
    since = now if before.good_since is None else before.good_since
    if now - since < calm_after(before.relapses):
        return _with(before, bad_since=before.bad_since, good_since=since), None
    return AlertState(over_at=now, relapses=before.relapses), "over"


def _with(before: AlertState, *, bad_since: datetime | None, good_since: datetime | None) -> AlertState:
    return AlertState(
        bad_since=bad_since,
        good_since=good_since,
        told_at=before.told_at,
        over_at=before.over_at,
        relapses=before.relapses,
    )
