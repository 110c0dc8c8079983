"""What PBXs tell of their phones, kept for presence: one link for each connection that has such a source, in one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import asyncpg

from gateway.configuration import Configuration, Snapshot
from gateway.pbx.call_log import PbxError
from gateway.pbx.capabilities import PhoneState
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.store.presence.watches import keep_phones
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Lease, Leases
from runtime.keyed_tasks import run_keyed
from runtime.trouble import Trouble

_AGAIN_SECONDS = 15.0

_Watched = tuple[str, str, tuple[tuple[str, str], ...]]
"""account_id, name of the connection, what its link is made of: another one is another link."""


class PhoneWatchers:
    """Follows the configuration: only accounts that watch presence and take phones into account are listened to."""

    def __init__(
        self,
        configuration: Configuration,
        pool: asyncpg.Pool,
        leases: Leases,
        kinds: Mapping[str, PbxKind],
        *,
        again_seconds: float = _AGAIN_SECONDS,
    ) -> None:
        self._configuration, self._pool, self._leases, self._kinds = configuration, pool, leases, kinds
        self._again_seconds = again_seconds

    async def run(self) -> None:
        """Until cancelled."""
        with self._configuration.changes() as changed:
            await run_keyed(
                "phones",
                lambda: watched_of(self._configuration.now, self._kinds),
                self._serve,
                changed,
                label=lambda watched: watched[1],
            )

    async def _serve(self, watched: _Watched) -> None:
        account_id, name, _ = watched
        lease = self._leases.of(f"{account_id}/{name}", "phones")
        trouble = Trouble("phones", connection=name)
        connection = self._configuration.now.connections[name]
        while True:
            try:
                async with lease:
                    trouble.recovered()
                    await self._watch_while(lease, connection)
            except Exception as err:
                trouble.failed(err, is_mistake=not isinstance(err, (PbxError, *DATABASE_ERRORS)))
            await sleep_unless_cancelled(self._again_seconds)

    async def _watch_while(self, lease: Lease, connection: Connection) -> None:
        source = self._kinds[connection.kind].presence(connection)
        if source is None:
            return

        async def tell(phones: Sequence[PhoneState]) -> None:
            async with self._pool.acquire() as conn, conn.transaction():
                await keep_phones(conn, connection.account_id, connection.id, phones, datetime.now(UTC))

        work = asyncio.create_task(source.watch(connection, tell))
        lost = asyncio.create_task(lease.lost.wait())
        try:
            await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            for task in (work, lost):
                task.cancel()
            await asyncio.gather(work, lost, return_exceptions=True)


def watched_of(snapshot: Snapshot, kinds: Mapping[str, PbxKind]) -> set[_Watched]:
    """Return the connections whose phones are to be watched."""
    return {
        (connection.account_id, connection.name, _made_of(connection))
        for connection in snapshot.connections.values()
        if connection.is_on
        and _wants_phones(snapshot, connection.account_id)
        and connection.kind in kinds
        and kinds[connection.kind].presence(connection) is not None
    }


def _wants_phones(snapshot: Snapshot, account_id: str) -> bool:
    presence = snapshot.accounts[account_id].settings.presence
    return presence.is_on and "pbx" in presence.sources


def _made_of(connection: Connection) -> tuple[tuple[str, str], ...]:
    pairs = [*connection.settings.items(), *connection.keys.items(), ("id", connection.id)]
    return tuple(sorted((name, str(value)) for name, value in pairs))
