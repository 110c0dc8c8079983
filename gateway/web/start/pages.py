"""The pages of this room."""

from __future__ import annotations

from gateway.web.frame import PageRoute
from gateway.web.start import first_run

PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/start", handler=first_run.show, needs_account=False),
    PageRoute(
        method="POST", path="/start/crm", handler=first_run.connect, needs_account=False, configures=True
    ),
    PageRoute(method="POST", path="/start/contact", handler=first_run.save_contact, configures=True),
    PageRoute(method="POST", path="/start/people", handler=first_run.add_people, configures=True),
    PageRoute(method="POST", path="/start/pbx", handler=first_run.add_pbx, configures=True),
)
