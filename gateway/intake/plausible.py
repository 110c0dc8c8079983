"""Times and lengths that no call can have (a telephone's clock that was never set, a default date, a counter gone wild), and
recordings at what is no link.

What is told of a call stays; only what cannot be is put right, and its name is told with the fields that could not be read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.pbx.port import Parsed
from gateway.pbx.reading.links import leads_to
from routing.calls.model import CallEvent, Disposition
from runtime.addresses import is_web_address

# What is told late comes from an outage or is asked for afterwards (three days at the most).
_OLDEST = timedelta(days=30)
_AHEAD = timedelta(days=1)
_LONGEST_SECONDS = 7 * 24 * 3600


def plausible(parsed: Parsed, received_at: datetime, recording_hosts: Collection[str] = ()) -> Parsed:
    """Return the same message with times within a month before and a day after its receipt, and lengths of a week at the
    most. A time that is not so becomes that of receipt, a length is not told, and neither is a recording at what is no
    link, or at another host than these, where there are some."""
    mended = [_mended(event, received_at, recording_hosts) for event in parsed.events]
    names = dict.fromkeys(name for changes in mended for name in changes if name != "cause")
    if not names:
        return parsed
    events = tuple(
        event.model_copy(update=changes) for event, changes in zip(parsed.events, mended, strict=True)
    )
    return replace(parsed, events=events, spoilt=tuple(dict.fromkeys([*parsed.spoilt, *names])))


def _mended(event: CallEvent, received_at: datetime, recording_hosts: Collection[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if event.recording is not None and not (
        leads_to(event.recording, recording_hosts) if recording_hosts else is_web_address(event.recording)
    ):
        changes["recording"] = None
    if not _is_near(event.at, received_at):
        changes["at"] = received_at
    if event.started_at is not None and not _is_near(event.started_at, received_at):
        changes["started_at"] = None
    if event.answered_at is not None and not _is_near(event.answered_at, received_at):
        changes["answered_at"] = changes.get("at", event.at)
    for name in ("talk_seconds", "wait_seconds"):
        seconds = getattr(event, name)
        if seconds is not None and not 0 <= seconds <= _LONGEST_SECONDS:
            changes[name] = None
    if "talk_seconds" in changes and (event.talk_seconds or 0) > 0 and event.cause is None:
        changes["cause"] = Disposition.ANSWERED  # that somebody talked was said by the length
    return changes


def _is_near(at: datetime, received_at: datetime) -> bool:
    # Not by subtraction from `at`: its offset may lead out of the calendar.
    return received_at - _OLDEST <= at <= received_at + _AHEAD
