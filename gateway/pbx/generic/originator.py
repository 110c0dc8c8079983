"""Calls that a PBX makes at our order over HTTP, by our own contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import aiohttp

from gateway.pbx.capabilities import (
    Cancelled,
    CancelResult,
    CannotTell,
    FindResult,
    NotSeen,
    Originator,
    OriginatorSkills,
    Placed,
    PlaceOrder,
    PlaceResult,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.generic.orders import attempt_question, found, order_question, told_by
from gateway.pbx.ordering import SECONDS, sent_once
from gateway.pbx.port import WireInvalid
from runtime.vendors.http import HttpAnswer


class HttpOriginator(Originator):
    """The attempt's id is in the order, and the PBX repeats it in its events; which side did not come stands there too."""

    skills = OriginatorSkills(
        knows_operator_side=True, is_cancellable=True, shows_line=True, takes_group=True, has_own_id=True
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
        return (told_by(answer) or Placed()) if isinstance(answer, HttpAnswer) else answer

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        """As Originator."""
        question = attempt_question("GET", attempt_id, connection, self._seconds)
        answer = await sent_once(question)
        if isinstance(answer, HttpAnswer):
            return found(answer)
        return CannotTell(answer.words if isinstance(answer, RefusedByPbx) else answer.why)

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        """As Originator."""
        question = attempt_question("DELETE", attempt_id, connection, self._seconds)
        answer = await sent_once(question)
        if not isinstance(answer, HttpAnswer):
            return CannotTell(answer.words if isinstance(answer, RefusedByPbx) else answer.why)
        if 200 <= answer.status < 300:
            return Cancelled()
        return NotSeen() if answer.status in (404, 410) else CannotTell(f"HTTP {answer.status}")
