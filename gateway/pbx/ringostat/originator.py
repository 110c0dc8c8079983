"""Calls that Ringostat makes at our order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import aiohttp

from gateway.pbx.capabilities import (
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
from gateway.pbx.ordering import SECONDS, sent_once, told_by_status
from gateway.pbx.port import WireInvalid
from gateway.pbx.ringostat.callback import order_question, told_by
from runtime.vendors.http import HttpAnswer


class RingostatOriginator(Originator):
    """The report of a callback tells whose side failed, but not which order it was: `PbxKind.orders_carry_ids`."""

    skills = OriginatorSkills(
        knows_operator_side=True, is_cancellable=False, shows_line=False, takes_group=False, has_own_id=False
    )

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    async def place(
        self, session: aiohttp.ClientSession, connection: Connection, order: PlaceOrder
    ) -> PlaceResult:
        """As Originator."""
        try:
            question = order_question(order, connection, self._seconds)
        except WireInvalid as err:
            return RefusedByPbx(code="order-invalid", words=str(err), concerns="this_call")
        answer = await sent_once(question)
        if not isinstance(answer, HttpAnswer):
            return answer
        return told_by_status(answer) or told_by(answer) or Placed()

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        """As Originator."""
        return CannotTell("Ringostat does not know calls by our ids")

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        """As Originator."""
        return CannotTell("Ringostat hangs up no call at our order")
