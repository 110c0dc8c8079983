"""A company in memory: people go and come, deals are moved and given back by the rules, and persons change them by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from routing.shift_change.deals import OwnedDeal, in_order, why_stays
from routing.shift_change.policy import ShiftPolicy
from routing.shift_change.returning import TakenDeal, why_kept
from routing.shift_change.turns import Begin, BreakOff, MoveRun, OnShift, RunKind, turns

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = ShiftPolicy(is_on=True, pipelines=("10",), template="всем")


@dataclass
class Deal:
    id: str
    owner: str
    created_for: str
    created_at: datetime
    is_open: bool = True
    pipeline_id: str = "10"
    changed_by_hand_at: datetime | None = None


@dataclass
class Move:
    deal_id: str
    run_id: int
    taken_from: str
    given_to: str
    at: datetime


@dataclass
class Run:
    run: MoveRun
    waiting: list[str]
    moved: list[str] = field(default_factory=list)
    reason: str = ""


class Company:
    """piece: deals that one step moves. Employee and CRM user have one name here."""

    def __init__(self, names: str, *, policy: ShiftPolicy = POLICY, piece: int = 2) -> None:
        self.policy, self.piece, self.now = policy, piece, START
        self.people = {name: OnShift(True, False, START) for name in names}
        self.deals: dict[str, Deal] = {}
        self.runs: list[Run] = []
        self.owed: dict[str, Move] = {}
        self.journal: list[tuple[str, str, str, RunKind]] = []
        self._turn = 0

    # --- what people do ----------------------------------------------------------------------------------------

    def add(self, id: str, owner: str, **more: str) -> None:
        self.deals[id] = Deal(id, owner, owner, self.now, **more)  # type: ignore[arg-type]

    def leave(self, name: str) -> None:
        if not self.people[name].is_off:
            self.people[name] = OnShift(False, True, self.now)

    def come(self, name: str) -> None:
        if not self.people[name].is_on:
            self.people[name] = OnShift(True, False, self.now)

    def give_by_hand(self, deal_id: str, name: str) -> None:
        self.deals[deal_id].owner = name
        self.deals[deal_id].changed_by_hand_at = self.now

    def pass_time(self, seconds: float) -> None:
        """Look every 30 s, as the program does every other second."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.look()
            self.now = min(end, self.now + timedelta(seconds=30))
        self.look()

    # --- what the program does ---------------------------------------------------------------------------------

    def look(self) -> None:
        members = list(self.people)
        for turn in turns(self.policy, self.people, members, members, [r.run for r in self.runs], self.now):
            if isinstance(turn, BreakOff):
                self._end(next(r for r in self.runs if r.run.id == turn.run_id), turn.reason)
            else:
                self._begin(turn)
        for run in self.runs:
            if run.run.is_open:
                self._step(run)

    def _begin(self, turn: Begin) -> None:
        waiting = self._returning(turn) if turn.kind == "return" else self._leaving(turn)
        if turn.kind == "away" or waiting:
            run = MoveRun(len(self.runs), turn.kind, turn.employee_id, self.now, True)
            self.runs.append(Run(run, waiting))

    def _leaving(self, turn: Begin) -> list[str]:
        known = [
            OwnedDeal(
                id=d.id,
                owner=d.owner,
                pipeline_id=d.pipeline_id,
                is_open=d.is_open,
                created_at=d.created_at,
            )
            for d in self.deals.values()
        ]
        met = {
            id
            for r in self.runs
            if r.run.employee_id == turn.employee_id and turn.since and r.run.started_at >= turn.since
            for id in (*r.moved, *r.waiting)
        }
        wanted = [d for d in known if why_stays(self.policy, d, turn.employee_id, turn.since) is None]
        return [d.id for d in in_order(wanted, self.now) if d.id not in met]

    def _returning(self, turn: Begin) -> list[str]:
        taken = [self._taken(move) for move in self.owed.values()]
        return [one.id for one in taken if why_kept(self.policy, one, turn.employee_id) is None]

    def _taken(self, move: Move) -> TakenDeal:
        deal = self.deals[move.deal_id]
        changed = deal.changed_by_hand_at
        return TakenDeal(
            id=deal.id,
            taken_from=move.taken_from,
            created_for=deal.created_for,
            given_to=move.given_to,
            owner=deal.owner,
            is_open=deal.is_open,
            pipeline_id=deal.pipeline_id,
            was_changed=changed is not None and changed >= move.at,
        )

    def _step(self, run: Run) -> None:
        kind, one = run.run.kind, run.run.employee_id
        for id in run.waiting[: self.piece]:
            deal = self.deals[id]
            had = self.owed[id].given_to if kind == "return" else one
            to = one if kind == "return" else self._next_of_those_left(one)
            if to is None:
                return
            run.waiting.remove(id)
            if deal.owner != had or not deal.is_open:
                continue
            run.moved.append(id)
            self._move(deal, to, kind, run.run.id)
        if not run.waiting:
            self._end(run, "")

    def _move(self, deal: Deal, to: str, kind: RunKind, run_id: int) -> None:
        self.journal.append((deal.id, deal.owner, to, kind))
        before = self.owed.pop(deal.id, None)
        is_chain = (
            before is not None and before.given_to == deal.owner and not self._taken(before).was_changed
        )
        first = before.taken_from if before and is_chain else deal.owner
        deal.owner = to
        if kind != "return":
            self.owed[deal.id] = Move(deal.id, run_id, first, to, self.now)

    def _next_of_those_left(self, gone: str) -> str | None:
        left = [name for name, person in self.people.items() if not person.is_off and name != gone]
        self._turn += 1
        return left[self._turn % len(left)] if left else None

    def _end(self, run: Run, reason: str) -> None:
        run.run = run.run._replace(is_open=False)
        run.reason = reason
        run.waiting = []
