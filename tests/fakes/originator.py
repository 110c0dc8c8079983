"""A PBX that places calls as a script says, and remembers every order that it was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp

from gateway.pbx.capabilities import (
    Cancelled,
    CancelResult,
    CannotTell,
    FindResult,
    Originator,
    OriginatorSkills,
    Placed,
    PlaceOrder,
    PlaceResult,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.mango.callback import refused_with

Answer = Callable[[PlaceOrder], PlaceResult]


SKILLS = OriginatorSkills(
    knows_operator_side=True, is_cancellable=True, shows_line=True, takes_group=False, has_own_id=True
)
SILENT = CannotTell("not scripted")


class AttemptPlacedTwice(AssertionError):
    """The very thing that must never happen."""


@dataclass
class ScriptedOriginator(Originator):
    """answer: what it says to an order, "Placed" unless told otherwise. found: what it says when asked for an attempt."""

    skills: OriginatorSkills = SKILLS
    answer: Answer = lambda order: Placed()
    found: FindResult = SILENT
    orders: list[PlaceOrder] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)

    async def place(
        self, session: aiohttp.ClientSession, connection: Connection, order: PlaceOrder
    ) -> PlaceResult:
        if any(order.attempt_id == before.attempt_id for before in self.orders):
            raise AttemptPlacedTwice(order.attempt_id)
        self.orders.append(order)
        return self.answer(order)

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        self.asked.append(attempt_id)
        return self.found

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        self.hung_up.append(attempt_id)
        return Cancelled()


class ScriptedKind(PbxKind):
    """Kind "scripted", whose every connection places calls with one originator."""

    kind = "scripted"

    def __init__(self, originator: ScriptedOriginator) -> None:
        self._originator = originator

    def originator(self, connection: Connection) -> Originator | None:
        return self._originator

    def order_refused(self, code: int) -> RefusedByPbx | None:
        """As MANGO's results of orders."""
        return refused_with(code)
