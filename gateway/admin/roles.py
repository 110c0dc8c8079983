"""Roles as people name them."""

from __future__ import annotations

from gateway.admin.refused import Refused
from gateway.store.admin.roles import ROLES, Role


def role_named(text: str) -> Role:
    """Raise Refused."""
    for role in ROLES:
        if role == text:
            return role
    raise Refused("role", f"there is no role '{text}'", f"one of: {', '.join(ROLES)}")
