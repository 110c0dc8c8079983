"""One change is one event, however many ways the CRM tells of it. Pure.

Webhooks and polls show how a thing was at a time: they make a change known early, perhaps twice, and hide what went to and
fro in between. The feed of events tells of every change once, with who made it, but late. So: what differs from the value
last known is a change that the feed has not confirmed yet; the feed confirms the earliest of those that fits, or adds what
nobody told before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import orjson

Teller = Literal["webhook", "poll", "feed"]

# An entity's time of change may lie this much before that of its event: both are the CRM's, in whole seconds.
_TOLERANCE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChange:
    """at: the CRM's time. told_at: the same as the first teller named it. event_id: of the stored row, None when new."""

    old: str | None
    new: str
    at: datetime
    told_at: datetime
    told_by: Teller
    feed_id: str | None = None
    by_user: str | None = None
    event_id: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """One aspect of one thing: the value last known, the time up to which it held, and the changes of late."""

    value: str | None = None
    at: datetime | None = None
    changes: tuple[ValueChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A value at a time. is_change: the CRM says that it has just changed, so it is news even of what was never seen."""

    value: str
    at: datetime
    told_by: Teller
    before: str | None = None
    is_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event of the feed. after: None where it could not be read. is_once: it can happen only once to its thing."""

    id: str
    at: datetime
    before: str | None
    after: str | None
    by_user: str | None
    is_once: bool = False


def see(history: History, seen: Seen) -> History:
    """Return what a webhook or a poll shows. Older than what is known, or known already: no change."""
    if history.at is not None and seen.at < history.at:
        return history
    if seen.value == history.value:
        return replace(history, at=seen.at)
    if any(_is_of_then(change, seen) for change in history.changes):
        return history
    known = replace(history, value=seen.value, at=seen.at)
    if history.value is None and not seen.is_change:
        return known
    old = seen.before if history.value is None else history.value
    change = ValueChange(old=old, new=seen.value, at=seen.at, told_at=seen.at, told_by=seen.told_by)
    return replace(known, changes=(*history.changes, change))


def _is_of_then(change: ValueChange, seen: Seen) -> bool:
    """Told again, or the state before a change within the same second: which came last only the feed knows."""
    return seen.at in (change.at, change.told_at) and seen.value in (change.old, change.new)


def hear(history: History, event: Heard) -> History:
    """Take in what the feed tells, which is the truth: it confirms a change that is known, or adds one."""
    if any(change.feed_id == event.id for change in history.changes):
        return history
    fitting = [change for change in history.changes if _fits(change, event)]
    if fitting:
        early = min(fitting, key=lambda change: change.told_at)
        confirmed = _confirmed(early, event)
        changes = tuple(confirmed if change is early else change for change in history.changes)
    else:
        changes = (*history.changes, _added(history, event))
    if event.after is None or (history.at is not None and event.at < history.at):
        return replace(history, changes=changes)
    return History(event.after, event.at, changes)


def _fits(change: ValueChange, event: Heard) -> bool:
    return (
        change.feed_id is None
        and event.after in (None, change.new)
        and (event.is_once or change.told_at >= event.at - _TOLERANCE)
    )


def _confirmed(early: ValueChange, event: Heard) -> ValueChange:
    old = early.old if event.before is None else event.before
    return replace(early, feed_id=event.id, at=event.at, old=old, by_user=event.by_user)


def _added(history: History, event: Heard) -> ValueChange:
    return ValueChange(
        old=event.before,
        new="" if event.after is None else event.after,
        at=event.at,
        told_at=event.at,
        told_by="feed",
        feed_id=event.id,
        by_user=event.by_user,
    )


def new_changes(history: History) -> Sequence[ValueChange]:
    """Those that are not stored yet."""
    return [change for change in history.changes if change.event_id is None]


def last_after_all(before: History, after: History) -> ValueChange | None:
    """Return the stored change that turned out to be the last one; None where a new one says the same, or nothing turned out.

    Of what webhooks tell of one second the order is guessed, and the feed may only have confirmed what is known.
    """
    holding = [change for change in after.changes if change.new == after.value]
    if after.value == before.value or not holding or any(change.event_id is None for change in holding):
        return None
    return max(holding, key=lambda change: (change.at, change.event_id or 0))


def changed_fields(old: str | None, new: str) -> dict[str, tuple[str, str]]:
    """Return custom field id -> (text before, text now) of those that differ. old, new: as `fields_changed` tells them."""
    before, now = orjson.loads(old or "{}"), orjson.loads(new)
    ids = sorted({*before, *now})
    return {id: (before.get(id, ""), now.get(id, "")) for id in ids if before.get(id) != now.get(id)}
