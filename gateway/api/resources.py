"""All routes of the admin API, one line per resource."""

from __future__ import annotations

from gateway.api import (
    accounts,
    backfill,
    calls,
    cases,
    config,
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
    *config.ROUTES,
    *status.ROUTES,
    *sync.ROUTES,
    *desk.ROUTES,
    *cases.ROUTES,
    *backfill.ROUTES,
    *exchanges.ROUTES,
    *calls.ROUTES,
    *matrices.ROUTES,
    *trying.ROUTES,
    *long_work.ROUTES,
)
