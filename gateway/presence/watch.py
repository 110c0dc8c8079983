"""The look at everybody, every few seconds: what is seen is judged, what changed is stored and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.calendars import is_working_now
from gateway.configuration import Configuration
from gateway.presence.heartbeats import Beats, BeatsLost, Heartbeats
from gateway.presence.seen import seen_of
from gateway.store.admin.accounts import Account
from gateway.store.presence import attendance as rows
from gateway.store.presence import watches as store
from routing.attendance.look import is_worth_keeping, look
from routing.attendance.machine import first_seen
from routing.attendance.model import Attendance
from routing.attendance.trust import Watch, doubt, looked
from routing.staff import Staff
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import Conn
from runtime.loops import Loop
from runtime.trouble import Trouble

EVERY_SECONDS = 5.0
_LOOKED_LATELY = timedelta(seconds=EVERY_SECONDS - 1.0)
_CALLS_SINCE = timedelta(minutes=2)
_PHONES_SINCE = timedelta(seconds=90)

ShiftOf = Callable[[str, str, datetime], bool | None]
"""(account, employee, at) -> whether a schedule has them on shift; None: none says anything of them."""


def no_schedule(_account_id: str, _employee_id: str, _at: datetime) -> None:
    """Return what is known of shifts where there are no schedules."""


class PresenceWatch:
    """Of processes that run at once one looks at an account. heartbeats: those of all gateways."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        configuration: Configuration,
        heartbeats: Heartbeats,
        shift_of: ShiftOf = no_schedule,
    ) -> None:
        self._pool, self._configuration, self._heartbeats = pool, configuration, heartbeats
        self._shift_of = shift_of
        self._troubles: dict[str, Trouble] = {}
        self._no_beats = Trouble("heartbeats")
        self.loop = Loop("presence", self.turn, EVERY_SECONDS)

    async def turn(self, now: datetime | None = None, looked_lately: timedelta = _LOOKED_LATELY) -> None:
        """Look at every account that wants it. now: by our clock. One account that cannot be looked at holds up no other."""
        accounts = self._configuration.now.accounts
        failed: Exception | None = None
        for account in accounts.values():
            if account.settings.presence.is_on:
                failed = await self._look_at(account, now or datetime.now(UTC), looked_lately) or failed
        await self._forget_switched_off(now or datetime.now(UTC))
        if failed is not None:
            raise failed

    async def _look_at(self, account: Account, now: datetime, lately: timedelta) -> Exception | None:
        trouble = self._troubles.setdefault(account.id, Trouble("presence-look", account=account.id))
        try:
            await self._look(account, self._configuration.now.staff[account.id], now, lately)
        except DATABASE_ERRORS as err:
            return err
        except Exception as err:  # a mistake of ours must not end the process that answers calls
            trouble.failed(err, is_mistake=True)
        else:
            trouble.recovered()
        return None

    async def _look(self, account: Account, staff: Staff, now: datetime, lately: timedelta) -> None:
        beats, are_lost = await self._beats(account.id)
        async with self._pool.acquire() as conn, conn.transaction():
            watch = await store.take_watch(conn, account.id, now, lately)
            if watch is None:
                return
            trusted_from, watched_at = looked(watch, now, are_beats_lost=are_lost)
            await store.note_look(conn, account.id, trusted_from, watched_at, are_lost)
            watch = replace(watch, trusted_from=trusted_from, watched_at=watched_at, are_beats_lost=are_lost)
            await self._judge(conn, account, staff, watch, beats, now)

    async def _beats(self, account_id: str) -> tuple[Beats, bool]:
        try:
            beats = await self._heartbeats.beats_of(account_id)
        except BeatsLost as err:
            self._no_beats.failed(err)
            return {}, True
        self._no_beats.recovered()
        return beats, False

    async def _judge(
        self, conn: Conn, account: Account, staff: Staff, watch: Watch, beats: Beats, now: datetime
    ) -> None:
        policy = account.settings.presence
        talks = await store.talks_of(conn, account.id, now - _CALLS_SINCE, now)
        phones = await store.phones_of_account(conn, account.id, now - _PHONES_SINCE)
        known = await rows.attendances(conn, account.id, lock=True)
        shifts = {p.id: self._shift_of(account.id, p.id, now) for p in staff.employees}
        seen = seen_of(staff, shifts, beats, talks, phones, now)
        is_trusted = not doubt(
            watch,
            policy,
            now,
            is_working_time=is_working_now(account.settings.working_time, account.time_zone, now),
        )
        for person in staff.employees:
            before = known.get(person.id)
            was = before or first_seen(now)
            after = look(was, seen[person.id], policy, now, is_trusted=is_trusted)
            if before is None or is_worth_keeping(before, after):
                await rows.save(conn, account.id, person.id, before, after, now)
        await self._forget_gone(conn, account.id, staff, known, now)

    async def _forget_gone(
        self, conn: Conn, account_id: str, staff: Staff, known: Mapping[str, Attendance], now: datetime
    ) -> None:
        if known.keys() - staff.by_id.keys():
            await rows.forget_removed(conn, account_id, now)

    async def _forget_switched_off(self, now: datetime) -> None:
        """Where presence was switched off nothing goes on, and everybody is unknown again."""
        on = {a.id for a in self._configuration.now.accounts.values() if a.settings.presence.is_on}
        async with self._pool.acquire() as conn:
            off = await store.watched_accounts(conn) - on
            for account_id in sorted(off):
                async with conn.transaction():
                    await store.forget_watch(conn, account_id, now)
