"""Calls that MANGO makes at our order, by `commands/callback` and `commands/callback_group`."""

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
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.mango.callback import hangup_command, ordered_command, result_in, told_by
from gateway.pbx.mango.client import is_throttled, product_of, question_of
from gateway.pbx.mango.commands import CALLBACK_EVERY, Command
from gateway.pbx.ordering import SECONDS, sent_once, told_by_status
from gateway.pbx.port import WireInvalid
from runtime.vendors.http import HttpAnswer

_NO_SUCH_CALL = 3310


class MangoOriginator(Originator):
    """The attempt's id is the command's, which every leg repeats. MANGO makes a second call of a repeated id, so nothing is
    ever sent again; and it cannot be asked what became of an id."""

    skills = OriginatorSkills(
        knows_operator_side=True,
        is_cancellable=True,
        shows_line=True,
        takes_group=True,
        has_own_id=True,
        seconds_between=CALLBACK_EVERY.total_seconds(),
    )

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    def product(self, connection: Connection) -> str:
        return product_of(connection)

    async def place(
        self, session: aiohttp.ClientSession, connection: Connection, order: PlaceOrder
    ) -> PlaceResult:
        """As Originator. A result that MANGO tells later is `PbxKind.order_refused`."""
        try:
            command = ordered_command(order)
        except WireInvalid as err:
            return RefusedByPbx(code="order-invalid", words=str(err), concerns="this_call")
        answer = await self._sent(connection, command)
        if not isinstance(answer, HttpAnswer):
            return answer
        code = result_in(answer.body)
        return (told_by_status(answer) if code is None else told_by(code)) or Placed()

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        """As Originator. The statistics do not name commands."""
        return CannotTell("MANGO does not know calls by our ids")

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        """As Originator. The newest leg's end is the call's, for whoever is rung now."""
        if not legs:
            return CannotTell("MANGO hangs up by a leg's id, and none is known")
        answer = await self._sent(connection, hangup_command(legs[-1], f"{attempt_id}-hangup"))
        if not isinstance(answer, HttpAnswer):
            return CannotTell(answer.words if isinstance(answer, RefusedByPbx) else answer.why)
        code = result_in(answer.body)
        if code == _NO_SUCH_CALL:
            return NotSeen()
        is_taken = code // 1000 == 1 if code is not None else told_by_status(answer) is None
        return Cancelled() if is_taken else CannotTell(f"MANGO {code or answer.status}")

    async def _sent(
        self, connection: Connection, command: Command
    ) -> HttpAnswer | RefusedByPbx | PlaceUnknown:
        try:
            question = question_of(command, connection, "orders", self._seconds)
        except WireInvalid as err:
            return RefusedByPbx(code="pbx-refused", words=str(err), concerns="connection")
        answer = await sent_once(question)
        if isinstance(answer, HttpAnswer) and is_throttled(answer.body):
            return RefusedByPbx(code="pbx-throttled", words="asked too often", concerns="limit")
        return answer
