"""MANGO's notifications ↔ call events. Pure.

Types are loose in the vendor's own examples (`"seq":"1"`), so numbers are read from text too. Notifications may run
in parallel and nothing is documented about repetition, so they are taken as facts in any order; the vendor's final
report (`summary`) is authoritative, and somebody talked exactly when its talk_time is above 0 (one example of the
documentation has entry_result 1 for a call that only the voice menu answered).
Not confirmed: retries and time-outs of notifications, the host of `/result/*`, the body of `/events/ping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.pbx.connection import Connection
from gateway.pbx.mango.links import recording_link
from gateway.pbx.parties import clean_number
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.addresses import phone_address
from gateway.pbx.reading.machines import is_machine
from gateway.pbx.reading.payload import as_count, as_params, as_text, json_object
from gateway.pbx.times import from_epoch
from routing.calls.model import CallEvent, Direction, Disposition, EventKind, FailedSide, NumberWord
from routing.outbound.attempts import attempt_id_in

_DIRECTIONS: Mapping[int, Direction] = {0: "internal", 1: "inbound", 2: "outbound"}
_STATES = ("Appeared", "Connected", "OnHold", "Disconnected")
_LOCATIONS = ("ivr", "queue", "abonent")

# The client asked for it on the site; all other initiators are our side dialling out.
_ASKED_BY_CLIENT = "CallbackWidget"
_API = "API"
_CAMPAIGN = "ObDial"

# Known to say nothing about a call: speech topics, key presses, SMS reports, address book, presence, ping.
_SILENT = ("record/tagged", "dtmf", "sms", "ping", "ab", "user/status_changed", "user/session_end", "")

# 1100 normal, 1120 callee hung up, 1125 operator stopped, 1170.. ended by scheme or command: no outcome in them.
_REASONS: Mapping[int, Disposition] = {
    1110: Disposition.CANCELLED,
    1111: Disposition.NO_ANSWER,
    1121: Disposition.BUSY,
    1122: Disposition.REJECTED,
    1123: Disposition.BUSY,
    1124: Disposition.BUSY,
    1131: Disposition.NO_ANSWER,
    1160: Disposition.NO_ANSWER,
    1161: Disposition.NO_ANSWER,
    1162: Disposition.NO_ANSWER,
    1163: Disposition.NO_ANSWER,
    1164: Disposition.BUSY,
}
_REASON_CLASSES: Mapping[int, Disposition] = {
    113: Disposition.FAILED,
    115: Disposition.REJECTED,
    119: Disposition.NO_ANSWER,
    131: Disposition.NO_ANSWER,
}


_NO_SUCH_NUMBER = 1133
_UNREACHED = frozenset({Disposition.NO_ANSWER, Disposition.BUSY, Disposition.REJECTED, Disposition.FAILED})


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command came out. code: 1000 = done; others by their class (docs: 2xxx billing … 5xxx server)."""

    command: str
    command_id: str
    code: int

    @property
    def is_done(self) -> bool:
        return self.code // 100 == 10


