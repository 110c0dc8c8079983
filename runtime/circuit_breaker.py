"""A fuse for an account whose API is closed to us: nothing is sent but single probes at growing intervals. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

FIRST_PROBE_SECONDS = 15.0
LONGEST_PROBE_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitState:
    """closed: requests pass. open: none does until probe_at. probing: one is under way that will decide.

    since: when the present trouble began, None while closed; times as given to the circuit. refusals: in a row.
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


class Circuit:
    """Ask for a `permit` before a request; tell `refused`, `passed` or `undecided` after it. Times in seconds, any clock.

    What was under way when the circuit opened neither closes it nor opens it further.
    """

    def __init__(
        self,
        *,
        first: float = FIRST_PROBE_SECONDS,
        longest: float = LONGEST_PROBE_SECONDS,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._longest, self._random = first, longest, random
        self.state = CircuitState(name="closed")

    def permit(self, now: float) -> Permit | None:
        """None: nothing may go now. A probe: nobody else may go until its outcome is told."""
        state = self.state
        if state.name == "closed":
            return Permit(is_probe=False)
        if state.name == "probing" or state.probe_at is None or now < state.probe_at:
            return None
        self.state = replace(state, name="probing", probe_at=None)
        return Permit(is_probe=True)

    def refused(self, permit: Permit, now: float, reason: str) -> None:
        """The CRM is closed to us."""
        state = self.state
        if state.name != "closed" and not permit.is_probe:
            return
        refusals = state.refusals + 1
        wait = min(self._first * 2.0 ** (refusals - 1), self._longest) * (1.0 + self._random() / 4)
        self.state = CircuitState(
            name="open",
            since=now if state.since is None else state.since,
            probe_at=now + wait,
            refusals=refusals,
            reason=reason,
        )

    def passed(self, permit: Permit) -> None:
        """Any answer that only an open API gives."""
        if permit.is_probe:
            self.state = CircuitState(name="closed")

    def undecided(self, permit: Permit, now: float) -> None:
        """The request ended without a verdict (lost, cancelled). Without effect where one has been told."""
        if permit.is_probe and self.state.name == "probing":
            self.state = replace(self.state, name="open", probe_at=now + self._first)
