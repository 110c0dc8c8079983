"""Switching an account on and off. Off: calls are answered, decided and stored; nothing is sent."""

from __future__ import annotations

from typing import Literal

from crm.effects.order import hold
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


async def switch(conn: Conn, account_id: str, state: Literal["on", "off"], reason: str = "") -> int:
    """How many effects that waited are held now; a reactivation decides on them. Raises NoSuchAccount, CrmInUse."""
    async with conn.transaction():
        if state == "on":
            try:
                await refuse_taken_crm(conn, account_id)
            except CrmTaken as err:
                raise CrmInUse.of(err, "state") from err
        await rows.set_account_state(conn, account_id, state, reason)
        return await hold(conn, account_id) if state == "off" else 0
