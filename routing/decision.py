"""The shape of every decision: an outcome, the reason for it, and each step that led there."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Fact = str | int | bool | None
Verdict = Literal["decided", "passed", "excluded"]

_NO_FACTS: Mapping[str, Fact] = {}


class Step(NamedTuple):
    """One rule that was looked at. Exactly one step of a decision is "decided", and it is the last.

    rule: the rule's id as the admin sees it. because: a code of the closed set in docs/reference/reasons.md.
    facts: what was looked at; unknown is a fact (`{"crm": "timeout"}`), never a guess.

    A named tuple because several are built while a phone rings.
    """

    rule: str
    verdict: Verdict
    because: str
    facts: Mapping[str, Fact] = _NO_FACTS

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "verdict": self.verdict,
            "because": self.because,
            "facts": dict(self.facts),
        }


Trace = tuple[Step, ...]


def decision_id_of(account_id: str, *parts: str) -> str:
    """Return the id of the decision about these things: the same parts always give the same id (26 characters)."""
    return stable_id(account_id, *parts)


def stable_id(*parts: str) -> str:
    """Small letters and digits that are always the same for the same parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return b32encode(digest[:16]).decode().rstrip("=").lower()
