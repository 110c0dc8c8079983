"""By which headings the columns of a list are known, in any language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from campaigns.list_rows import ListColumn
from gateway.texts.sentences import TEXTS


@lru_cache
def heading_words() -> Mapping[ListColumn, frozenset[str]]:
    return {"number": _words("number"), "name": _words("name"), "client_id": _words("client_id")}


def _words(column: str) -> frozenset[str]:
    """Parted by commas: a heading may have several words."""
    said = [texts.say(f"campaign.heading.{column}") for texts in TEXTS.values()]
    return frozenset(word.strip().casefold() for line in said for word in line.split(","))
