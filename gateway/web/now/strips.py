"""What needs a hand: findings as one sentence and one action each, the worst first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.health.findings import Finding
from gateway.web.now.mending import MENDED_AT
from gateway.web.words.words import Words
from routing.texts.catalogue import Phrase, Value

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII)
_TILE_SAYS_IT = frozenset({"cases-overdue"})
_WORST_FIRST = {code: place for place, code in enumerate(MENDED_AT)}


@dataclass(frozen=True, slots=True)
class Strip:
    """path: of the page that mends it."""

    code: str
    tone: Literal["bad", "warn"]
    sentence: Phrase
    do: Phrase
    path: str


def strips_of(findings: Iterable[Finding], words: Words) -> list[Strip]:
    """Return those that are wrong; what fails stands before what is only worth a look."""
    found = [_strip(f, words) for f in findings if (not f.is_ok or f.is_warning) and f.code in _WORST_FIRST]
    shown = [strip for strip in found if strip.code not in _TILE_SAYS_IT]
    return sorted(shown, key=lambda strip: (strip.tone != "bad", _WORST_FIRST[strip.code]))


def _strip(finding: Finding, words: Words) -> Strip:
    told = {**finding.about.values, **finding.message.values}
    values = {name: _as_people_write(value, words) for name, value in told.items()}
    return Strip(
        finding.code,
        "warn" if finding.is_ok else "bad",
        Phrase(f"now.finding.{finding.code}", values),
        Phrase(f"now.finding.{finding.code}.do", {}),
        MENDED_AT[finding.code],
    )


def _as_people_write(value: Value, words: Words) -> Value:
    """Moments of findings are written for the command line, by the account's clocks."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        return value
    return words.time(datetime.fromisoformat(value).replace(tzinfo=words.zone))
