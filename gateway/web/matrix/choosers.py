"""What the selects of the editor offer: from the account's catalogue, with what an action names and is no longer there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.web.matrix.lines import person_in_words
from routing.dialogues.rule_problems import is_for_new_deals
from routing.matrix.catalogue import Catalogue, CataloguePipeline
from routing.texts.catalogue import Texts

Option = tuple[str, str]
OptionGroup = tuple[str, Sequence[Option]]
ChooserOptions = Sequence[Option | OptionGroup]
_PEOPLE = ("senior", "who_answered", "owner", "owner_of_contact", "owner_of_deal", "template")


class ChosenPlace(NamedTuple):
    pipeline_id: str | None
    stage_id: str | None


def place_value(pipeline_id: str | None, stage_id: str | None) -> str:
    return f"{pipeline_id or ''}:{stage_id or ''}" if pipeline_id or stage_id else ""


def place_of(value: str) -> ChosenPlace:
    pipeline, _, stage = value.partition(":")
    return ChosenPlace(pipeline or None, stage or None)


class Choosers:
    """language: of the words around the names of the CRM."""

    def __init__(self, texts: Texts, catalogue: Catalogue) -> None:
        self._texts, self._catalogue = texts, catalogue

    def people(self, chosen: str) -> ChooserOptions:
        """First who is meant by their part in the call, then templates, then people by name."""
        said, catalogue = self._texts.say, self._catalogue
        known: list[Option] = [(value, said(f"matrix.person.{value}")) for value in _PEOPLE]
        templates: list[Option] = [
            (f"template:{n}", said("matrix.person.template-named", name=n)) for n in catalogue.templates or ()
        ]
        people = [
            (
                f"employee:{p.id}",
                p.name if self._is_usable(p.crm_user_id) else said("matrix.page.off", name=p.name),
            )
            for p in sorted(catalogue.staff.employees, key=lambda p: p.name)
        ]
        groups: list[OptionGroup] = [(said("matrix.page.by-part"), [*known, *templates])]
        groups += [(said("matrix.page.people"), people)] if people else []
        return self._with_gone(groups, chosen, person_in_words(chosen, self._texts, catalogue))

    def _is_usable(self, user: str | None) -> bool:
        return user is not None and self._catalogue.is_active_user(user)

    def places(
        self, chosen: str, *, unset: str, needs_stage: bool = False, for_new_deals: bool = False
    ) -> ChooserOptions:
        """Pipelines with their stages, without those of Unsorted, into which no deal is put. unset: what stands for no place at all.
        for_new_deals: only stages where they may begin."""
        groups: list[Option | OptionGroup] = [("", unset)]
        for pipeline in self._catalogue.pipelines:
            first = [] if needs_stage else [(place_value(pipeline.id, None), self._first(pipeline))]
            stages = [
                (place_value(pipeline.id, s.id), self._stage(s.name, s.is_closed))
                for s in pipeline.stages
                if is_for_new_deals(s)
                or not (s.is_unsorted or for_new_deals)
                or place_value(pipeline.id, s.id) == chosen
            ]
            groups.append((self._pipeline(pipeline), [*first, *stages]))
        return self._with_gone(groups, chosen, chosen)

    def _pipeline(self, pipeline: CataloguePipeline) -> str:
        key = "matrix.page.archived" if pipeline.is_archived else "matrix.page.pipeline"
        return self._texts.say(key, name=pipeline.name)

    def _first(self, pipeline: CataloguePipeline) -> str:
        return self._texts.say("matrix.page.first-stage", name=pipeline.name)

    def _stage(self, name: str, is_closed: bool) -> str:
        return self._texts.say("matrix.page.stage-closed", name=name) if is_closed else name

    def pipelines(self, chosen: str, *, unset: str) -> ChooserOptions:
        found = [(p.id, self._pipeline(p)) for p in self._catalogue.pipelines]
        return self._with_gone([("", unset), *found], chosen, chosen)

    def stages(self) -> Sequence[OptionGroup]:
        return [(p.name, [(s.id, s.name) for s in p.stages]) for p in self._catalogue.pipelines]

    def fields(self, entity: str, chosen: str) -> ChooserOptions:
        found = [(f.code or f.id, f.name) for f in self._catalogue.fields if f.entity == entity]
        by_id = {f.id: f.code or f.id for f in self._catalogue.fields if f.entity == entity}
        value = by_id.get(chosen, chosen)
        return self._with_gone([("", self._texts.say("matrix.page.no-field")), *found], value, chosen)

    def names(self, names: Iterable[str], chosen: str, unset: str) -> ChooserOptions:
        return self._with_gone([("", unset), *((name, name) for name in names)], chosen, chosen)

    def choices(self, setting: str, values: Iterable[str]) -> ChooserOptions:
        return [(value, self._texts.say(f"matrix.choice.{setting}.{value}")) for value in values]

    def task_types(self, chosen: str) -> ChooserOptions:
        named = (one for one in self._catalogue.task_types if not one.isdigit() or one == chosen)
        own = sorted(one for one in named if one not in _COMMON_TASK_TYPES)
        found = [*self.choices("type", ("call", "meeting")), *((one, one) for one in own)]
        return self._with_gone(found, chosen, chosen)

    def _with_gone(self, options: Sequence[Option | OptionGroup], chosen: str, named: str) -> ChooserOptions:
        """Add what is chosen and stands nowhere: it is never replaced silently."""
        if not chosen or chosen in _values(options):
            return options
        key = "matrix.page.gone" if self._catalogue.is_loaded else "matrix.page.unread"
        return [(chosen, self._texts.say(key, name=named)), *options]


_COMMON_TASK_TYPES = ("call", "meeting", "FOLLOW_UP", "MEETING")
"""Those that every account has, by our names and by the CRM's codes."""


def _values(options: Iterable[Option | OptionGroup]) -> set[str]:
    found: set[str] = set()
    for value, text in options:
        found |= {value} if isinstance(text, str) else {inner for inner, _ in text}
    return found
