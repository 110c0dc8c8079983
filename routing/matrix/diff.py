"""The difference between two versions of an account's matrices, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from routing.conditions import Condition
from routing.matrix.actions import Action
from routing.matrix.model import CELLS, Matrix, MatrixTable, ParameterField, PipelineRule, SelectionRule
from routing.matrix.texts import (
    action_in_words,
    action_phrase,
    cell_phrase,
    setting_in_words,
    settings_of,
    value_in_words,
)
from routing.texts.catalogue import Phrase, Texts, phrase
from routing.texts.sentences import RU

Kind = Literal["added", "removed", "changed"]


class MatrixChange(NamedTuple):
    """where: id of what changed (`default/inbound.missed.new/end#2`, `selection`). text: one sentence."""

    kind: Kind
    where: str
    text: str


def difference(old: Matrix, new: Matrix, texts: Texts = RU) -> list[MatrixChange]:
    """Return what has to be done to `old` to get `new`; empty when both decide alike. The version number does not count."""
    return list(_Differences(texts).of(old, new))


class _Differences:
    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def of(self, old: Matrix, new: Matrix) -> Iterator[MatrixChange]:
        for table_id in sorted({*old.tables, *new.tables}):
            yield from self._tables(table_id, old.tables.get(table_id), new.tables.get(table_id))
        yield from self._values("default", "default", old.default, new.default)
        yield from self._lists(
            "selection", map(self._selection, old.selection), map(self._selection, new.selection)
        )
        rules = map(self._pipeline_rule, old.pipeline_rules), map(self._pipeline_rule, new.pipeline_rules)
        yield from self._lists("pipeline_rules", *rules)
        where = "default_pipeline"
        yield from self._values(where, "default-pipeline", old.default_pipeline_id, new.default_pipeline_id)
        yield from self._values(where, "default-stage", old.default_stage_id, new.default_stage_id)
        parameters = map(self._parameter, old.parameters), map(self._parameter, new.parameters)
        yield from self._lists("parameters", *parameters)

    def _change(self, kind: Kind, where: str, what: str, **values: str | Phrase) -> MatrixChange:
        return MatrixChange(kind, where, self._texts.say(f"diff.{what}", **values))

    def _tables(
        self, table_id: str, old: MatrixTable | None, new: MatrixTable | None
    ) -> Iterator[MatrixChange]:
        if old is None or new is None:
            if new is not None:
                yield self._change("added", table_id, "table-added", name=new.name)
            if old is not None:
                yield self._change("removed", table_id, "table-removed", name=old.name)
            return
        yield from self._values(table_id, "name", old.name, new.name)
        if old.waits_for_entities != new.waits_for_entities:
            state = "waits" if new.waits_for_entities else "waits-no-more"
            yield self._change("changed", table_id, state, name=new.name)
        for cell in CELLS:
            yield from self._cells(f"{table_id}/{cell}", cell, old.cells.get(cell), new.cells.get(cell))

    def _cells(
        self, where: str, cell: str, old: Sequence[Action] | None, new: Sequence[Action] | None
    ) -> Iterator[MatrixChange]:
        if old == new:
            return
        if old is None or new is None:
            kind: Kind = "added" if old is None else "removed"
            actions = [action_in_words(a, self._texts) for a in new or old or ()]
            done = "; ".join(actions) or phrase("diff.do-nothing")
            yield self._change(kind, where, f"cell-{kind}", cell=cell_phrase(cell), done=done)
            return
        yield from self._sequences(where, cell_phrase(cell), old, new)

    def _sequences(
        self, where: str, cell: Phrase, old: Sequence[Action], new: Sequence[Action]
    ) -> Iterator[MatrixChange]:
        matcher = SequenceMatcher(a=[a.do for a in old], b=[a.do for a in new], autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag == "equal":
                for before, after, number in zip(old[i1:i2], new[j1:j2], range(j1 + 1, j2 + 1), strict=True):
                    yield from self._settings(f"{where}#{number}", cell, before, after)
                continue
            for number, action in enumerate(old[i1:i2], start=i1 + 1):
                words = action_in_words(action, self._texts)
                yield self._change("removed", f"{where}#{number}", "action-removed", cell=cell, action=words)
            for number, action in enumerate(new[j1:j2], start=j1 + 1):
                words = action_in_words(action, self._texts)
                yield self._change("added", f"{where}#{number}", "action-added", cell=cell, action=words)

    def _settings(self, where: str, cell: Phrase, old: Action, new: Action) -> Iterator[MatrixChange]:
        before, after = settings_of(old), settings_of(new)
        for name in after:
            if before[name] != after[name]:
                yield self._change(
                    "changed",
                    where,
                    "setting-changed",
                    cell=cell,
                    action=action_phrase(new.do),
                    setting=setting_in_words(name, self._texts),
                    before=value_in_words(before[name], self._texts),
                    after=value_in_words(after[name], self._texts),
                )

    def _values(self, where: str, what: str, old: str | None, new: str | None) -> Iterator[MatrixChange]:
        if (old or "") != (new or ""):
            before, after = value_in_words(old, self._texts), value_in_words(new, self._texts)
            words = phrase(f"diff.{what}")
            yield self._change("changed", where, "value-changed", of=words, before=before, after=after)

    def _lists(self, where: str, old: Iterable[str], new: Iterable[str]) -> Iterator[MatrixChange]:
        """Rules as sentences. One that is only elsewhere in the order counts as changed."""
        before, after = list(old), list(new)
        what = phrase(f"diff.{where}")
        gone = [(n, rule) for n, rule in enumerate(before, start=1) if rule not in after]
        come = [(n, rule) for n, rule in enumerate(after, start=1) if rule not in before]
        for number, rule in gone:
            yield self._change("removed", f"{where}#{number}", "rule-removed", of=what, rule=rule)
        for number, rule in come:
            yield self._change("added", f"{where}#{number}", "rule-added", of=what, rule=rule)
        if not (gone or come) and before != after:
            yield self._change("changed", where, "order-is", of=what, rules="; ".join(after))
        elif [r for r in before if r in after] != [r for r in after if r in before]:
            yield self._change("changed", where, "order-changed", of=what)

    def _when(self, conditions: tuple[Condition, ...]) -> str:
        words = [c.in_words(self._texts) for c in conditions]
        return self._texts.say("diff.and").join(words) or self._texts.say("diff.always")

    def _selection(self, rule: SelectionRule) -> str:
        words = self._texts.say("diff.rule-of-selection", when=self._when(rule.when), matrix=rule.matrix)
        return f"{rule.name}: {words}" if rule.name else words

    def _pipeline_rule(self, rule: PipelineRule) -> str:
        what = "diff.rule-of-stage" if rule.stage_id else "diff.rule-of-pipeline"
        words = self._texts.say(
            what, when=self._when(rule.when), pipeline=rule.pipeline_id, stage=rule.stage_id or ""
        )
        return f"{rule.name}: {words}" if rule.name else words

    def _parameter(self, mapping: ParameterField) -> str:
        what = f"diff.parameter-of-{mapping.entity}"
        return self._texts.say(what, parameter=mapping.parameter, field=mapping.field)
