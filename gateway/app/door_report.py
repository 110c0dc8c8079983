"""What the doors of this gateway saw is written down now and then: strangers, and tokens that were used."""

from __future__ import annotations

from collections.abc import Callable, Container

import asyncpg

from gateway.services import TokensUsed
from gateway.store.admin.accounts import note_tokens_used
from gateway.store.health.strangers import add_strangers
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.doors.tally import Stranger, Tally
from runtime.trouble import Trouble

_EVERY_SECONDS = 20.0


class DoorReport:
    """names: of our connections; others that were asked for are a stranger's words."""

    def __init__(
        self, pool: asyncpg.Pool, tally: Tally, used: TokensUsed, names: Callable[[], Container[str]]
    ) -> None:
        self._pool, self._tally, self._used, self._names = pool, tally, used, names
        self._trouble = Trouble("door-report")

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            await sleep_unless_cancelled(_EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Now. What the database does not take is lost: these are figures."""
        counts, used = self._ours(), self._used.fetch()
        if not (counts or used):
            return
        try:
            async with self._pool.acquire() as conn:
                if counts:
                    await add_strangers(conn, counts)
                if used:
                    await note_tokens_used(conn, used)
        except DATABASE_ERRORS as err:
            self._trouble.failed(err)
        else:
            self._trouble.recovered()

    def _ours(self) -> dict[Stranger, int]:
        names, found = self._names(), dict[Stranger, int]()
        for seen, count in self._tally.fetch().items():
            known = seen if seen.connection in names else Stranger(seen.what, "", seen.address)
            found[known] = found.get(known, 0) + count
        return found
