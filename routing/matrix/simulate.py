"""A whole call played through a matrix, moment by moment: what a dry run and a replay show. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.calls.model import Call, Disposition
from routing.client import Client, ClientEntity, Ref
from routing.effects import CreateContact, CreateDeal, CreateLead, Effect
from routing.matrix.decide import MatrixDecision, decide
from routing.matrix.model import Matrix, Moment
from routing.matrix.situation import Situation


class Played(NamedTuple):
    """decisions: one for each moment that the call had, in order."""

    decisions: tuple[MatrixDecision, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(e for d in self.decisions for e in d.effects)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many orders of each kind (`create_deal`, `create_task`, …)."""
        return Counter(e.order.do for e in self.effects)


_NOTHING: Mapping[Moment, tuple[ClientEntity, ...]] = {}


def play(
    matrix: Matrix,
    situation: Situation,
    arrived: Mapping[Moment, tuple[ClientEntity, ...]] = _NOTHING,
) -> Played:
    """situation: the call as it was in the end, and its client as they were when it began; moment and now do not matter.
    arrived: entities that others had made by each moment, after the call began.

    Each moment sees the call as far as it had come, and what the earlier moments ordered. Where the matrix waits for
    another integration the waiting is over at once.
    """
    client, ordered = situation.client, situation.ordered
    decisions: list[MatrixDecision] = []
    for moment in _moments(situation.call):
        call, now = _call_at(moment, situation)
        client = _joined(client, arrived.get(moment, ()))
        values = {"moment": moment, "call": call, "now": now, "client": client, "ordered": ordered}
        s = situation.model_copy(update=values)
        decision = decide(matrix, s)
        if decision.wait_until is not None:
            decision = decide(matrix, s.model_copy(update={"now": decision.wait_until}))
        decisions.append(decision)
        if decision.effects:
            promised = (entity for effect in decision.effects if (entity := _promised(effect)))
            client = _joined(client, tuple(promised))
            ordered = (*ordered, *(e.key for e in decision.effects))
    return Played(tuple(decisions))


def same_orders(one: Played, other: Played) -> bool:
    """True when both order the same of the CRM, whatever cell or reason it comes from."""
    return _orders(one.effects) == _orders(other.effects)


def _orders(effects: Iterable[Effect]) -> list[str]:
    return sorted(e.order.model_dump_json() for e in effects)


def _moments(call: Call) -> tuple[Moment, ...]:
    if call.direction == "internal":
        return ()
    answer = (Moment.ANSWER,) if call.is_answered else ()
    return (Moment.RING, *answer, *((Moment.END,) if call.is_over else ()))


def _call_at(moment: Moment, s: Situation) -> tuple[Call, datetime]:
    """The call as it was known at a moment, and when that was. A missed call ends when it is settled."""
    call = s.call
    if moment is Moment.END:
        settle = timedelta(seconds=0 if call.is_answered else s.settings.calls.settle_seconds)
        return call, (call.ended_at or call.started_at) + settle
    running = {"is_over": False, "ended_at": None, "talk_seconds": None, "recording": None}
    if moment is Moment.ANSWER:
        talking = {**running, "disposition": Disposition.TALKING, "talks": call.talks[:1]}
        return call.model_copy(update=talking), call.answered_at or call.started_at
    ringing = {**running, "disposition": Disposition.RINGING, "talks": (), "answered_at": None}
    return call.model_copy(update=ringing), call.started_at


def _joined(client: Client, others: tuple[ClientEntity, ...]) -> Client:
    if not others:
        return client
    known = {e.ref for e in client.entities}
    fresh = tuple(e for e in others if e.ref not in known)
    return Client(number=client.number, entities=(*client.entities, *fresh))


def _promised(effect: Effect) -> ClientEntity | None:
    match effect.order:
        case CreateContact(name=name, owner_id=owner):
            return ClientEntity(ref=Ref(kind="contact", effect=effect.key), name=name, owner_id=owner)
        case CreateLead(name=name, owner_id=owner):
            return ClientEntity(ref=Ref(kind="lead", effect=effect.key), name=name, owner_id=owner)
        case CreateDeal(name=name, owner_id=owner, pipeline_id=pipeline, stage_id=stage):
            return ClientEntity(
                ref=Ref(kind="deal", effect=effect.key),
                name=name,
                owner_id=owner,
                pipeline_id=pipeline,
                stage_id=stage,
            )
        case _:
            return None
