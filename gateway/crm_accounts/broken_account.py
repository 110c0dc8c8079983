"""An account that its CRM does not let in: asked now and then, for what broke may mend by itself."""

from __future__ import annotations

import asyncpg
import structlog

from crm.errors import CrmError
from crm.lane import Lane
from crm.port import Crm
from crm.store.cursors import forget_failures
from gateway.configuration import Configuration
from gateway.store.admin import accounts as rows
from runtime.backoff import grown_pause
from runtime.cancellation import sleep_unless_cancelled

log = structlog.get_logger(__name__)

_FIRST_SECONDS, _LONGEST_SECONDS = 5.0, 300.0


async def probe_while_broken(
    account_id: str, pool: asyncpg.Pool, configuration: Configuration, crm: Crm
) -> None:
    """Until cancelled. What was held meanwhile stays held: whether it is sent is a person's choice, as after a reconnect."""
    tries = 0
    with configuration.changes() as changed:
        while True:
            changed.clear()
            account = configuration.now.accounts.get(account_id)
            if account is None or account.state != "broken":
                tries = 0
                await changed.wait()
                continue
            tries += 1
            await sleep_unless_cancelled(grown_pause(tries, _FIRST_SECONDS, _LONGEST_SECONDS))
            try:
                await crm.account(Lane.EVENTS)
            except CrmError:
                continue
            async with pool.acquire() as conn:
                if await rows.mend_account(conn, account_id, account.state_since):
                    await forget_failures(conn, account_id)
                    log.warning(
                        "account-let-in-again", account=account_id, was_broken_since=account.state_since
                    )
            await configuration.reload()
