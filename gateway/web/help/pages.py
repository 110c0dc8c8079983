"""What each room is for, which keys there are, and whom to ask."""

from __future__ import annotations

from gateway.store.admin.users import users
from gateway.web.frame import PageCall, PageRoute, Shown
from gateway.web.shell import entries_of

_MOST_NAMES = 5


async def show(call: PageCall) -> Shown:
    async with call.connection() as conn:
        people = await users(conn)
    account = call.account_or_none
    admins = [
        one.name
        for one in people
        if one.is_on and one.role == "admin" and one.account_id in (None, account.id if account else None)
    ]
    values = {"rooms": entries_of(call.who), "admins": admins[:_MOST_NAMES]}
    return Shown("help/help.html", values)


PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/help", handler=show, role="read_only", needs_account=False),
)
