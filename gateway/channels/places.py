"""Where a dialogue belongs in the CRM: the facts of its client are brought, and what is decided is ordered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from crm.effects.order import order, promised
from crm.lane import Lane
from crm.store.clients import clients_of_deal, entities_of
from gateway.calls.call import known_client
from gateway.calls.context import JobContext
from gateway.channels.owners import tell_crm
from gateway.channels.template_owners import owned_by_template
from gateway.store.calls.calls import lock_client
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import Dialogue, ids_of_effects, set_place
from gateway.texts.sentences import TEXTS
from routing.client import Client, ClientEntity, Ref
from routing.decision import decision_id_of
from routing.dialogues.incoming import IncomingDecision, IncomingSituation, decide_incoming, with_whose_deal
from routing.effects import CreateContact, CreateDeal, Effect
from routing.staff import Employee
from sms.channels.model import ChatKind


async def placed(
    context: JobContext, saved: SavedChannel, dialogue: Dialogue, cause: str, written_at: datetime
) -> Dialogue:
    """Decide for a message of the client and order what is to be made, in the caller's transaction, which holds the client's
    lock. cause: the message; what it makes is made once for it. written_at: by the client."""
    conn, account_id = context.conn, context.account.id
    if dialogue.number and dialogue.number != dialogue.client_key:  # told after it had begun
        await lock_client(conn, account_id, dialogue.number)
    now_known = await ids_of_effects(conn, account_id, [dialogue.contact, dialogue.deal])
    dialogue = replace(
        dialogue, contact=_by_id(dialogue.contact, now_known), deal=_by_id(dialogue.deal, now_known)
    )
    client = await _client(context, dialogue)
    decision = await _decided(
        context,
        IncomingSituation(
            client=client,
            rules=saved.rules,
            is_group=dialogue.kind == ChatKind.GROUP,
            is_on=saved.is_on,
            deal=dialogue.deal,
        ),
    )
    if decision.contact is None and decision.deal is None and not decision.makes_deal:
        if dialogue.deal is None and dialogue.place_reason != decision.reason:  # why there is none
            await set_place(conn, _with_reason(context, dialogue, decision))
        return dialogue
    before = dialogue
    contact, deal = await _ordered(context, saved, dialogue, decision, cause)
    dialogue = replace(dialogue, contact=contact, deal=deal)
    if decision.reason != "same-deal":  # why it is this deal was said when it became it
        dialogue = _with_reason(context, dialogue, decision)
    await set_place(conn, dialogue)
    if before.deal is None and not decision.makes_deal:
        await _owned_by_who_answered(context, saved, dialogue, written_at)
    return await owned_by_template(context, saved, client, before, dialogue, cause)


def _with_reason(context: JobContext, dialogue: Dialogue, decision: IncomingDecision) -> Dialogue:
    steps = [step.as_json() for step in decision.steps]
    return replace(dialogue, place_reason=decision.reason, place_steps=steps, place_at=context.now)


async def _owned_by_who_answered(
    context: JobContext, saved: SavedChannel, dialogue: Dialogue, written_at: datetime
) -> None:
    """Tell the CRM whose a deal is in which somebody has answered before we knew that it is this one: what the client wrote came
    late. Where they wrote first, a deal stays whose it is."""
    person = _who_answered(context, saved, dialogue)
    if person and dialogue.owner_at and written_at < dialogue.owner_at:
        await tell_crm(context, dialogue, person.id)


async def known_place(context: JobContext, saved: SavedChannel, dialogue: Dialogue) -> Dialogue:
    """Put a dialogue that we begin to the contact and the open deal that its client has. Nothing is made before they answer."""
    client = await _client(context, dialogue)
    decision = await _decided(context, IncomingSituation(client=client, rules=saved.rules, is_on=saved.is_on))
    placed_now = replace(dialogue, contact=decision.contact, deal=decision.deal)
    if decision.deal is not None:
        placed_now = _with_reason(context, placed_now, decision)
    await set_place(context.conn, placed_now)
    return placed_now


async def _decided(context: JobContext, told: IncomingSituation) -> IncomingDecision:
    decision, client = decide_incoming(told), told.client
    is_one = len(client.of("contact") or client.of("company")) < 2
    if is_one or decision.deal is None or decision.deal.id is None or decision.deal.kind != "deal":
        return decision
    whose = await clients_of_deal(context.conn, context.account.id, decision.deal.id)
    return with_whose_deal(decision, client, [e.ref for e in whose[0].entities])


async def _client(context: JobContext, dialogue: Dialogue) -> Client:
    """Return what is known of the client: by the number, and of a chat that began without one of this chat too. Whoever has no
    number is merged with nobody."""
    conn, account_id = context.conn, context.account.id
    if dialogue.client_key.startswith("+"):
        return await known_client(conn, account_id, dialogue.client_key)
    of_number = await known_client(conn, account_id, dialogue.number) if dialogue.number else None
    ours = await promised(conn, account_id, dialogue.client_key)
    refs = [(r.kind, r.id) for r in (dialogue.contact, dialogue.deal) if r and r.id]
    refs += [(e.ref.kind, e.ref.id) for e in ours if e.ref.id]
    there = await entities_of(conn, account_id, refs)
    fresh = [e for e in ours if (e.ref.kind, e.ref.id) not in there]
    entities: tuple[ClientEntity, ...] = (*there.values(), *fresh)
    if dialogue.contact and dialogue.contact.id and dialogue.contact not in [e.ref for e in entities]:
        entities += await _merged_into(context, dialogue)
    if of_number is None:
        return Client(number="", entities=entities)
    more = (e for e in of_number.entities if e.ref not in [own.ref for own in entities])
    return Client(number=of_number.number, entities=(*entities, *more))


async def _merged_into(context: JobContext, dialogue: Dialogue) -> tuple[ClientEntity, ...]:
    """Return whose the dialogue's deal is now that its contact is there no more: two that were one are merged in the CRM."""
    if dialogue.deal is None or dialogue.deal.id is None:
        return ()
    clients = await clients_of_deal(context.conn, context.account.id, dialogue.deal.id)
    return tuple(e for e in clients[0].entities if e.ref.kind in ("contact", "company"))


