"""Pages that are shown within the CRM."""

from __future__ import annotations

from gateway.web.frame import PageRoute
from gateway.web.frames import card, settings, template
from gateway.web.frames.door import DONE

PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path=card.PATH, handler=card.show, role="read_only", frame="framed"),
    PageRoute(method="POST", path=card.PATH, handler=card.call_back, role="manager", frame="framed"),
    PageRoute(method="GET", path=settings.PATH, handler=settings.show, role="read_only", frame="framed"),
    PageRoute(method="POST", path=settings.PATH, handler=settings.refresh, frame="framed"),
    PageRoute(method="GET", path=template.PATH, handler=template.show, role="read_only", frame="framed"),
    PageRoute(
        method="POST", path=template.PATH, handler=template.change, role="senior_manager", frame="framed"
    ),
    PageRoute(method="GET", path=DONE, handler=template.show_done, role="read_only", frame="framed"),
)
