"""Ids of the CRM's chats: the account's, and everybody's who writes there."""

from __future__ import annotations

import uuid

AMOJO_ID = "52e591f7-c98f-4255-8495-827210138c81"
"""Of the account."""
_NAMESPACE = uuid.UUID("6f2f4c1e-0000-4000-8000-000000000000")


def id_of(what: str) -> str:
    """Return the id that this has in the chats; the same for the same."""
    return str(uuid.uuid5(_NAMESPACE, what))


def amojo_id_of(user: int) -> str:
    """Return a user's id in the chats."""
    return id_of(f"employee {user}")


def new_id() -> str:
    return str(uuid.uuid4())
