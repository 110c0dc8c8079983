"""A whole call played through a matrix, moment by moment: what a dry run and a replay show. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.calls.model import Call, Disposition
from routing.client import Client, ClientEntity
from routing.client_work.call import work_on_call
from routing.client_work.values import CallRow, ClientState, MomentDecided, Setup
from routing.effects import Effect
from routing.matrix.by_template.turns import NO_TURNS, CallTurns
from routing.matrix.decide import MatrixDecision
from routing.matrix.model import Matrix, Moment
from routing.matrix.places import GonePlaces
from routing.matrix.situation import Situation


class Played(NamedTuple):
    """decisions: one for each moment that the call had, in order. situations: what each was decided from."""

    decisions: tuple[MatrixDecision, ...]
    situations: tuple[Situation, ...] = ()

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(e for d in self.decisions for e in d.effects)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many orders of each kind (`create_deal`, `create_task`, …)."""
        return Counter(e.order.do for e in self.effects)


_NOTHING: Mapping[Moment, tuple[ClientEntity, ...]] = {}
_NOWHERE = GonePlaces()


def play(
    matrix: Matrix,
    row: CallRow,
    client: Client,
    setup: Setup,
    arrived: Mapping[Moment, tuple[ClientEntity, ...]] = _NOTHING,
    gone_places: GonePlaces = _NOWHERE,
    turns: CallTurns = NO_TURNS,
) -> Played:
    """row: the call as it was in the end, with the kind that its client had. client: as known when the call began.
    setup: its time does not matter. arrived: entities that others had made by each moment, after the call began. gone_places: of those that the matrix names. turns: as the ledgers stand; they are asked, and not moved.

    Each moment sees the call as far as it had come, and what the earlier moments ordered. Where the matrix waits for
    another integration the waiting is over at once.
    """
    row = replace(row, matrix_version=matrix.version, moments={})
    state = ClientState(client, matrix, gone_places=gone_places, turns=turns)
    decided: list[MomentDecided] = []
    for moment, call, now in _views(row.call, setup.settle_time):
        state = state._replace(client=_joined(state.client, arrived.get(moment, ())))
        seen = replace(row, call=call, heard_at=call.ended_at or call.started_at)
        worked = work_on_call(None, seen, state, setup._replace(now=now))
        if worked.waits_until is not None:
            worked = work_on_call(None, seen, state, setup._replace(now=worked.waits_until))
        decided += (act for act in worked.acts if isinstance(act, MomentDecided))
        row, state = replace(row, moments=worked.row.moments), worked.state
    return Played(tuple(act.decision for act in decided), tuple(act.situation for act in decided))


def same_orders(one: Played, other: Played) -> bool:
    """Return true when both order the same of the CRM, whatever cell or reason it comes from."""
    return _orders(one.effects) == _orders(other.effects)


def _orders(effects: Iterable[Effect]) -> list[str]:
    return sorted(e.order.model_dump_json() for e in effects)


def _views(call: Call, settle_time: timedelta) -> Iterator[tuple[Moment, Call, datetime]]:
    """Return the call as it was known at each of its moments, and when that was. A missed call ends when it is settled."""
    if call.direction == "internal":
        return
    running = {"is_over": False, "ended_at": None, "talk_seconds": None, "recording": None}
    ringing = {**running, "disposition": Disposition.RINGING, "talks": (), "answered_at": None}
    yield Moment.RING, call.model_copy(update=ringing), call.started_at
    if call.is_answered:
        talking = {**running, "disposition": Disposition.TALKING, "talks": call.talks[:1]}
        yield Moment.ANSWER, call.model_copy(update=talking), call.answered_at or call.started_at
    if call.is_over:
        settles = timedelta() if call.is_answered else settle_time
        yield Moment.END, call, (call.ended_at or call.started_at) + settles


def _joined(client: Client, others: tuple[ClientEntity, ...]) -> Client:
    if not others:
        return client
    known = {e.ref for e in client.entities}
    fresh = tuple(e for e in others if e.ref not in known)
    return Client(number=client.number, entities=(*client.entities, *fresh))
