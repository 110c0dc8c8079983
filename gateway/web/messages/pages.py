"""What goes out: auto-callback, SMS by template, triggers, campaigns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from gateway.store.admin.roles import Role
from gateway.web.frame import PageAnswer, PageRoute
from gateway.web.messages import callbacks, firings, sent_texts, trigger_steps, triggers
from gateway.web.messages.campaigns import form, lists, numbers, one


def _page(
    method: Literal["GET", "POST"],
    path: str,
    handler: Callable[[Any], Awaitable[PageAnswer]],
    role: Role = "admin",
    *,
    configures: bool = False,
) -> PageRoute:
    return PageRoute(
        method=method, path=path, handler=handler, role=role, entry="messages", configures=configures
    )


_ONE = "/messages/triggers/{trigger}"
_CAMPAIGN = "/messages/campaigns/{campaign}"
PAGES: tuple[PageRoute, ...] = (
    _page("GET", "/messages", callbacks.callbacks, "senior_manager"),
    _page("POST", "/messages/rate", callbacks.set_rate, configures=True),
    _page("GET", "/messages/clear", callbacks.ask_to_clear),
    _page("POST", "/messages/clear", callbacks.clear),
    _page("GET", "/messages/sms", triggers.sms_templates, "senior_manager"),
    _page("GET", sent_texts.PATH, sent_texts.sent_texts, "senior_manager"),
    _page("GET", sent_texts.PATH + ".csv", sent_texts.texts_csv, "senior_manager"),
    _page("GET", "/messages/triggers", triggers.triggers, "senior_manager"),
    _page("GET", "/messages/new-trigger", triggers.show_new),
    _page("POST", "/messages/new-trigger", triggers.add),
    _page("POST", "/messages/preview", triggers.show_preview),
    _page("GET", _ONE, triggers.show_one, "senior_manager"),
    _page("POST", _ONE, triggers.change),
    _page("GET", _ONE + "/off", trigger_steps.ask_off),
    _page("POST", _ONE + "/switch", trigger_steps.switch),
    _page("GET", _ONE + "/remove", trigger_steps.ask_removal),
    _page("POST", _ONE + "/remove", trigger_steps.remove),
    _page("GET", _ONE + "/versions", trigger_steps.show_versions, "senior_manager"),
    _page("POST", _ONE + "/versions/{version}", trigger_steps.take_back),
    _page("GET", _ONE + "/apply", trigger_steps.ask_apply),
    _page("POST", _ONE + "/apply", trigger_steps.apply),
    _page("GET", "/messages/firings", firings.firings, "senior_manager"),
    _page("GET", "/messages/firings/{firing}", firings.firing, "senior_manager"),
    _page("GET", "/messages/campaigns", lists.campaigns, "senior_manager"),
    _page("POST", "/messages/campaigns-switches", lists.save_switches, configures=True),
    _page("GET", "/messages/new-campaign", form.show_new_campaign),
    _page("POST", "/messages/new-campaign", form.add_campaign),
    _page("GET", _CAMPAIGN, one.campaign, "senior_manager"),
    _page("GET", _CAMPAIGN + "/edit", form.show_campaign_form),
    _page("POST", _CAMPAIGN + "/edit", form.save_campaign),
    _page("GET", _CAMPAIGN + "/ending", one.ask_ending, "senior_manager"),
    _page("POST", _CAMPAIGN + "/command", one.command, "senior_manager"),
    _page("POST", _CAMPAIGN + "/plan", one.plan),
    _page("POST", _CAMPAIGN + "/close", one.close),
    _page("POST", _CAMPAIGN + "/numbers", numbers.add_numbers),
    _page("POST", _CAMPAIGN + "/take-out", one.take_out),
    _page("GET", _CAMPAIGN + "/members.csv", one.members_csv, "senior_manager"),
)
