"""Calls at a moment, with readable defaults: Monday 2 March 2026, 13:00 in Moscow, on the office's main line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from routing.calls.model import Call, Disposition, Talk
from routing.client import Client, ClientEntity, ClientKind, Ref
from routing.client_work.play import Played, play
from routing.client_work.values import CallRow, Setup
from routing.matrix.decide import Matrix, MatrixDecision, Moment, Situation
from routing.settings import AccountSettings
from routing.staff import Employee, Staff

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CLIENT = "+79161234567"
LINE = "+74950000001"

PETR = Employee(id="petr", name="Пётр Смирнов", crm_user_id="11", extensions=("101",), sip=("petr",))
MARIA = Employee(
    id="maria", name="Мария Орлова", crm_user_id="12", extensions=("102",), numbers=("+79031112233",)
)
OLEG = Employee(id="oleg", name="Олег Лебедев", crm_user_id="10", extensions=("100",), is_senior=True)
GONE = Employee(id="gone", name="Иван Уволен", crm_user_id="13", extensions=("103",), is_active=False)
UNMAPPED = Employee(id="new", name="Вера Новая", extensions=("104",))
STAFF = Staff.of([PETR, MARIA, OLEG, GONE, UNMAPPED], version=3)


def a_call(
    *,
    answered_by: str | None = None,
    is_answered: bool | None = None,
    is_over: bool = True,
    direction: str = "inbound",
    talk_seconds: int | None = None,
    **more: Any,
) -> Call:
    """answered_by: the address that answered; is_answered=True without it = the PBX does not say who."""
    answered = answered_by is not None if is_answered is None else is_answered
    ended = NOW + timedelta(seconds=90) if is_over else None
    state = Disposition.ANSWERED if is_over else Disposition.TALKING
    values: dict[str, Any] = {
        "call_key": "1772445600.7",
        "direction": direction,
        "client": "8 (916) 123-45-67",
        "line": LINE,
        "started_at": NOW,
        "answered_at": NOW + timedelta(seconds=10) if answered else None,
        "ended_at": ended,
        "disposition": state if answered else Disposition.NO_ANSWER if is_over else Disposition.RINGING,
        "is_over": is_over,
        "talks": (Talk(party=answered_by, started_at=NOW + timedelta(seconds=10)),) if answered else (),
        "talk_seconds": talk_seconds,
    }
    return Call(**{**values, **more})


def an_entity(kind: str, id: str | None = None, *, effect: str | None = None, **more: Any) -> ClientEntity:
    return ClientEntity(ref=Ref(kind=kind, id=id, effect=effect), **more)


def a_situation(
    call: Call | None = None,
    *,
    moment: str = "end",
    entities: tuple[ClientEntity, ...] = (),
    client_kind: str | None = None,
    **more: Any,
) -> Situation:
    """client_kind: as fixed at the call's first event; None = as the entities say now."""
    client = Client(number=CLIENT, entities=entities)
    values: dict[str, Any] = {
        "call_id": "c-1",
        "moment": Moment(moment),
        "call": call or a_call(),
        "number": CLIENT,
        "line": LINE,
        "connection": "office",
        "client": client,
        "client_kind": ClientKind(client_kind) if client_kind else client.kind,
        "staff": STAFF,
        "settings": AccountSettings(),
        "time_zone": "Europe/Moscow",
        "now": NOW + timedelta(seconds=90),
    }
    return Situation(**{**values, **more})


def played(
    matrix: Matrix, s: Situation, arrived: Mapping[Moment, tuple[ClientEntity, ...]] | None = None
) -> Played:
    """The whole call of this situation, from its beginning."""
    row = CallRow(
        account_id="a",
        call_id=s.call_id,
        connection_id=s.connection,
        call_key=s.call.call_key,
        client=s.number,
        line=s.line,
        call=s.call,
        client_kind=s.client_kind,
        heard_at=s.call.started_at,
    )
    setup = Setup(s.staff, s.settings, s.time_zone, s.public_holidays, s.now)
    return play(matrix, row, s.client, setup, arrived or {}, turns=s.turns)


def orders_of(decision: MatrixDecision) -> dict[str, Any]:
    """key without the call -> order."""
    return {e.key.removeprefix("c-1:"): e.order for e in decision.effects}
