"""A call back whose client calls us while the employee's phone rings has become pointless, and is hung up."""

from __future__ import annotations

from datetime import datetime

import aiohttp
import asyncpg
import structlog

from gateway.outbound.around import CallingAccount
from gateway.pbx.capabilities import CancelResult, CannotTell
from gateway.store.outbound.withdrawing import PointlessAttempt, pointless_attempts, withdraw

log = structlog.get_logger(__name__)


async def withdraw_pointless(
    pool: asyncpg.Pool, session: aiohttp.ClientSession, around: CallingAccount, now: datetime
) -> None:
    """Ask the PBX once to hang up what has become pointless. What came of it is told by the call's events, as ever; where the
    employee picks up all the same, the client is busy."""
    async with pool.acquire() as conn:
        found = [one for one in await pointless_attempts(conn, around.id) if _is_cancellable(around, one)]
        taken = [one for one in found if await withdraw(conn, one.attempt, now)]
    for one in taken:
        result = await _cancelled(session, around, one)
        log.info(
            "outbound-withdrawn",
            account=around.id,
            attempt=one.attempt.attempt_id,
            result=type(result).__name__,
        )


def _is_cancellable(around: CallingAccount, one: PointlessAttempt) -> bool:
    pbx = around.pbxs.get(one.attempt.connection)
    return pbx is not None and pbx.originator.skills.is_cancellable


async def _cancelled(
    session: aiohttp.ClientSession, around: CallingAccount, one: PointlessAttempt
) -> CancelResult:
    pbx = around.pbxs[one.attempt.connection]
    try:
        return await pbx.originator.cancel(session, pbx.connection, one.attempt.attempt_id, one.legs)
    except Exception as err:  # a mistake of ours costs no other account's turn
        log.exception("outbound-cancel-broken", attempt=one.attempt.attempt_id)
        return CannotTell(type(err).__name__)
