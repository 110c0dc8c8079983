"""Who may change a template, as its page says it."""

from __future__ import annotations

from typing import NamedTuple

from gateway.store.admin.bindings import may_touch
from gateway.store.admin.users import AdminUser, users
from gateway.web.frame import AnyPageCall
from runtime.database.pool import Conn


class TemplateEditor(NamedTuple):
    """others: how many other templates somebody may change who is bound to some, None = all."""

    login: str
    name: str
    role: str
    others: int | None


async def editors_of(conn: Conn, call: AnyPageCall, template: str) -> list[TemplateEditor]:
    """Return those who sign in to the pages: first those who are bound to this template and to few others."""
    found = [
        _editor(user)
        for user in await users(conn)
        if user.is_on
        and user.account_id in (None, call.account.id)
        and may_touch(user.role, user.bound, "senior_manager", template=template)
    ]
    return sorted(found, key=lambda one: (one.others is None, one.others or 0, one.name.lower()))


def _editor(user: AdminUser) -> TemplateEditor:
    bound = user.bound.templates
    return TemplateEditor(user.login, user.name, user.role, len(bound) - 1 if bound else None)
