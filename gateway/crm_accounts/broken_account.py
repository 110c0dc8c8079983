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
from gateway.store.admin.audit import AuditChange, record
from runtime.backoff import grown_pause
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

_FIRST_SECONDS, _LONGEST_SECONDS = 5.0, 300.0


async def told_broken(account_id: str, conn: Conn, reason: str) -> None:
    """Write into the record of changes that the CRM lets the account in no more. Run it inside the transaction of that."""
    await _tell(conn, account_id, ("on", ""), ("broken", reason))


async def _tell(conn: Conn, account_id: str, before: tuple[str, str], after: tuple[str, str]) -> None:
    """before, after: state and reason. Who did it is the program itself."""
    old, new = ({"state": state, "reason": reason} for state, reason in (before, after))
    change = AuditChange(
        what="account", object=account_id, action="switched", account_id=account_id, before=old, after=new
    )
    await record(conn, change)


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
            async with pool.acquire() as conn, conn.transaction():
                if await rows.mend_account(conn, account_id, account.state_since):
                    await forget_failures(conn, account_id)
                    await _tell(conn, account_id, ("broken", account.state_reason), ("on", ""))
                    log.warning(
                        "account-let-in-again", account=account_id, was_broken_since=account.state_since
                    )
            await configuration.reload()
