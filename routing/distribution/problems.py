"""What is wrong with a template, found before it is published."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from routing.distribution.template import DistributionTemplate
from routing.staff import Staff
from routing.texts.catalogue import Language, Value
from routing.texts.sentences import TEXTS


class TemplateProblem(BaseModel):
    """field: where in the template, e.g. "groups.sales" or "working_time.schedule". An error blocks publishing."""

    model_config = ConfigDict(frozen=True)

    severity: Literal["error", "warning"]
    code: str
    field: str
    message: str
    remedy: str
    message_en: str
    remedy_en: str

    def in_words(self, language: Language) -> tuple[str, str]:
        """Return what is wrong and what to do."""
        return (self.message, self.remedy) if language == "ru" else (self.message_en, self.remedy_en)


class KnownToTemplates(NamedTuple):
    """What an account has that a template speaks of.

    schedules: by name, employee ids who stand in it; None instead of ids = everybody does. pipelines: ids, None = not read yet.
    items_per_day: how many the template gives out on a working day, None = not known.
    """

    staff: Staff
    schedules: Mapping[str, Collection[str] | None] = {}
    pipelines: Collection[str] | None = None
    items_per_day: float | None = None


def problems(template: DistributionTemplate, known: KnownToTemplates) -> list[TemplateProblem]:
    """Everything that is wrong, errors first, each with the field and what to do."""
    return []


def can_be_used(found: Sequence[TemplateProblem]) -> bool:
    return not any(p.severity == "error" for p in found)


TEMPLATE_PROBLEMS: Mapping[str, Literal["error", "warning"]] = {}


def _problem(code: str, field: str, /, **values: Value) -> TemplateProblem:
    said, remedy = f"distribution.problem.{code}", f"distribution.problem.{code}.remedy"
    ru, en = TEXTS["ru"], TEXTS["en"]
    return TemplateProblem(
        severity=TEMPLATE_PROBLEMS[code],
        code=code,
        field=field,
        message=ru.say(said, **values),
        remedy=ru.say(remedy, **values),
        message_en=en.say(said, **values),
        remedy_en=en.say(remedy, **values),
    )
