"""mod_json_cdr's reports ↔ call events. Pure.

One report per leg. The first leg's is the call's final report; a second leg tells of one phone that was rung. Which
leg is which, and what a variable holds after transfers, is from documentation and memory: not confirmed by a run.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from gateway.pbx.connection import Connection
from gateway.pbx.parties import Parties, classify_parties, clean_number, is_extension, is_line
from gateway.pbx.port import Inbound, WireInvalid
from gateway.pbx.reading.addresses import phone_address, user_part
from gateway.pbx.reading.machines import is_machine
from gateway.pbx.reading.payload import as_count, as_params, as_text, header, json_object, read_form
from gateway.pbx.reading.text import decoded, legible
from gateway.pbx.times import from_epoch
from routing.calls.model import CallEvent, Direction, Disposition, EventKind, FailedSide, NumberWord
from routing.outbound.attempts import attempt_id_in
from runtime.vendors.charsets import charset_of

# Set on the leg that tried to reach another one.
_DIALLED_ON = ("originate_disposition", "originated_legs", "last_bridge_to", "bridge_hangup_cause")

_DIRECTIONS: Mapping[str, Direction] = {"in": "inbound", "out": "outbound", "internal": "internal"}

# Q.850 names as FreeSWITCH writes them. NORMAL_CLEARING says nothing about whether anybody talked.
_CAUSES: Mapping[str, Disposition] = {
    "USER_BUSY": Disposition.BUSY,
    "CALL_REJECTED": Disposition.REJECTED,
    "ORIGINATOR_CANCEL": Disposition.CANCELLED,
    "NO_ANSWER": Disposition.NO_ANSWER,
    "NO_USER_RESPONSE": Disposition.NO_ANSWER,
    "ALLOTTED_TIMEOUT": Disposition.NO_ANSWER,
    "USER_NOT_REGISTERED": Disposition.NO_ANSWER,
    "SUBSCRIBER_ABSENT": Disposition.NO_ANSWER,
    "LOSE_RACE": Disposition.NO_ANSWER,
}
_NO_SUCH_NUMBER = frozenset({"UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NUMBER_CHANGED"})
_SAYS_NOTHING = frozenset(
    {"NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "NONE", "SUCCESS", "ATTENDED_TRANSFER", "BLIND_TRANSFER"}
)


def read_cdr(request: Inbound) -> dict[str, Any] | None:
    """Return the report in any of the module's encodings (`encode` true, base64, false); None when the body is no report.

    Every value may be URL-encoded once more (`encode-values`, on by default). Raises WireInvalid.
    """
    text = decoded(request.body, charset_of(header(request, "Content-Type") or "")).strip()
    if not text:
        return None
    if text.startswith("{"):
        report = json_object(text, "body")
        return _report(report) if "variables" in report else None
    if "base64" in (header(request, "Content-Type") or "").lower():
        # Not decoded as a form: `+` is a digit of base64.
        text = _base64(text.removeprefix("cdr="))
    else:
        cdr = read_form(request.body).get("cdr")
        if cdr is None:
            return None
        text = as_text(cdr, "cdr") or ""
        if not text.startswith("{"):
            text = _base64(text.replace(" ", "+"))
    report = json_object(text, "cdr")
    if "variables" not in report:
        raise WireInvalid("cdr.variables", "is missing")
    return _report(report)


def _base64(text: str) -> str:
    try:
        return decoded(base64.b64decode(unquote(text), validate=True))
    except ValueError as err:  # binascii.Error, or letters that are no ASCII
        raise WireInvalid("cdr", "is neither JSON nor base64") from err


def _report(report: dict[str, Any]) -> dict[str, Any]:
    return {name: _unquoted(value) for name, value in report.items()}


def _unquoted(value: Any) -> Any:
    if isinstance(value, str):
        return legible(unquote(value, errors="surrogateescape"))
    if isinstance(value, dict):
        return {name: _unquoted(inner) for name, inner in value.items()}
    return [_unquoted(inner) for inner in value] if isinstance(value, list) else value


class _Report:
    """One leg's report: its variables and the profile with which it came in."""

    def __init__(self, cdr: Mapping[str, Any]) -> None:
        variables = cdr.get("variables")
        if not isinstance(variables, Mapping):
            raise WireInvalid("variables", "must be an object")
        self.variables = variables
        steps = cdr.get("callflow")
        flow = [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []
        # Newest first: a transfer puts a new profile before the one with which the call came in.
        profile = flow[-1].get("caller_profile") if flow else None
        self.profile: Mapping[str, Any] = profile if isinstance(profile, Mapping) else {}
        self.times = [step["times"] for step in flow if isinstance(step.get("times"), Mapping)]

    def text(self, name: str) -> str | None:
        return as_text(self.variables.get(name), f"variables.{name}")

    def time(self, name: str) -> datetime | None:
        seconds = as_count(self.variables.get(name), f"variables.{name}")
        return from_epoch(seconds, f"variables.{name}") if seconds else None

    def number(self, name: str) -> str | None:
        told = self.profile.get(name)
        return (told.strip() if isinstance(told, str) else None) or self.text(name)

    @property
    def is_rung_first(self) -> bool:
        """A leg that nobody called from: FreeSWITCH calls a leg outbound when it made it."""
        return self.text("direction") == "outbound"

    @property
    def attempt(self) -> str | None:
        return attempt_id_in(self.text("callmatrix_attempt"))

    @property
    def was_in_a_room(self) -> bool:
        return bool(self.text("conference_name") or self.text("conference_uuid"))

    def bridged_at(self) -> datetime | None:
        """When the first leg was first joined to a phone; a voice menu that answers does not count."""
        told = [str(times.get("bridged_time")) for times in self.times]
        micros = [int(text) for text in told if re.fullmatch(r"[0-9]{1,17}", text)]
        return min((from_epoch(us / 1_000_000, "bridged_time") for us in micros if us), default=None)


def parse_cdr(cdr: Mapping[str, Any], received_at: datetime, connection: Connection) -> tuple[CallEvent, ...]:
    """One leg's report as call events. Raises WireInvalid naming the field."""
    report = _Report(cdr)
    uuid = report.text("uuid")
    if uuid is None:
        raise WireInvalid("variables.uuid", "is missing")
    call_key = _call_key(report, uuid)
    if call_key == uuid:
        return (_call_report(report, call_key, received_at, connection),)
    return _leg_report(report, call_key, uuid, received_at, connection)


def _call_key(report: _Report, uuid: str) -> str:
    """Return the first leg's uuid. Which variable holds it depends on how the leg was made; each may hold the leg's own too. Of
    a call at our order it is the attempt's id."""
    if told := report.attempt or report.text("callmatrix_call"):
        return told
    others = (report.text(name) for name in ("call_uuid", "originator", "originating_leg_uuid"))
    return next((other for other in others if other and other != uuid), uuid)


def _told(report: _Report, connection: Connection) -> Parties:
    """FreeSWITCH's own direction is the leg's (every phone's call is inbound to it), so numbers and the recipe decide."""
    direction = report.text("callmatrix_direction")
    if direction is not None and direction not in _DIRECTIONS:
        raise WireInvalid("variables.callmatrix_direction", "is not in, out or internal")
    if report.is_rung_first and direction != "internal":
        told = _rung_first(report, connection)
        return replace(told, direction=_DIRECTIONS[direction]) if direction else told
    return classify_parties(
        report.number("caller_id_number"),
        report.number("destination_number"),
        _DIRECTIONS[direction] if direction else None,
        connection,
    )


def _rung_first(report: _Report, connection: Connection) -> Parties:
    """We rang the first leg ourselves (`originate`): an employee, who is shown the client's number, or the client."""
    rung, shown = report.number("destination_number"), report.number("caller_id_number")
    employee = report.text("dialed_user") or (rung if is_extension(rung, connection) else None)
    if employee is None:
        return Parties("outbound", clean_number(rung), None)
    client = report.text("callmatrix_client") or shown
    return Parties("outbound", None if is_extension(client, connection) else client, None, employee)


def _failed_side(report: _Report, told: Parties) -> FailedSide:
    """Of a call that we made and nobody talked in."""
    is_up = bool(report.time("answer_epoch"))
    if report.is_rung_first and told.party is None:
        return FailedSide.EMPLOYEE_NOT_REACHED if is_up else FailedSide.CLIENT_NOT_REACHED
    if report.is_rung_first and not is_up:
        return FailedSide.EMPLOYEE_NOT_REACHED
    has_dialled = any(report.variables.get(name) for name in _DIALLED_ON)
    return FailedSide.CLIENT_NOT_REACHED if has_dialled else FailedSide.EMPLOYEE_HUNG_UP


def _call_report(report: _Report, call_key: str, received_at: datetime, connection: Connection) -> CallEvent:
    told = _told(report, connection)
    ended_at = report.time("end_epoch") or received_at
    answered_at = report.bridged_at()
    if answered_at is None and not report.times and report.text("bridge_uuid"):
        answered_at = report.time("answer_epoch")
    party = told.party if told.direction == "outbound" else _bridged_party(report, answered_at)
    side = _failed_side(report, told)
    is_clients = side is FailedSide.CLIENT_NOT_REACHED
    why = _cause(report) or (_cause(report, "originate_disposition") if is_clients else None)
    cause = Disposition.ANSWERED if answered_at else why or Disposition.NO_ANSWER
    talk_seconds = max(0, round((ended_at - answered_at).total_seconds())) if answered_at else 0
    bare = CallEvent(
        kind=EventKind.SUMMARY,
        call_key=call_key,
        at=ended_at,
        direction=told.direction,
        client=told.client,
        line=told.line,
        started_at=report.time("start_epoch"),
        recording=report.text("callmatrix_recording"),
        attempt=report.attempt,
    )
    # Whether a person talked before a machine did, their own leg knows; of a room, what was told while it lasted.
    if is_machine(party, connection) or (not answered_at and report.was_in_a_room):
        return bare
    is_callback = (report.text("callmatrix_callback") or "") in ("1", "true")
    is_failed = answered_at is None and (told.direction == "outbound" or is_callback)
    params = {n: v for n, v in report.variables.items() if n.startswith(("utm_", "callmatrix_param_"))}
    told_of_talk = {
        "party": party,
        "cause": cause,
        "talk_seconds": talk_seconds,
        "answered_at": answered_at,
        "is_callback": is_callback or report.is_rung_first,
        "failed_side": side if is_failed else None,
        "number_word": _number_word(report) if is_failed and is_clients else None,
        "params": as_params(params),
    }
    return bare.model_copy(update=told_of_talk)


def _leg_report(
    report: _Report, call_key: str, uuid: str, received_at: datetime, connection: Connection
) -> tuple[CallEvent, ...]:
    called = phone_address(report.text("dialed_user")) or report.number("destination_number")
    is_phone = bool(report.text("dialed_user")) or is_extension(called, connection)
    is_talker = not is_machine(called, connection)
    is_phone = is_phone and is_talker
    ended_at = report.time("end_epoch") or received_at
    caller = clean_number(report.number("caller_id_number"))
    is_clients = is_phone and caller is not None
    is_clients = is_clients and not is_extension(caller, connection) and not is_line(caller, connection)
    leg = CallEvent(
        kind=EventKind.LEG_ENDED,
        call_key=call_key,
        at=ended_at,
        leg=uuid,
        party=called if is_phone else None,
        # The first leg's report may be lost.
        direction="inbound" if is_clients else None,
        client=caller if is_clients else None,
        cause=_cause(report),
    )
    if report.attempt:
        leg = leg.model_copy(update=_of_the_client(report, called))
    events = [leg]
    if is_phone:
        rang_at = report.time("start_epoch") or ended_at
        events.insert(0, leg.model_copy(update={"kind": EventKind.RANG, "at": rang_at, "cause": None}))
    if (answered_at := report.time("answer_epoch")) and is_talker:
        answer = {"kind": EventKind.ANSWERED, "at": answered_at, "cause": None}
        events.insert(-1, leg.model_copy(update=answer))
    return tuple(events)


def _of_the_client(report: _Report, called: str | None) -> dict[str, Any]:
    """Return what the second leg of a call at our order tells: the employee's own report may be lost."""
    return {
        "direction": "outbound",
        "client": clean_number(called),
        "is_callback": True,
        "attempt": report.attempt,
        "failed_side": FailedSide.CLIENT_NOT_REACHED,
        "number_word": _number_word(report),
    }


def _number_word(report: _Report) -> NumberWord | None:
    told = {(report.text(name) or "").upper() for name in ("hangup_cause", "originate_disposition")}
    return "no_such_number" if told & _NO_SUCH_NUMBER else None


def _bridged_party(report: _Report, answered_at: datetime | None) -> str | None:
    """`sofia/internal/101@pbx` -> 101; only where somebody answered: a phone that only rang is told by its own report."""
    channel = (report.text("bridge_channel") or "") if answered_at else ""
    return user_part(channel.rpartition("/")[2]) or None


def _cause(report: _Report, name: str = "hangup_cause") -> Disposition | None:
    cause = report.text(name)
    if cause is None or cause.upper() in _SAYS_NOTHING:
        return None
    return _CAUSES.get(cause.upper(), Disposition.FAILED)
