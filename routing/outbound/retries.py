"""What an attempt that came to nothing asks for: another one, when and how often, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.outbound.attempts import AttemptOutcome, AttemptReason

CountsAgainst = Literal["client", "operator", "nobody"]


class RetryRule(BaseModel):
    """minutes: after which it is tried again. most: so often besides the first attempt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: int = Field(ge=0, le=14 * 24 * 60)
    most: int = Field(ge=0, le=20)


class RetryTable(BaseModel):
    """By what came of an attempt. What is not here is never tried again by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_busy: RetryRule = RetryRule(minutes=5, most=3)
    client_no_answer: RetryRule = RetryRule(minutes=60, most=3)
    client_declined: RetryRule = RetryRule(minutes=240, most=1)
    client_unreachable: RetryRule = RetryRule(minutes=60, most=2)
    operator: RetryRule = RetryRule(minutes=2, most=3)
    operator_hung_up: RetryRule = RetryRule(minutes=5, most=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTries:
    """How many attempts of an item came to which rule so far."""

    by_rule: Mapping[str, int] = field(default_factory=dict)

    def of(self, rule: str) -> int:
        return self.by_rule.get(rule, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterAttempt:
    """What is to be done with the item. stops_connection: nothing else of this PBX is placed until a person has looked.
    slower: the PBX had too much; half the rate for some minutes. other_employee: of a group, not the same one at once."""

    do: Literal["succeed", "retry", "fail", "ask"]
    rule: str = ""
    after: timedelta = timedelta(0)
    counts_against: CountsAgainst = "nobody"
    stops_connection: bool = False
    slower: bool = False
    other_employee: bool = False


_LIMIT_PAUSE = timedelta(seconds=30)
_CLIENT: Mapping[AttemptReason, str] = {
    "busy": "client_busy",
    "no_answer": "client_no_answer",
    "hung_up": "client_no_answer",
    "cancelled": "client_no_answer",
    "declined": "client_declined",
    "unreachable": "client_unreachable",
    "machine": "client_unreachable",
}


def after_attempt(
    outcome: AttemptOutcome, table: RetryTable, tries: AttemptTries, *, is_withdrawn: bool = False
) -> AfterAttempt:
    """Say what becomes of the item. tries: before this attempt. Unknown is never tried again: somebody may have been called. ask: a person has to look.
    is_withdrawn: we hung it up, since the client called us; it is looked at anew, and costs nobody a try."""
    if outcome.side == "talked":
        return AfterAttempt(do="succeed")
    if outcome.side == "unknown":
        return AfterAttempt(do="ask")
    if is_withdrawn and outcome.side in ("operator", "client"):
        return AfterAttempt(do="retry", rule="client_in_call")
    if outcome.side == "refused":
        return _refused(outcome.reason)
    if outcome.reason == "bad_number":
        return AfterAttempt(do="fail", rule="bad_number", counts_against="client")
    if outcome.side == "client":
        return _counted(_CLIENT.get(outcome.reason, "client_no_answer"), table, tries, "client")
    rule = "operator_hung_up" if outcome.reason == "hung_up" else "operator"
    return _counted(rule, table, tries, "operator")


def _refused(reason: AttemptReason) -> AfterAttempt:
    """Nobody was rung. Only what concerns this very call ends the item."""
    if reason == "call_refused":
        return AfterAttempt(do="fail", rule="call_refused")
    if reason == "never_sent":
        return AfterAttempt(do="retry", rule="never_sent")
    is_stopped = reason not in ("pbx_limit", "pbx_away")
    return AfterAttempt(
        do="retry",
        rule=reason if reason in ("pbx_limit", "pbx_away") else "pbx_refused",
        after=_LIMIT_PAUSE,
        stops_connection=is_stopped,
        slower=reason == "pbx_limit",
    )


def _counted(rule: str, table: RetryTable, tries: AttemptTries, against: CountsAgainst) -> AfterAttempt:
    wanted: RetryRule = getattr(table, rule)
    is_operator = against == "operator"
    if tries.of(rule) >= wanted.most:
        return AfterAttempt(do="fail", rule=rule, counts_against=against)
    return AfterAttempt(
        do="retry",
        rule=rule,
        after=timedelta(minutes=wanted.minutes),
        counts_against=against,
        other_employee=is_operator,
    )


def with_try(tries: AttemptTries, rule: str) -> AttemptTries:
    """Return it after one more attempt came to this rule."""
    return AttemptTries(by_rule={**tries.by_rule, rule: tries.of(rule) + 1}) if rule else tries


def without_clients(tries: AttemptTries) -> AttemptTries:
    """Return what counts at another number of the client: the employee's tries."""
    return AttemptTries(
        by_rule={rule: n for rule, n in tries.by_rule.items() if rule not in _CLIENT.values()}
    )
