"""How long writing to an account keeps quiet after each kind of failure of its CRM."""

from __future__ import annotations

from crm.errors import CrmBlocked, CrmError, CrmThrottled, CrmUnauthorised, CrmUnpaid
from runtime.backoff import Spread
from runtime.circuit_breaker import CircuitBreaker, Permit

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0
SPREAD: Spread = (0.75, 1.25)

_PAUSES: tuple[tuple[type[CrmError], float, float], ...] = (  # first and longest pause, in seconds
    (CrmBlocked, 30.0, 900.0),
    (CrmUnpaid, 60.0, 1800.0),
    (CrmThrottled, 1.5, 120.0),
    (CrmUnauthorised, 5.0, 60.0),  # the second refusal in a row is believed
    (CrmError, FIRST_SECONDS, LONGEST_SECONDS),
)


def is_alarm(code: str) -> bool:
    """Say whether a person should know: the account's API is closed to us, or the subscription has ended."""
    return code in (CrmBlocked.code, CrmUnpaid.code)


def pause_after(error: CrmError, breaker: CircuitBreaker, permit: Permit) -> None:
    """Open the breaker for as long as this error asks for; where the account's own is open, that one knows when."""
    if isinstance(error, CrmBlocked) and not breaker.is_within_closed:
        breaker.unused(permit)
        return
    first, longest = next((a, b) for kind, a, b in _PAUSES if isinstance(error, kind))
    told = error.retry_after if isinstance(error, CrmThrottled) else None
    breaker.refused(permit, error.code, first=first, longest=longest, at_least=told)
