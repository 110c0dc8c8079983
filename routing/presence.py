"""Who can be rung just now, as far as anybody has said."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class PresenceState(StrEnum):
    """UNKNOWN counts as available: a gap in what we are told must not silence a phone."""

    AVAILABLE = "available"
    BUSY = "busy"
    DND = "dnd"
    OFF_SHIFT = "off_shift"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


_CAN_BE_RUNG = frozenset({PresenceState.AVAILABLE, PresenceState.UNKNOWN})


class Presence(NamedTuple):
    """States by employee id. An employee who is missing is UNKNOWN."""

    states: Mapping[str, PresenceState] = {}

    def of(self, employee_id: str) -> PresenceState:
        return self.states.get(employee_id, PresenceState.UNKNOWN)

    def can_be_rung(self, employee_id: str) -> bool:
        return not self.states or self.of(employee_id) in _CAN_BE_RUNG


NOBODY_SAID = Presence()
