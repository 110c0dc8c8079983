"""The matrix as people read it: names of rows, cells and actions, for differences and messages."""

from __future__ import annotations

from typing import get_args

from routing.matrix.actions import Action
from routing.texts.catalogue import Phrase, Texts, phrase

ACTIONS: tuple[str, ...] = tuple(a.model_fields["do"].default for a in get_args(get_args(Action)[0]))


def row_phrase(row: str) -> Phrase:
    """row: `inbound.missed.new`."""
    direction, outcome, client = row.split(".")
    return phrase(
        "matrix.row",
        direction=phrase(f"matrix.direction.{direction}"),
        outcome=phrase(f"matrix.outcome.{outcome}"),
        client=phrase(f"matrix.client.{client}"),
    )


def cell_phrase(cell: str) -> Phrase:
    """cell: `inbound.missed.new/end`."""
    row, _, moment = cell.partition("/")
    return Phrase("matrix.cell", {**row_phrase(row).values, "moment": phrase(f"matrix.moment.{moment}")})


def action_phrase(do: str) -> Phrase:
    return phrase(f"matrix.action.{do}")


def cell_in_words(cell: str, texts: Texts) -> str:
    return texts.render(cell_phrase(cell))
