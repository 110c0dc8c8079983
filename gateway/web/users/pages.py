"""The pages of this room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from gateway.web.frame import PageAnswer, PageRoute
from gateway.web.users import changes, people

_ONE = people.PEOPLE + "/{login}"


def _page(
    method: Literal["GET", "POST"], path: str, handler: Callable[[Any], Awaitable[PageAnswer]]
) -> PageRoute:
    return PageRoute(
        method=method, path=path, handler=handler, role="admin", entry="setup", needs_account=False
    )


PAGES: tuple[PageRoute, ...] = (
    _page("GET", people.PEOPLE, people.list_people),
    _page("POST", people.PEOPLE, people.add_person),
    _page("GET", "/setup/new-user", people.new_person),
    _page("GET", _ONE, people.one_person),
    _page("POST", _ONE, people.change_person),
    _page("POST", _ONE + "/link", people.give_link),
    _page("POST", _ONE + "/second-factor/off", people.take_factor),
    _page("POST", _ONE + "/sessions/end", people.end_sessions),
    _page("POST", _ONE + "/sessions/{session}/end", people.end_session),
    _page("GET", _ONE + "/remove", people.ask_removal),
    _page("POST", _ONE + "/remove", people.remove_person),
    _page("GET", changes.CHANGES, changes.show_changes),
    _page("GET", changes.CHANGES + ".csv", changes.changes_csv),
)
