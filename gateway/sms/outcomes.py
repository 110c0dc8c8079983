"""What an answer, a report or silence makes of a message: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.store.sms.messages import SmsMessageRow, SmsUpdate
from sms.model import SmsAccepted, SmsOutcome, SmsRefused, SmsReport, SmsState
from sms.port import SmsCapabilities
from sms.progress import SETTLED_STATES, SmsProgress, answered, expired, given_up, reported
from sms.reasons import FailureClass, SmsReason, retry_pause

_POLLS = (3, 10, 30, 60, 300, 900, 3600)
"""Seconds until a provider is asked of a message for the first, second, … time; the last one for all that follow."""
_POLLS_BESIDE_PUSHES = (60, 300, 900, 3600)
_FINDS = (10, 60, 600)
_GIVEN_UP_AFTER = timedelta(hours=24)
_GIVEN_UP_AFTER_A_NIGHT = timedelta(hours=48)


def after_answer(row: SmsMessageRow, outcome: SmsOutcome, can: SmsCapabilities, now: datetime) -> SmsUpdate:
    """Take in how the provider answered."""
    progress = answered(row.as_progress, outcome)
    words = "" if isinstance(outcome, SmsAccepted) else outcome.words
    if isinstance(outcome, SmsRefused):
        words = " ".join(part for part in (outcome.vendor_code, outcome.words) if part)
    if progress.state is SmsState.QUEUED and isinstance(outcome, SmsRefused):
        return _again(row, progress, outcome, words, now)
    price = outcome.price if isinstance(outcome, SmsAccepted) else None
    return SmsUpdate(progress=progress, words=words, price=price, look_at=look_at(row, progress, can, now))


def _again(
    row: SmsMessageRow, progress: SmsProgress, outcome: SmsRefused, words: str, now: datetime
) -> SmsUpdate:
    """Let it wait for another try, as long as its time lasts."""
    is_later = outcome.failure_class is FailureClass.LATER
    pause = retry_pause(progress.tries, outcome.retry_after) if is_later else 0.0
    again = now + timedelta(seconds=pause)
    if again >= row.expires_at:
        return SmsUpdate(progress=_expired(progress), words=words)
    return SmsUpdate(progress=progress, words=words, next_try_at=again)


def after_report(row: SmsMessageRow, report: SmsReport, can: SmsCapabilities, now: datetime) -> SmsUpdate:
    progress = reported(row.as_progress, report)
    return SmsUpdate(
        progress=progress,
        words=report.vendor_code or None,
        price=report.price,
        look_at=look_at(row, progress, can, now),
        reported_at=now,
    )


def after_silence(row: SmsMessageRow) -> SmsUpdate:
    """Nobody told anything of it for too long."""
    return SmsUpdate(progress=given_up(row.as_progress))


def out_of_time(row: SmsMessageRow) -> SmsUpdate:
    """Its time ran out before it was sent."""
    return SmsUpdate(progress=_expired(row.as_progress))


def refused_here(row: SmsMessageRow, reason: SmsReason) -> SmsUpdate:
    """Refuse it ourselves, since it must not go out any more."""
    return SmsUpdate(progress=replace(row.as_progress, state=SmsState.REJECTED, reason=reason))


def _expired(progress: SmsProgress) -> SmsProgress:
    """Keep why it was not sent before, where that is known."""
    return replace(expired(progress), reason=progress.reason)


def gives_up_at(row: SmsMessageRow, can: SmsCapabilities) -> datetime:
    patience = _GIVEN_UP_AFTER_A_NIGHT if can.moves_to_day else _GIVEN_UP_AFTER
    return (row.claimed_at or row.created_at) + patience


def look_at(
    row: SmsMessageRow, progress: SmsProgress, can: SmsCapabilities, now: datetime
) -> datetime | None:
    """Say when the provider is to be asked of it, or when nothing more is expected; None: all is known, or it waits here."""
    if progress.state is SmsState.QUEUED:
        return None
    ends = gives_up_at(row, can)
    if progress.state is SmsState.UNKNOWN and not progress.ids:
        is_sought = row.looks < len(_FINDS) and now < ends
        return now + timedelta(seconds=_FINDS[row.looks]) if is_sought else None
    if progress.state in SETTLED_STATES or now >= ends:
        return None
    if not can.has_polls:
        return ends
    pauses = _POLLS_BESIDE_PUSHES if can.has_pushes else _POLLS
    return min(ends, now + timedelta(seconds=pauses[min(row.looks, len(pauses) - 1)]))
