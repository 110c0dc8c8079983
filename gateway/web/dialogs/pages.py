"""Dialogues with clients in messengers."""

from __future__ import annotations

from gateway.web.dialogs import beginning, files, one, sending
from gateway.web.dialogs.lists import list_values
from gateway.web.dialogs.query import PATH, DialogsQuery
from gateway.web.dialogs.whose import onlooker, unread_count
from gateway.web.frame import PageCall, PageRoute, Shown
from gateway.web.messages.tabs import tabs_of


async def show(call: PageCall[DialogsQuery, None]) -> Shown:
    async with call.connection() as conn:
        who = await onlooker(call, conn)
        values = await list_values(call, conn, who, call.query, None)
    if call.is_fragment:
        return Shown("dialogs/_list.html", values)
    return Shown("dialogs/list.html", {"tabs": tabs_of(call, "dialogs"), **values})


async def count(call: PageCall) -> Shown:
    """How many have something unread, for the navigation."""
    async with call.connection() as conn:
        found = await unread_count(call, conn)
    return Shown("dialogs/_count.html", {"count": found})


_ONE = f"{PATH}/{{dialogue}}"
PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path=PATH, handler=show, role="manager", entry="messages"),
    PageRoute(method="GET", path=f"{PATH}/count", handler=count, role="manager", entry="messages"),
    PageRoute(
        method="GET", path=beginning.NEW_PATH, handler=beginning.show_new, role="manager", entry="messages"
    ),
    PageRoute(
        method="POST", path=beginning.NEW_PATH, handler=beginning.begin, role="manager", entry="messages"
    ),
    PageRoute(method="GET", path=_ONE, handler=one.show_one, role="manager", entry="messages"),
    PageRoute(method="POST", path=_ONE, handler=sending.send, role="manager", entry="messages"),
    PageRoute(
        method="GET", path=f"{_ONE}/files/{{file}}", handler=files.give, role="manager", entry="messages"
    ),
    PageRoute(method="POST", path=f"{_ONE}/here", handler=sending.here, role="manager", entry="messages"),
)
