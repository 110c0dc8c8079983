"""The pages of this room."""

from __future__ import annotations

from gateway.web.frame import PageRoute

PAGES: tuple[PageRoute, ...] = ()
