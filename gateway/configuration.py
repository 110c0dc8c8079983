"""The configuration that a process works with, held in memory and read again whenever it changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg

from gateway.pbx.connection import Connection
from gateway.pbx.reading.addresses import user_part
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account, ApiToken
from gateway.store.admin.schedules import StoredSchedule, schedules_of
from gateway.store.admin.staff import staff_by_account, staff_of
from gateway.timetables import Timetables, timetables_of
from routing.client_work.call import line_spelled
from routing.numbers.plans import without_mobile_nine
from routing.settings import NumberPolicy
from routing.staff import Staff
from runtime.cancellation import sleep_unless_cancelled
from runtime.database import channels
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.listen import Listener
from runtime.database.pool import Conn
from runtime.metrics import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at one moment. connections, policies: by the connection's name. tokens: by hash."""

    version: int = 0
    accounts: Mapping[str, Account] = field(default_factory=dict)
    staff: Mapping[str, Staff] = field(default_factory=dict)
    timetables: Mapping[str, Timetables] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    policies: Mapping[str, NumberPolicy] = field(default_factory=dict)
    tokens: Mapping[str, ApiToken] = field(default_factory=dict)

    def policy_of(self, account_id: str) -> NumberPolicy:
        """Return the account's policy, for numbers that come through none of its connections."""
        return number_policy(self.accounts[account_id], None, self._of(account_id), self.staff[account_id])

    def _of(self, account_id: str) -> list[Connection]:
        return [c for c in self.connections.values() if c.account_id == account_id]


def own_numbers_of(account: Account) -> frozenset[str]:
    """Return those that are set for it as calls are compared with them: whoever set them may have written 8 (495) 123-00-00."""
    policy = account.settings.numbers.model_copy(update={"region": account.region})
    return frozenset(line_spelled(text, policy) or text for text in policy.own_numbers)


def number_policy(
    account: Account, connection: Connection | None, all_connections: list[Connection], staff: Staff
) -> NumberPolicy:
    """Own numbers are those set for the account, the lines of its connections and the numbers of its employees."""
    lines = (line for c in all_connections for line in c.lines)
    people = (number for person in staff.employees for number in person.numbers)
    region = (connection.region if connection else None) or account.region
    own = own_numbers_of(account) | frozenset(lines) | frozenset(people)
    return account.settings.numbers.model_copy(
        update={"region": region, "own_numbers": frozenset(map(without_mobile_nine, own))}
    )


async def policy_of(conn: Conn, account_id: str) -> NumberPolicy:
    """How this account reads numbers now."""
    policy, _ = await reading_of(conn, account_id)
    return policy


async def reading_of(conn: Conn, account_id: str) -> tuple[NumberPolicy, frozenset[str]]:
    """How this account reads numbers now, and its lines (E.164), which are nobody's."""
    account = await rows.account(conn, account_id)
    connections = await rows.connections(conn, account_id)
    policy = number_policy(account, None, connections, await staff_of(conn, account_id))
    return policy, frozenset(line for connection in connections for line in connection.lines)


def phones_of(staff: Staff) -> frozenset[str]:
    """By what the phones of employees are known to a PBX: extensions, and SIP logins with and without their host."""
    return frozenset(
        form
        for person in staff.employees
        for address in (*person.extensions, *person.sip)
        for form in (address.lower().removeprefix("sip:"), user_part(address.lower()))
        if form
    )


def _with_people(connection: Connection, staff: Staff) -> Connection:
    numbers = frozenset(number for person in staff.employees for number in person.numbers)
    return replace(connection, phones=phones_of(staff), own_numbers=numbers)


async def read_snapshot(pool: asyncpg.Pool, version: int = 0) -> Snapshot:
    return await read_changes(pool, Snapshot(version=version - 1), None)


async def read_changes(
    pool: asyncpg.Pool, before: Snapshot, account_ids: Collection[str] | None, *, with_tokens: bool = True
) -> Snapshot:
    """Return the snapshot after `before`: these accounts as they are now, None = all; the others are the very same objects."""
    tokens = before.tokens
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        accounts = {a.id: a for a in await rows.accounts(conn, account_ids)}
        connections = await rows.connections_of(conn, account_ids)
        staff = await staff_by_account(conn, account_ids)
        schedules = await schedules_of(conn, account_ids)
        if with_tokens:
            tokens = {t.token_hash: t for t in await rows.api_tokens(conn)}
    by_account: dict[str, list[Connection]] = {}
    connections = [_with_people(c, staff[c.account_id]) for c in connections]
    for connection in connections:
        by_account.setdefault(connection.account_id, []).append(connection)
    policies = {
        c.name: number_policy(accounts[c.account_id], c, by_account[c.account_id], staff[c.account_id])
        for c in connections
    }
    untouched = frozenset() if account_ids is None else before.accounts.keys() - set(account_ids)
    of_others = {n: c for n, c in before.connections.items() if c.account_id in untouched}
    return Snapshot(
        version=before.version + 1,
        accounts=dict(sorted({**{a: before.accounts[a] for a in untouched}, **accounts}.items())),
        staff={**{a: before.staff[a] for a in untouched}, **staff},
        timetables={
            **{a: before.timetables[a] for a in untouched},
            **_timetables(accounts, staff, schedules, before),
        },
        connections={**of_others, **{c.name: c for c in connections}},
        policies={**{n: before.policies[n] for n in of_others}, **policies},
        tokens=tokens,
    )


