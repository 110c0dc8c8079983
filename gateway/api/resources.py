"""All routes of the admin API, one line per resource."""

from __future__ import annotations

from gateway.api import (
    accounts,
    backfill,
    cases,
    connections,
    crm_accounts,
    decisions,
    desk,
    employees,
    exchanges,
    long_work,
    matrices,
    status,
    sync,
    tokens,
    trying,
)
from gateway.api.routing import Route

ROUTES: tuple[Route, ...] = (
    *accounts.ROUTES,
    *connections.ROUTES,
    *employees.ROUTES,
    *tokens.ROUTES,
    *decisions.ROUTES,
    *crm_accounts.ROUTES,
    *status.ROUTES,
    *sync.ROUTES,
    *desk.ROUTES,
    *cases.ROUTES,
    *backfill.ROUTES,
    *exchanges.ROUTES,
    *matrices.ROUTES,
    *trying.ROUTES,
    *long_work.ROUTES,
)
