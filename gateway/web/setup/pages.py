"""The pages of this room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gateway.store.admin.roles import Role
from gateway.web.frame import PageAnswer, PageRoute
from gateway.web.setup import crm, held

SetupHandler = Callable[[Any], Awaitable[PageAnswer]]


def _get(path: str, handler: SetupHandler, role: Role = "admin") -> PageRoute:
    return PageRoute(method="GET", path=path, handler=handler, role=role, entry="setup")


def _post(path: str, handler: SetupHandler, role: Role = "admin") -> PageRoute:
    return PageRoute(method="POST", path=path, handler=handler, role=role, entry="setup", configures=True)


PAGES: tuple[PageRoute, ...] = (
    _get("/setup", crm.show, "senior_manager"),
    _post("/setup/crm/off", crm.switch_off),
    _post("/setup/crm/on", crm.switch_on),
    _post("/setup/crm/key", crm.give_key),
    _post("/setup/crm/oauth", crm.begin_oauth),
    _post("/setup/crm/refresh", crm.refresh),
    _get("/setup/exchanges", crm.show_exchanges),
    _get("/setup/held", held.choose),
    _post("/setup/held/start", held.start),
    _get("/setup/held/run", held.show_run),
    _get("/setup/held/stop", held.ask_stop),
    _post("/setup/held/{do:pause|resume|stop}", held.change_run),
    _get("/setup/held/discard", held.ask_discard),
    _post("/setup/held/discard", held.discard),
    _get("/setup/held/report", held.show_report),
    _get("/setup/held/report.csv", held.report_csv),
)
