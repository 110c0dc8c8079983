"""What goes out: auto-callback."""

from __future__ import annotations

from gateway.web.frame import PageRoute
from gateway.web.messages.callbacks import ask_to_clear, callbacks, clear, set_rate

PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/messages", handler=callbacks, role="senior_manager", entry="messages"),
    PageRoute(
        method="POST",
        path="/messages/rate",
        handler=set_rate,
        role="admin",
        entry="messages",
        configures=True,
    ),
    PageRoute(method="GET", path="/messages/clear", handler=ask_to_clear, role="admin", entry="messages"),
    PageRoute(method="POST", path="/messages/clear", handler=clear, role="admin", entry="messages"),
)
