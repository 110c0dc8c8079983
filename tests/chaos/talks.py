"""Who talked with a client when, and which of their calls were in vain: our own account of it, from what was told and when.

Everything is a span of doubt, because a telephone system's time, or only the time of receipt, may be what the product goes by.
Where no doubt is left one answer is right: who called in vain after everybody had talked is owed a call, and who was talked to
after their last vain call is owed none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from tests.chaos.facts import CallFacts

_SLACK = timedelta(seconds=1.5)
"""Lengths are told in whole seconds."""
_PROMPT = timedelta(seconds=2)
_NEVER = datetime.max.replace(tzinfo=UTC)

Debt = Literal["owed", "paid", "open"]
"""open: either is right."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Between when and when something was over."""

    least: datetime
    most: datetime


def over(facts: CallFacts) -> Doubt:
    """When a call was over. One whose end is not told may go on. What a wrong clock tells late, or all
    at once, may be believed: nothing shows there that the clock is wrong."""
    ends = [e for e in facts.events if e.event.name == "hangup"]
    late = max((e.at - e.happened for e in facts.events), default=timedelta(0))
    doubt = late
    if facts.call.skew and (late > _PROMPT or _told_span(facts) < _PROMPT):
        doubt += timedelta(seconds=abs(facts.call.skew))
    if not ends:
        return Doubt(min(e.happened for e in facts.events) - (doubt - late), _NEVER)
    happened = [e.happened for e in ends]
    return Doubt(min(happened) - (doubt - late), max(happened) + doubt)


def _told_span(facts: CallFacts) -> timedelta:
    happened = [e.happened for e in facts.events]
    return max(happened) - min(happened)


def debt(missed: CallFacts, talks: Sequence[CallFacts]) -> Debt:
    """What a client is owed after one call in vain. talks: all with the client, whoever called whom, before and after it."""
    vain = over(missed)
    spans = [over(talk) for talk in talks]
    if any(span.least >= vain.most + _SLACK for span in spans if vain.most != _NEVER):
        return "paid"
    if all(span.most < vain.least - _SLACK for span in spans):
        return "owed"
    return "open"


def open_cases(calls: Iterable[CallFacts]) -> tuple[int, int]:
    """(least, most) open cases of a client, from all of their calls."""
    every = list(calls)
    talks = [call for call in every if call.is_answered]
    debts = [debt(call, talks) for call in every if call.is_missed]
    if "owed" in debts:
        return 1, 1
    return (0, 0) if all(one == "paid" for one in debts) else (0, 1)
