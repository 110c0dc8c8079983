"""What can go wrong between us and a CRM. `code` is stable: the same in logs, API bodies, the exchange log and the runbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class CrmError(Exception):
    """Root of the CRM's errors.

    retryable: the same request may succeed later. is_outcome_unknown: the CRM may have carried out the write all the
    same (time-out, connection lost, 5xx, unreadable answer): look before writing again.
    settled: outcomes (`crm.port.ItemOutcome`) of those items of the batch that were certain before it went wrong; the
    error speaks of the others.
    """

    code = "crm-error"
    retryable = False
    is_outcome_unknown = False
    settled: tuple[object, ...] = ()


class CrmThrottled(CrmError):
    """The CRM answered 429: nothing was carried out. retry_after: seconds, None when not told."""

    code, retryable = "crm-throttled", True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CrmBudgetTaken(CrmError):
    """Whoever works for the account lends no request now: nothing was sent."""

    code, retryable = "crm-budget-taken", True


class CrmBlocked(CrmError):
    """403 on everything, or an HTML page where JSON belongs: the account's API is closed to us. Open the circuit."""

    code, retryable = "crm-blocked", True


class CrmForbidden(CrmError):
    """This user may not do this (403 with a problem body). Other requests may work."""

    code = "crm-forbidden"


class CrmUnauthorised(CrmError):
    """The authorisation is broken and refreshing did not mend it: somebody has to reconnect the account."""

    code = "crm-unauthorised"


TroubleName = Literal[
    "refresh-lost", "refresh-used", "client-refused", "token-refused", "token-expired", "none-stored"
]

WHAT_HAPPENED: Mapping[TroubleName, str] = {
    "refresh-lost": "A new key was sent by the CRM but never arrived here, and the old one is used up.",
    "refresh-used": "The CRM says that the refresh key was used or has expired.",
    "client-refused": "The CRM refuses the integration's id or secret, or the account is not paid for.",
    "token-refused": "The CRM refuses the access key: it was revoked, or the integration was switched off.",
    "token-expired": "The access key has expired.",
    "none-stored": "No key of the CRM is stored for this account.",
}


_SAID = " The CRM said: "


class NamedTrouble(NamedTuple):
    """said: what the CRM itself said of it, "" = nothing."""

    name: TroubleName
    said: str


def trouble_of(text: str) -> NamedTrouble | None:
    """Return which way an authorisation broke, by what was stored of it in English; None: it was something else."""
    for name, what in WHAT_HAPPENED.items():
        if text.startswith(what):
            return NamedTrouble(name, text.partition(_SAID)[2])
    return None


class ReconnectNeeded(CrmUnauthorised):
    """The authorisation is broken and only a person can mend it. reason: which way it broke."""

    def __init__(self, reason: TroubleName, account_id: str, said: str = "") -> None:
        what = WHAT_HAPPENED[reason]
        how = f"Reconnect with `callmatrix account add {account_id} --token -` and a new long-lived key, or through OAuth."
        super().__init__(f"{what} {how}" + (f"{_SAID}{said}" if said else ""))
        self.reason: TroubleName = reason


class CrmUnpaid(CrmError):
    """402, or an old code that says so of writes: the CRM's subscription or trial has ended."""

    code, retryable = "crm-unpaid", True


class CrmUnavailable(CrmError):
    """No usable answer to a read, or a connection that could not be made: nothing was carried out. was_sent: the CRM may have it
    in its hands."""

    code, retryable = "crm-unavailable", True
    was_sent = True


class CrmMoved(CrmUnavailable):
    """The account answers with a redirection to another host: its address has changed. address: the new one."""

    code = "crm-moved"

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


class CrmTooLarge(CrmError):
    """504 (or 413) on a batch: it may have been carried out in part; look, then send less at a time."""

    code, retryable, is_outcome_unknown = "crm-too-large", True, True


class CrmOutcomeUnknown(CrmError):
    """A write was sent and no trustworthy answer came back (time-out, reset, 5xx, truncated JSON)."""

    code, retryable, is_outcome_unknown = "crm-outcome-unknown", True, True


class CrmRefused(CrmError):
    """The CRM understood the request and will not have it. problems: (request_id or "", field path, the CRM's code, detail)."""

    code = "crm-refused"

    def __init__(self, message: str, problems: tuple[tuple[str, str, str, str], ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class CrmNotFound(CrmError):
    code = "crm-not-found"


class CrmUnreadable(CrmError):
    """A read was answered with something that is not what the CRM promises. field: where. value: what stood there."""

    code, retryable = "crm-unreadable", True

    def __init__(self, message: str, field: str = "", value: object = None) -> None:
        super().__init__(message)
        self.field, self.value = field, value
