"""The tabs of what is written with clients and goes out to them; managers have their dialogues."""

from __future__ import annotations

from gateway.web.frame import AnyPageCall

TABS = (
    ("dialogs", "/dialogs"),
    ("sms", "/messages/sms"),
    ("texts", "/messages/texts"),
    ("callbacks", "/messages"),
    ("triggers", "/messages/triggers"),
    ("campaigns", "/messages/campaigns"),
)


def tabs_of(call: AnyPageCall, current: str) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this one) of each."""
    seen = TABS if call.may("senior_manager") else TABS[:1]
    return [(call.texts.say(f"messages.tab.{name}"), call.here(path), name == current) for name, path in seen]
