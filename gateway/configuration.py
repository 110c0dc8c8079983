"""The configuration that a process works with, held in memory and read again whenever it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import asyncpg

from gateway.pbx.connection import Connection
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account, ApiToken
from gateway.store.admin.staff import staff_of
from routing.settings import NumberPolicy
from routing.staff import Staff
from runtime.cancellation import sleep_unless_cancelled
from runtime.database import channels
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.listen import Listener
from runtime.metrics import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at one moment. connections, policies: by the connection's name. tokens: by hash."""

    version: int = 0
    accounts: Mapping[str, Account] = field(default_factory=dict)
    staff: Mapping[str, Staff] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    policies: Mapping[str, NumberPolicy] = field(default_factory=dict)
    tokens: Mapping[str, ApiToken] = field(default_factory=dict)

    def policy_of(self, account_id: str) -> NumberPolicy:
        """The account's policy, for numbers that come through none of its connections."""
        return number_policy(self.accounts[account_id], None, self._of(account_id), self.staff[account_id])

    def _of(self, account_id: str) -> list[Connection]:
        return [c for c in self.connections.values() if c.account_id == account_id]


def number_policy(
    account: Account, connection: Connection | None, all_connections: list[Connection], staff: Staff
) -> NumberPolicy:
    """Own numbers are those set for the account, the lines of its connections and the numbers of its employees."""
    lines = (line for c in all_connections for line in c.lines)
    people = (number for person in staff.employees for number in person.numbers)
    region = (connection.region if connection else None) or account.region
    return account.settings.numbers.model_copy(
        update={
            "region": region,
            "own_numbers": account.settings.numbers.own_numbers | frozenset(lines) | frozenset(people),
        }
    )


async def read_snapshot(pool: asyncpg.Pool, version: int = 0) -> Snapshot:
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        all_accounts = await rows.accounts(conn)
        all_connections = await rows.connections(conn)
        tokens = await rows.api_tokens(conn)
        staff = {a.id: await staff_of(conn, a.id) for a in all_accounts}
    by_id = {a.id: a for a in all_accounts}
    return Snapshot(
        version=version,
        accounts=by_id,
        staff=staff,
        connections={c.name: c for c in all_connections},
        policies={
            c.name: number_policy(
                by_id[c.account_id],
                c,
                [other for other in all_connections if other.account_id == c.account_id],
                staff[c.account_id],
            )
            for c in all_connections
        },
        tokens={t.token_hash: t for t in tokens},
    )


class Configuration:
    """`now` is the newest snapshot. Listeners are called (synchronously) with each new one."""

    def __init__(self, pool: asyncpg.Pool, listener: Listener) -> None:
        self._pool = pool
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._dirty = asyncio.Event()
        self.listener = listener
        self.last_error: str | None = None
        self.now = Snapshot()

    def on_change(self, call: Callable[[Snapshot], None]) -> None:
        self._listeners.append(call)

    def forget(self, call: Callable[[Snapshot], None]) -> None:
        """The opposite of on_change."""
        self._listeners.remove(call)

    async def reload(self) -> Snapshot:
        self.now = await read_snapshot(self._pool, self.now.version + 1)
        for call in tuple(self._listeners):
            call(self.now)
        return self.now

    async def run(self) -> None:
        """Until cancelled: follows the changes, those made together as one. The listener has to run too."""
        with self.listener.subscribe([channels.CONFIGURATION], self._notified, self._connected):
            await self._follow()

    async def _follow(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(0.02)
            self._dirty.clear()
            try:
                await self.reload()
            except DATABASE_ERRORS as err:
                self.last_error = f"reload: {err}"
                self._dirty.set()
                await sleep_unless_cancelled(1)

    def _notified(self, _channel: str, _payload: str) -> None:
        self._dirty.set()

    def _connected(self) -> None:
        self._dirty.set()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        is_heard = float(self.listener.is_connected)
        yield "gauge", "configuration_feed_connected", "1 while changes are heard", {}, is_heard
