"""Shift change of the accounts that a worker serves: who has gone or come is looked at every other second, and runs go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from crm.errors import CrmError
from crm.store.owned_deals import open_deals
from gateway.crm_accounts.served_turns import ServedTurns
from gateway.shift_change.listing import Listed, MovingCrm, is_owed_anything, list_away, list_return
from gateway.shift_change.moving import step
from gateway.shift_change.receivers import Presences, TemplateReceivers, roster_now
from gateway.store.shift_change import moves, runs
from gateway.store.shift_change.policies import busy_accounts, policy_of
from gateway.store.shift_change.runs import PersonIsMoved, ShiftRun, ShiftRunState
from routing.shift_change.policy import ShiftPolicy
from routing.shift_change.turns import Begin, BreakOff, ShiftTurn, turns
from routing.staff import Staff
from runtime.database import locks
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
_STEP_SECONDS = 0.25
_AFTER_TROUBLE = timedelta(seconds=20)


class ShiftChanges:
    """`loop` until cancelled; an account is worked on while it is `served`. zones: of an account by its id."""

    def __init__(self, pool: asyncpg.Pool, presences: Presences, zones: Callable[[str], ZoneInfo]) -> None:
        self._pool, self._presences, self._zones = pool, presences, zones
        self._turns = ServedTurns("shift-change", pool, busy_accounts, EVERY_SECONDS, _STEP_SECONDS)
        self.loop = self._turns.loop

    def served(self, account_id: str, crm: object) -> AbstractContextManager[None]:
        """crm: where it cannot list tasks of a user, nothing is moved."""
        if not isinstance(crm, MovingCrm):
            return nullcontext()
        zone = self._zones(account_id)
        work = AccountMoves(self._pool, account_id, crm, self._presences, zone)
        return self._turns.served(account_id, work.turn)


class AccountMoves:
    """One account's. now: aware UTC."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        account_id: str,
        crm: MovingCrm,
        presences: Presences,
        zone: ZoneInfo,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._account, self._crm, self._presences, self._zone = (
            pool,
            account_id,
            crm,
            presences,
            zone,
        )
        self._now = now
        self._crm_asked_again_at = now()

    async def turn(self) -> bool:
        """Begin and break off what presence asks for, then do a step of each run; whether there is anything on its way."""
        async with self._pool.acquire() as conn, conn.transaction():
            await locks.take(conn, locks.shift_change(self._account))
            policy = await policy_of(conn, self._account)
            await self._follow_presence(conn, policy)
            going = await runs.unsettled_runs(conn, self._account)
        receivers = TemplateReceivers(self._account, policy, self._presences, self._zone)
        is_going = False
        for run in going:
            if run.total is None and run.state == "running" and not await self._list(policy, run):
                continue
            is_going |= await step(self._pool, self._account, run.run_id, policy, receivers, self._now())
        return is_going

    async def _follow_presence(self, conn: Conn, policy: ShiftPolicy) -> None:
        before = await runs.latest_runs(conn, self._account)
        if not policy.is_on and not any(run.is_open for run in before):
            return
        roster = await roster_now(conn, self._account, policy)
        if roster is None:
            return
        people = await self._presences(conn, self._account)
        members = members_of(policy, roster.staff, roster.people)
        for one in turns(policy, people, members, roster.people, before, self._now()):
            await self._do(conn, policy, roster.staff, one)

    async def _do(self, conn: Conn, policy: ShiftPolicy, staff: Staff, turn: ShiftTurn) -> None:
        if isinstance(turn, BreakOff):
            await break_off(conn, self._account, turn.run_id, turn.reason, self._now())
            return
        user = staff.by_id[turn.employee_id].crm_user_id
        if user is None or not await self._is_wanted(conn, policy, turn, user):
            return
        try:
            run = await runs.begin(
                conn, self._account, turn.kind, turn.employee_id, user, since=turn.since, now=self._now()
            )
        except PersonIsMoved:
            return
        log.info(
            "shift-run-began",
            account=self._account,
            run=run.run_id,
            kind=turn.kind,
            employee=turn.employee_id,
        )

    async def _is_wanted(self, conn: Conn, policy: ShiftPolicy, turn: Begin, user: str) -> bool:
        if turn.kind == "return":
            return await is_owed_anything(conn, self._account, policy, user)
        if turn.kind == "away" or turn.since is None:
            return True
        known = await open_deals(conn, self._account, user, policy.pipelines, turn.since)
        met = await moves.met_since(conn, self._account, user, turn.since)
        return any(one.deal.id not in met for one in known)

    async def _list(self, policy: ShiftPolicy, run: ShiftRun) -> bool:
        """List what the run is to move. Whether that could be done now."""
        if self._now() < self._crm_asked_again_at:
            return False
        try:
            listed = await self._listed(policy, run)
        except CrmError as err:
            self._crm_asked_again_at = self._now() + _AFTER_TROUBLE
            async with self._pool.acquire() as conn:
                await runs.tell_reason(conn, self._account, run.run_id, err.code)
            return False
        async with self._pool.acquire() as conn, conn.transaction():
            await keep_plan(conn, self._account, run, listed)
        return True

    async def _listed(self, policy: ShiftPolicy, run: ShiftRun) -> Listed:
        if run.kind == "return":
            return await list_return(self._pool, self._crm, self._account, policy, run)
        return await list_away(self._pool, self._crm, self._account, policy, run, self._now())


def members_of(policy: ShiftPolicy, staff: Staff, receivers: Sequence[str]) -> list[str]:
    """Return the employees whose deals move: of the group, else everybody in the template."""
    if policy.group is None:
        return list(receivers)
    return [p.id for p in staff.employees if p.group == policy.group and p.crm_user_id]


async def keep_plan(conn: Conn, account_id: str, run: ShiftRun, listed: Listed) -> None:
    """Write down what is to be moved, unless the run ended meanwhile."""
    held = await runs.run_of(conn, account_id, run.run_id, lock=True)
    if held is None or held.total is not None or not held.is_open:
        return
    await moves.plan(conn, account_id, run.run_id, run.kind, listed.planned)
    await moves.end_chains(conn, account_id, run.user_id, listed.over)
    await runs.set_total(conn, account_id, run.run_id, listed.deals)


async def break_off(
    conn: Conn,
    account_id: str,
    run_id: int,
    reason: str,
    now: datetime,
    *,
    state: ShiftRunState = "broken_off",
) -> None:
    """End it: what was not sent yet stays where it is, what is under way is settled when its end is known."""
    run = await runs.run_of(conn, account_id, run_id, lock=True)
    if run is None or not run.is_open:
        return
    await runs.set_state(conn, account_id, run_id, state, reason=reason, now=now)
    await moves.leave_the_rest(conn, account_id, run_id, reason, now)
    log.info("shift-run-broken-off", account=account_id, run=run_id, reason=reason)
