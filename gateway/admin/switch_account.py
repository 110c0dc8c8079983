"""Switching an account on and off. Off: calls are answered, decided and stored; nothing is sent."""

from __future__ import annotations

from typing import Literal

from crm.effects.order import hold
from gateway.admin.input_words import LONGEST_REASON, refuse_bad_line
from gateway.admin.refused import InputRefused
from gateway.crm_accounts.same_crm import CrmTaken, refuse_taken_crm
from gateway.store.admin import accounts as rows
from runtime.database.pool import Conn


class CrmInUse(InputRefused):
    """This account of the CRM is connected under another name already, and two of one CRM would write each call twice."""

    code = CrmTaken.code

    @classmethod
    def of(cls, taken: CrmTaken, field: str) -> CrmInUse:
        return cls(field, str(taken), taken.remedy)


class AccountShut(InputRefused):
    """The CRM does not let this account in, so that switching it on would send nothing: connect it again."""

    code = "account-shut"


async def switch(conn: Conn, account_id: str, state: Literal["on", "off"], reason: str = "") -> int:
    """How many effects that waited are held now; a reactivation decides on them. Raises NoSuchAccount, AccountShut, CrmInUse,
    InputRefused for a reason that is none."""
    refuse_bad_line("reason", reason, LONGEST_REASON)
    async with conn.transaction():
        shut = None
        if state == "on":
            await rows.lock_account(conn, account_id)
            shut = await rows.shut_reason(conn, account_id)
            await _refuse_shut(conn, await rows.account(conn, account_id))
            try:
                await refuse_taken_crm(conn, account_id)
            except CrmTaken as err:
                raise CrmInUse.of(err, "state") from err
        now: rows.AccountState = state if shut is None else "broken"
        await rows.set_account_state(conn, account_id, now, reason if shut is None else shut)
        held = await hold(conn, account_id) if state == "off" else 0
    if (
        shut is not None
    ):  # told only now, so that it stays broken: the worker asks, and switches it on once it is let in
        await _refuse_shut(conn, await rows.account(conn, account_id))
    return held


async def _refuse_shut(conn: Conn, account: rows.Account) -> None:
    again = f"connect it: 'callmatrix account add {account.id} --token -'"
    if not await rows.is_authorised(conn, account.id):
        raise AccountShut("state", f"there is no key to the CRM of '{account.id}'", again)
    if account.state == "broken":
        why = f"the CRM does not let '{account.id}' in: {account.state_reason}"
        remedy = f"{again}; once it lets us in again by itself, the worker switches it on"
        raise AccountShut("state", why, remedy)
