"""What the CRM told that could not be read: noted while reading, kept by whoever holds the database (crm/store/unread.py).

One row or value that makes no sense costs itself only. Nobody waits for it, and nobody forgets it: it stays noted until
the same row reads well, or is no longer in the CRM.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from routing.client import EntityKind
from runtime.masking import mask_text

LONGEST_RAW = 4096
LONGEST_FIELD = 300
MOST_OF_A_ROW = 20
"""Values of one row that are noted; the rest of a row that is nothing but nonsense adds nothing."""

UnreadKind = Literal[
    "contact",
    "company",
    "deal",
    "lead",
    "user",
    "pipeline",
    "contact field",
    "company field",
    "deal field",
    "event",
    "note",
    "task",
    "account",
    "webhook",
]
"""Of what the CRM lists; `webhook`: an item of a delivery that does not say what it is about, or one of the CRM's list."""

FIELD_KIND: Mapping[EntityKind, UnreadKind] = {
    "contact": "contact field",
    "company": "company field",
    "deal": "deal field",
}
"""Of the custom fields of these kinds of entities."""

UnreadRef = tuple[UnreadKind, str]

NAMELESS = "?"
"""How the id begins that stands for a row without a readable one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """field: where in the row, "" = the row itself. raw: what stood there, masked. is_lost: nothing of the row was taken."""

    field: str
    why: str
    raw: str
    is_lost: bool = False


class UnreadNotes:
    """One account's. total: rows found unreadable since this process began with it."""

    def __init__(self) -> None:
        self.total = 0
        self._open: dict[UnreadRef, bool] = {}  # ref -> is the row lost
        self._told: dict[UnreadRef, tuple[Unread, ...]] = {}
        self._asked: set[tuple[EntityKind, str]] = set()

    def tell(self, kind: UnreadKind, id: str, faults: Sequence[Unread] = ()) -> None:
        """Note the latest reading of one row. Without faults it reads well, or is not there any more."""
        ref = (kind, id)
        if faults:
            self.total += ref not in self._open
            self._open[ref] = any(fault.is_lost for fault in faults)
            self._told[ref] = tuple(faults[:MOST_OF_A_ROW])
        elif self._open.pop(ref, None) is not None:
            self._told[ref] = ()

    def listed(self, kind: UnreadKind, ids: Collection[str]) -> None:
        """Note that the CRM's whole list of this kind was read and holds these: what else was noted of the kind is gone."""
        for ref in [ref for ref in self._open if ref[0] == kind and ref[1] not in ids]:
            self.tell(*ref)

    def ask(self, ref: tuple[EntityKind, str]) -> None:
        """Ask for an entity: what told of it could not be read, so it has to be read itself."""
        self._asked.add(ref)

    def take_asked(self) -> set[tuple[EntityKind, str]]:
        taken, self._asked = self._asked, set()
        return taken

    def is_lost(self, kind: UnreadKind, id: str) -> bool:
        """Say whether the CRM has this row, but by its latest reading it cannot be read."""
        return self._open.get((kind, id), False)

    def may_hide(self, kind: UnreadKind, id: str) -> bool:
        """Say whether a list that does not show this row may hold it all the same: as one that cannot be read."""
        return self.is_lost(kind, id) or any(
            is_lost and ref[0] == kind and ref[1].startswith(NAMELESS) for ref, is_lost in self._open.items()
        )

    def remember(self, refs: Iterable[UnreadRef]) -> None:
        """Remember what the store holds from before."""
        for ref in refs:
            self._open.setdefault(ref, False)

    def take(self) -> Mapping[UnreadRef, tuple[Unread, ...]]:
        """Return what is new since the last time: faults by row, () for a row that has none any more."""
        taken, self._told = self._told, {}
        return taken

    def give_back(self, taken: Mapping[UnreadRef, tuple[Unread, ...]]) -> None:
        """Take back what could not be stored; what was told since is newer."""
        self._told = {**taken, **self._told}


def shown_raw(value: object) -> str:
    """Return a value as it may be kept and shown: numbers masked, cut to a few thousand characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return (
        mask_text(text[: LONGEST_RAW * 2].replace("\x00", "")).encode()[:LONGEST_RAW].decode(errors="ignore")
    )


def nameless(value: object) -> str:
    """Stands for the id of a row that has none: the same row gets the same."""
    return NAMELESS + hashlib.sha256(_as_json(value).encode(errors="replace")).hexdigest()[:16]


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    except (RecursionError, TypeError, ValueError) as err:
        return f"<{type(value).__name__} that cannot be shown: {type(err).__name__}>"
