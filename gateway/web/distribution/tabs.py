"""The tabs of distribution: those that this person may open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from gateway.store.admin.roles import Role
from gateway.web.frame import AnyPageCall


class DistributionTab(NamedTuple):
    name: str
    path: str
    role: Role


TABS = (
    DistributionTab("templates", "/distribution/templates", "read_only"),
    DistributionTab("results", "/distribution", "read_only"),
    DistributionTab("waiting", "/distribution/waiting", "read_only"),
    DistributionTab("shift_change", "/distribution/shift-change", "senior_manager"),
    DistributionTab("analytics", "/distribution/analytics", "read_only"),
)


def tabs(call: AnyPageCall, current: str) -> Sequence[tuple[str, str, bool]]:
    """Return the words, the address, and whether it is the one that is shown, of each."""
    return [
        (call.texts.say(f"distribution.tab.{tab.name}"), call.here(tab.path), tab.name == current)
        for tab in TABS
        if call.may(tab.role)
    ]


def template_path(name: str, *rest: str) -> str:
    """Return the path of a template's page, or of one below it."""
    return "/".join(["/distribution/templates", quote(name, safe=""), *rest])
