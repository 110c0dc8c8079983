"""Whether a silence says anything: what should have told of signs may be late, closed to us, or just begun. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from routing.settings import PresencePolicy

BEAT_SECONDS = 25
"""How often an open page is to be heard."""
PAGE_GONE_SECONDS = 90
"""A page that is not heard for so long is gone; so long after a start nobody is taken off."""
CLOSED_PAGE_SECONDS = 15
"""A page that said good-bye may only be reloading."""

_UNREAD = timedelta(minutes=3)
_UNWATCHED = timedelta(seconds=60)
_STALE = timedelta(minutes=5)
_PERIOD = timedelta(seconds=PAGE_GONE_SECONDS)

Doubt = Literal["", "just_started", "feed_unread", "feed_silent", "beats_lost"]
"""Why a silence says nothing now; "" = it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How the watching of an account goes. Times by our clock.

    trusted_from: a period after the watching began, or the heartbeats were lost. watched_at: of the latest look.
    feed_read_at: the CRM's feed was last read to its end. feed_heard_at: something a person did was last in it.
    feed_error: why it could not be read, "" = it could.
    """

    trusted_from: datetime
    watched_at: datetime
    feed_read_at: datetime | None = None
    feed_heard_at: datetime | None = None
    feed_error: str = ""
    are_beats_lost: bool = False


def begun(now: datetime) -> Watch:
    """Nothing was watched before."""
    return Watch(trusted_from=now + _PERIOD, watched_at=now)


def looked(watch: Watch, now: datetime, *, are_beats_lost: bool = False) -> tuple[datetime, datetime]:
    """Return (trusted_from, watched_at) as of a look at `now`: after a gap, and after lost heartbeats, a period begins anew."""
    is_new = now - watch.watched_at > _UNWATCHED or are_beats_lost
    return (max(watch.trusted_from, now + _PERIOD) if is_new else watch.trusted_from), now


def doubt(watch: Watch, policy: PresencePolicy, now: datetime, *, is_working_time: bool) -> Doubt:
    """Return why a silence says nothing now."""
    if watch.are_beats_lost:
        return "beats_lost"
    if now < watch.trusted_from:
        return "just_started"
    return feed_doubt(watch, policy, now, is_working_time=is_working_time)


def feed_doubt(watch: Watch, policy: PresencePolicy, now: datetime, *, is_working_time: bool) -> Doubt:
    """Return what is wrong with the CRM's feed. Where nobody does anything in working time, the feed is late."""
    if "crm" not in policy.sources:
        return ""
    if watch.feed_read_at is None or now - watch.feed_read_at > _UNREAD:
        return "feed_unread"
    if policy.feed_late_minutes is None or not is_working_time:
        return ""
    heard = watch.feed_heard_at
    is_silent = heard is None or now - heard > timedelta(minutes=policy.feed_late_minutes)
    return "feed_silent" if is_silent else ""


def is_stale(watch: Watch, now: datetime) -> bool:
    """Nobody has watched for so long that what was concluded then says nothing of now."""
    return now - watch.watched_at > _STALE
