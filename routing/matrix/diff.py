"""The difference between two versions of an account's matrices, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from routing.conditions import Condition
from routing.matrix.actions import Action
from routing.matrix.model import CELLS, Matrix, ParameterField, PipelineRule, SelectionRule, Table
from routing.matrix.texts import action_in_words, cell_in_words, setting_in_words, settings_of, value_in_words


class Change(NamedTuple):
    """where: id of what changed (`default/inbound.missed.new/end#2`, `selection`). text: one sentence in Russian."""

    kind: Literal["added", "removed", "changed"]
    where: str
    text: str


def difference(old: Matrix, new: Matrix) -> list[Change]:
    """What has to be done to `old` to get `new`; empty when both decide alike. The version number does not count."""
    changes: list[Change] = []
    for table_id in sorted({*old.tables, *new.tables}):
        changes += _tables(table_id, old.tables.get(table_id), new.tables.get(table_id))
    changes += _values("default", "основная матрица", old.default, new.default)
    changes += _lists(
        "selection", "правило выбора матрицы", map(_selection, old.selection), map(_selection, new.selection)
    )
    rules = map(_pipeline_rule, old.pipeline_rules), map(_pipeline_rule, new.pipeline_rules)
    changes += _lists("pipeline_rules", "правило воронки", *rules)
    where = "default_pipeline"
    changes += _values(
        where, "воронка по умолчанию", old.default_pipeline_id or "", new.default_pipeline_id or ""
    )
    changes += _values(where, "этап по умолчанию", old.default_stage_id or "", new.default_stage_id or "")
    changes += _lists(
        "parameters", "передача параметра", map(_parameter, old.parameters), map(_parameter, new.parameters)
    )
    return changes


def _tables(table_id: str, old: Table | None, new: Table | None) -> list[Change]:
    if old is None and new is not None:
        return [Change("added", table_id, f"добавлена матрица «{new.name}»")]
    if new is None and old is not None:
        return [Change("removed", table_id, f"удалена матрица «{old.name}»")]
    assert old is not None
    assert new is not None
    changes = _values(table_id, "название матрицы", old.name, new.name)
    if old.waits_for_entities != new.waits_for_entities:
        state = "ждёт" if new.waits_for_entities else "больше не ждёт"
        changes.append(
            Change("changed", table_id, f"матрица «{new.name}» {state} сущностей другой интеграции")
        )
    for cell in CELLS:
        changes += _cells(f"{table_id}/{cell}", cell, old.cells.get(cell), new.cells.get(cell))
    return changes


def _cells(where: str, cell: str, old: Sequence[Action] | None, new: Sequence[Action] | None) -> list[Change]:
    words = cell_in_words(cell)
    if old == new:
        return []
    if old is None or new is None:
        kind: Literal["added", "removed"] = "added" if old is None else "removed"
        verb = "добавлена" if old is None else "удалена"
        done = "; ".join(action_in_words(a) for a in (new or old or ())) or "ничего не делать"
        return [Change(kind, where, f"{verb} ячейка «{words}»: {done}")]
    matcher = SequenceMatcher(a=[a.do for a in old], b=[a.do for a in new], autojunk=False)
    changes: list[Change] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            for before, after, number in zip(old[i1:i2], new[j1:j2], range(j1 + 1, j2 + 1), strict=True):
                changes += _actions(f"{where}#{number}", words, before, after)
            continue
        for number, action in enumerate(old[i1:i2], start=i1 + 1):
            changes.append(
                Change("removed", f"{where}#{number}", f"{words}: больше не {action_in_words(action)}")
            )
        for number, action in enumerate(new[j1:j2], start=j1 + 1):
            changes.append(Change("added", f"{where}#{number}", f"{words}: теперь {action_in_words(action)}"))
    return changes


def _actions(where: str, words: str, old: Action, new: Action) -> list[Change]:
    before, after = settings_of(old), settings_of(new)
    what = action_in_words(new).partition(" (")[0]
    return [
        Change(
            "changed",
            where,
            f"{words}: {what} — {setting_in_words(k)}: {value_in_words(before[k])} → {value_in_words(after[k])}",
        )
        for k in after
        if before[k] != after[k]
    ]


def _values(where: str, words: str, old: str, new: str) -> list[Change]:
    if old == new:
        return []
    return [Change("changed", where, f"{words}: {value_in_words(old)} → {value_in_words(new)}")]


def _lists(where: str, words: str, old: Iterable[str], new: Iterable[str]) -> list[Change]:
    """Rules as sentences. One that is only elsewhere in the order counts as changed."""
    before, after = list(old), list(new)
    changes = [
        Change("removed", f"{where}#{n}", f"удалено {words}: {rule}")
        for n, rule in enumerate(before, start=1)
        if rule not in after
    ]
    changes += [
        Change("added", f"{where}#{n}", f"добавлено {words}: {rule}")
        for n, rule in enumerate(after, start=1)
        if rule not in before
    ]
    if not changes and before != after:
        changes.append(Change("changed", where, f"другой порядок: {words}: {'; '.join(after)}"))
    elif [r for r in before if r in after] != [r for r in after if r in before]:
        changes.append(Change("changed", where, f"другой порядок: {words}"))
    return changes


def _when(conditions: tuple[Condition, ...]) -> str:
    return " и ".join(c.in_words() for c in conditions) or "всегда"


def _selection(rule: SelectionRule) -> str:
    return f"{rule.name + ': ' if rule.name else ''}если {_when(rule.when)}, то матрица «{rule.matrix}»"


def _pipeline_rule(rule: PipelineRule) -> str:
    stage = f", этап {rule.stage_id}" if rule.stage_id else ""
    name = f"{rule.name}: " if rule.name else ""
    return f"{name}если {_when(rule.when)}, то воронка {rule.pipeline_id}{stage}"


def _parameter(mapping: ParameterField) -> str:
    entity = "контакта" if mapping.entity == "contact" else "сделки"
    return f"{mapping.parameter} → поле {entity} {mapping.field}"
