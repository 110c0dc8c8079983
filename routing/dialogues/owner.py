"""Whose a dialogue becomes: by the first answer, which messages count and what a second one who answers is told; by a template,
which deals it hands out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

OwnerReason = Literal[
    "first-answer",
    "not-a-person",
    "not-mapped",
    "not-asked",
    "gone",
    "taken",
    "has-owner",
    "other-rule",
    "by-template",
    "deal-owner",
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


DealHandling = Literal["hand-out", "deal-owner", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPlaced:
    """A client's message was put to a deal, where the rule is the template. deal_owner: the employee responsible for it who can be
    given work, None = nobody. owner, is_owner_active: of the dialogue before. is_same: it was the dialogue's deal before.
    is_made: by this dialogue, now or before. is_handed_out: the template had it, or has it still."""

    deal_owner: str | None
    owner: str | None
    is_owner_active: bool
    is_same: bool
    is_made: bool
    is_open: bool
    is_handed_out: bool


def judged_deal(told: DealPlaced) -> DealHandling:
    """Return what becomes of it: the template hands it out; the dialogue is the deal's owner's; or all stays as it is."""
    if told.is_same and told.owner is not None and told.is_owner_active:
        return "leave"
    if told.owner is None and told.is_handed_out:
        return "leave"  # it waits for somebody, or the template gives it to nobody
    if told.is_made and (told.owner is None or not told.is_same):
        return "hand-out"  # whoever is responsible so far only keeps it for us
    if told.deal_owner is not None and (told.deal_owner != told.owner or not told.is_same):
        return "deal-owner"
    return "hand-out" if told.is_open else "leave"
