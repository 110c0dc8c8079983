"""What a sentence of "why" is made of: names, and how numbers and moments are spelt for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from gateway.decisions.names_then import NamesThen
from routing.texts.catalogue import Phrase, Value, phrase

Tone = Literal["good", "warn", "bad", "quiet"]
Mend = Literal["employee", "deputy", "cell", "crm", "pbx", "template"]
"""What a person may do about it: give an extension, name a deputy, fill the cell, look at the CRM's access, …"""


class Spelling(Protocol):
    """How numbers and moments are written for one reader: their language and zone, masked where they may not see numbers."""

    def phone(self, number: str | None) -> str: ...

    def text(self, text: str) -> str:
        """Of the CRM: who was created by a call is often named by their number."""
        ...

    def time(self, at: datetime) -> str: ...

    def duration(self, seconds: float) -> str: ...


class WhySentence(NamedTuple):
    """sentence: whole, for the head of a page. badge: two or three words, for a table. more: another sentence, where several
    could have been meant. mend: what a person may do; about: of which employee, cell or template."""

    sentence: Phrase
    badge: Phrase
    tone: Tone
    more: Phrase | None = None
    mend: Mend | None = None
    about: str = ""


class DecisionFacts(NamedTuple):
    """What one decision is told from."""

    outcome: Mapping[str, Any]
    steps: list[Mapping[str, Any]]
    inputs: Mapping[str, Any]
    names: NamesThen
    spelling: Spelling

    @property
    def last(self) -> Mapping[str, Any]:
        """Facts of the step that decided."""
        return self.steps[-1]["facts"] if self.steps else {}

    def step(self, *because: str) -> Mapping[str, Any] | None:
        """Return the facts of the first step for one of these reasons."""
        return next((s["facts"] for s in self.steps if s["because"] in because), None)

    def entity(self, name: str | None) -> Value:
        return named(self.spelling.text(name) if name else None)

    def moment(self, text: str | None) -> str:
        return self.spelling.time(datetime.fromisoformat(text)) if text else ""


def named(name: str | None) -> Value:
    """Return a name as the CRM has it, or that there is none."""
    return name or phrase("why.no-name")
