"""How long the matrix takes to decide."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from routing.calls.model import Call, Disposition, Talk
from routing.client import Client, ClientEntity, ClientKind, Ref
from routing.matrix.decide import decide
from routing.matrix.model import Moment
from routing.matrix.presets import recommended
from routing.matrix.situation import Situation
from routing.settings import AccountSettings
from routing.staff import Employee, Staff
from tests.bench.report import Figure, at_most

_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_KNOWN = (
    ClientEntity(ref=Ref(kind="contact", id="1"), owner_id="1003"),
    ClientEntity(ref=Ref(kind="deal", id="2"), owner_id="1004"),
)


def bench_matrix(times: int) -> list[Figure]:
    """The recommended matrix, 30 employees; the median of the cells counts, the slowest is told."""
    taken = {name: _microseconds(situation, times) for name, situation in _situations().items()}
    slowest = max(taken, key=lambda name: taken[name])
    typical = sorted(taken.values())[len(taken) // 2]
    note = ", ".join(f"{name} {value:.0f}" for name, value in taken.items())
    return [
        at_most("decision of the matrix, median cell", typical, 100, "µs", note),
        at_most(f"decision of the matrix, slowest cell ({slowest})", taken[slowest], 100, "µs"),
    ]


def _microseconds(situation: Situation, times: int) -> float:
    matrix = recommended()
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            decide(matrix, situation)
        best = min(best, (time.process_time() - began) / times * 1e6)
    return best


def _situations() -> dict[str, Situation]:
    people = [
        Employee(
            id=str(i),
            name=f"Менеджер {i}",
            crm_user_id=str(1000 + i),
            extensions=(str(100 + i),),
            is_senior=i == 0,
        )
        for i in range(30)
    ]
    staff = Staff.of(people, 1)

    def situation(moment: Moment, answered: bool, kind: ClientKind, over: bool = True) -> Situation:
        talks = (Talk(party="103", started_at=_AT, ended_at=_AT + timedelta(minutes=1) if over else None),)
        call = Call(
            call_key="1",
            direction="inbound",
            client="79161234567",
            line="74950000001",
            started_at=_AT,
            answered_at=_AT if answered else None,
            ended_at=_AT + timedelta(minutes=1) if over else None,
            disposition=(Disposition.ANSWERED if over else Disposition.TALKING)
            if answered
            else Disposition.NO_ANSWER,
            is_over=over,
            talks=talks if answered else (),
            talk_seconds=60 if answered and over else 0,
        )
        return Situation(
            call_id="c",
            moment=moment,
            call=call,
            number="+79161234567",
            line="+74950000001",
            connection="office",
            client=Client(number="+79161234567", entities=() if kind is ClientKind.NEW else _KNOWN),
            client_kind=kind,
            staff=staff,
            settings=AccountSettings(),
            time_zone="Europe/Moscow",
            now=_AT + timedelta(minutes=2),
        )

    return {
        "new, at answer": situation(Moment.ANSWER, True, ClientKind.NEW, over=False),
        "known, answered, end": situation(Moment.END, True, ClientKind.KNOWN_WITH_DEAL),
        "known, missed": situation(Moment.END, False, ClientKind.KNOWN_WITH_DEAL),
        "new, missed": situation(Moment.END, False, ClientKind.NEW),
        "known, ring": situation(Moment.RING, False, ClientKind.KNOWN_WITH_DEAL, over=False),
    }
