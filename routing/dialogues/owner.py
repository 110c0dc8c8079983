"""Whose a dialogue becomes by the first answer: which messages count, and what a second one who answers is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

OwnerReason = Literal[
    "first-answer", "not-a-person", "not-mapped", "not-asked", "gone", "taken", "has-owner", "other-rule"
]
OWNER_REASONS: tuple[OwnerReason, ...] = get_args(OwnerReason)
PERSONAL = frozenset({"employee", "phone"})
"""Kinds of authors that are somebody in person: robots, greetings, templates and campaigns are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTold:
    """author_kind: of sms.channels.model.AuthorKind. employee_id: who it is with us, None = not known. owner: of the dialogue
    before. employees: of whom the first becomes the owner, () = anybody. active: employees who can be given work."""

    author_kind: str
    employee_id: str | None
    owner: str | None
    is_first_answer_rule: bool
    employees: Collection[str] = ()
    active: Collection[str] = ()


def judged_answer(told: AnswerTold) -> OwnerReason:
    """Return what an answer means for the dialogue's owner; `first-answer`: this employee becomes it."""
    if not told.is_first_answer_rule:
        return "other-rule"
    if told.author_kind not in PERSONAL:
        return "not-a-person"
    if told.employee_id is None:
        return "not-mapped"
    if told.owner == told.employee_id:
        return "has-owner"
    if told.owner is not None and told.owner in told.active:
        return "taken"
    if told.employees and told.employee_id not in told.employees:
        return "not-asked"
    return "first-answer" if told.employee_id in told.active else "gone"
