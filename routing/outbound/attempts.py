"""One attempt to connect an employee with a client: how far it came, whatever the order and repetition of what is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

AttemptState = Literal[
    "claimed",
    "placing",
    "operator_ringing",
    "operator_answered",
    "client_ringing",
    "talking",
    "over",
]
"""In the order in which they follow. claimed: committed, nothing was sent yet. placing: the request is on its way, or was sent."""

AttemptSide = Literal["talked", "client", "operator", "refused", "unknown"]
"""Who was at the end of it. refused: the PBX would not place it, or it was never asked. unknown: nobody knows what became of it."""

AttemptReason = Literal[
    "talked",
    "busy",
    "no_answer",
    "declined",
    "unreachable",
    "machine",
    "bad_number",
    "hung_up",
    "cancelled",
    "pbx_refused",
    "pbx_limit",
    "pbx_away",
    "call_refused",
    "never_sent",
    "never_heard_of",
]

_is_attempt_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch

_RANK = {state: rank for rank, state in enumerate(get_args(AttemptState))}
_SURE = {"talked": 4, "client": 3, "operator": 2, "refused": 1, "unknown": 0}
"""What goes before what, where several are told: a talk is never taken back, and whoever came further has the last word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOutcome:
    """raw: the PBX's own code, for people."""

    side: AttemptSide
    reason: AttemptReason
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """outcome: as soon as anything is known of the end; final once the state is "over"."""

    state: AttemptState = "claimed"
    outcome: AttemptOutcome | None = None


def attempt_id_in(told: str | None) -> str | None:
    """Return the id of an attempt as a PBX repeats it, by its form, which is a UUID's; None for an id of the PBX's own."""
    written = (told or "").strip().lower()
    return written if _is_attempt_id(written) else None


def reached(attempt: Attempt, state: AttemptState) -> Attempt:
    """Return it after it came so far. What is told late of an earlier state changes nothing, and "over" stays over."""
    return replace(attempt, state=state) if _RANK[state] > _RANK[attempt.state] else attempt


def ended(attempt: Attempt, outcome: AttemptOutcome) -> Attempt:
    """Return it after its end was told; told in several ways, what is surer holds, and nothing of the same rank is changed."""
    known = attempt.outcome
    if known is not None and _SURE[known.side] >= _SURE[outcome.side]:
        return replace(attempt, state="over")
    return Attempt(state="over", outcome=outcome)
