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
from routing.texts.catalogue import Phrase, Texts, Value

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII)
_LEFT_OUT = re.compile(r"([\w.\[\]/]+): \w[\w-]*( \(\d+\))?", re.ASCII)
"""As `left_out_by_account` tells it, with how often."""
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
    """Return those that are wrong; what fails stands before what is only worth a look, and what reads alike once."""
    found = [_strip(f, words) for f in findings if (not f.is_ok or f.is_warning) and f.code in _WORST_FIRST]
    shown = [strip for strip in found if strip.code not in _TILE_SAYS_IT]
    shown.sort(key=lambda strip: (strip.tone != "bad", _WORST_FIRST[strip.code]))
    read: dict[str, Strip] = {}
    for strip in shown:
        read.setdefault(words.texts.say(strip.sentence.key, **strip.sentence.values), strip)
    return list(read.values())


def _strip(finding: Finding, words: Words) -> Strip:
    told = {**finding.about.values, **finding.message.values}
    values = {name: _as_people_write(value, words) for name, value in told.items()}
    if finding.code == "values-left-out":
        values["names"] = _fields_said(values["names"], words.texts)
    return Strip(
        finding.code,
        "warn" if finding.is_ok else "bad",
        Phrase(f"now.finding.{finding.code}", values),
        Phrase(f"now.finding.{finding.code}.do", {}),
        MENDED_AT[finding.code],
    )


def _fields_said(names: Value, texts: Texts) -> Value:
    """Return fields that the CRM did not take by their names, how often each, in place of their codes."""
    if isinstance(names, Phrase):
        return Phrase(names.key, {n: _fields_said(v, texts) for n, v in names.values.items()})
    return _LEFT_OUT.sub(lambda found: f"{_field_said(found[1], texts)}{found[2] or ''}", str(names))


def _field_said(path: str, texts: Texts) -> str:
    keys = (f"refusal.field.{part}" for part in re.split(r"[./\[\]]", path))
    known = next((key for key in keys if key in texts.sentences), None)
    return texts.say(known) if known else texts.say("now.left_out.field")


def _as_people_write(value: Value, words: Words) -> Value:
    """Moments of findings are written for the command line, by the account's clocks."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        return value
    return words.time(datetime.fromisoformat(value).replace(tzinfo=words.zone))
