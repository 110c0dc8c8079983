"""What an action is set to, as people read it: names from the account's catalogue, choices from ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from routing.matrix.actions import Action
from routing.matrix.catalogue import Catalogue
from routing.matrix.texts import action_phrase
from routing.texts.catalogue import Texts


def settings_of(action: Action) -> dict[str, Any]:
    return action.model_dump(mode="json", exclude={"do"})


class SettingWords:
    """catalogue: what has no name there keeps its id."""

    def __init__(self, texts: Texts, catalogue: Catalogue) -> None:
        self._texts, self._catalogue = texts, catalogue
        self._names: Mapping[str, Callable[[str], str]] = {
            "pipeline_id": self.pipeline,
            "separate_pipeline_id": self.pipeline,
            "stage_id": self.stage,
            "separate_stage_id": self.stage,
            "only_from": self.stage,
            "responsible": self._person,
        }

    def action(self, action: Action) -> str:
        """Return the action with every setting that is not empty."""
        given = {k: v for k, v in settings_of(action).items() if v not in (None, "", [], {}, False)}
        shown = "; ".join(f"{self.setting(k)}: {self.value(k, v)}" for k, v in given.items())
        name = self._texts.render(action_phrase(action.do))
        return f"{name} ({shown})" if shown else name

    def setting(self, name: str) -> str:
        return self._texts.word("matrix.setting", name)

    def value(self, setting: str, value: Any) -> str:
        if isinstance(value, bool):
            return self._texts.say("matrix.value.yes" if value else "matrix.value.no")
        if isinstance(value, dict) and set(value) == {"minutes", "is_working"}:
            kind = "working-minutes" if value["is_working"] else "minutes"
            return self._texts.say(f"matrix.value.{kind}", minutes=value["minutes"])
        if isinstance(value, dict):
            return self._joined([f"{self.field(k)} = {self.text(v)}" for k, v in value.items()])
        if isinstance(value, list):
            return self._joined([self._one(setting, one) for one in value])
        return self._one(setting, value)

    def _joined(self, words: list[str]) -> str:
        return ", ".join(words) or self._texts.say("matrix.value.none")

    def _one(self, setting: str, value: str | None) -> str:
        if value is None or value == "":
            return self._texts.say("matrix.value.unset")
        if name_of := self._names.get(setting):
            return name_of(value)
        choice = f"matrix.choice.{setting}.{value}"
        return self._texts.say(choice) if choice in self._texts.sentences else self.text(value)

    def text(self, value: str) -> str:
        return self._texts.say("matrix.value.text", text=value)

    def named(self, name: str | None, id: str) -> str:
        """Both, since names change and ids are what the matrix holds."""
        return self._texts.say("matrix.value.named", name=name, id=id) if name else self.text(id)

    def pipeline(self, id: str) -> str:
        return self.named(next((p.name for p in self._catalogue.pipelines if p.id == id), None), id)

    def stage(self, id: str, pipeline_id: str | None = None) -> str:
        """pipeline_id: those that end a deal have the same ids in all pipelines."""
        pipelines = [p for p in self._catalogue.pipelines if pipeline_id in (None, p.id)]
        return self.named(next((s.name for p in pipelines for s in p.stages if s.id == id), None), id)

    def field(self, name: str, entity: str | None = None) -> str:
        """name: id or code. entity: contact, deal or company; None = of whichever."""
        fields = [f for f in self._catalogue.fields if entity in (None, f.entity)]
        return self.named(next((f.name for f in fields if name in (f.id, f.code)), None), name)

    def _person(self, value: str) -> str:
        if (person := f"matrix.person.{value}") in self._texts.sentences:
            return self._texts.say(person)
        kind, _, id = value.partition(":")
        if kind != "employee":
            return self._texts.say("matrix.person.template-named", name=id)
        employee = self._catalogue.staff.by_id.get(id)
        name = self.named(employee.name, id) if employee else id
        return self._texts.say("matrix.value.employee", name=name)