def _timetables(
    accounts: Mapping[str, Account],
    staff: Mapping[str, Staff],
    schedules: Iterable[StoredSchedule],
    before: Snapshot,
) -> dict[str, Timetables]:
    now = datetime.now(UTC)
    by_account: dict[str, list[StoredSchedule]] = {}
    for schedule in schedules:
        by_account.setdefault(schedule.account_id, []).append(schedule)
    return {
        id: timetables_of(account, staff[id], by_account.get(id, ()), now, before.timetables.get(id))
        for id, account in accounts.items()
    }


_DEAF_SECONDS = 5.0
_MOST_LOOKING = 50
_T = TypeVar("_T")


class Configuration:
    """`now` is the newest snapshot. Listeners are called (synchronously) with each new one.

    deaf_seconds: how old it may be while notifications cannot be heard.
    """

    def __init__(
        self, pool: asyncpg.Pool, listener: Listener, *, deaf_seconds: float = _DEAF_SECONDS
    ) -> None:
        self._deaf_seconds = deaf_seconds
        self._pool = pool
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._dirty = asyncio.Event()
        self._changed_accounts: set[str] = set()
        self._tokens_changed = False
        self._missed_some = True
        self._looking = 0
        self._reading = asyncio.Lock()  # an older reading must not be published after a newer one
        self.listener = listener
        self.last_error: str | None = None
        self.now = Snapshot()

    def timetables_of(self, account_id: str) -> Timetables | None:
        """Return what the newest snapshot holds of the account's schedules."""
        return self.now.timetables.get(account_id)

    def on_change(self, call: Callable[[Snapshot], None]) -> None:
        self._listeners.append(call)

    def forget(self, call: Callable[[Snapshot], None]) -> None:
        """Undo on_change."""
        self._listeners.remove(call)

    async def reload(self) -> Snapshot:
        """Everything, now."""
        async with self._reading:
            return self._publish(await read_changes(self._pool, self.now, None))

    async def take_over(self, account_ids: Collection[str], *, with_tokens: bool) -> None:
        """Read these accounts, and the tokens, now: what this process has just changed it must know before it says so."""
        async with self._reading:
            self._publish(await read_changes(self._pool, self.now, account_ids, with_tokens=with_tokens))

    async def found(self, find: Callable[[], _T | None], seconds: float) -> _T | None:
        """Return what `find` finds, looked for once more at each change that is heard within so many seconds: another
        process may have made it a moment ago. Of very many who look for what is not there the later ones do not wait."""
        if (it := find()) is not None or self._looking >= _MOST_LOOKING:
            return it
        self._looking += 1
        try:
            return await self._found(find, seconds)
        finally:
            self._looking -= 1

    async def _found(self, find: Callable[[], _T | None], seconds: float) -> _T | None:
        with contextlib.suppress(TimeoutError), self.changes() as changed:
            async with asyncio.timeout(seconds):
                while (it := find()) is None:
                    await changed.wait()
                    changed.clear()
                return it
        return find()

    def _publish(self, snapshot: Snapshot) -> Snapshot:
        self.now = snapshot
        for call in tuple(self._listeners):
            call(snapshot)
        return snapshot

    async def _reload_changed(self) -> None:
        """Reload what was heard of since the last time; everything when something may have been missed."""
        accounts, tokens, everything = self._changed_accounts, self._tokens_changed, self._missed_some
        self._changed_accounts, self._tokens_changed, self._missed_some = set(), False, False
        try:
            if everything:
                await self.reload()
            else:
                await self.take_over(accounts, with_tokens=tokens)
        except BaseException:
            self._changed_accounts |= accounts
            self._tokens_changed, self._missed_some = tokens, everything
            raise

    @contextmanager
    def changes(self) -> Iterator[asyncio.Event]:
        """Set at every change; whoever waits for it clears it."""
        changed = asyncio.Event()

        def on_change(_snapshot: Snapshot) -> None:
            changed.set()

        self.on_change(on_change)
        try:
            yield changed
        finally:
            self.forget(on_change)

    async def run(self) -> None:
        """Until cancelled: follows the changes, those made together as one. The listener has to run too."""
        with self.listener.subscribe([channels.CONFIGURATION], self._notified, self._connected):
            await self._follow()

    async def _follow(self) -> None:
        while True:
            await self._something_to_read()
            await asyncio.sleep(0.02)
            self._dirty.clear()
            try:
                await self._reload_changed()
                self.last_error = None
            except DATABASE_ERRORS as err:
                self.last_error = f"reload: {err}"
                self._dirty.set()
                await sleep_unless_cancelled(1)

    async def _something_to_read(self) -> None:
        """While nothing can be heard everything is read again now and then: a token that was withdrawn is soon no good."""
        while not self._dirty.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._deaf_seconds):
                    await self._dirty.wait()
            if not self.listener.is_connected:
                self._missed_some = True
                return

    def _notified(self, _channel: str, payload: str) -> None:
        table, separator, account_id = payload.partition(" ")
        if table == "api_token":
            self._tokens_changed = True
        elif separator:
            self._changed_accounts.add(account_id)
        else:
            self._missed_some = True  # from the triggers of an older schema, which name no account
        self._dirty.set()

    def _connected(self) -> None:
        self._missed_some = True
        self._dirty.set()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        is_heard = float(self.listener.is_connected)
        yield "gauge", "configuration_feed_connected", "1 while changes are heard", {}, is_heard
