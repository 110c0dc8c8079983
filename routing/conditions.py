"""Conditions on a call: parameter, test, value. The one form in which rules ask about a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.texts.catalogue import Texts

Test = Literal["equals", "contains", "one_of"]


class Condition(BaseModel):
    """parameter: "line", "connection", "pool", "direction", "utm_source", … or any parameter that the PBX sends.

    values: one for equals and contains, any number for one_of. Case and surrounding spaces do not matter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: str = Field(min_length=1, max_length=100)
    test: Test = "equals"
    values: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = Field(
        min_length=1, max_length=200
    )

    def holds(self, facts: Mapping[str, str]) -> bool:
        """facts: parameter name in lower case -> value; a parameter that is not there meets no condition."""
        value = facts.get(self.parameter.lower())
        if value is None:
            return False
        value = value.strip().lower()
        wanted = [v.strip().lower() for v in self.values]
        if self.test == "contains":
            return any(v in value for v in wanted)
        return value in wanted

    def in_words(self, texts: Texts) -> str:
        return f"{self.parameter} {texts.word('condition', self.test)} {', '.join(self.values)}"


def all_hold(conditions: tuple[Condition, ...], facts: Mapping[str, str]) -> bool:
    """Say whether all of them hold; true for no conditions at all."""
    return all(c.holds(facts) for c in conditions)


def is_narrower(later: tuple[Condition, ...], earlier: tuple[Condition, ...]) -> bool:
    """Return true when every call that meets `later` surely meets `earlier` too: then `later` below it never applies."""
    return all(any(_implies(have, need) for have in later) for need in earlier)


def _implies(have: Condition, need: Condition) -> bool:
    if have.parameter.lower() != need.parameter.lower():
        return False
    mine = {v.strip().lower() for v in have.values}
    theirs = {v.strip().lower() for v in need.values}
    if need.test == "contains":
        return all(any(t in m for t in theirs) for m in mine)
    return have.test != "contains" and mine <= theirs
