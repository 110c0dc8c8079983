"""What the checks of a template can find: its codes with their severity. The sentences stand in the catalogues."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from routing.staff import Staff
from routing.texts.catalogue import Language, Value
from routing.texts.sentences import TEXTS

ProblemWeight = Literal["error", "warning"]


class TemplateProblem(BaseModel):
    """field: where in the template, e.g. "groups.sales" or "working_time.schedule". An error blocks publishing.

    It is shown in both languages: message and remedy in Russian, the others in English.
    """

    model_config = ConfigDict(frozen=True)

    severity: ProblemWeight
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
    stages: (pipeline, stage) that the CRM has, None = not read yet; attached: those whose deals the template gives.
    items_per_day: how many the template gives out on a working day, None = not known.
    """

    staff: Staff
    schedules: Mapping[str, Collection[str] | None] = {}
    pipelines: Collection[str] | None = None
    stages: Collection[tuple[str, str]] | None = None
    attached: Collection[tuple[str, str]] = ()
    items_per_day: float | None = None


TEMPLATE_PROBLEMS: Mapping[str, ProblemWeight] = {
    "nobody-takes-part": "error",
    "balance-not-of-kind": "error",
    "percent-not-whole": "error",
    "percent-not-whole-in-group": "error",
    "all-shares-zero": "error",
    "person-twice": "error",
    "group-twice": "error",
    "person-gone": "error",
    "person-unmapped": "warning",
    "person-inactive": "warning",
    "group-empty": "warning",
    "member-not-of-group": "warning",
    "member-without-share": "warning",
    "share-ignored": "warning",
    "schedule-not-named": "error",
    "schedule-gone": "error",
    "not-in-schedule": "warning",
    "fallback-not-named": "error",
    "fallback-cannot": "error",
    "senior-missing": "warning",
    "exclusion-gone": "warning",
    "pipeline-gone": "error",
    "stage-gone": "warning",
    "quiet-all-day": "error",
    "limit-zero": "warning",
    "catch-up-floods": "warning",
    "daily-reset-uneven": "warning",
    "daily-reset-unknown": "warning",
}


def problem(code: str, field: str, /, **values: Value) -> TemplateProblem:
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


def percent_in_words(hundredths: int) -> str:
    """3333 -> "33.33"."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"
