"""Whose client's deal it is, where the client is for one person only."""

from __future__ import annotations

from crm.store.clients import clients_of_deal
from routing.one_person import person_of
from routing.settings import OnePersonPolicy
from routing.staff import Staff
from runtime.database.pool import Conn


async def only_of_deal(
    conn: Conn, account_id: str, policy: OnePersonPolicy, staff: Staff, deal_id: str
) -> str | None:
    """Return the employee id of the one person, None = the client is anybody's."""
    if not policy.knows_any:
        return None
    clients = await clients_of_deal(conn, account_id, deal_id)
    people = (person_of(policy, client, staff) for client in clients)
    return next((person for person in people if person is not None), None)
