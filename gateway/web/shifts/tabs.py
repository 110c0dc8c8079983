"""The tabs of the shifts."""

from __future__ import annotations

from typing import Literal

from gateway.web.frame import AnyPageCall

SCHEDULES = "/shifts/schedules"


def tabs_of(call: AnyPageCall, current: Literal["who", "schedules"]) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this one) of each."""
    places = (("who", "/shifts"), ("schedules", SCHEDULES))
    return [(call.texts.say(f"shifts.tab.{name}"), call.here(path), name == current) for name, path in places]
