"""Calls placed over FreeSWITCH's event socket, each over a short link of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.freeswitch.originate.esl_link import EslLink, EslLost, EslRefused, address_of, esl_link
from gateway.pbx.freeswitch.originate.orders import (
    found,
    killed,
    originate_command,
    refused,
    told_by_job,
)
from gateway.pbx.port import WireInvalid
from routing.outbound.attempts import attempt_id_in

_TROUBLE = (OSError, TimeoutError, EslLost, WireInvalid)
_ANSWER_SECONDS = 10.0
_JOB_SECONDS = 2.0


class EslOriginator(Originator):
    """answer_seconds: how long FreeSWITCH may take to answer. job_seconds: how long we look, after it has taken an order,
    whether it comes to nothing at once: of a phone that is not registered nothing more would be heard."""

    skills = OriginatorSkills(
        knows_operator_side=True, is_cancellable=True, shows_line=True, takes_group=False, has_own_id=True
    )

    def __init__(self, answer_seconds: float = _ANSWER_SECONDS, job_seconds: float = _JOB_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._job_seconds = job_seconds

    async def place(
        self, session: aiohttp.ClientSession, connection: Connection, order: PlaceOrder
    ) -> PlaceResult:
        """As Originator. What fails before the order was written has rung nobody; from then on it may have."""
        try:
            line = originate_command(order, connection)
        except WireInvalid as err:
            is_all = err.field.startswith("originate_")
            return RefusedByPbx(
                code="order-invalid", words=str(err), concerns="connection" if is_all else "this_call"
            )
        is_written = False
        try:
            async with _link(connection) as link:
                async with asyncio.timeout(self._answer_seconds):
                    link.send("event plain BACKGROUND_JOB")
                    await link.answer("command/reply")
                    is_written = True
                    link.send(f"bgapi {line}", Job_UUID=order.attempt_id)
                    told = await link.answer("command/reply")
                if not told.reply.startswith("+OK"):
                    return refused(told.reply)
                return await self._job(link, order.attempt_id) or Placed()
        except _TROUBLE as err:
            return PlaceUnknown(_why(err)) if is_written else _not_begun(err)

    async def _job(self, link: EslLink, job: str) -> RefusedByPbx | None:
        """Look a moment whether it comes to nothing. A link that breaks now changes nothing of what was taken."""
        try:
            async with asyncio.timeout(self._job_seconds):
                while True:
                    message = await link.answer("text/event-plain")
                    if message.get("Job-UUID") == job:
                        return told_by_job(message.body)
        except _TROUBLE:
            return None

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        """As Originator. FreeSWITCH remembers no call that is over: how one ended is told by its reports only."""
        body = await self._asked(connection, attempt_id, "uuid_dump")
        return body if isinstance(body, CannotTell) else found(body)

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        """As Originator. The employee's leg takes the client's with it."""
        body = await self._asked(connection, attempt_id, "uuid_kill")
        return body if isinstance(body, CannotTell) else killed(body)

    async def _asked(self, connection: Connection, attempt_id: str, verb: str) -> str | CannotTell:
        if attempt_id_in(attempt_id) != attempt_id:
            return CannotTell("this is no id of ours")
        try:
            async with _link(connection) as link, asyncio.timeout(self._answer_seconds):
                link.send(f"api {verb} {attempt_id}")
                return (await link.answer("api/response")).body
        except _TROUBLE as err:
            return CannotTell(_why(err))


def _not_begun(err: BaseException) -> RefusedByPbx:
    is_mine = isinstance(err, (EslRefused, WireInvalid))  # it will be refused again
    return RefusedByPbx(
        code=getattr(err, "code", "esl-lost"),
        words=_why(err),
        concerns="connection" if is_mine else "link",
    )


@asynccontextmanager
async def _link(connection: Connection) -> AsyncIterator[EslLink]:
    address = address_of(connection)
    if address is None:
        raise EslRefused("the connection has no esl_host")
    async with esl_link(address) as link:
        yield link


def _why(err: BaseException) -> str:
    if isinstance(err, TimeoutError):
        return "FreeSWITCH did not answer in time"
    return str(err) or type(err).__name__
