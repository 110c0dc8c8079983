"""Whether the CRM still takes an account's key. One refusal may be its own trouble: what is asked seconds later decides.

Whoever was refused (a feed, the writer) says so here and goes on in its own way; asked is once for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from crm.errors import CrmError, CrmUnauthorised
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS

log = structlog.get_logger(__name__)

_QUIET_SECONDS = 5.0


class RefusedKey:
    """`run` until cancelled.

    ask: something that any good key may read. break_account: given why. is_on: whether the account is still asked at all.
    """

    def __init__(
        self,
        account_id: str,
        ask: Callable[[], Awaitable[object]],
        break_account: Callable[[str], Awaitable[None]],
        is_on: Callable[[], bool],
        *,
        quiet_seconds: float = _QUIET_SECONDS,
    ) -> None:
        self._account, self._ask, self._break, self._is_on = account_id, ask, break_account, is_on
        self._quiet_seconds = quiet_seconds
        self._doubted = asyncio.Event()

    def doubt(self) -> None:
        """Have the key tried once more: the CRM has refused it just now."""
        self._doubted.set()

    async def run(self) -> None:
        while True:
            await self._doubted.wait()
            if self._is_on():
                await sleep_unless_cancelled(self._quiet_seconds)
                await self._decide()
            self._doubted.clear()

    async def _decide(self) -> None:
        """Anything but a refusal of the key is no verdict on it; who is refused again will say so again."""
        try:
            await self._ask()
        except CrmUnauthorised as refusal:
            try:
                await self._break(f"{refusal.reason}: {refusal}")
            except DATABASE_ERRORS as err:
                log.warning("account-not-broken", account=self._account, error=str(err))
                return
            log.error("account-broken", account=self._account, reason=refusal.reason, error=str(refusal))
        except CrmError as err:
            log.info("key-doubted", account=self._account, error=f"{err.code}: {err}")
