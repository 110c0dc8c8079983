"""Permanent links to PBXs: one listener for each connection that has one, in one worker process of the installation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg

from gateway.configuration import Configuration, Snapshot
from gateway.intake.inbox import Inbox
from gateway.pbx.capabilities import InboundMessage, Link, PbxListener
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.store.crm_accounts import exchanges
from routing.settings import NumberPolicy
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Lease, Leases
from runtime.keyed_tasks import run_keyed
from runtime.trouble import Trouble

_AGAIN_SECONDS = 2.0

_Link = tuple[str, str, Link]
"""account_id, name of the connection, what it asks for."""


class PbxListeners:
    """Follows the configuration: links come, change and go with it. inbox: started, and stopped after this has ended."""

    def __init__(
        self,
        configuration: Configuration,
        pool: asyncpg.Pool,
        leases: Leases,
        inbox: Inbox,
        kinds: Mapping[str, PbxKind],
    ) -> None:
        self._kinds = kinds
        self._configuration = configuration
        self._pool = pool
        self._leases = leases
        self._inbox = inbox
        self.listeners: dict[str, PbxListener] = {}

    async def run(self) -> None:
        """Until cancelled."""
        with self._configuration.changes() as changed:
            await run_keyed(
                "pbx-links",
                lambda: links_of(self._configuration.now, self._kinds),
                self._serve,
                changed,
                label=lambda link: link[1],
            )

    def figures(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what each listener of this process has to tell, by connection."""
        return {name: listener.figures() for name, listener in self.listeners.items()}

    async def _serve(self, link: _Link) -> None:
        account_id, name, wanted = link
        lease = self._leases.of(f"{account_id}/{name}", wanted.purpose)
        trouble = Trouble(f"{wanted.purpose}-listener", connection=name)
        while True:
            try:
                async with lease:
                    trouble.recovered()
                    await self._listen_while(lease, link)
            except Exception as err:
                trouble.failed(err, is_mistake=not isinstance(err, DATABASE_ERRORS))
            await sleep_unless_cancelled(_AGAIN_SECONDS)

    async def _listen_while(self, lease: Lease, link: _Link) -> None:
        account_id, name, wanted = link
        # The last known connection stays in use for the moment between its removal and our end.
        first = self._configuration.now
        known = (first.connections[name], first.policies[name])

        def current() -> tuple[Connection, NumberPolicy]:
            nonlocal known
            now = self._configuration.now
            if name in now.connections:
                known = (now.connections[name], now.policies[name])
            return known

        async def accept(told: InboundMessage) -> None:
            connection, policy = current()
            await self._inbox.accept(connection, told.parsed, told.raw, told.received_at, policy)

        async def report(body: dict[str, Any]) -> None:
            async with self._pool.acquire() as conn:
                await exchanges.report(conn, account_id, f"{wanted.purpose}:{name}", body)

        last = await self._last_report(account_id, f"{wanted.purpose}:{name}")
        listener = wanted.open(lambda: current()[0], accept, report, last)
        self.listeners[name] = listener
        work = asyncio.create_task(listener.run())
        lost = asyncio.create_task(lease.lost.wait())
        try:
            await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            for task in (work, lost):
                task.cancel()
            await asyncio.gather(work, lost, return_exceptions=True)
            self.listeners.pop(name, None)

    async def _last_report(self, account_id: str, report: str) -> Mapping[str, Any]:
        """Return what a process of the installation last told of its listening to this PBX."""
        try:
            async with self._pool.acquire() as conn:
                told = await exchanges.reports(conn, account_id)
        except DATABASE_ERRORS:
            return {}
        body: dict[str, Any] = next((row["body"] for row in told if row["report"] == report), {})
        return body


def links_of(snapshot: Snapshot, kinds: Mapping[str, PbxKind]) -> set[_Link]:
    """Return the links that the configuration asks for."""
    return {
        (connection.account_id, connection.name, link)
        for connection in snapshot.connections.values()
        if connection.is_on
        and connection.kind in kinds
        and (link := kinds[connection.kind].link(connection)) is not None
    }
