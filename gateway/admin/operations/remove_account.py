"""Taking an account away, with everything that is stored of it."""

from __future__ import annotations

from dataclasses import asdict

from gateway.admin.accounts import described
from gateway.admin.refused import InputRefused
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.removed_accounts import (
    AccountHoldings,
    holdings_of,
    remove_account_row,
    remove_rows_of,
)
from runtime.database.pool import Conn


class AccountInUse(InputRefused):
    """An account that sends to its CRM is not removed: switch it off first."""

    code = "account-in-use"


async def remove_account(conn: Conn, account_id: str) -> AccountHoldings:
    """Return what is gone. Raise AccountInUse, NoSuchAccount; nothing is removed then.

    The account goes in one transaction. What it stored goes after it, by and by, and again in the end: what was being
    written just then belongs to nobody, and another account of this name must not find it.
    """
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        account = await rows.account(conn, account_id)
        if account.state == "on":
            remedy = f"switch it off first: 'callmatrix account off {account_id}'"
            raise AccountInUse("account", f"account '{account_id}' sends to its CRM", remedy)
        held = await holdings_of(conn, account_id)
        await remove_account_row(conn, account_id)
        change = AuditChange(
            what="account",
            object=account_id,
            action="removed",
            account_id=account_id,
            before={**described(account), "url": account.base_url, **asdict(held)},
            after=None,
        )
        await record(conn, change)
    for _ in range(2):
        await remove_rows_of(conn, account_id)
    return held
