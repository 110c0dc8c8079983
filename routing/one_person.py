"""Clients who are for one person only: whose they are."""

from __future__ import annotations

from routing.client import Client
from routing.settings import OnePersonPolicy
from routing.staff import Staff


def person_of(policy: OnePersonPolicy, client: Client, staff: Staff) -> str | None:
    """Return the employee id of the one person this client is for; None = anybody."""
    if not policy.clients:
        return None
    if (named := policy.clients.get(client.number)) is not None:
        owners = (e.owner_id for e in sorted(client.entities, key=lambda e: e.ref.kind != "contact"))
        return named or _employee(next((o for o in owners if o), None), staff)
    for entity in client.entities:
        named = policy.clients.get(f"{entity.ref.kind}:{entity.ref.id}")
        if named is not None and entity.is_open:
            return named or _employee(entity.owner_id, staff)
    return None


def _employee(user_id: str | None, staff: Staff) -> str | None:
    person = staff.by_crm_user.get(user_id) if user_id else None
    return person.id if person else None
