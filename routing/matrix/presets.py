"""Matrices to begin with. Each is complete: every cell is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
from routing.matrix.model import CELLS, Matrix, Table

Rows = Mapping[str, tuple[Action, ...]]

CHECK_SETTINGS_TEXT = (
    "был звонок менеджеру с неизвестным номером ({{ call.answered_by | default('номер не передан') }}): "
    "привяжите этот номер или SIP-аккаунт к сотруднику. Клиент: {{ client.number }}"
)
CALL_BACK_TEXT = (
    "Перезвонить: пропущенный звонок от {{ client.number }} в {{ call.started_at | date('%H:%M %d.%m') }}"
)

_CHECK = MakeTask(
    purpose="check_settings",
    responsible="senior",
    text=CHECK_SETTINGS_TEXT,
    due=Deadline(minutes=8 * 60),
)
_ATTACH = Attach()
_ATTACH_TO_SENIOR = Attach(responsible="senior")
_KNOWN = ("known_with_deal", "known_without_deal")


def _call_back(responsible: str) -> MakeTask:
    return MakeTask(
        purpose="call_back", responsible=responsible, text=CALL_BACK_TEXT, due=Deadline(minutes=60)
    )


def _new(responsible: str) -> tuple[Action, ...]:
    return (MakeContact(responsible=responsible), MakeDeal(responsible=responsible))


def _table(name: str, rows: Rows, *, waits_for_entities: bool = False) -> Table:
    cells = {cell: rows.get(cell, ()) for cell in CELLS}
    return Table(name=name, cells=cells, waits_for_entities=waits_for_entities)


def _for(kinds: Iterable[str], rows: Rows) -> dict[str, tuple[Action, ...]]:
    """rows: cell ids with `*` for the client's kind."""
    return {cell.replace("*", kind): actions for kind in kinds for cell, actions in rows.items()}


_KNOWN_ANSWERED: Rows = {
    "inbound.answered.*/end": (_ATTACH,),
    "inbound.answered_by_unknown.*/answer": (_CHECK,),
    "inbound.answered_by_unknown.*/end": (_ATTACH, _CHECK),
    "outbound.answered.*/end": (_ATTACH,),
    "outbound.answered_by_unknown.*/end": (_ATTACH,),
}


def recommended() -> Matrix:
    """New callers become contact and deal at answer, owned by who answered; missed ones go to the senior manager."""
    rows: Rows = {
        "inbound.answered.new/answer": _new("who_answered"),
        "inbound.answered.new/end": (_ATTACH,),
        "inbound.answered_by_unknown.new/answer": (*_new("senior"), _CHECK),
        "inbound.answered_by_unknown.new/end": (_ATTACH, _CHECK),
        "inbound.missed.new/end": (*_new("senior"), _ATTACH_TO_SENIOR, _call_back("senior")),
        **_for(_KNOWN, {**_KNOWN_ANSWERED, "inbound.missed.*/end": (_call_back("owner"),)}),
    }
    return Matrix(version=1, tables={"default": _table("Рекомендуемая", rows)})


def update_only() -> Matrix:
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
    return Matrix(version=1, tables={"default": _table("Только обновление", rows, waits_for_entities=True)})


def unsorted() -> Matrix:
    """New callers become incoming leads in Unsorted on the senior manager, for anybody to accept."""
    lead = MakeLead(responsible="senior")
    rows: Rows = {
        "inbound.answered.new/answer": (lead,),
        "inbound.answered.new/end": (_ATTACH,),
        "inbound.answered_by_unknown.new/answer": (lead, _CHECK),
        "inbound.answered_by_unknown.new/end": (_ATTACH, _CHECK),
        "inbound.missed.new/end": (lead, _call_back("senior")),
        **_for(_KNOWN, {**_KNOWN_ANSWERED, "inbound.missed.*/end": (_ATTACH, _call_back("owner"))}),
    }
    return Matrix(version=1, tables={"default": _table("Неразобранное", rows)})


PRESETS = {"recommended": recommended, "update_only": update_only, "unsorted": unsorted}
