"""Whose a dialogue becomes in a channel whose deals a distribution template hands out."""

from __future__ import annotations

from dataclasses import replace

from gateway.calls.context import JobContext
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import Dialogue, take_ownership
from gateway.store.channels.handouts import ask_handout, is_handed_out
from routing.client import Client, Ref
from routing.dialogues.incoming import MAKING_REASONS
from routing.dialogues.owner import DealPlaced, judged_deal


async def owned_by_template(
    context: JobContext, saved: SavedChannel, client: Client, before: Dialogue, now: Dialogue, cause: str
) -> Dialogue:
    """Have the deal handed out where that is the template's to do, in the caller's transaction. before, now: the dialogue before
    and after the message was put to a deal; cause: the message, for which it is handed out once."""
    deal, template = now.deal, saved.rules.template
    if saved.rules.owner != "template" or template is None or deal is None or deal.kind != "deal":
        return now
    handling = judged_deal(await _placed(context, client, before, now, deal))
    if handling == "hand-out":
        key = f"chat:{saved.id}:{cause}"
        await ask_handout(context.conn, now, key=key, template=template, deal=deal, asked_at=context.now)
        return await _owned_by(context, now, None, "")
    if handling == "deal-owner":
        return await _owned_by(context, now, _deal_owner(context, client, deal), "deal-owner")
    return now


async def _placed(
    context: JobContext, client: Client, before: Dialogue, now: Dialogue, deal: Ref
) -> DealPlaced:
    staff = context.staff
    entity = next((e for e in client.of("deal") if e.ref == deal), None)
    return DealPlaced(
        deal_owner=_deal_owner(context, client, deal),
        owner=now.owner,
        is_owner_active=staff.can_be_given_work(staff.by_id.get(now.owner or "")),
        is_same=before.deal == deal,
        is_made=now.place_reason in MAKING_REASONS,
        is_open=entity is None or entity.is_open,
        is_handed_out=await is_handed_out(context.conn, now, deal),
    )


def _deal_owner(context: JobContext, client: Client, deal: Ref) -> str | None:
    """Return the employee responsible for it, None where that is nobody who can be given work. An observer is none: what is
    theirs waits for somebody."""
    staff, observers = context.staff, context.account.settings.dialogues.observers
    users = (e.owner_id for e in client.of("deal") if e.ref == deal and e.owner_id)
    person = next((staff.by_crm_user.get(user) for user in users), None)
    if person is None or person.id in observers or not staff.can_be_given_work(person):
        return None
    return person.id


async def _owned_by(context: JobContext, of: Dialogue, employee_id: str | None, how: str) -> Dialogue:
    if of.owner == employee_id:
        return of
    await take_ownership(context.conn, of, employee_id, how, context.now)
    return replace(of, owner=employee_id, owner_how=how, owner_at=context.now)
