"""What a call that we made came to, as the outcome of the attempt: read from the call's events, never from the answer to the order."""

from __future__ import annotations

from collections.abc import Mapping

from routing.calls.model import Call, Disposition, FailedSide, NumberWord
from routing.outbound.attempts import AttemptOutcome, AttemptReason, AttemptSide

_SIDES: Mapping[FailedSide, AttemptSide] = {
    FailedSide.EMPLOYEE_NOT_REACHED: "operator",
    FailedSide.EMPLOYEE_HUNG_UP: "operator",
    FailedSide.CLIENT_NOT_REACHED: "client",
}
_REASONS: Mapping[Disposition, AttemptReason] = {
    Disposition.BUSY: "busy",
    Disposition.NO_ANSWER: "no_answer",
    Disposition.REJECTED: "declined",
    Disposition.CANCELLED: "cancelled",
    Disposition.FAILED: "unreachable",
}
_WORDS: Mapping[NumberWord, AttemptReason] = {"no_such_number": "bad_number", "machine": "machine"}
_NOBODY_KNOWS = AttemptOutcome(side="unknown", reason="never_heard_of")


def outcome_of(call: Call | None) -> AttemptOutcome | None:
    """Return what became of an attempt; None while it goes on. call: None where nothing was heard of it and nothing more is
    awaited. Whoever answered has talked, even where the end is lost; whose side a silent call failed on is told or unknown."""
    if call is None:
        return _NOBODY_KNOWS
    if not call.is_over:
        return None
    if call.is_answered:
        return AttemptOutcome(side="talked", reason="talked", raw=call.disposition)
    if call.failed_side is None or call.is_end_lost:
        return AttemptOutcome(side="unknown", reason="never_heard_of", raw=call.disposition)
    return AttemptOutcome(side=_SIDES[call.failed_side], reason=_reason(call), raw=call.disposition)


def _reason(call: Call) -> AttemptReason:
    if call.failed_side is FailedSide.EMPLOYEE_HUNG_UP:
        return "hung_up"
    if call.failed_side is FailedSide.CLIENT_NOT_REACHED and call.number_word:
        return _WORDS[call.number_word]
    return _REASONS.get(call.disposition, "no_answer")
