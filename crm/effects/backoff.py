"""The CRM's moods: how long an account keeps quiet after a failure. Knows no clock: times are arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.errors import CrmBlocked, CrmError, CrmThrottled, CrmUnpaid

_PAUSES: tuple[tuple[type[CrmError], float, float], ...] = (  # first and longest pause, in seconds
    (CrmBlocked, 30.0, 900.0),
    (CrmUnpaid, 60.0, 1800.0),
    (CrmThrottled, 1.5, 120.0),
    (CrmError, 1.0, 60.0),
)


@dataclass(slots=True)
class Moods:
    """random: 0 ≤ x < 1, for the jitter. reason: code of the latest failure, "" when all is well.

    After a failure one request at a time feels its way: `is_probing` until one succeeds.
    """

    random: Callable[[], float]
    closed_until: datetime | None = None
    failures: int = 0
    reason: str = ""
    since: datetime | None = None

    @property
    def is_probing(self) -> bool:
        return self.failures > 0

    @property
    def is_alarm(self) -> bool:
        """The account's API is closed to us, or the subscription has ended: a person should know."""
        return self.reason in (CrmBlocked.code, CrmUnpaid.code)

    def is_closed(self, now: datetime) -> bool:
        return self.closed_until is not None and now < self.closed_until

    def succeeded(self) -> None:
        self.failures, self.reason, self.since, self.closed_until = 0, "", None, None

    def failed(self, error: CrmError, now: datetime) -> None:
        """Failures of requests that were under way together count as one."""
        if not self.is_closed(now):
            self.failures += 1
        self.reason, self.since = error.code, self.since or now
        until = now + timedelta(seconds=self._pause(error))
        self.closed_until = max(self.closed_until or until, until)

    def _pause(self, error: CrmError) -> float:
        if isinstance(error, CrmThrottled) and error.retry_after is not None:
            return float(error.retry_after) + self.random()
        first, longest = next((a, b) for kind, a, b in _PAUSES if isinstance(error, kind))
        grown = min(first * 2.0 ** min(self.failures - 1, 16), longest)
        return grown * (0.75 + self.random() / 2)
