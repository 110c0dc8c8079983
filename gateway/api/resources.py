"""All routes of the admin API, one line per resource."""

from __future__ import annotations

from gateway.api import accounts, connections, decisions, employees, tokens
from gateway.api.routing import Route

ROUTES: tuple[Route, ...] = (
    *accounts.ROUTES,
    *connections.ROUTES,
    *employees.ROUTES,
    *tokens.ROUTES,
    *decisions.ROUTES,
)
