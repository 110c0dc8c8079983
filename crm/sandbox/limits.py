"""Requests in sliding windows of one second, per integration and per account, and the block after repeated offence."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Literal

from crm.sandbox.api.replies import SandboxReply, html, problem
from crm.sandbox.profile import Profile

WINDOW = 1.0
LimitVerdict = Literal["pass", "too_many", "blocked"]


class Limits:
    """Times are seconds of one monotonic clock. Refused requests count too."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = defaultdict(deque)
        self._account: deque[float] = deque()
        self._offences: deque[float] = deque()
        self.most: dict[str, int] = {}
        self.blocked = False

    def judge(self, integration: str, at: float, profile: Profile) -> LimitVerdict:
        own = _count(self._seen[integration], at)
        every = _count(self._account, at)
        self.most[integration] = max(self.most.get(integration, 0), own)
        if self.blocked:
            return "blocked"
        if own <= profile.requests_per_second and every <= profile.account_requests_per_second:
            return "pass"
        self._offend(at, profile)
        return "too_many"

    def _offend(self, at: float, profile: Profile) -> None:
        self._offences.append(at)
        while self._offences[0] <= at - profile.block_window_seconds:
            self._offences.popleft()
        if profile.block_after_429s and len(self._offences) >= profile.block_after_429s:
            self.blocked = True

    def clear(self) -> None:
        """Lift the block and forget all offences, windows and highest counts."""
        self._offences.clear()
        self._seen.clear()
        self._account.clear()
        self.most.clear()
        self.blocked = False


def _count(window: deque[float], at: float) -> int:
    window.append(at)
    while window[0] <= at - WINDOW:
        window.popleft()
    return len(window)


def too_many(profile: Profile) -> SandboxReply:
    if profile.too_many_as == "html":
        return html(429)
    return problem(429, "Request limit exceeded", retry_after=profile.retry_after)
