"""Whose a dialogue is: the first who answers in person takes it, and the CRM is told."""

from __future__ import annotations

from crm.effects.order import order
from crm.lane import Lane
from gateway.calls.context import JobContext
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import Dialogue, take_ownership
from routing.client import Ref
from routing.decision import decision_id_of
from routing.dialogues.owner import AnswerTold, OwnerReason, judged_answer
from routing.effects import Effect, UpdateEntity


async def answered_in_person(
    context: JobContext,
    saved: SavedChannel,
    dialogue: Dialogue,
    author_kind: str,
    employee_id: str | None,
    *,
    tells_crm: bool = True,
    waits: bool = False,
) -> OwnerReason:
    """Judge an answer that went out; the first one's author becomes the owner, of the deal and the contact too. In the
    caller's transaction. `taken`: somebody else was first. tells_crm: False of who writes before the client does. waits: whose it is cannot look
    after it."""
    staff, observers = context.staff, context.account.settings.dialogues.observers
    reason = judged_answer(
        AnswerTold(
            author_kind=author_kind,
            employee_id=employee_id,
            owner=None if waits else dialogue.owner,
            is_first_answer_rule=saved.rules.owner == "first_answer",
            employees=saved.rules.employees,
            active=[p.id for p in staff.employees if staff.can_be_given_work(p) and p.id not in observers],
        )
    )
    if reason != "first-answer" or employee_id is None:
        return reason
    if not await take_ownership(context.conn, dialogue, employee_id, reason, context.now):
        return "taken"
    if tells_crm:
        await tell_crm(context, dialogue, employee_id)
    return reason


async def tell_crm(context: JobContext, dialogue: Dialogue, employee_id: str) -> None:
    """Have the CRM make an employee responsible for the dialogue's deal and contact, once for each of these."""
    user = context.staff.by_id[employee_id].crm_user_id
    stem = f"chat:{dialogue.channel_id}:{dialogue.dialogue_id}:owner:{employee_id}"
    targets: list[Ref] = [ref for ref in (dialogue.deal, dialogue.contact) if ref and ref.kind != "lead"]
    effects = [
        Effect(key=f"{stem}:{ref.kind}:{ref.id or ref.effect}", order=UpdateEntity(target=ref, owner_id=user))
        for ref in targets
    ]
    await order(
        context.conn,
        account_id=context.account.id,
        decision_id=decision_id_of(context.account.id, stem),
        call_id=None,
        client=dialogue.client_key,
        lane=Lane.EVENTS,
        effects=effects,
        held=context.is_held,
    )
