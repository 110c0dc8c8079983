"""How a message comes along: queued, sending, accepted, (deferred), sent, and one final state. Pure.

Reports come in any order, early, late and twice. The furthest state wins, a final one stays; `unknown` alone may still become
another final state. Of several parts the worst decides, once all are final: a message is delivered when every part is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from sms.model import SmsAccepted, SmsOutcome, SmsRefused, SmsReport, SmsState, SmsUnknown
from sms.reasons import FailureClass, SmsDoubt, SmsReason

_ON_THE_WAY = (SmsState.QUEUED, SmsState.SENDING, SmsState.ACCEPTED, SmsState.DEFERRED, SmsState.SENT)
_FINAL = (
    SmsState.DELIVERED,
    SmsState.UNKNOWN,
    SmsState.UNDELIVERED,
    SmsState.EXPIRED,
    SmsState.REJECTED,
)
"""From the best to the worst."""
FINAL_STATES = frozenset(_FINAL)
SETTLED_STATES = FINAL_STATES - {SmsState.UNKNOWN}
"""Those that never change."""


class PartProgress(NamedTuple):
    """What is known of one id of the provider."""

    id: str
    state: SmsState
    reason: SmsReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsProgress:
    """reports_due: how many ids the provider gives for this message, each with reports of its own. tries: refusals in a row
    after which it waits again. reason, doubt: why it did not arrive, or why nobody knows."""

    state: SmsState = SmsState.QUEUED
    reports_due: int = 1
    parts: tuple[PartProgress, ...] = ()
    tries: int = 0
    reason: SmsReason | None = None
    doubt: SmsDoubt | None = None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(part.id for part in self.parts)


def claimed(progress: SmsProgress) -> SmsProgress:
    """Somebody is about to send it: written down before the request goes out. Raises ValueError where it does not wait."""
    if progress.state is not SmsState.QUEUED:
        raise ValueError(f"a message that is {progress.state} is not sent again")
    return replace(progress, state=SmsState.SENDING)


def answered(progress: SmsProgress, outcome: SmsOutcome) -> SmsProgress:
    """Take in how the provider answered, at once or later. An answer that comes after the end adds ids, no more."""
    if isinstance(outcome, SmsAccepted):
        return _with_parts(progress, (PartProgress(id, SmsState.ACCEPTED) for id in outcome.ids))
    if isinstance(outcome, SmsUnknown):
        return _doubted(progress, outcome)
    return _refused(progress, outcome)


def reported(progress: SmsProgress, report: SmsReport) -> SmsProgress:
    """Take in one report. Raises ValueError for a state in which nothing can be reported."""
    if report.state in (SmsState.QUEUED, SmsState.SENDING):
        raise ValueError(f"{report.state} is no state that a provider reports")
    known = next((i for i in (report.id, *report.other_ids) if i in progress.ids), report.id)
    return _with_parts(progress, (PartProgress(known, report.state, report.reason),))


def given_up(progress: SmsProgress) -> SmsProgress:
    """Nothing more was heard of it for too long: what is still open is unknown."""
    if progress.is_final or progress.state is SmsState.QUEUED:
        return progress
    parts = tuple(
        part if part.state in FINAL_STATES else part._replace(state=SmsState.UNKNOWN)
        for part in progress.parts
    )
    worst = max((SmsState.UNKNOWN, *(part.state for part in parts)), key=_FINAL.index)
    return _ended(replace(progress, parts=parts, doubt=SmsDoubt.NO_REPORT), worst)


def expired(progress: SmsProgress) -> SmsProgress:
    """Its time ran out while it waited here: it was never sent."""
    return _ended(progress, SmsState.EXPIRED) if progress.state is SmsState.QUEUED else progress


def _doubted(progress: SmsProgress, outcome: SmsUnknown) -> SmsProgress:
    known = _with_parts(progress, (PartProgress(id, SmsState.ACCEPTED) for id in outcome.ids))
    if known.state in _ON_THE_WAY and not _was_reported(known):
        return replace(known, state=SmsState.UNKNOWN, doubt=outcome.why)
    return known


def _was_reported(progress: SmsProgress) -> bool:
    """Whether the provider has told of it already: then it has the message, whatever became of the answer."""
    return any(part.state is not SmsState.ACCEPTED for part in progress.parts)


def _refused(progress: SmsProgress, outcome: SmsRefused) -> SmsProgress:
    if progress.state in SETTLED_STATES or _was_reported(progress):
        return progress
    if progress.state is SmsState.UNKNOWN or outcome.failure_class is FailureClass.MESSAGE:
        return replace(progress, state=SmsState.REJECTED, reason=outcome.reason, doubt=None)
    again = replace(progress, state=SmsState.QUEUED, parts=(), reason=outcome.reason)
    return replace(again, tries=progress.tries + (outcome.failure_class is FailureClass.LATER))


def _with_parts(progress: SmsProgress, told: Iterable[PartProgress]) -> SmsProgress:
    parts = {part.id: part for part in progress.parts}
    for new in told:
        parts[new.id] = _further(parts.get(new.id), new)
    return _judged(replace(progress, parts=tuple(parts.values())))


def _further(old: PartProgress | None, new: PartProgress) -> PartProgress:
    if old is None:
        return new
    if old.state in SETTLED_STATES:
        return old
    if old.state is SmsState.UNKNOWN:
        return new if new.state in SETTLED_STATES else old
    if new.state in FINAL_STATES:
        return new
    return new if _ON_THE_WAY.index(new.state) > _ON_THE_WAY.index(old.state) else old


def _judged(progress: SmsProgress) -> SmsProgress:
    """Draw the message's own state from its parts."""
    if progress.state in SETTLED_STATES:
        return progress
    states = [part.state for part in progress.parts]
    if len(states) >= progress.reports_due and FINAL_STATES.issuperset(states):
        return _ended(progress, max(states, key=_FINAL.index))
    if progress.state is SmsState.UNKNOWN:
        return progress
    least = min((s for s in states if s in _ON_THE_WAY), key=_ON_THE_WAY.index, default=SmsState.ACCEPTED)
    return replace(progress, state=max(progress.state, least, key=_ON_THE_WAY.index), reason=None)


def _ended(progress: SmsProgress, state: SmsState) -> SmsProgress:
    reason = next((p.reason for p in progress.parts if p.state is state and p.reason), None)
    doubt = progress.doubt if state is SmsState.UNKNOWN else None
    return replace(progress, state=state, reason=reason, doubt=doubt)
