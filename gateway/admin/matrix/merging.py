"""A draft that several people change: saved over somebody else's saving where both touched different things, and else told
part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.admin.matrices import refusals, refuse_others
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.admin import matrices as store
from gateway.store.admin.matrix.editing import draft_at, first_of_draft
from routing.matrix.model import Matrix
from routing.matrix.versions.merge import NO_CHOICES, Merged, Side, merge
from routing.matrix.versions.parts import MatrixPart, with_part
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTogether:
    """merged: with what somebody else had saved meanwhile; None where nobody had."""

    draft: store.Draft
    merged: Merged | None = None


class BothChanged(InputRefused):
    """Both sides changed the same parts otherwise; nothing was overwritten. theirs: the draft as it is. merged: part by part."""

    code = "draft-parts-conflict"

    def __init__(self, mine: Matrix, theirs: store.Draft, merged: Merged) -> None:
        self.mine, self.theirs, self.merged = mine, theirs, merged
        who = theirs.saved_by or "somebody"
        super().__init__(
            "choices",
            f"{who} changed meanwhile what you changed: {', '.join(part.where for part in merged.open)}",
            "say of each which is to stay, 'mine' or 'theirs'; nothing was overwritten",
            problems=[{"where": part.where, "by": who, "at": _iso(theirs.saved_at)} for part in merged.open],
        )


async def save_together(
    conn: Conn,
    account_id: str,
    mine: Matrix,
    *,
    revision: int,
    by: str,
    choices: Mapping[str, Side] = NO_CHOICES,
    chosen_at: int | None = None,
) -> SavedTogether:
    """Save a draft that was made from `revision`, with what others saved since. choices: of parts that both changed.
    chosen_at: the revision of theirs that was shown for it; where they saved since, the choices are asked for again.

    Raise BothChanged, DraftMoved (what both began with is kept no longer), NotBoundTo, NoSuchAccount; nothing is stored then.
    """
    async with refusals(conn, account_id), conn.transaction():
        theirs = await store.held_draft(conn, account_id)
        merged = None
        if chosen_at is not None and theirs.revision != chosen_at:
            choices = NO_CHOICES
        if theirs.revision != revision:
            merged = await _merged(conn, account_id, mine, theirs, revision, choices)
        wanted = merged.matrix if merged else mine
        refuse_others(theirs.matrix, wanted)
        if merged and store.body_of(wanted) == store.body_of(theirs.matrix):
            return SavedTogether(draft=theirs, merged=merged)
        saved = await store.save_draft(conn, account_id, wanted, revision=theirs.revision, by=by)
    return SavedTogether(draft=saved, merged=merged)


async def save_part(
    conn: Conn,
    account_id: str,
    part: MatrixPart,
    value: Any,
    *,
    revision: int,
    by: str,
    choices: Mapping[str, Side] = NO_CHOICES,
    chosen_at: int | None = None,
) -> SavedTogether:
    """Save one part of a draft that was looked at as of `revision`; what is as it was is not saved again. Raise as `save_together`
    does, and NothingOfThatName for a table that is gone."""
    async with refusals(conn, account_id), conn.transaction():
        theirs = await store.held_draft(conn, account_id)
        base = theirs.matrix
        if theirs.revision != revision:
            base = await _base(conn, account_id, theirs, revision)
        try:
            mine = with_part(base, part, value)
        except KeyError as err:
            raise NothingOfThatName("matrix table", part.table, "matrix draft") from err
        if theirs.revision == revision and mine == base:
            return SavedTogether(draft=theirs)
        return await save_together(
            conn, account_id, mine, revision=revision, by=by, choices=choices, chosen_at=chosen_at
        )


async def _merged(
    conn: Conn,
    account_id: str,
    mine: Matrix,
    theirs: store.Draft,
    revision: int,
    choices: Mapping[str, Side],
) -> Merged:
    base = await _base(conn, account_id, theirs, revision)
    merged = merge(base, mine, theirs.matrix, choices)
    if merged.open:
        raise BothChanged(mine, theirs, merged)
    return merged


async def _base(conn: Conn, account_id: str, theirs: store.Draft, revision: int) -> Matrix:
    """Return what the draft was at this revision. Raise DraftConflict where that is kept no longer."""
    base = await draft_at(conn, account_id, revision)
    if base is None and revision == 0:
        base = await first_of_draft(conn, account_id)
    if base is None:
        raise store.DraftConflict(f"revision {revision} is kept no longer", theirs)
    return base


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
