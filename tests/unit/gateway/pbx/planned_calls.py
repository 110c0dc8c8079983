"""The calls that every PBX must tell alike: plans without any vendor's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from routing.calls.model import Disposition, FailedSide

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LINE = "74951234567"
MOBILE = "79095554433"

Origin = Literal["caller", "phone", "click", "client_first"]
_EMPLOYEE, _HUNG_UP, _CLIENT = FailedSide
# A proxy makes no calls itself, and sees no keys that are pressed in a talk.
_NO_PROXY = ("kamailio",)


@dataclass(frozen=True)
class Part:
    """One phone: who, when it rang, was answered and was left, in seconds of the call; None = never."""

    party: str
    rang: int | None
    answered: int | None = None
    left: int | None = None


@dataclass(frozen=True)
class Plan:
    """One call as it was.

    ended None: the PBX never says. origin: who made it: the caller, a phone of ours, or the PBX, which rang the employee
    (click) or the client first. begins: seconds after START. is_late: what comes last is told first. machine: when a
    mailbox answered. recording: of a real Asterisk that had just this call. but_not: kinds of PBX that have no such call.
    """

    name: str
    client: str | None
    parts: tuple[Part, ...]
    ended: int | None
    direction: str = "inbound"
    origin: Origin = "caller"
    caller: str | None = None
    is_callback: bool = False
    is_late: bool = False
    begins: int = 0
    machine: int | None = None
    failed_side: FailedSide | None = None
    disposition: Disposition = Disposition.NO_ANSWER
    recording: str | None = None
    but_not: tuple[str, ...] = ()

    @property
    def talkers(self) -> list[str]:
        talked = [part for part in self.parts if part.answered is not None]
        return [part.party for part in sorted(talked, key=lambda part: part.answered or 0)]

    @property
    def answered(self) -> int | None:
        return min((part.answered for part in self.parts if part.answered is not None), default=None)

    @property
    def talk_seconds(self) -> int | None:
        """Seconds in which anybody of ours talked with the client."""
        if self.ended is None:
            return None
        stretches = [(part.answered, part.left) for part in self.parts if part.answered is not None]
        return len({second for since, left in stretches for second in range(since, left or self.ended)})

    @property
    def billed_seconds(self) -> int | None:
        """From the first answer to the end, as a PBX counts that does not know who left."""
        if self.ended is None:
            return None
        return 0 if self.answered is None else self.ended - self.answered

    @property
    def is_out(self) -> bool:
        return self.direction == "outbound"

    @property
    def is_room(self) -> bool:
        """Does the client wait in a conference that others come into?"""
        return self.direction == "inbound" and all(part.rang is None for part in self.parts)

    def at(self, second: int) -> datetime:
        return START + timedelta(seconds=self.begins + second)

    def epoch(self, second: int) -> int:
        return int(self.at(second).timestamp())


def _out(name: str, client: str, *parts: Part, ended: int, origin: Origin = "phone", **more: object) -> Plan:
    fields = {"direction": "outbound", "is_callback": origin != "phone", **more}
    if origin != "phone":
        fields.setdefault("but_not", _NO_PROXY)
    return Plan(name, client, parts, ended, origin=origin, **fields)  # type: ignore[arg-type]


TALKED = (Part("101", 1, 5, 35),)
MISSED = (Part("101", 1, None, 21),)

PLANS = (
    Plan("answered", "79001110001", TALKED, 35),
    Plan("missed", "79001110002", MISSED, 21),
    Plan("transferred", "79001110003", (Part("101", 1, 5, 20), Part("102", 20, 25, 60)), 60),
    Plan("ring-all", "79001110004", tuple(Part(p, 1, None, 21) for p in ("101", "102", "103")), 21),
    Plan("callback", "79001110005", TALKED, 35, is_callback=True),
    Plan("internal", None, (Part("102", 1, 5, 15),), 15, direction="internal", caller="101"),
    Plan("anonymous", "anonymous", TALKED, 35),
    Plan("at once, first", "79001110008", TALKED, 35),
    Plan("at once, second", "79001110008", MISSED, 21, begins=2),
    Plan("no hangup", "79001110009", (Part("101", 1, 5, None),), None),
    Plan("late answer", "79001110010", TALKED, 35, is_late=True),
    Plan(
        "ring group",
        "79001110011",
        (Part("101", 0, None, 2), Part("102", 0, 2, 8)),
        8,
        recording="ring_group_optimised",
    ),
    Plan(
        "queue",
        "79001110012",
        (Part("101", 0, None, 2), Part("102", 0, 2, 8)),
        8,
        recording="queue_over_local_channels",
    ),
    Plan("queue, one after the other", "79001110013", (Part("101", 1, None, 9), Part("102", 9, 12, 30)), 30),
    Plan(
        "queue, given up",
        "79001110014",
        (Part("101", 0, None, 12), Part("102", 0, None, 12)),
        12,
        recording="queue_of_phones_abandoned",
    ),
    Plan(
        "picked up",
        "79001110015",
        (Part("101", 0, None, 5), Part("103", None, 5, 12)),
        12,
        recording="pickup",
        but_not=_NO_PROXY,
    ),
    Plan(
        "conference",
        "79001110016",
        (Part("101", None, 3, 15), Part("102", None, 4, 11)),
        15,
        recording="conference_of_three",
        but_not=_NO_PROXY,
    ),
    Plan("two in a room, first", "79001110017", (Part("101", None, 6, 30),), 30, but_not=_NO_PROXY),
    Plan(
        "two in a room, second", "79001110018", (Part("101", None, 4, 36),), 36, begins=2, but_not=_NO_PROXY
    ),
    Plan(
        "attended transfer",
        "79001110019",
        (Part("101", 0, 1, 8), Part("102", 8, 16, 26)),
        26,
        recording="attended_transfer_by_code",
    ),
    Plan(
        "transfer key",
        "79001110020",
        (Part("101", 0, 1, 10), Part("102", 4, 10, 24)),
        24,
        recording="transfer_key",
    ),
    Plan(
        "to a mobile",
        "79001110021",
        (Part("101", 0, 1, 5), Part(MOBILE, 5, 8, 14)),
        14,
        recording="blind_transfer_to_a_mobile",
    ),
    Plan(
        "forwarded",
        "79001110022",
        (Part("103", 0, None, 1), Part(MOBILE, 1, 2, 9)),
        9,
        recording="phone_redirects_to_a_mobile",
    ),
    Plan(
        "parked",
        "79001110023",
        (Part("101", 0, 1, 5), Part("102", None, 13, 20)),
        20,
        recording="parked_and_fetched",
        but_not=_NO_PROXY,
    ),
    Plan(
        "voicemail",
        "79001110024",
        (Part("101", 0, None, 9),),
        17,
        machine=10,
        recording="voicemail",
        but_not=_NO_PROXY,
    ),
    Plan("listened in", "79001110025", (Part("101", 0, 1, 16),), 16, recording="supervisor_listens_in"),
    _out("outgoing", "79001110026", Part("101", None, 1, 6), ended=6, recording="outbound"),
    _out("outgoing, no answer", "79001110027", ended=20, failed_side=_CLIENT),
    _out("outgoing, busy", "79001110028", ended=4, failed_side=_CLIENT, disposition=Disposition.BUSY),
    _out("outside prefix", "79001110029", Part("101", None, 2, 8), ended=8, recording="outside_prefix"),
    _out("click", "79001110030", Part("101", 0, 3, 9), ended=9, origin="click", recording="click_to_call"),
    _out(
        "click, no client",
        "79001110031",
        Part("101", 0),
        ended=12,
        origin="click",
        failed_side=_CLIENT,
        recording="click_to_call_client_does_not_answer",
    ),
    _out(
        "click, no employee",
        "79001110032",
        Part("101", 0),
        ended=10,
        origin="click",
        failed_side=_EMPLOYEE,
        recording="click_to_call_employee_does_not_answer",
    ),
    _out(
        "click, hung up",
        "79001110033",
        Part("101", 0),
        ended=6,
        origin="click",
        failed_side=_HUNG_UP,
        but_not=("kamailio", "ringostat"),
    ),
    _out(
        "client first",
        "79001110034",
        Part("101", 1, 3, 9),
        ended=9,
        origin="client_first",
        recording="callback_client_first_local",
        but_not=("kamailio", "mango"),
    ),
    _out(
        "client first, no employee",
        "79001110035",
        Part("101", 1),
        ended=10,
        origin="client_first",
        failed_side=_EMPLOYEE,
        recording="callback_client_first_local_employee_does_not_answer",
    ),
)
