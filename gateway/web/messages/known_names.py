"""What a trigger names by id, and people by its name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from routing.matrix.catalogue import Catalogue
from routing.triggers.conditions import NUMBER_TESTS

_LISTS = frozenset({"one_of", "has_any", "has_all", "has_none"})
_BETWEEN = re.compile(r"(?<!;);(?!;)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """By id, as triggers have it. people: employee:ID and users of the CRM. fields: deal.cf_ID, contact.cf_ID. stages: of the
    pipeline that the trigger names stand before others of the same name."""

    people: Mapping[str, str]
    pipelines: Mapping[str, str]
    stages: Mapping[tuple[str, str], str]
    fields: Mapping[str, str]

    @staticmethod
    def of(catalogue: Catalogue) -> KnownNames:
        ours = {f"employee:{p.id}": p.name for p in catalogue.staff.employees}
        taken = {p.crm_user_id for p in catalogue.staff.employees}
        users = {u.id: u.name for u in catalogue.users if u.id not in taken}
        return KnownNames(
            people={**ours, **users},
            pipelines={p.id: p.name for p in catalogue.pipelines},
            stages={(p.id, s.id): s.name for p in catalogue.pipelines for s in p.stages},
            fields={
                f"{f.entity}.cf_{f.id}": f.name
                for f in catalogue.fields
                if f.entity in ("deal", "contact") and f.name
            },
        )

    def _of(self, of: str, pipeline: str) -> Mapping[str, str]:
        match of:
            case "responsible":
                return self.people
            case "pipeline":
                return self.pipelines
            case "stage":
                return {
                    stage: name
                    for (of_pipeline, stage), name in self.stages.items()
                    if of_pipeline == pipeline
                }
        return {}

    def value_said(self, of: str, value: str, pipeline: str) -> str:
        """Return the name where it stands for this one alone, else the id."""
        known = self._of(of, pipeline)
        name = known.get(value, "")
        return name if name and list(known.values()).count(name) == 1 else value

    def value_read(self, of: str, text: str, pipeline: str) -> str:
        """Return the id of a name; what is no name is as it was typed."""
        return _id_of(self._of(of, pipeline), text)

    def values_said(self, of: str, test: str, values: tuple[str, ...], pipeline: str) -> str:
        """Return them in one line, that `values_read` reads back."""
        said = [self.value_said(of, value, pipeline).replace(";", ";;") for value in values]
        is_plain = test in _LISTS and not any(sign in one for one in said for sign in ",;")
        return (
            f"{said[0]};"
            if len(said) == 1 and test in _LISTS and not is_plain
            else (", " if is_plain else "; ").join(said)
        )

    def values_read(self, of: str, test: str, text: str, pipeline: str) -> tuple[str, ...]:
        """Part lists at commas, or at semicolons where a value has a comma; one value is one, whatever stands in it. A semicolon of
        a value stands twice."""
        if test in NUMBER_TESTS:
            parts = [text]
        elif _BETWEEN.search(text) or test not in _LISTS:
            parts = _BETWEEN.split(text)
        else:
            parts = text.split(",")
        plain = [part.replace(";;", ";").strip() for part in parts]
        return tuple(self.value_read(of, part, pipeline) for part in plain if part)

    def field_said(self, id: str) -> str:
        name = self.fields.get(id, "")
        return name if name and list(self.fields.values()).count(name) == 1 else id

    def field_read(self, text: str) -> str:
        """Return deal.cf_ID of a field of deals."""
        deals = {id: name for id, name in self.fields.items() if id.startswith("deal.")}
        return _id_of(deals, text)


def _id_of(known: Mapping[str, str], text: str) -> str:
    if text in known:
        return text
    found = [id for id, name in known.items() if name.casefold() == text.casefold()]
    return found[0] if len(found) == 1 else text
