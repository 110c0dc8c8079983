"""A version on trial: it decides about part of the calls while another one is published, and the same client always meets the
same of both."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

_PARTS = 10_000


class Trial(NamedTuple):
    """version: on trial. percent: of clients; line: our number, whose calls go by it. One of both."""

    version: int
    percent: int | None = None
    line: str | None = None


class TrialOfCall(BaseModel):
    """Which side of a trial a call is on, for good. because: of the client's share, of the line that was called, or of the
    missed-call case that the client has open: its calls stay on the side on which it was opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    is_on_trial: bool
    because: Literal["share", "line", "case"]
    percent: int | None = Field(default=None, exclude_if=lambda v: v is None)
    line: str | None = Field(default=None, exclude_if=lambda v: v is None)


def side_of(
    trial: Trial, account_id: str, client: str, line: str | None, of_case: TrialOfCall | None = None
) -> TrialOfCall:
    """Return the side of a call that is seen for the first time. client: E.164. of_case: the side of the call that opened
    the client's open case, None where there is none."""
    if of_case is not None and of_case.version == trial.version:
        is_on_trial, because = of_case.is_on_trial, "case"
    elif trial.line is not None:
        is_on_trial, because = line == trial.line, "line"
    else:
        is_on_trial, because = _is_in_share(trial, account_id, client), "share"
    return TrialOfCall.model_validate(
        {
            "version": trial.version,
            "is_on_trial": is_on_trial,
            "because": because,
            "percent": trial.percent,
            "line": trial.line,
        }
    )


def _is_in_share(trial: Trial, account_id: str, client: str) -> bool:
    """Whether a client is one of so many in a hundred: decided by a hash, so the same everywhere and at any time, and for
    another version by another throw."""
    digest = sha256(f"{account_id}\0{trial.version}\0{client}".encode()).digest()
    return int.from_bytes(digest[:8]) % _PARTS < (trial.percent or 0) * (_PARTS // 100)
