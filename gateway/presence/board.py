"""Who is at work, in the memory of each process: what a lookup and a distribution read, without asking anybody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import asyncpg

from gateway.configuration import Configuration
from gateway.store.presence import watches as store
from gateway.store.presence.attendance import attendances_of
from routing.attendance.model import Attendance, state_of
from routing.attendance.trust import Watch, is_stale
from routing.presence import NOBODY_SAID, Presence, PresenceState
from runtime.database import channels
from runtime.database.errors import DATABASE_ERRORS
from runtime.metrics import Sample
from runtime.trouble import Trouble

_EVERY_SECONDS = 15.0
_OLD = timedelta(minutes=5)
_TOLD_BY_PHONE = frozenset({PresenceState.DND, PresenceState.BUSY})
_NOT_ONLINE = frozenset({PresenceState.OFFLINE, PresenceState.OFF_SHIFT})


class PresenceBoard:
    """Follows what the watch stores. Where presence is off, and while nobody has watched, everybody is UNKNOWN; but whoever
    pressed the button is off until they press it again."""

    def __init__(self, pool: asyncpg.Pool, configuration: Configuration) -> None:
        self._pool, self._configuration = pool, configuration
        self._said: Mapping[str, Presence] = MappingProxyType({})
        self._changed: set[str] = set()
        self._woken = asyncio.Event()
        self._missed_some = True
        self._in_doubt: set[str] = set()
        self._read_at: datetime | None = None
        self._trouble = Trouble("presence-board")

    def presence_of(self, account_id: str) -> Presence:
        """Return the states of all; a value, never changed afterwards."""
        return self._said.get(account_id, NOBODY_SAID)

    def state_of(self, account_id: str, employee_id: str) -> PresenceState:
        return self.presence_of(account_id).of(employee_id)

    def online(self, account_id: str) -> frozenset[str]:
        """Return employees who are known to be at work, on the phone or not."""
        known = self.presence_of(account_id).states
        is_known = (PresenceState.UNKNOWN, *_NOT_ONLINE)
        return frozenset(employee for employee, state in known.items() if state not in is_known)

    async def run(self) -> None:
        """Until cancelled. The listener has to run too."""
        listener = self._configuration.listener
        with (
            listener.subscribe([channels.PRESENCE], self._heard, self._connected),
            self._configuration.changes() as reconfigured,
        ):
            while True:
                try:
                    await self.refresh(everything=self._missed_some or reconfigured.is_set())
                    reconfigured.clear()
                    self._trouble.recovered()
                except DATABASE_ERRORS as err:
                    self._trouble.failed(err)
                    self._missed_some = True
                    self._let_go_of_old()
                await self._something_changed(reconfigured)

    async def refresh(self, *, everything: bool = True, now: datetime | None = None) -> None:
        """Read what changed; the watches of all, since time makes them old."""
        changed, self._changed, self._missed_some = self._changed, set(), False
        on = {a.id for a in self._configuration.now.accounts.values() if a.settings.presence.is_on}
        now = now or datetime.now(UTC)
        async with self._pool.acquire() as conn:
            watches = await store.watches(conn, on) if on else {}
            doubted = {a for a in on if _is_doubted(watches.get(a), now) or a not in self._said}
            to_read = on if everything else (changed | doubted | self._in_doubt) & on
            read = await attendances_of(conn, to_read) if to_read else {}
        said = {a: p for a, p in self._said.items() if a in on}
        said |= {a: presence_said(people, watches.get(a), now) for a, people in read.items()}
        self._in_doubt = doubted
        self._said, self._read_at = MappingProxyType(said), now

    def _let_go_of_old(self) -> None:
        """While the database is away what was known grows old."""
        if self._read_at is not None and datetime.now(UTC) - self._read_at > _OLD:
            self._said = MappingProxyType({})

    async def _something_changed(self, reconfigured: asyncio.Event) -> None:
        self._woken.clear()
        if self._changed or self._missed_some or reconfigured.is_set():
            await asyncio.sleep(0.1)  # what changes together is read together
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await self._woken.wait()

    def _heard(self, _channel: str, account_id: str) -> None:
        self._changed.add(account_id)
        self._woken.set()

    def _connected(self) -> None:
        self._missed_some = True
        self._woken.set()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        counts: dict[str, int] = dict.fromkeys((state.value for state in PresenceState), 0)
        for presence in self._said.values():
            for state in presence.states.values():
                counts[state.value] += 1
        for state_name, count in counts.items():
            labels = {"state": state_name}
            yield "gauge", "presence_employees", "Employees of accounts that watch presence", labels, count


def _is_doubted(watch: Watch | None, now: datetime) -> bool:
    return watch is None or is_stale(watch, now) or now < watch.trusted_from


def presence_said(people: Mapping[str, Attendance], watch: Watch | None, now: datetime) -> Presence:
    """Return what is known of these people. watch: None = nobody has looked."""
    if not _is_doubted(watch, now):
        return Presence(
            MappingProxyType({employee: state_of(attendance) for employee, attendance in people.items()})
        )
    states = {
        employee: state_of(attendance) if _is_certain(attendance, watch, now) else PresenceState.UNKNOWN
        for employee, attendance in people.items()
    }
    return Presence(MappingProxyType(states))


def _is_certain(attendance: Attendance, watch: Watch | None, now: datetime) -> bool:
    """Whether it holds in doubt: what a person said until they say otherwise; what the schedule and the phone say, while
    somebody looks at them."""
    if attendance.mark == "off" and attendance.hold == "button":
        return True
    is_told = attendance.hold == "schedule" or state_of(attendance) in _TOLD_BY_PHONE
    return is_told and watch is not None and not is_stale(watch, now)
