"""The pages of schedules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gateway.store.admin.roles import Role
from gateway.web.frame import PageAnswer, PageRoute
from gateway.web.shifts.schedules import listing, page, setting
from gateway.web.shifts.schedules.places import EDITS
from gateway.web.shifts.tabs import SCHEDULES

_Handler = Callable[[Any], Awaitable[PageAnswer]]
_ONE = SCHEDULES + "/{schedule}"
NEW = "/shifts/new-schedule"


def _get(path: str, handler: _Handler, role: Role = "read_only") -> PageRoute:
    return PageRoute(method="GET", path=path, handler=handler, role=role, entry="shifts")


def _post(path: str, handler: _Handler) -> PageRoute:
    return PageRoute(method="POST", path=path, handler=handler, role=EDITS, entry="shifts")


PAGES: tuple[PageRoute, ...] = (
    _get(SCHEDULES, listing.list_schedules),
    _get(NEW, listing.new_schedule, EDITS),
    _post(NEW, listing.add_schedule),
    _get(_ONE, page.show_grid),
    _post(_ONE, page.save_grid),
    _post(_ONE + "/days", page.paint_days),
    _get(_ONE + "/settings", setting.show_settings, EDITS),
    _post(_ONE + "/settings", setting.save_settings),
    _post(_ONE + "/lines", setting.add_lines),
    _post(_ONE + "/lines/remove", setting.remove_lines),
    _post(_ONE + "/leave", setting.add_leave),
    _post(_ONE + "/leave/remove", setting.remove_leave),
    _post(_ONE + "/shifts", setting.add_shift),
    _post(_ONE + "/shifts/remove", setting.remove_shift),
    _get(_ONE + "/copy", listing.ask_copy, EDITS),
    _post(_ONE + "/copy", listing.copy_schedule),
    _get(_ONE + "/remove", listing.ask_removal, EDITS),
    _post(_ONE + "/remove", listing.remove),
)
