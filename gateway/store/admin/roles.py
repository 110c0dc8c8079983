"""What a person or a token may do: the one list of roles."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["read_only", "manager", "senior_manager", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""The weakest first; each may do what those before it may."""


def may_act_as(role: Role, needed: Role) -> bool:
    """Whether somebody of this role may do what asks for `needed`."""
    return ROLES.index(role) >= ROLES.index(needed)
