"""What goes out: auto-callback, SMS by template, triggers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from gateway.store.admin.roles import Role
from gateway.web.frame import PageAnswer, PageRoute
from gateway.web.messages import callbacks, firings, trigger_steps, triggers


def _page(
    method: Literal["GET", "POST"],
    path: str,
    handler: Callable[[Any], Awaitable[PageAnswer]],
    role: Role = "admin",
    *,
    configures: bool = False,
) -> PageRoute:
    return PageRoute(
        method=method, path=path, handler=handler, role=role, entry="messages", configures=configures
    )


_ONE = "/messages/triggers/{trigger}"
PAGES: tuple[PageRoute, ...] = (
    _page("GET", "/messages", callbacks.callbacks, "senior_manager"),
    _page("POST", "/messages/rate", callbacks.set_rate, configures=True),
    _page("GET", "/messages/clear", callbacks.ask_to_clear),
    _page("POST", "/messages/clear", callbacks.clear),
    _page("GET", "/messages/sms", triggers.sms_templates, "senior_manager"),
    _page("GET", "/messages/triggers", triggers.triggers, "senior_manager"),
    _page("GET", "/messages/new-trigger", triggers.show_new),
    _page("POST", "/messages/new-trigger", triggers.add),
    _page("POST", "/messages/preview", triggers.show_preview),
    _page("GET", _ONE, triggers.show_one, "senior_manager"),
    _page("POST", _ONE, triggers.change),
    _page("GET", _ONE + "/off", trigger_steps.ask_off),
    _page("POST", _ONE + "/switch", trigger_steps.switch),
    _page("GET", _ONE + "/remove", trigger_steps.ask_removal),
    _page("POST", _ONE + "/remove", trigger_steps.remove),
    _page("GET", _ONE + "/apply", trigger_steps.ask_apply),
    _page("POST", _ONE + "/apply", trigger_steps.apply),
    _page("GET", "/messages/firings", firings.firings, "senior_manager"),
    _page("GET", "/messages/firings/{firing}", firings.firing, "senior_manager"),
)
