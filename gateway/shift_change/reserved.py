"""Deals of clients who are for one person only: they stay with that person, whoever else is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.distribution.one_person import only_of_deal
from gateway.store.admin.accounts import account
from gateway.store.admin.staff import staff_of
from routing.shift_change.deals import OwnedDeal
from runtime.database.pool import Conn


async def with_reserved(
    conn: Conn, account_id: str, deals: Sequence[OwnedDeal], user_id: str
) -> list[OwnedDeal]:
    """Mark those whose client is for this CRM user only. Costs nothing where the account has no such clients."""
    policy = (await account(conn, account_id)).settings.one_person
    if not policy.knows_any:
        return list(deals)
    staff = await staff_of(conn, account_id)
    person = staff.by_crm_user.get(user_id)
    if person is None:
        return list(deals)
    return [
        replace(deal, is_reserved=await only_of_deal(conn, account_id, policy, staff, deal.id) == person.id)
        for deal in deals
    ]
