"""The difference between two versions of an account's matrices, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from routing.conditions import Condition
from routing.matrix.actions import Action
from routing.matrix.catalogue import Catalogue
from routing.matrix.model import CELLS, Matrix, MatrixTable, ParameterField, PipelineRule, SelectionRule
from routing.matrix.settings_in_words import SettingWords, settings_of
from routing.matrix.texts import action_phrase, cell_phrase
from routing.texts.catalogue import Phrase, Texts, phrase
from routing.texts.sentences import RU

Kind = Literal["added", "removed", "changed"]
NO_CATALOGUE = Catalogue()


class MatrixChange(NamedTuple):
    """where: id of what changed (`default/inbound.missed.new/end#2`, `selection`). text: one sentence."""

    kind: Kind
    where: str
    text: str


def difference(
    old: Matrix, new: Matrix, texts: Texts = RU, catalogue: Catalogue = NO_CATALOGUE
) -> list[MatrixChange]:
    """Return what has to be done to `old` to get `new`; empty when both decide alike. The version number does not count.

    catalogue: gives names to the ids of the CRM and of employees.
    """
    return list(_Differences(texts, catalogue).of(old, new))


class _Differences:
    def __init__(self, texts: Texts, catalogue: Catalogue) -> None:
        self._texts, self._words = texts, SettingWords(texts, catalogue)
        self._tables_named: Mapping[str, str] = {}

    def of(self, old: Matrix, new: Matrix) -> Iterator[MatrixChange]:
        self._tables_named = {id: table.name for id, table in [*old.tables.items(), *new.tables.items()]}
        for table_id in sorted({*old.tables, *new.tables}):
            yield from self._tables(table_id, old.tables.get(table_id), new.tables.get(table_id))
        yield from self._values("default", "default", self._table(old.default), self._table(new.default))
        yield from self._lists(
            "selection", map(self._selection, old.selection), map(self._selection, new.selection)
        )
        rules = map(self._pipeline_rule, old.pipeline_rules), map(self._pipeline_rule, new.pipeline_rules)
        yield from self._lists("pipeline_rules", *rules)
        where, named = "default_pipeline", self._words.value
        before, after = (named("pipeline_id", m.default_pipeline_id) for m in (old, new))
        yield from self._values(where, "default-pipeline", before, after)
        before, after = (self._stage(m.default_stage_id, m.default_pipeline_id) for m in (old, new))
        yield from self._values(where, "default-stage", before, after)
        parameters = map(self._parameter, old.parameters), map(self._parameter, new.parameters)
        yield from self._lists("parameters", *parameters)

    def _change(self, kind: Kind, where: str, what: str, /, **values: str | Phrase) -> MatrixChange:
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
        yield from self._values(table_id, "name", self._words.text(old.name), self._words.text(new.name))
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
            actions = [self._words.action(a) for a in new or old or ()]
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
                words = self._words.action(action)
                yield self._change("removed", f"{where}#{number}", "action-removed", cell=cell, action=words)
            for number, action in enumerate(new[j1:j2], start=j1 + 1):
                words = self._words.action(action)
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
                    setting=self._words.setting(name),
                    before=self._words.value(name, before[name]),
                    after=self._words.value(name, after[name]),
                )

    def _values(self, where: str, what: str, old: str, new: str) -> Iterator[MatrixChange]:
        """old, new: in words."""
        if old != new:
            words = phrase(f"diff.{what}")
            yield self._change("changed", where, "value-changed", of=words, before=old, after=new)

    def _table(self, table_id: str) -> str:
        return self._words.named(self._tables_named.get(table_id), table_id)

    def _stage(self, stage_id: str | None, pipeline_id: str | None) -> str:
        if not stage_id:
            return self._words.value("stage_id", None)
        return self._words.stage(stage_id, pipeline_id)

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
        words = self._texts.say(
            "diff.rule-of-selection", when=self._when(rule.when), matrix=self._table(rule.matrix)
        )
        return f"{rule.name}: {words}" if rule.name else words

    def _pipeline_rule(self, rule: PipelineRule) -> str:
        what = "diff.rule-of-stage" if rule.stage_id else "diff.rule-of-pipeline"
        words = self._texts.say(
            what,
            when=self._when(rule.when),
            pipeline=self._words.pipeline(rule.pipeline_id),
            stage=self._stage(rule.stage_id, rule.pipeline_id),
        )
        return f"{rule.name}: {words}" if rule.name else words

    def _parameter(self, mapping: ParameterField) -> str:
        what = f"diff.parameter-of-{mapping.entity}"
        return self._texts.say(
            what, parameter=mapping.parameter, field=self._words.field(mapping.field, mapping.entity)
        )
