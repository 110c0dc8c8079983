"""The fault plan: rules that spoil the n-th, every k-th or all requests that match them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = {
    "latency",  # carried out at once, answered `ms` later
    "hang",  # not carried out; silent for `ms` (default: an hour), then closed
    "429",
    "401",
    "402",
    "403",  # as HTML
    "500",
    "502",  # as HTML
    "504",  # as HTML
    "html",  # 200 with a page instead of JSON, not carried out
    "truncate",  # carried out, half of the body
    "reset",  # not carried out, connection reset
    "answer_lost",  # carried out, closed without an answer
}


@dataclass(slots=True)
class FaultRule:
    """path: a glob where it has * or ?, a regular expression after `re:`, else a prefix. Without it every path."""

    method: str | None
    path: str | None
    nth: int | None
    every: int | None
    fault: str
    ms: int
    integration: str | None = None
    matched: int = 0
    fired: int = 0

    def fires(self, method: str, path: str, integration: str) -> bool:
        if self.method and self.method.upper() != method:
            return False
        if self.integration and self.integration != integration:
            return False
        if not _path_matches(self.path, path):
            return False
        self.matched += 1
        if self.nth is not None and self.matched != self.nth:
            return False
        if self.every is not None and self.matched % self.every:
            return False
        self.fired += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        match = {"method": self.method, "path": self.path, "integration": self.integration}
        when = {"nth": self.nth} if self.nth else {"every": self.every} if self.every else {"always": True}
        counts = {"matched": self.matched, "fired": self.fired}
        return {
            "match": {k: v for k, v in match.items() if v},
            **when,
            "fault": self.fault,
            "ms": self.ms,
            **counts,
        }


def _path_matches(pattern: str | None, path: str) -> bool:
    if not pattern:
        return True
    if pattern.startswith("re:"):
        return re.search(pattern[3:], path) is not None
    if "*" in pattern or "?" in pattern:
        return fnmatch.fnmatchcase(path, pattern)
    return path.startswith(pattern)


def fault_rules(value: Any) -> list[FaultRule]:
    """Rules from {"rules": […]}. Raises ValueError saying what is wrong."""
    if not isinstance(value, Mapping) or not isinstance(value.get("rules"), list):
        raise ValueError('expected {"rules": […]}')
    return [_rule(item) for item in value["rules"]]


def _rule(item: Any) -> FaultRule:
    if not isinstance(item, Mapping):
        raise ValueError("a rule is an object")
    fault, match = str(item.get("fault")), item.get("match") or {}
    if fault not in KINDS:
        raise ValueError(f"no such fault: {fault} ({', '.join(sorted(KINDS))})")
    for name in ("nth", "every"):
        if item.get(name) is not None and (not isinstance(item[name], int) or item[name] < 1):
            raise ValueError(f"{name} is a whole number from 1")
    default = 3_600_000 if fault == "hang" else 1000 if fault == "latency" else 0
    return FaultRule(
        method=match.get("method"),
        path=match.get("path"),
        integration=match.get("integration"),
        nth=item.get("nth"),
        every=item.get("every"),
        fault=fault,
        ms=int(item.get("ms", default)),
    )
