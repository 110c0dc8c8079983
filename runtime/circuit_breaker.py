"""A fuse for what is closed to us: nothing is sent but single probes at growing intervals. Its clock is an argument."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from runtime.backoff import Spread, grown_pause, spread_out

FIRST_PROBE_SECONDS = 15.0
LONGEST_PROBE_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitState:
    """closed: requests pass. open: none does until probe_at. probing: one is under way that will decide.

    since: when the present trouble began, None while closed; times by the breaker's clock. refusals: in a row.
    """

    name: Literal["closed", "open", "probing"]
    since: float | None = None
    probe_at: float | None = None
    refusals: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request. Its outcome is told with it."""

    is_probe: bool


class CircuitBreaker:
    """Ask for a `permit` before a request; tell `refused`, `passed`, `undecided` or `unused` after it.

    What was under way when it opened neither closes it nor opens it further. clock: steady seconds.
    within: a breaker that stands before this one; while that is not closed, this gives one permit at a time, and none
    before that one's probe is due.
    """

    def __init__(
        self,
        *,
        first: float = FIRST_PROBE_SECONDS,
        longest: float = LONGEST_PROBE_SECONDS,
        spread: Spread = (1.0, 1.25),
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        within: CircuitBreaker | None = None,
    ) -> None:
        self._first, self._longest, self._spread = first, longest, spread
        self._clock, self._random, self._within = clock, random, within
        self._probe: Permit | None = None  # the one under way
        self.state = CircuitState(name="closed")

    @property
    def is_closed(self) -> bool:
        """All is well, here and in what stands before."""
        return self.state.name == "closed" and (self._within is None or self._within.is_closed)

    @property
    def is_within_closed(self) -> bool:
        """Whether what stands before this one lets everything pass."""
        return self._within is None or self._within.is_closed

    def wait_seconds(self) -> float:
        """Until the next probe may go; 0 when a request or a probe may go now, or while a probe is under way."""
        own = max(0.0, (self.state.probe_at or 0.0) - self._clock()) if self.state.name == "open" else 0.0
        return max(own, self._within.wait_seconds() if self._within else 0.0)

    def permit(self) -> Permit | None:
        """None: nothing may go now. A probe: nobody else may go until its outcome is told."""
        state = self.state
        if not self._may_ask():
            return None
        if state.name == "closed" and self.is_within_closed:
            return Permit(is_probe=False)
        self.state = replace(
            state, name="probing", probe_at=None, since=self._clock() if state.since is None else state.since
        )
        self._probe = Permit(is_probe=True)
        return self._probe

    def _may_ask(self) -> bool:
        is_allowed = self._within is None or self._within._may_ask()
        return is_allowed and self.state.name != "probing" and self.wait_seconds() <= 0

    def refused(
        self,
        permit: Permit,
        reason: str,
        *,
        first: float | None = None,
        longest: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Note that it is closed to us. first, longest: pauses of this reason. at_least: seconds that we were told to wait."""
        state, now = self.state, self._clock()
        if state.name != "closed" and permit is not self._probe:
            if at_least is not None and state.probe_at is not None:
                self.state = replace(state, probe_at=max(state.probe_at, now + at_least))
            return
        self._probe = None
        refusals = state.refusals + 1
        wait = grown_pause(refusals, first or self._first, longest or self._longest)
        wait = spread_out(wait, self._spread, self._random)
        self.state = CircuitState(
            name="open",
            since=now if state.since is None else state.since,
            probe_at=now + (wait if at_least is None else at_least + self._random()),
            refusals=refusals,
            reason=reason,
        )

    def passed(self, permit: Permit) -> None:
        """Any answer that only an open API gives."""
        if permit is self._probe:
            self._probe, self.state = None, CircuitState(name="closed")

    def undecided(self, permit: Permit) -> None:
        """Note that the request ended without a verdict (lost, cancelled). Without effect where one has been told."""
        if permit is self._probe:
            self._probe = None
            self.state = replace(self.state, name="open", probe_at=self._clock() + self._first)

    def unused(self, permit: Permit) -> None:
        """Nothing was sent: another may go at once. Without effect where an outcome has been told."""
        if permit is self._probe:
            self._probe = None
            is_own = bool(self.state.refusals)
            self.state = (
                replace(self.state, name="open", probe_at=self._clock())
                if is_own
                else CircuitState(name="closed")
            )