async def _ordered(
    context: JobContext, saved: SavedChannel, dialogue: Dialogue, decision: IncomingDecision, cause: str
) -> tuple[Ref | None, Ref | None]:
    """Return the contact and the deal, by id or by the effect that makes them."""
    contact, deal, effects = decision.contact, decision.deal, list[Effect]()
    stem = f"chat:{saved.id}:{cause}"
    owner_id = _first_owner(context, saved, dialogue)
    if decision.makes_contact:
        made = CreateContact(
            name=_contact_name(context, saved, dialogue), number=dialogue.number or "", owner_id=owner_id
        )
        effects.append(Effect(key=f"{stem}:contact", order=made))
        contact = Ref(kind="contact", effect=f"{stem}:contact")
    if decision.makes_deal:
        rules, settings = saved.rules, context.account.settings
        name = TEXTS[settings.language].say(
            "crm.chat.deal", channel=saved.name, name=_contact_name(context, saved, dialogue)
        )
        new = CreateDeal(
            name=name,
            contact=contact,
            owner_id=owner_id,
            pipeline_id=rules.pipeline_id or settings.default_pipeline_id,
            stage_id=rules.stage_id,
        )
        effects.append(Effect(key=f"{stem}:deal", order=new))
        deal = Ref(kind="deal", effect=f"{stem}:deal")
    await order(
        context.conn,
        account_id=context.account.id,
        decision_id=decision_id_of(context.account.id, "chat", saved.id, cause),
        call_id=None,
        client=dialogue.number or dialogue.client_key,
        lane=Lane.EVENTS,
        effects=effects,
        held=context.is_held,
    )
    return contact, deal


def _first_owner(context: JobContext, saved: SavedChannel, dialogue: Dialogue) -> str | None:
    """Return the CRM user to whom what is made belongs: whose the dialogue is, where we wrote first; else nobody's."""
    person = _who_answered(context, saved, dialogue)
    return person.crm_user_id if person else technical_owner(context)


def _who_answered(context: JobContext, saved: SavedChannel, dialogue: Dialogue) -> Employee | None:
    """Return the owner by the first answer who can still be given work."""
    person = context.staff.by_id.get(dialogue.owner or "")
    is_able = saved.rules.owner == "first_answer" and context.staff.can_be_given_work(person)
    return person if is_able else None


def technical_owner(context: JobContext) -> str | None:
    """Return the CRM user to whom belongs what is nobody's yet; None: the CRM chooses."""
    return next((user for user, _ in context.staff.stand_ins(None)), None)


def _contact_name(context: JobContext, saved: SavedChannel, dialogue: Dialogue) -> str:
    known = dialogue.name or dialogue.username or dialogue.number
    return known or TEXTS[context.account.settings.language].say("crm.chat.contact", channel=saved.name)


def _by_id(ref: Ref | None, made: dict[str, Ref]) -> Ref | None:
    return made.get(ref.effect, ref) if ref is not None and ref.effect else ref
