"""Versions as their pages list them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.store.numbered import VersionLine
from gateway.web.words.changes import FieldChange

MOST_VERSIONS = 20


class VersionSeen(NamedTuple):
    """changes: in what it differs from the one before, None = it is the first, or older ones are not shown."""

    line: VersionLine
    changes: Sequence[FieldChange] | None
