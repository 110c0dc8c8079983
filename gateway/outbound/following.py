"""Attempts under way, followed to their end: by the calls that PBXs tell, and where nothing is told by asking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import aiohttp
import asyncpg
import structlog

from gateway.outbound.around import CallingAccount
from gateway.outbound.placing import DialClock, refusal
from gateway.outbound.settling import settle
from gateway.pbx.capabilities import CannotTell, FindResult, Live, Over, RefusedByPbx
from gateway.store.outbound import following as store
from gateway.store.outbound.attempts import AttemptRow, attempt_of, look_again, save_attempt
from gateway.store.outbound.following import HeardCall
from gateway.store.pbx_links.commands import results_of
from routing.calls.model import Call, FailedSide
from routing.outbound.attempts import Attempt, AttemptOutcome, AttemptState, ended, reached
from routing.outbound.outcome import outcome_of
from routing.outbound.settings import OutboundSettings
from runtime.database.pool import database_now

log = structlog.get_logger(__name__)

LATE_FOR = timedelta(days=1)
"""So long it is listened for what became of an attempt of which nobody knew."""

_STATES: Mapping[FailedSide, AttemptState] = {
    FailedSide.EMPLOYEE_NOT_REACHED: "operator_ringing",
    FailedSide.EMPLOYEE_HUNG_UP: "operator_answered",
    FailedSide.CLIENT_NOT_REACHED: "client_ringing",
}
_NOBODY_KNOWS = AttemptOutcome(side="unknown", reason="never_heard_of")
_NEVER_SENT = AttemptOutcome(side="refused", reason="never_sent")
_AGAIN = timedelta(seconds=60)
_LAST_LOOK = timedelta(minutes=10)
_CANNOT_TELL_FOR = timedelta(minutes=2)


class Follower:
    """`follow` looks once at all attempts of an account that are under way. Nothing is ever placed here."""

    def __init__(
        self, pool: asyncpg.Pool, session: aiohttp.ClientSession, now: DialClock = database_now
    ) -> None:
        self._pool, self._session, self._now = pool, session, now

    async def follow(self, around: CallingAccount, outbound: OutboundSettings, settle_seconds: int) -> int:
        """How many it found the end of. settle_seconds: so long a call that came to nothing is waited for to be answered after
        all, since PBXs tell things late and out of order."""
        async with self._pool.acquire() as conn:
            now = await self._now(conn)
            attempts = await store.open_attempts(conn, around.id, now - LATE_FOR)
            if not attempts:
                return 0
            calls = await store.calls_of_attempts(conn, around.id, [a.attempt_id for a in attempts])
            without_ids = [a.attempt_id for a in attempts if not _has_own_id(around, a)]
            codes = await results_of(conn, around.id, [a.attempt_id for a in attempts])
            like = await store.calls_like_attempts(conn, around.id, without_ids) if without_ids else {}
        count = 0
        for attempt in attempts:
            heard = calls.get(attempt.attempt_id) or like.get(attempt.attempt_id, [])
            is_sure = attempt.attempt_id in calls or len(heard) == 1
            if heard:
                count += await self._heard(around, attempt, heard, now, settle_seconds, is_sure=is_sure)
            elif (refused := _refused_late(around, attempt, codes)) is not None:
                count += await self._refused(around, attempt, refused, now)
            elif attempt.state != "over" and attempt.look_at <= now:
                count += await self._asked(around, attempt, outbound, now)
        return count

    async def _heard(
        self,
        around: CallingAccount,
        attempt: AttemptRow,
        heard: Sequence[HeardCall],
        now: datetime,
        settle_seconds: int,
        *,
        is_sure: bool,
    ) -> bool:
        outcome = ending_of([h.call for h in heard])
        key = heard[-1].call_key if is_sure else None
        if outcome is None:
            await self._progress(around, attempt, far([h.call for h in heard]), now, key)
            return False
        is_fresh = now - max(h.heard_at for h in heard) < timedelta(seconds=settle_seconds)
        if outcome.side != "talked" and is_fresh:
            return False
        async with self._pool.acquire() as conn:
            told = outcome if is_sure else _NOBODY_KNOWS
            return await settle(conn, around, attempt, told, now, call_key=key)

    async def _progress(
        self,
        around: CallingAccount,
        attempt: AttemptRow,
        state: AttemptState,
        now: datetime,
        call_key: str | None = None,
    ) -> None:
        is_new = reached(attempt.attempt, state) != attempt.attempt or call_key not in (
            None,
            attempt.call_key,
        )
        if attempt.state == "over" or not is_new:
            return
        async with self._pool.acquire() as conn, conn.transaction():
            row = await attempt_of(conn, around.id, attempt.attempt_id, lock=True)
            if row is not None and row.state != "over":
                await save_attempt(conn, row, reached(row.attempt, state), now, call_key=call_key)

    async def _refused(
        self, around: CallingAccount, attempt: AttemptRow, refused: RefusedByPbx, now: datetime
    ) -> bool:
        async with self._pool.acquire() as conn:
            return await settle(conn, around, attempt, refusal(refused), now, code=refused.code)

    async def _asked(
        self, around: CallingAccount, attempt: AttemptRow, outbound: OutboundSettings, now: datetime
    ) -> bool:
        """Look what became of one of which nothing is heard. Whoever claimed one and did not begin to place it is gone."""
        if attempt.placed_at is None:
            return await self._never_sent(around, attempt, now)
        result = await self._found(around, attempt, attempt.placed_at)
        if isinstance(result, Over):
            async with self._pool.acquire() as conn:
                return await settle(conn, around, attempt, result.outcome, now)
        if isinstance(result, Live):
            await self._progress(around, attempt, result.state, now)
            return await self._later(attempt, now + _AGAIN)
        rings = timedelta(seconds=outbound.ring_seconds + outbound.client_ring_seconds)
        last = rings + _CANNOT_TELL_FOR if isinstance(result, CannotTell) else _LAST_LOOK
        if now < attempt.placed_at + last:
            return await self._later(attempt, attempt.placed_at + last)
        log.warning("outbound-attempt-lost", account=around.id, attempt=attempt.attempt_id, found=str(result))
        async with self._pool.acquire() as conn:
            return await settle(conn, around, attempt, _NOBODY_KNOWS, now)

    async def _never_sent(self, around: CallingAccount, attempt: AttemptRow, now: datetime) -> bool:
        """Take it over from whoever claimed it: from now on they may not begin."""
        async with self._pool.acquire() as conn:
            return await settle(conn, around, attempt, _NEVER_SENT, now, only_if="claimed")

    async def _later(self, attempt: AttemptRow, at: datetime) -> bool:
        async with self._pool.acquire() as conn:
            await look_again(conn, attempt, at)
        return False

    async def _found(self, around: CallingAccount, attempt: AttemptRow, placed_at: datetime) -> FindResult:
        pbx = around.pbxs.get(attempt.connection)
        if pbx is None:
            return CannotTell("connection-gone")
        try:
            return await pbx.originator.find(self._session, pbx.connection, attempt.attempt_id, placed_at)
        except Exception as err:  # a mistake of ours is no reason to believe anything
            log.exception("outbound-find-broken", attempt=attempt.attempt_id)
            return CannotTell(type(err).__name__)


def _refused_late(
    around: CallingAccount, attempt: AttemptRow, codes: Mapping[str, int]
) -> RefusedByPbx | None:
    """Return what the PBX said of the order after it had taken it; a call that came all the same knows better."""
    pbx, code = around.pbxs.get(attempt.connection), codes.get(attempt.attempt_id)
    return None if pbx is None or code is None else pbx.kind.order_refused(code)


def _has_own_id(around: CallingAccount, attempt: AttemptRow) -> bool:
    pbx = around.pbxs.get(attempt.connection)
    return pbx is None or pbx.originator.skills.has_own_id


def ending_of(calls: Collection[Call]) -> AttemptOutcome | None:
    """Return what an attempt came to by all of its calls; None while one of them goes on."""
    outcomes = [outcome_of(call) for call in calls]
    known = [outcome for outcome in outcomes if outcome is not None]
    if not calls or len(known) < len(outcomes):
        return None
    attempt = Attempt()
    for outcome in known:
        attempt = ended(attempt, outcome)
    return attempt.outcome


def far(calls: Collection[Call]) -> AttemptState:
    """Return how far the furthest of these is."""
    attempt = Attempt(state="placing")
    for call in calls:
        got_to = (
            "talking" if call.is_answered else _STATES.get(call.got_to or FailedSide.EMPLOYEE_NOT_REACHED)
        )
        attempt = reached(attempt, got_to or "operator_ringing")
    return attempt.state
