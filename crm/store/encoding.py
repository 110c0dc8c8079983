"""How candidates are written in directory_entry.candidates and read back."""

from __future__ import annotations

import orjson

from routing.client import Candidate, EntityKind

# Letters that stand for kinds in `directory_entry.candidates` (written by crm/store/entries.py).
KINDS: dict[str, EntityKind] = {"l": "lead", "c": "contact", "o": "company", "d": "deal"}


EncodedRow = tuple[int, bytes]
"""A number (E.164 without the plus) and its encoded candidates, b"" when it leads nowhere any more."""


_new = tuple.__new__


def decode(encoded: bytes) -> list[Candidate]:
    """Built with tuple.__new__: half the time of calling the named tuple, and this runs in every lookup."""
    return [
        _new(Candidate, (KINDS[kind], id, owner, updated_at, name, has_open_deal == 1))
        for kind, id, owner, updated_at, name, has_open_deal in orjson.loads(encoded)
    ]
