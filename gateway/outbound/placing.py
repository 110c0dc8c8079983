"""A claimed attempt is given to its PBX, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import aiohttp
import asyncpg
import structlog

from gateway.outbound.around import CallingAccount, PlacingPbx
from gateway.outbound.settling import settle
from gateway.pbx.capabilities import PlaceOrder, PlaceResult, PlaceUnknown, RefusedByPbx
from gateway.store.outbound.attempts import AttemptRow, begin_placing
from gateway.store.pbx_links.commands import wait_for_turn
from routing.outbound.attempts import AttemptOutcome, AttemptReason, AttemptSide
from routing.outbound.settings import OutboundSettings
from runtime.database.pool import Conn, database_now

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 30.0
"""How long a PBX may take; then nobody knows whether it has carried the order out."""
TOO_LATE = timedelta(seconds=5)
"""What was claimed so long ago is not placed any more: what it was decided by may have changed, and others were placed since."""
FIRST_LOOK = timedelta(seconds=60)

DialClock = Callable[[Conn], Awaitable[datetime]]

_THIS_CALL: Mapping[str, tuple[AttemptSide, AttemptReason]] = {
    "bad-number": ("client", "bad_number"),
    "originate-failed": ("operator", "unreachable"),
    "no-such-object": ("operator", "unreachable"),
    "no-such-employee": ("operator", "unreachable"),
}
"""What a refusal of this very call says of somebody, by its code; any other is nobody's fault that a second try would mend."""


class Placer:
    """now: the clock, the database's, since several processes compare times."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        now: DialClock = database_now,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._pool, self._session, self._now = pool, session, now
        self._patience = patience_seconds

    async def place(self, around: CallingAccount, attempt: AttemptRow, outbound: OutboundSettings) -> None:
        """Ask the PBX once, and keep what it says. Where that cannot be kept, or this process ends, whoever looks at the attempt
        later asks the PBX what became of it."""
        pbx = around.pbxs.get(attempt.connection)
        if pbx is None:  # switched off since it was claimed; it is put back by whoever looks at it
            return
        await self._turn(pbx)
        async with self._pool.acquire() as conn:
            now = await self._now(conn)
            look_at, oldest = now + FIRST_LOOK, now - TOO_LATE
            if not await begin_placing(conn, attempt, now, look_at=look_at, claimed_after=oldest):
                return
        result = await self._asked(pbx, attempt, outbound)
        log.info(
            "outbound-placed", account=around.id, attempt=attempt.attempt_id, result=type(result).__name__
        )
        if isinstance(result, RefusedByPbx):
            async with self._pool.acquire() as conn:
                now = await self._now(conn)
                await settle(conn, around, attempt, refusal(result), now, code=result.code)

    async def _turn(self, pbx: PlacingPbx) -> None:
        """Wait until the vendor's limit lets another order go; processes keep it together, and connections that it counts as one."""
        if every := timedelta(seconds=pbx.originator.skills.seconds_between):
            await wait_for_turn(self._pool, pbx.originator.product(pbx.connection), "order", every)

    async def _asked(self, pbx: PlacingPbx, attempt: AttemptRow, outbound: OutboundSettings) -> PlaceResult:
        try:
            async with asyncio.timeout(self._patience):
                return await pbx.originator.place(self._session, pbx.connection, order_of(attempt, outbound))
        except TimeoutError:
            return PlaceUnknown("no-answer-in-time")
        except Exception:  # a mistake of ours: it may have come after the request
            log.exception("outbound-place-broken", attempt=attempt.attempt_id, connection=attempt.connection)
            return PlaceUnknown("order-broke-off")


def order_of(attempt: AttemptRow, outbound: OutboundSettings) -> PlaceOrder:
    return PlaceOrder(
        attempt_id=attempt.attempt_id,
        extension=attempt.extension,
        group=attempt.group_number,
        number=attempt.client,
        line=attempt.line,
        ring_seconds=outbound.ring_seconds,
        client_ring_seconds=outbound.client_ring_seconds,
        display_name=attempt.client,
    )


def refusal(result: RefusedByPbx) -> AttemptOutcome:
    """Return a refusal as the end of the attempt: nobody was rung."""
    raw = f"{result.code}: {result.words}"
    match result.concerns:
        case "this_call":
            side, reason = _THIS_CALL.get(result.code, ("refused", "call_refused"))
            return AttemptOutcome(side=side, reason=reason, raw=raw)
        case "limit":
            return AttemptOutcome(side="refused", reason="pbx_limit", raw=raw)
        case "connection":
            return AttemptOutcome(side="refused", reason="pbx_refused", raw=raw)
        case _:
            return AttemptOutcome(side="refused", reason="pbx_away", raw=raw)
