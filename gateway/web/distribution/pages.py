"""Distribution: who got what and why, and what nobody has yet."""

from __future__ import annotations

from gateway.web.distribution.results import log, results, waiting
from gateway.web.frame import PageRoute

PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/distribution", handler=results, role="read_only", entry="distribution"),
    PageRoute(
        method="GET", path="/distribution/results", handler=results, role="read_only", entry="distribution"
    ),
    PageRoute(
        method="GET", path="/distribution/waiting", handler=waiting, role="read_only", entry="distribution"
    ),
    PageRoute(
        method="GET", path="/distribution/results/{item}", handler=log, role="read_only", entry="distribution"
    ),
)
