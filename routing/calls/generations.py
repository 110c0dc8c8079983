"""Ids of calls that come again: a PBX whose counter begins anew each day gives one id to many calls.

Which call a message belongs to follows from its client and time, whatever order messages come in. The first call of an id
is known by the id itself, a later one by `later_key`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.calls.model import EventKind

_MARK = "␟"
"""In no id of a PBX: `without_mark` keeps it out of what is told."""
_SHOWN = "\ufffd241F"

_BEGINS = frozenset((EventKind.STARTED, EventKind.RANG))
_AGAIN = timedelta(minutes=10)
"""So long after its end a message that a call begins is still of the old call: repeated, or of a leg that was late."""
_LATE = timedelta(hours=12)
"""The same for what else is told of a call: an answer or an end may come late, and its beginning may be lost."""
_BEFORE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class CallMessage:
    """at: by the PBX's clock. client: E.164, None where it tells none. key: of the call that it was given to so far."""

    id: int
    key: str
    at: datetime
    client: str | None
    kinds: frozenset[EventKind]
    is_pending: bool


@dataclass(frozen=True, slots=True)
class CallSpan:
    """A call of this id as far as it is known. ended_at: None while it goes on."""

    key: str
    client: str | None
    started_at: datetime
    last_at: datetime
    ended_at: datetime | None = None


def without_mark(told: str) -> str:
    """Return a PBX's id of a call as it is kept: our own mark in it is shown by its code, so that ids that differ stay so."""
    return told.replace(_MARK, _SHOWN) if _MARK in told else told


def first_key(call_key: str) -> str:
    """Return the PBX's own id of a call."""
    return call_key.partition(_MARK)[0]


def is_later(call_key: str) -> bool:
    """Say whether an older call had the same id."""
    return _MARK in call_key


def later_key(call_key: str, number: int) -> str:
    """Return the key of the call that is the second, third … of its id."""
    return f"{first_key(call_key)}{_MARK}{number}"


def assigned(told: Sequence[CallMessage], known: Iterable[CallSpan], latest: int) -> dict[int, str]:
    """Return the keys of those pending messages that are of another call than they were given to.

    told: all messages of one id that are kept. known: its calls as stored. latest: the highest number of a call of this id.
    """
    spans = {span.key: span for span in known}
    settled = [m for m in told if not m.is_pending or m.key != first_key(m.key)]
    for message in sorted(settled, key=_order):
        spans[message.key] = _with(spans.get(message.key), message, message.key)
    moved: dict[int, str] = {}
    for message in sorted((m for m in told if m.is_pending and m.key == first_key(m.key)), key=_order):
        key = _call_of(message, spans.values())
        if key is None:
            latest += 1
            key = later_key(message.key, latest) if spans else message.key
        spans[key] = _with(spans.get(key), message, key)
        if key != message.key:
            moved[message.id] = key
    return moved


def _order(message: CallMessage) -> tuple[bool, datetime, bool, int]:
    """Put what tells of a recording alone last: it is of a call that others tell of."""
    is_recording = message.kinds == {EventKind.RECORDING}
    return is_recording, message.at, not message.kinds & _BEGINS, message.id


def _call_of(message: CallMessage, spans: Iterable[CallSpan]) -> str | None:
    fitting = [
        (_is_others(message, span), _gap(message, span), -span.started_at.timestamp(), span.key)
        for span in spans
        if _fits(message, span)
    ]
    return min(fitting)[3] if fitting else None


def _fits(message: CallMessage, span: CallSpan) -> bool:
    if message.kinds == {EventKind.RECORDING}:
        return not _is_others(message, span)
    begins = bool(message.kinds & _BEGINS)
    if _is_others(message, span):  # legs of one call may tell other numbers, while it goes on
        if span.ended_at is not None:
            return message.at < span.ended_at and message.at >= span.started_at
        return not begins or message.at <= span.last_at + _AGAIN
    if message.at < span.started_at - _BEFORE:
        return False
    return span.ended_at is None or message.at <= span.ended_at + (_AGAIN if begins else _LATE)


def _is_others(message: CallMessage, span: CallSpan) -> bool:
    return None not in (message.client, span.client) and message.client != span.client


def _gap(message: CallMessage, span: CallSpan) -> timedelta:
    ended_at = span.ended_at or max(message.at, span.started_at)
    return max(timedelta(0), span.started_at - message.at, message.at - ended_at)


def _with(span: CallSpan | None, message: CallMessage, key: str) -> CallSpan:
    ends = message.at if message.kinds & {EventKind.ENDED, EventKind.SUMMARY} else None
    if span is None:
        return CallSpan(key, message.client, message.at, message.at, ends)
    if message.kinds == {EventKind.RECORDING}:
        return span
    return replace(
        span,
        client=span.client or message.client,
        started_at=min(span.started_at, message.at),
        last_at=max(span.last_at, message.at),
        ended_at=max(filter(None, (span.ended_at, ends)), default=None),
    )
