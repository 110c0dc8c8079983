"""Messenger channels and who reads and writes in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from gateway.web.channels import access, crm_chats, listed, one
from gateway.web.frame import PageAnswer, PageRoute

_PATH, _ACCESS = listed.PATH, access.PATH
_ONE = f"{_PATH}/{{channel}}"


def _page(
    method: Literal["GET", "POST"],
    path: str,
    handler: Callable[[Any], Awaitable[PageAnswer]],
    *,
    configures: bool = False,
) -> PageRoute:
    return PageRoute(method=method, path=path, handler=handler, entry="setup", configures=configures)


PAGES: tuple[PageRoute, ...] = (
    _page("GET", _PATH, listed.show),
    _page("GET", "/setup/new-channel", listed.show_new),
    _page("POST", "/setup/new-channel", listed.add),
    _page("GET", _ACCESS, access.show_access),
    _page("POST", _ACCESS, access.save),
    _page("POST", f"{_ACCESS}/add", access.add_person),
    _page("POST", f"{_ACCESS}/everybody", access.change_everybody),
    _page("GET", f"{_ACCESS}/clear", access.ask_to_clear),
    _page("POST", f"{_ACCESS}/preset", access.give_preset, configures=True),
    _page("POST", f"{_ACCESS}/visibility", access.choose_visibility, configures=True),
    _page("POST", f"{_ACCESS}/refresh", access.refresh),
    _page("GET", crm_chats.PATH, crm_chats.show),
    _page("POST", crm_chats.PATH, crm_chats.change),
    _page("POST", f"{crm_chats.PATH}/switch", crm_chats.switch, configures=True),
    _page("POST", f"{crm_chats.PATH}/retry", crm_chats.retry),
    _page("GET", f"{crm_chats.PATH}/remove", crm_chats.ask_removal),
    _page("POST", f"{crm_chats.PATH}/remove", crm_chats.remove),
    _page("GET", _ONE, one.show_one),
    _page("POST", _ONE, one.change),
    _page("POST", f"{_ONE}/switch", one.switch),
    _page("GET", f"{_ONE}/remove", one.ask_removal),
    _page("POST", f"{_ONE}/remove", one.remove),
)
