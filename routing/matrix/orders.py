"""A cell's actions made into orders for the CRM. Each action either orders or says by a step why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from routing.client import ClientEntity, ClientKind, Ref
from routing.decision import Fact
from routing.effects import (
    AddNote,
    AttachCall,
    CallClient,
    CreateContact,
    CreateDeal,
    CreateLead,
    CreateTask,
    ShowCard,
    UpdateEntity,
)
from routing.matrix.actions import (
    Action,
    Attach,
    CallClientBack,
    Card,
    ChangeStage,
    Deadline,
    MakeContact,
    MakeDeal,
    MakeLead,
    MakeNote,
    MakeTask,
    SetFields,
)
from routing.matrix.call_note import is_clients_silence, note_of, status_of, talk_seconds_of
from routing.matrix.draft import Plan
from routing.matrix.model import Moment
from routing.matrix.places import NewPlace, there
from routing.matrix.responsible import closed_deal, first_of, latest, owner_of_client, who_calls_back
from routing.matrix.situation import Situation, employee_at, party_of, who_answered
from routing.quiet_hours import after_quiet
from routing.working_time import add_working_minutes

_STILL_WAITS = timedelta(hours=1)
"""So long after a missed call its client wants to be called back by itself."""


def due_at(deadline: Deadline, s: Situation) -> datetime:
    if not deadline.is_working:
        return s.now + timedelta(minutes=deadline.minutes)
    return add_working_minutes(s.now, deadline.minutes, s.settings.working_time, s.zone, s.public_holidays)


def _contact(plan: Plan, a: MakeContact) -> None:
    key = plan.key("contact")
    if not plan.is_ordered(key) and (known := first_of(plan.client, "contact", "company", "lead")):
        return plan.skip(f"{known.ref.kind}_exists", id=known.ref.id, promised=known.ref.effect)
    who, name = plan.person(a.responsible), plan.text(a.name) or plan.s.number
    order = CreateContact(
        name=name,
        number=plan.s.number,
        owner_id=who.crm_user_id,
        tags=plan.tags(a.tags),
        fields={**plan.fields("contact", a.fields), **_of_campaign(plan)},
    )
    if plan.order(key, order, owner=who.crm_user_id, owner_because=who.because):
        plan.promise(Ref(kind="contact", effect=key), name, who.crm_user_id)
    return None


def _of_campaign(plan: Plan) -> Mapping[str, str]:
    """Return what says by which campaign the contact came."""
    return plan.s.campaign.contact_fields if plan.s.campaign else {}


def _deal(plan: Plan, a: MakeDeal) -> None:
    key = plan.key("deal")
    pipeline, stage, by = plan.pipeline(a.pipeline_id, a.stage_id, a.ignores_rules)
    there = None if plan.is_ordered(key) else first_of(plan.client, "deal", "lead")
    if there and a.when_open == "none":
        because = "open_deal_exists" if there.ref.kind == "deal" else "lead_exists"
        return plan.skip(because, id=there.ref.id, promised=there.ref.effect)
    if there and a.when_open == "separate_stage":
        pipeline, stage, by = a.separate_pipeline_id or pipeline, a.separate_stage_id, "separate_stage"
    closed = None if there or plan.is_ordered(key) else closed_deal(plan.client)
    if closed and a.after_closed == "add_to_closed":
        plan.use_deal(closed.ref)
        return plan.skip("added_to_closed_deal", id=closed.ref.id)
    _new_deal(plan, a, key, (pipeline, stage, by))
    return None


def _new_deal(plan: Plan, a: MakeDeal, key: str, where: tuple[str | None, str | None, str]) -> None:
    pipeline, stage, by = where
    wanted = NewPlace(pipeline, stage)
    place = there(wanted, plan.s.gone_places)
    holder = first_of(plan.client, "contact", "company")
    who, name = plan.person(a.responsible), plan.text(a.name) or plan.s.number
    order = CreateDeal(
        name=name,
        contact=holder.ref if holder else None,
        owner_id=who.crm_user_id,
        pipeline_id=place.pipeline_id,
        stage_id=place.stage_id,
        tags=plan.tags(a.tags),
        fields=plan.fields("deal", a.fields),
    )
    facts: dict[str, Any] = {"owner": who.crm_user_id, "owner_because": who.because}
    facts |= {
        "pipeline": place.pipeline_id,
        "stage": place.stage_id,
        "pipeline_by": by,
        **_gone(wanted, place),
    }
    if plan.order(key, order, **facts):
        ref = Ref(kind="deal", effect=key)
        plan.promise(ref, name, who.crm_user_id)
        plan.use_deal(ref)


def _gone(wanted: NewPlace, place: NewPlace) -> dict[str, Fact]:
    """Return what the matrix names and the CRM has no longer, where the deal goes elsewhere for that."""
    if wanted.pipeline_id != place.pipeline_id:
        return {"pipeline_gone": wanted.pipeline_id}
    return {"stage_gone": wanted.stage_id} if wanted.stage_id != place.stage_id else {}


def _lead(plan: Plan, a: MakeLead) -> None:
    key, s = plan.key("lead"), plan.s
    if not plan.is_ordered(key) and (known := _known_already(plan)):
        return plan.skip(f"{known.ref.kind}_exists", id=known.ref.id, promised=known.ref.effect)
    pipeline, _, by = plan.pipeline(a.pipeline_id, None, a.ignores_rules)
    wanted = NewPlace(pipeline, None)
    place = there(wanted, s.gone_places)
    who, name = plan.person(a.responsible), plan.text(a.name) or s.number
    order = CreateLead(
        source_uid=s.call_id,
        source_name=plan.text(a.source_name) or s.connection,
        name=name,
        contact_name=plan.text(a.contact_name) or s.number,
        number=s.number,
        line=s.line,
        owner_id=who.crm_user_id,
        pipeline_id=place.pipeline_id,
        called_at=s.call.started_at,
        talk_seconds=talk_seconds_of(s.call),
        recording=s.call.recording,
        tags=plan.tags(a.tags),
        fields=plan.fields("deal", a.fields),
    )
    facts: dict[str, Any] = {"owner": who.crm_user_id, "owner_because": who.because, **_gone(wanted, place)}
    if plan.order(key, order, pipeline=place.pipeline_id, pipeline_by=by, **facts):
        plan.promise(Ref(kind="lead", effect=key), name, who.crm_user_id)
    return None


def _known_already(plan: Plan) -> ClientEntity | None:
    """Return what makes a new lead needless: a waiting one, and for a client taken as new anything that they have by now."""
    if waiting := first_of(plan.client, "lead"):
        return waiting
    if plan.s.client_kind is ClientKind.NEW:
        return first_of(plan.client, "deal", "contact", "company")
    return None


def _attach(plan: Plan, a: Attach) -> None:
    s = plan.s
    if not s.call.is_answered and not is_clients_silence(s.call):
        return _attach_attempt(plan, a)
    who = who_answered(s)
    talker = who.crm_user_id if who and s.staff.can_be_given_work(who) else None
    owner = talker if s.call.is_answered else plan.person(a.responsible).crm_user_id
    key, uniq = _call_key(plan)
    order = AttachCall(
        target=plan.target(a.target),
        uniq=uniq,
        direction=s.call.direction,
        number=s.number,
        at=s.call.started_at,
        talk_seconds=talk_seconds_of(s.call),
        status=status_of(s.call),
        result=plan.text(a.note) or note_of(s, owner_of_client(plan.client)),
        recording=s.call.recording,
        owner_id=owner,
        answered_by=(who.name if who else party_of(s.call)) if s.call.is_answered else None,
    )
    if order.target is None:
        return plan.skip("nothing_to_attach_to")
    plan.order(key, order, target=order.target.kind, owner=owner)
    return None


def _attach_attempt(plan: Plan, a: Attach) -> None:
    """Attach a call that broke off on our own side as an ordinary note: as a call note it would stand in the CRM's
    statistics as one that the client did not answer."""
    target = plan.target(a.target)
    if target is None:
        return plan.skip("nothing_to_attach_to")
    owner = plan.person(a.responsible).crm_user_id
    text = plan.text(a.note) or note_of(plan.s, owner) or ""
    plan.order(plan.key("call"), AddNote(target=target, text=text, owner_id=owner), target=target.kind)
    return None


def _call_key(plan: Plan) -> tuple[str, str]:
    """(key of the effect, uniq of the note). A call that was noted as missed and turns out to have been answered after
    all gets a second note; apart from that a call has one, at whichever moment the matrix wants it."""
    s = plan.s
    at_answer = plan.key("call:answer")
    if s.moment is not Moment.END or plan.is_ordered(at_answer):
        return at_answer, s.call_id
    if s.call.is_answered and plan.is_ordered(plan.key("call")):
        return plan.key("call:late"), f"{s.call_id}:late"
    return plan.key("call"), s.call_id


def _note(plan: Plan, a: MakeNote) -> None:
    target = plan.target(a.target)
    if target is None:
        return plan.skip("nothing_to_attach_to")
    order = AddNote(target=target, text=plan.text(a.text), owner_id=plan.person(a.responsible).crm_user_id)
    plan.order(plan.own_key("note"), order, target=target.kind)
    return None


def _task(plan: Plan, a: MakeTask) -> None:
    s = plan.s
    if a.purpose == "check_settings" and s.moment is Moment.ANSWER and party_of(s.call) is None:
        return plan.skip("who_answered_not_told_yet")
    kept = who_calls_back(a.responsible, s) if a.purpose == "call_back" else None
    who = kept or plan.person(a.responsible)
    order = CreateTask(
        target=plan.target(a.target),
        owner_id=who.crm_user_id,
        text=plan.text(a.text),
        type=a.type,
        due_at=_task_due_at(a, s),
        purpose=a.purpose,
    )
    key = plan.own_key("task:other") if a.purpose == "other" else plan.key(f"task:{a.purpose}")
    plan.order(key, order, owner=who.crm_user_id, owner_because=who.because)
    return None


def _task_due_at(a: MakeTask, s: Situation) -> datetime:
    """Return when it is due: to call somebody back never in the quiet hours of missed calls."""
    due = due_at(a.due, s)
    return after_quiet(s.settings.cases.quiet_hours, due, s.zone) if a.purpose == "call_back" else due


def _stage(plan: Plan, a: ChangeStage) -> None:
    ref = plan.deal()
    known = next((e for e in plan.client.entities if ref and e.ref == ref), None)
    if ref is None:
        return plan.skip("no_open_deal")
    if known and a.only_from and known.stage_id not in a.only_from:
        return plan.skip("deal_in_other_stage", stage=known.stage_id)
    if known and known.stage_id == a.stage_id:
        return plan.skip("deal_in_stage_already", stage=known.stage_id)
    gone = plan.s.gone_places
    if a.stage_id in gone.stages or a.pipeline_id in gone.pipelines:
        return plan.skip("stage_gone", stage=a.stage_id, pipeline=a.pipeline_id)
    order = UpdateEntity(target=ref, pipeline_id=a.pipeline_id, stage_id=a.stage_id)
    plan.order(plan.own_key("update:deal"), order, stage=a.stage_id)
    return None


def _fields(plan: Plan, a: SetFields) -> None:
    found = False
    for kind in a.on:
        contact = latest(e for e in plan.client.entities if e.ref.kind == "contact")
        ref = plan.deal() if kind == "deal" else contact.ref if contact else None
        if ref is None:
            continue
        found = True
        tags = plan.tags(a.tags)
        fields = plan.fields(kind, a.fields, with_parameters=a.with_parameters)
        if not tags and not fields:
            plan.skip("nothing_to_set", entity=kind)
            continue
        order = UpdateEntity(target=ref, tags=tags, fields=fields)
        plan.order(plan.own_key(f"update:{kind}"), order, entity=kind)
    if not found:
        plan.skip("nothing_to_update")


def _card(plan: Plan, a: Card) -> None:
    s, users = plan.s, []
    if "rung" in a.to:
        parties = [party_of(s.call)] if s.call.is_answered else list(s.call.rung)
        people = [employee_at(p, s) for p in parties]
        users = [p.crm_user_id for p in people if p and p.crm_user_id and s.staff.can_be_given_work(p)]
    if "owner" in a.to and (owner := owner_of_client(plan.client)) and owner not in s.staff.gone_users:
        users.append(owner)
    if not users:
        return plan.skip("nobody_to_show_to")
    order = ShowCard(number=s.number, user_ids=tuple(dict.fromkeys(users)))
    plan.order(plan.key(f"card:{s.moment.value}"), order, users=len(order.user_ids))
    return None


def _call_back(plan: Plan, a: CallClientBack) -> None:
    """Order it of a call that has just been missed, and of no other: one that is decided anew long afterwards is not."""
    s = plan.s
    if s.call.direction != "inbound" or s.call.is_answered or s.moment is not Moment.END:
        return plan.skip("call_was_not_missed")
    if s.now - s.call.started_at > _STILL_WAITS:
        return plan.skip("missed_too_long_ago")
    who = plan.person(a.responsible)
    person = s.staff.by_crm_user.get(who.crm_user_id or "")
    if person is None or not person.extensions:
        return plan.skip("nobody_to_call_back", owner=who.crm_user_id)
    deal, contact = plan.deal(), first_of(plan.client, "contact")
    order = CallClient(
        number=s.number,
        employee_id=person.id,
        connection=a.connection,
        line=a.line,
        task_when_failed=a.task_when_failed,
        deal_id=deal.id if deal else None,
        contact_id=contact.ref.id if contact else None,
    )
    plan.order(plan.key("call-client"), order, owner=who.crm_user_id, owner_because=who.because)
    return None


def take(plan: Plan, index: int, action: Action) -> None:
    """Order what the cell's action at `index` asks for, or say by a step why not."""
    plan.begin(index, action.do)
    _MAKERS[type(action)](plan, action)


_MAKERS: Mapping[type[Any], Callable[[Plan, Any], None]] = {
    MakeContact: _contact,
    MakeDeal: _deal,
    MakeLead: _lead,
    Attach: _attach,
    MakeNote: _note,
    MakeTask: _task,
    ChangeStage: _stage,
    SetFields: _fields,
    Card: _card,
    CallClientBack: _call_back,
}