def disposition_of(reason: int | None) -> Disposition | None:
    """Return a disconnect reason in our words; an unknown one counts as its class."""
    if reason is None:
        return None
    return _REASONS.get(reason) or _REASON_CLASSES.get(reason // 10)


def number_word_of(reason: int | None) -> NumberWord | None:
    """Return what a disconnect reason says of the number. 1310 to 1314: an answering machine, or a robot against robots."""
    if reason == _NO_SUCH_NUMBER:
        return "no_such_number"
    return "machine" if reason is not None and reason // 10 == 131 else None


def notification_events(
    name: str, told: Mapping[str, Any], received_at: datetime, connection: Connection
) -> tuple[CallEvent, ...]:
    """One notification as call events.

    name: what stands behind `/events/`. told: the object in the field `json`. Raises WireInvalid naming the field.
    """
    if name == "call":
        return _leg_events(told, received_at, connection)
    if name == "summary":
        return (_summary(told, received_at, connection),)
    if name == "recording":
        return _recording(told, received_at, connection)
    if name == "record/added":
        return (_record_added(told, received_at, connection),)
    if name in _SILENT or name.startswith("ab/"):
        return ()
    raise WireInvalid("path", "is not a notification of the VPBX API")


def parse_result(command: str, text: str) -> CommandResult:
    """Return the result of a command, sent to `/result/<command>`. Raises WireInvalid."""
    told = json_object(text, "json")
    code = as_count(told.get("result"), "result")
    if code is None:
        raise WireInvalid("result", "is missing")
    return CommandResult(command, _required(told, "command_id"), code)


def _leg_events(
    told: Mapping[str, Any], received_at: datetime, connection: Connection
) -> tuple[CallEvent, ...]:
    # Without a state it is known at least that there is a call.
    state, location = as_text(told.get("call_state"), "call_state"), as_text(told.get("location"), "location")
    if state is not None and state not in _STATES:
        raise WireInvalid("call_state", f"is not one of {', '.join(_STATES)}")
    is_person = location == "abonent"
    if location is not None and location.split(".")[0] not in _LOCATIONS:
        raise WireInvalid("location", f"is not one of {', '.join(_LOCATIONS)}")
    leg = _Leg(told)
    is_person = is_person and not is_machine(leg.party, connection)
    event = leg.event(told, received_at)
    if state == "OnHold":
        return ()
    if state == "Disconnected":
        reason = as_count(told.get("disconnect_reason"), "disconnect_reason")
        cause = disposition_of(reason)
        party = leg.party if is_person else None
        gone = {"kind": EventKind.LEG_ENDED, "party": party, "cause": cause}
        side = leg.failed_side(state, cause)
        word = number_word_of(reason) if side is FailedSide.CLIENT_NOT_REACHED else None
        return (event.model_copy(update={**gone, "failed_side": side, "number_word": word}),)
    if state is None or not is_person or leg.is_ours_dialled_first or leg.is_client_dialled_first:
        return (event,)
    if state == "Connected":
        return (event.model_copy(update={"kind": EventKind.ANSWERED, "party": leg.party}),)
    if leg.direction == "outbound":
        return (event.model_copy(update={"party": leg.party}),)
    rang = event.model_copy(update={"kind": EventKind.RANG, "party": leg.party})
    return (event, rang) if leg.is_first else (rang,)


class _Leg:
    """Who is who in one leg's `from` and `to`."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        caller, called = _side(told, "from"), _side(told, "to")
        self.taken_from = as_text(caller.get("taken_from_call_id"), "from.taken_from_call_id")
        self.attempt = attempt_id_in(as_text(told.get("command_id"), "command_id"))
        told_initiator = as_text(told.get("callback_initiator"), "callback_initiator")
        self.initiator = _latin(told_initiator or (_API if self.attempt else ""))
        from_ours = as_text(caller.get("extension"), "from.extension")
        to_ours = as_text(called.get("extension"), "to.extension")
        from_number = clean_number(as_text(caller.get("number"), "from.number"))
        to_number = clean_number(as_text(called.get("number"), "to.number"))
        self.is_first = self.taken_from is None and not told.get("transfer")
        self.line = as_text(called.get("line_number"), "to.line_number")
        self.direction: Direction | None = None
        self.client: str | None = None
        self.party: str | None = None
        self.is_ours_dialled_first = False
        self.is_client_dialled_first = False
        self.is_client_dialled = bool(from_ours and not to_ours and (self.initiator or self.is_first))
        if self.initiator:
            self._callback(from_ours, to_ours, to_number)
        elif from_ours and to_ours:
            # Also a consultation before a transfer: only a first leg makes the call an internal one.
            self.direction, self.party = "internal" if self.is_first else None, to_ours
        elif from_ours:
            self.direction, self.party = "outbound" if self.is_first else None, from_ours
            self.client = to_number if self.is_first else None
        else:
            self.direction, self.client, self.party = (
                "inbound",
                from_number,
                to_ours or phone_address(to_number),
            )

    def _callback(self, from_ours: str | None, to_ours: str | None, to_number: str | None) -> None:
        """One side is dialled first, mostly the employee's: that it is picked up is no talk yet. How the other side's leg
        looks after a client who was first is not confirmed, so then the report tells who talked."""
        self.direction = "inbound" if self.initiator == _ASKED_BY_CLIENT else "outbound"
        self.party = from_ours or to_ours
        self.is_ours_dialled_first = to_ours is not None
        self.client = None if to_ours else to_number
        self.is_client_dialled_first = self.is_first and not from_ours and not to_ours

    def failed_side(self, state: str | None, cause: Disposition | None = None) -> FailedSide | None:
        """Whose side it is if nobody talks, as far as this leg has come."""
        if self.is_client_dialled:
            return FailedSide.CLIENT_NOT_REACHED
        if self.is_ours_dialled_first:
            is_up = state in ("Connected", "OnHold")
            return FailedSide.EMPLOYEE_HUNG_UP if is_up else FailedSide.EMPLOYEE_NOT_REACHED
        # The client was dialled before anybody of ours: a leg that is still there tells nothing.
        is_gone = self.is_client_dialled_first and cause in _UNREACHED
        return FailedSide.CLIENT_NOT_REACHED if is_gone else None

    def event(self, told: Mapping[str, Any], received_at: datetime) -> CallEvent:
        return CallEvent(
            kind=EventKind.STARTED,
            call_key=_required(told, "entry_id"),
            at=_time(told, "timestamp") or received_at,
            seq=as_count(told.get("seq"), "seq"),
            leg=as_text(told.get("call_id"), "call_id"),
            direction=self.direction,
            client=self.client,
            line=self.line,
            transferred_from=self.taken_from,
            is_callback=bool(self.initiator),
            failed_side=self.failed_side(as_text(told.get("call_state"), "call_state")),
            attempt=self.attempt,
            campaign_task=as_text(told.get("task_id"), "task_id") if self.initiator == _CAMPAIGN else None,
            params=as_params(
                {name: told.get(name) for name in ("task_id", "command_id", "callback_initiator")}
            ),
        )


def _summary(told: Mapping[str, Any], received_at: datetime, connection: Connection) -> CallEvent:
    caller, called = _side(told, "from"), _side(told, "to")
    direction = _direction(told, caller, called)
    ours, theirs = (caller, called) if direction == "outbound" else (called, caller)
    number = as_text(theirs.get("number"), _path(told, theirs, "number"))
    talk_seconds = as_count(told.get("talk_time"), "talk_time")
    party = as_text(ours.get("extension"), _path(told, ours, "extension")) or phone_address(
        as_text(ours.get("number"), _path(told, ours, "number"))
    )
    if is_machine(party, connection):  # whether a person talked too, their own notifications know
        party, talk_seconds = None, None
    ended_at = _time(told, "end_time") or received_at
    reason = disposition_of(as_count(told.get("disconnect_reason"), "disconnect_reason"))
    if talk_seconds is not None:
        reason = Disposition.ANSWERED if talk_seconds else reason or Disposition.NO_ANSWER
    return CallEvent(
        kind=EventKind.SUMMARY,
        call_key=_required(told, "entry_id"),
        at=ended_at,
        direction=direction,
        client=None if direction == "internal" else clean_number(number),
        line=as_text(told.get("line_number"), "line_number"),
        party=party,
        cause=reason,
        talk_seconds=talk_seconds,
        started_at=_time(told, "create_time") if told.get("create_time") else None,
    )


def _direction(told: Mapping[str, Any], caller: Mapping[str, Any], called: Mapping[str, Any]) -> Direction:
    """As the report says; where it does not, by whose extensions it names."""
    code = as_count(told.get("call_direction"), "call_direction")
    if code is not None and code not in _DIRECTIONS:
        raise WireInvalid("call_direction", "is not 0, 1 or 2")
    if code is not None:
        return _DIRECTIONS[code]
    if not caller.get("extension"):
        return "inbound"
    return "internal" if called.get("extension") else "outbound"


def _path(told: Mapping[str, Any], side: Mapping[str, Any], name: str) -> str:
    return f"from.{name}" if side is told.get("from") else f"to.{name}"


def _recording(
    told: Mapping[str, Any], received_at: datetime, connection: Connection
) -> tuple[CallEvent, ...]:
    # Without a state the recording is one that is there: only then an id of it is told.
    state = as_text(told.get("recording_state"), "recording_state") or "Completed"
    code = as_count(told.get("completion_code"), "completion_code") or 1000
    if state not in ("Started", "Continued", "Completed"):
        raise WireInvalid("recording_state", "is not one of Started, Continued, Completed")
    if state != "Completed" or code // 100 != 10:
        return ()
    return (_record_added(told, received_at, connection),)


def _record_added(told: Mapping[str, Any], received_at: datetime, connection: Connection) -> CallEvent:
    recording_id = as_text(told.get("recording_id"), "recording_id")
    return CallEvent(
        kind=EventKind.RECORDING,
        call_key=_required(told, "entry_id"),
        at=_time(told, "timestamp") or received_at,
        recording=recording_link(recording_id, connection) if recording_id else None,
        params={"recording_id": recording_id} if recording_id else {},
    )


def _side(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """`{}`, null, an empty list (PHP's empty object) and absence all mean: nobody to name."""
    side = told.get(name)
    if side in (None, [], ""):
        return {}
    if not isinstance(side, Mapping):
        raise WireInvalid(name, "must be an object")
    return side


def _required(told: Mapping[str, Any], name: str) -> str:
    text = as_text(told.get(name), name)
    if text is None:
        raise WireInvalid(name, "is missing")
    return text


def _time(told: Mapping[str, Any], name: str) -> datetime | None:
    seconds = as_count(told.get(name), name)
    return None if seconds is None else from_epoch(seconds, name)


def _latin(text: str) -> str:
    """Return the word in Latin letters: the documentation has a Cyrillic letter Es inside some of them."""
    return text.replace("\u0421", "C").replace("\u0441", "c")
