"""What the checks of a matrix can find: its codes with their severity. The sentences stand in the catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from routing.texts.catalogue import Language, Value
from routing.texts.sentences import TEXTS

Severity = Literal["error", "warning"]


class Problem(BaseModel):
    """cell: `<table>/<cell>#<action>`, `selection#2`, `pipeline_rules#1`, `parameters#1`, `staff`. An error blocks publishing.

    It is stored and shown with both languages: message and remedy in Russian, the others in English.
    """

    model_config = ConfigDict(frozen=True)

    severity: Severity
    code: str
    cell: str
    message: str
    remedy: str
    message_en: str
    remedy_en: str

    def in_words(self, language: Language) -> tuple[str, str]:
        """Return what is wrong and what to do."""
        return (self.message, self.remedy) if language == "ru" else (self.message_en, self.remedy_en)


SEVERITIES: Mapping[str, Severity] = {
    "matrix-missing": "error",
    "matrix-never-used": "warning",
    "cell-missing": "error",
    "rule-never-applies": "error",
    "default-unreachable": "error",
    "line-unknown": "warning",
    "connection-unknown": "warning",
    "catalogue-not-loaded": "warning",
    "pipeline-gone": "error",
    "pipeline-archived": "error",
    "stage-gone": "error",
    "stage-elsewhere": "error",
    "stage-closed": "warning",
    "stage-unsorted": "warning",
    "separate-stage-missing": "error",
    "senior-missing": "error",
    "person-gone": "error",
    "person-unmapped": "error",
    "person-inactive": "error",
    "employee-unmapped": "warning",
    "employee-inactive": "warning",
    "template-unknown": "error",
    "template-without-people": "warning",
    "field-unknown": "error",
    "field-mapped-twice": "warning",
    "template-refused": "error",
    "unsorted-off": "warning",
    "task-type-unknown": "error",
    "task-due-at-once": "warning",
    "attached-too-early": "warning",
    "action-repeated": "warning",
    "deal-without-contact": "warning",
}


def problem(code: str, cell: str, /, **values: Value) -> Problem:
    said, remedy = f"matrix.problem.{code}", f"matrix.problem.{code}.remedy"
    return Problem(
        severity=SEVERITIES[code],
        code=code,
        cell=cell,
        message=TEXTS["ru"].say(said, **values),
        remedy=TEXTS["ru"].say(remedy, **values),
        message_en=TEXTS["en"].say(said, **values),
        remedy_en=TEXTS["en"].say(remedy, **values),
    )
