"""How an item ends, in one word, and what the CRM is told then: a task, a stage, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from routing.client import Ref
from routing.effects import CreateTask, Effect, UpdateEntity
from routing.outbound.dialling import DIAL_REASONS
from routing.staff import Staff
from routing.texts.catalogue import Language, Phrase, phrase
from routing.texts.sentences import TEXTS

TriedReason = Literal[
    "talked",
    "client_busy",
    "client_no_answer",
    "client_declined",
    "client_unreachable",
    "bad_number",
    "operator",
    "operator_hung_up",
    "call_refused",
    "pbx_refused",
    "pbx_limit",
    "pbx_away",
    "never_sent",
    "never_heard_of",
    "reached_says_person",
    "not_reached_says_person",
]
"""What came of the attempts, by the rule of the table of retries; or what a person said of one of which nobody knows."""

TRIED_REASONS: tuple[TriedReason, ...] = get_args(TriedReason)
CLEARED_REASONS = ("cleared", "switched_off", "removed", "queue_full", "waits_already")
"""A person took it out of the queue, or its trigger away; or it never came in."""
ITEM_REASONS: tuple[str, ...] = (*DIAL_REASONS, *TRIED_REASONS, *CLEARED_REASONS)

WITH_EFFECTS = frozenset(("succeeded", "failed", "expired"))
"""States that the CRM is told of. What was cleared or dropped is nothing that anybody failed to do; of what nobody knows nothing is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedItem:
    """action: as the trigger's, the matrix's or the campaign's. number: E.164, None = it has none; extension: written beside it in the CRM. owner_id: CRM user whose deal
    it is. can_move: the deal stands where it stood, so that nobody's own change is undone."""

    item_id: str
    state: str
    reason: str
    action: Mapping[str, Any]
    deal_id: str | None
    contact_id: str | None
    number: str | None
    owner_id: str | None
    can_move: bool
    extension: str | None = None


def effects_of_end(item: EndedItem, staff: Staff, language: Language, due_at: datetime) -> tuple[Effect, ...]:
    """Return what is ordered, each with a key of the item's own: whoever ends it again orders nothing new."""
    if item.state not in WITH_EFFECTS:
        return ()
    is_reached = item.state == "succeeded"
    told = _after(item.action, is_reached=is_reached)
    effects = [] if is_reached or not told.get("task") else [_task(item, staff, language, due_at)]
    if told.get("stage") and item.deal_id and item.can_move:
        effects.append(_move(item.item_id, item.deal_id, told["stage"]))
    return tuple(effects)


def _after(action: Mapping[str, Any], *, is_reached: bool) -> Mapping[str, Any]:
    """Return {task, stage} as the action wants them, of a call back as of a campaign."""
    if action.get("do") == "campaign":
        return {} if is_reached else action.get("unreached") or {}
    if is_reached:
        return {"stage": action.get("succeeded_stage")}
    return {"task": action.get("task_when_failed", True), "stage": action.get("failed_stage")}


def _task(item: EndedItem, staff: Staff, language: Language, due_at: datetime) -> Effect:
    texts = TEXTS[language]
    why = phrase(f"outbound.reason.{item.reason}")
    text = texts.say("crm.task.not-reached", number=_number(item), why=why)
    target = Ref(kind="deal", id=item.deal_id) if item.deal_id else _contact(item.contact_id)
    order = CreateTask(target=target, owner_id=task_owner(item, staff), text=text, due_at=due_at)
    return Effect(key=f"outbound:{item.item_id}:task", order=order)


def _number(item: EndedItem) -> str | Phrase:
    """Return it as people dial it: what answers may ask for the extension, which we cannot press."""
    if item.number is None or item.extension is None:
        return item.number or "—"
    return phrase("crm.task.number-with-extension", number=item.number, extension=item.extension)


def _contact(contact_id: str | None) -> Ref | None:
    return Ref(kind="contact", id=contact_id) if contact_id else None


def task_owner(item: EndedItem, staff: Staff) -> str | None:
    """Return the CRM user who gets the task: the target employee, of a group or a template whoever is responsible; where they
    cannot be given work, who stands in for them, at last the senior manager."""
    target = item.action.get("target") or {}
    wanted = (
        staff.by_id.get(target["employee_id"])
        if target.get("kind") == "employee"
        else staff.by_crm_user.get(item.owner_id or "")
    )
    if wanted is not None and staff.can_be_given_work(wanted):
        return wanted.crm_user_id
    if (
        wanted is None
        and item.owner_id
        and target.get("kind") != "employee"
        and item.owner_id not in staff.gone_users
    ):
        return item.owner_id  # a user of the CRM who is no employee of ours
    return _first(staff.stand_ins(wanted))


def _first(users: Sequence[tuple[str, str]]) -> str | None:
    return next((user for user, _ in users), None)


def _move(item_id: str, deal_id: str, stage: Mapping[str, Any]) -> Effect:
    order = UpdateEntity(
        target=Ref(kind="deal", id=deal_id),
        pipeline_id=stage["pipeline_id"],
        stage_id=stage["stage_id"],
    )
    return Effect(key=f"outbound:{item_id}:stage", order=order)
