"""The tabs of what goes out."""

from __future__ import annotations

from gateway.web.frame import AnyPageCall

TABS = (
    ("sms", "/messages/sms"),
    ("texts", "/messages/texts"),
    ("callbacks", "/messages"),
    ("triggers", "/messages/triggers"),
    ("campaigns", "/messages/campaigns"),
)


def tabs_of(call: AnyPageCall, current: str) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this one) of each."""
    return [(call.texts.say(f"messages.tab.{name}"), call.here(path), name == current) for name, path in TABS]
