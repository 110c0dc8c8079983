"""What MANGO tells of a call that it was ordered to make: notifications of both legs, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

LINE = "74951230000"

# Reasons of the employee's leg (it came no further) and of the client's.
_OF_THE_EMPLOYEE: Mapping[str, int] = {
    "employee busy": 1121,
    "employee declines": 1122,
    "employee rings": 1111,
}
_OF_THE_CLIENT: Mapping[str, int] = {
    "client busy": 1121,
    "client rings": 1111,
    "no such number": 1133,
    "machine": 1311,
}
ENDINGS = (*_OF_THE_EMPLOYEE, "employee leaves", *_OF_THE_CLIENT, "talk")


def told_of(command: Mapping[str, Any], ending: str, at: datetime) -> list[tuple[str, dict[str, Any]]]:
    """(name, payload) of each notification, in order. command: as `commands/callback` had it."""
    told = _Told(command, at)
    if ending in _OF_THE_EMPLOYEE:
        told.leg("A", 0, "Appeared")
        told.leg("A", 8, "Disconnected", _OF_THE_EMPLOYEE[ending])
        return [*told.legs, told.report(8, _OF_THE_EMPLOYEE[ending])]
    told.leg("A", 0, "Appeared")
    told.leg("A", 4, "Connected")
    if ending == "employee leaves":
        told.leg("A", 5, "Disconnected", 1110)
        return [*told.legs, told.report(5, 1110)]
    told.leg("A", 5, "Disconnected", 1000)  # as soon as the second leg is made
    told.leg("B", 5, "Appeared")
    if ending == "talk":
        told.leg("B", 9, "Connected")
        told.leg("B", 39, "Disconnected", 1120)
        return [*told.legs, told.report(39, 1120, talk_seconds=30)]
    told.leg("B", 15, "Disconnected", _OF_THE_CLIENT[ending])
    return [*told.legs, told.report(15, _OF_THE_CLIENT[ending])]


class _Told:
    def __init__(self, command: Mapping[str, Any], at: datetime) -> None:
        self._id, self._client = command["command_id"], command["to_number"]
        self._extension, self._at = command["from"]["extension"], int(at.timestamp())
        self.legs: list[tuple[str, dict[str, Any]]] = []

    def leg(self, leg: str, second: int, state: str, reason: int | None = None) -> None:
        """A rings the employee, B the client."""
        ours = {"extension": self._extension, "number": f"sip:{self._extension}@x.mangosip.ru"}
        sides: dict[str, Any] = {"from": {"number": LINE}, "to": ours}
        if leg == "B":
            sides = {
                "from": {**ours, "taken_from_call_id": f"{self._id}-A"},
                "to": {"number": self._client, "line_number": LINE},
            }
        payload = {
            "entry_id": f"entry-{self._id[:8]}",
            "call_id": f"{self._id}-{leg}",
            "timestamp": self._at + second,
            "seq": len(self.legs) + 1,
            "call_state": state,
            "location": "abonent",
            "command_id": self._id,
            "callback_initiator": "API",
            **sides,
        }
        self.legs.append(("call", {**payload, "disconnect_reason": reason} if reason else payload))

    def report(self, second: int, reason: int, talk_seconds: int = 0) -> tuple[str, dict[str, Any]]:
        return "summary", {
            "entry_id": f"entry-{self._id[:8]}",
            "call_direction": 2,
            "from": {"extension": self._extension},
            "to": {"number": self._client},
            "line_number": LINE,
            "create_time": self._at,
            "talk_time": talk_seconds,
            "end_time": self._at + second,
            "entry_result": int(talk_seconds > 0),
            "disconnect_reason": reason,
        }
