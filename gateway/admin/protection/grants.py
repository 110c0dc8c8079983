"""Nobody lets others, or themselves, do more than they may."""

from __future__ import annotations

from typing import Literal

from gateway.admin.refused import InputRefused
from gateway.store.admin.audit import current_actor
from gateway.store.admin.bindings import Bindings, freer_in
from gateway.store.admin.roles import Role


class GrantsMore(InputRefused):
    """Whoever asks is bound themselves (to an account, an employee, templates or schedules): nobody lets others, or themselves, do more than that."""

    code = "grants-more"

    def __init__(self, field: str) -> None:
        super().__init__(
            field,
            f"this may more than whoever asks, by its {field}",
            "stay within your own bindings, or ask somebody who is bound less",
        )


def refuse_freer(role: Role, bound: Bindings) -> None:
    """Raise GrantsMore where somebody of this role and these bindings may more than who acts."""
    actor = current_actor()
    if field := freer_in(role, bound, actor.role, actor.bound):
        raise GrantsMore(field)


def refuse_other_self(kind: Literal["token", "user"], name: str, bound: Bindings) -> None:
    """Raise GrantsMore where who acts is to be somebody else on the phone from now on."""
    actor = current_actor()
    is_oneself = (actor.kind, actor.name) == (kind, name)
    if is_oneself and actor.bound.employee is not None and bound.employee != actor.bound.employee:
        raise GrantsMore("employee")
