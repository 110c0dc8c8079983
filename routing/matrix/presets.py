"""Matrices to begin with. Each is complete: every cell is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from routing.matrix.actions import (
    Action,
    Attach,
    Deadline,
    MakeContact,
    MakeDeal,
    MakeLead,
    MakeTask,
    SetFields,
)
from routing.matrix.model import CELLS, Matrix, MatrixTable
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language
from routing.texts.sentences import TEXTS

Rows = Mapping[str, tuple[Action, ...]]

_ATTACH = Attach()
_ATTACH_TO_SENIOR = Attach(responsible="senior")
_KNOWN = ("known_with_deal", "known_without_deal")


class _Words(NamedTuple):
    """What the actions of a preset say in one language."""

    sentences: Mapping[str, str]

    def check_settings(self) -> MakeTask:
        text, due = self.sentences["crm.task.check-settings"], Deadline(minutes=8 * 60)
        return MakeTask(purpose="check_settings", responsible="senior", text=text, due=due)

    def call_back(self, responsible: str) -> MakeTask:
        text, due = self.sentences["crm.task.call-back"], Deadline(minutes=60)
        return MakeTask(purpose="call_back", responsible=responsible, text=text, due=due)

    def new(self, responsible: str) -> tuple[Action, ...]:
        name = self.sentences["crm.deal.name"]
        return (MakeContact(responsible=responsible), MakeDeal(responsible=responsible, name=name))

    def lead(self) -> MakeLead:
        source, name = self.sentences["crm.lead.source"], self.sentences["crm.deal.name"]
        return MakeLead(responsible="senior", source_name=source, name=name)

    def known_answered(self) -> Rows:
        check = self.check_settings()
        return {
            "inbound.answered.*/end": (_ATTACH,),
            "inbound.answered_by_unknown.*/answer": (check,),
            "inbound.answered_by_unknown.*/end": (_ATTACH, check),
            "outbound.answered.*/end": (_ATTACH,),
            "outbound.answered_by_unknown.*/end": (_ATTACH,),
        }


def _table(name: str, rows: Rows, *, waits_for_entities: bool = False) -> MatrixTable:
    cells = {cell: rows.get(cell, ()) for cell in CELLS}
    return MatrixTable(name=name, cells=cells, waits_for_entities=waits_for_entities)


def _for(kinds: Iterable[str], rows: Rows) -> dict[str, tuple[Action, ...]]:
    """rows: cell ids with `*` for the client's kind."""
    return {cell.replace("*", kind): actions for kind in kinds for cell, actions in rows.items()}


def recommended(language: Language = DEFAULT_LANGUAGE) -> Matrix:
    """Return the preset by which new callers become contact and deal at answer, owned by who answered; missed ones go to
    the senior manager."""
    words = _Words(TEXTS[language].sentences)
    check = words.check_settings()
    rows: Rows = {
        "inbound.answered.new/answer": words.new("who_answered"),
        "inbound.answered.new/end": (_ATTACH,),
        "inbound.answered_by_unknown.new/answer": (*words.new("senior"), check),
        "inbound.answered_by_unknown.new/end": (_ATTACH, check),
        "inbound.missed.new/end": (*words.new("senior"), _ATTACH_TO_SENIOR, words.call_back("senior")),
        **_for(_KNOWN, {**words.known_answered(), "inbound.missed.*/end": (words.call_back("owner"),)}),
    }
    return Matrix(
        version=1, tables={"default": _table(TEXTS[language].sentences["preset.recommended"], rows)}
    )


def update_only(language: Language = DEFAULT_LANGUAGE) -> Matrix:
    """Entities are made by another integration; ours waits for them, then adds the call, its parameters and nothing else."""
    end = (SetFields(), _ATTACH)
    rows = _for(
        ("new", *_KNOWN),
        {
            f"{direction}.{outcome}.*/end": end
            for direction in ("inbound", "outbound")
            for outcome in ("answered", "answered_by_unknown")
        }
        | {"inbound.missed.*/end": end},
    )
    return Matrix(
        version=1,
        tables={
            "default": _table(TEXTS[language].sentences["preset.update_only"], rows, waits_for_entities=True)
        },
    )


def unsorted(language: Language = DEFAULT_LANGUAGE) -> Matrix:
    """Return the preset by which new callers become incoming leads in Unsorted on the senior manager, for anybody to accept."""
    words = _Words(TEXTS[language].sentences)
    check = words.check_settings()
    lead = words.lead()
    rows: Rows = {
        "inbound.answered.new/answer": (lead,),
        "inbound.answered.new/end": (_ATTACH,),
        "inbound.answered_by_unknown.new/answer": (lead, check),
        "inbound.answered_by_unknown.new/end": (_ATTACH, check),
        "inbound.missed.new/end": (lead, words.call_back("senior")),
        **_for(
            _KNOWN, {**words.known_answered(), "inbound.missed.*/end": (_ATTACH, words.call_back("owner"))}
        ),
    }
    return Matrix(version=1, tables={"default": _table(TEXTS[language].sentences["preset.unsorted"], rows)})


PRESETS = {"recommended": recommended, "update_only": update_only, "unsorted": unsorted}
