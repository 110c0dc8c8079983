"""The tabs of the setup: those that this person may open."""

from __future__ import annotations

from typing import NamedTuple

from gateway.store.admin.roles import Role
from gateway.web.frame import AnyPageCall


class SetupTab(NamedTuple):
    name: str
    path: str
    role: Role


TABS = (
    SetupTab("crm", "/setup", "admin"),
    SetupTab("pbx", "/setup/pbx", "admin"),
    SetupTab("sms", "/setup/sms", "admin"),
    SetupTab("channels", "/setup/channels", "admin"),
    SetupTab("employees", "/setup/employees", "senior_manager"),
    SetupTab("numbers", "/setup/numbers", "admin"),
    SetupTab("do_not_call", "/setup/do-not-call", "senior_manager"),
    SetupTab("not_sent", "/setup/not-sent", "senior_manager"),
    SetupTab("users", "/setup/users", "admin"),
    SetupTab("audit", "/setup/audit", "admin"),
    SetupTab("other", "/setup/other", "admin"),
)


def tabs_of(call: AnyPageCall, current: str) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this one) of each."""
    return [
        (call.texts.say(f"setup.tab.{tab.name}"), call.here(tab.path), tab.name == current)
        for tab in TABS
        if call.may(tab.role)
    ]
