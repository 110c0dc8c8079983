"""Distribution: templates, who got what and why, what nobody has yet, shift changes, and whether it is even."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gateway.store.admin.roles import Role
from gateway.web.distribution import template_list
from gateway.web.distribution.analytics import show_analytics
from gateway.web.distribution.results import log, results, waiting
from gateway.web.distribution.shift_change import runs, settings
from gateway.web.distribution.template import attaching, page, stages, trying, versions
from gateway.web.frame import PageAnswer, PageRoute

DistributionHandler = Callable[[Any], Awaitable[PageAnswer]]
_TEMPLATE = "/distribution/templates/{template}"
_STAGE = _TEMPLATE + "/stages/{pipeline}/{stage}"
_RUN = runs.RUNS + "/runs/{run}"


def _get(path: str, handler: DistributionHandler, role: Role = "read_only") -> PageRoute:
    return PageRoute(method="GET", path=path, handler=handler, role=role, entry="distribution")


def _post(path: str, handler: DistributionHandler, role: Role = "senior_manager") -> PageRoute:
    return PageRoute(method="POST", path=path, handler=handler, role=role, entry="distribution")


PAGES: tuple[PageRoute, ...] = (
    _get("/distribution", results),
    _get("/distribution/results", results),
    _get("/distribution/results/{item}", log),
    _get("/distribution/waiting", waiting),
    _get("/distribution/templates", template_list.list_templates),
    _get(page.NEW, page.show_new_template, "senior_manager"),
    _post(page.NEW, page.add_template),
    _get(_TEMPLATE, page.show_template),
    _post(_TEMPLATE, page.change_template),
    _get(_TEMPLATE + "/remove", template_list.ask_template_removal, "admin"),
    _post(_TEMPLATE + "/remove", template_list.remove_template, "admin"),
    _get(_TEMPLATE + "/hook", stages.show_hook, "admin"),
    _get(_TEMPLATE + "/versions", versions.show_versions),
    _post(_TEMPLATE + "/versions/{version}", versions.take_back),
    _post(_TEMPLATE + "/stages", attaching.attach_stage),
    _get(_STAGE + "/detach", stages.ask_to_detach, "senior_manager"),
    _post(_STAGE + "/detach", stages.detach_stage),
    _get(_STAGE + "/give", stages.ask_to_give, "senior_manager"),
    _post(_STAGE + "/give", stages.give_stage),
    _get("/distribution/analytics", show_analytics),
    _get(runs.RUNS, runs.list_runs, "senior_manager"),
    _get(settings.SETTINGS, settings.show_settings, "admin"),
    _post(settings.SETTINGS, settings.save_settings, "admin"),
    _get(runs.RUNS + "/move", runs.ask_move, "senior_manager"),
    _post(runs.RUNS + "/move", runs.begin_move),
    _get(_RUN, runs.show_run, "senior_manager"),
    _get(_RUN + "/stop", runs.ask_stop, "senior_manager"),
    _post(_RUN + "/{action:pause|resume|stop}", runs.change_run),
    _get(_TEMPLATE + "/tried/{work}/{number}", trying.show_tried_deal),
)
