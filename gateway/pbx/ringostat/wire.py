"""Ringostat's webhooks and call log ↔ call events. Pure.

Which parameters a webhook carries, how they are named, their form and date format are chosen per webhook in the
cabinet, and the full catalogue is not public: every meaning has a list of the names seen.
Not confirmed: how webhooks authenticate, the zone of dates (setting `time_zone`), whether `call_id` of a webhook and
`uniqueid` of the log are always equal (setting `call_id_field` picks another).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.pbx.connection import Connection
from gateway.pbx.parties import classify_parties, clean_number, is_extension
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.addresses import phone_address
from gateway.pbx.reading.machines import is_machine
from gateway.pbx.reading.payload import as_params, as_seconds, as_text, json_object
from gateway.pbx.reading.spoilt import read_without_spoilt
from gateway.pbx.times import not_ahead, read_time, zone_of
from routing.calls.model import CallEvent, Direction, Disposition, EventKind, FailedSide

ALIASES: Mapping[str, tuple[str, ...]] = {
    "event": ("event", "event_type", "event_name"),
    "call": ("call_id", "uniqueid", "cdr_id"),
    "caller": ("caller", "caller_number", "E164", "userfield"),
    "called": ("callee", "destination", "dst", "n_alias"),
    "client": ("userfield", "E164"),
    "start": ("calldate", "call_date", "date"),
    "status": ("disposition", "call_status", "status"),
    "duration": ("duration", "call_duration"),
    "talk": ("billsec", "dialog"),
    "wait": ("waittime",),
    "type": ("call_type",),
    "insertion": ("insertion_type",),
    "party": ("employee_number", "connected_with", "employee", "manager_id", "employee_fio"),
    "recording": ("recording_wav", "recording", "record_link", "record"),
}
# Parameters that have a name of ours: rules and templates ask for these.
_OURS: Mapping[str, str] = {"pool_name": "pool"}
_KEPT = frozenset({"employee_fio", "department", "disposition", "status", "call_status"})
_KNOWN = frozenset(name for names in ALIASES.values() for name in names) - _KEPT | {"additional_call_data"}

# Vendor's call type -> ours. Callback calls are requested by the client on the site and count as incoming there.
_TYPES: Mapping[str, Direction] = {
    "in": "inbound",
    "transitin": "inbound",
    "callback": "inbound",
    "out": "outbound",
    "transitout": "outbound",
}

# Separators vary between space, `+`, `_` and `-`. PROPER and REPEATED are marks of answered calls.
_DISPOSITIONS: Mapping[str, Disposition] = {
    "ANSWERED": Disposition.ANSWERED,
    "PROPER": Disposition.ANSWERED,
    "REPEATED": Disposition.ANSWERED,
    "NO ANSWER": Disposition.NO_ANSWER,
    "CLIENT NO ANSWER": Disposition.NO_ANSWER,
    "VOICEMAIL": Disposition.NO_ANSWER,
    "NO FORWARD": Disposition.NO_ANSWER,
    "BUSY": Disposition.BUSY,
    "DECLINE": Disposition.REJECTED,
    "FAILED": Disposition.FAILED,
    "WRONG EXTENSION": Disposition.FAILED,
    "NO EXTENSION": Disposition.FAILED,
    "FAILED FORBIDDEN DESTINATION": Disposition.FAILED,
}

# Of callbacks, where a manager is rung first; all other statuses of one that nobody talked in are the manager's.
_CLIENTS_STATUSES = frozenset({"CLIENT NO ANSWER"})

# What is left of a moment in which a machine picked up.
_WITHOUT_TALK = {EventKind.ANSWERED: EventKind.STARTED, EventKind.RANG: EventKind.STARTED}

# The moments that a webhook can be set to, as people name them in the URL.
_MOMENTS: Mapping[str, EventKind | None] = {
    "before": EventKind.STARTED,
    "beforecall": EventKind.STARTED,
    "callstart": EventKind.STARTED,
    "start": EventKind.STARTED,
    "forwarding": EventKind.RANG,
    "forwardingstep": EventKind.RANG,
    "forward": EventKind.RANG,
    "answer": EventKind.ANSWERED,
    "onanswer": EventKind.ANSWERED,
    "answered": EventKind.ANSWERED,
    "whentakingthecall": EventKind.ANSWERED,
    "after": EventKind.SUMMARY,
    "aftercall": EventKind.SUMMARY,
    "callend": EventKind.SUMMARY,
    "end": EventKind.SUMMARY,
    "afterratingmenu": EventKind.RECORDING,
    "rating": EventKind.RECORDING,
}


class Fields:
    """One flat payload by our names, nested `additional_call_data` included."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        nested = raw.get("additional_call_data")
        if isinstance(nested, str) and nested.strip():
            nested = json_object(nested, "additional_call_data")
        if nested not in (None, "", []) and not isinstance(nested, Mapping):
            raise WireInvalid("additional_call_data", "must be an object")
        self.raw: dict[str, Any] = {**(nested or {}), **raw}

    def name(self, wanted: str) -> str:
        names = ALIASES[wanted]
        return next((name for name in names if self.raw.get(name) not in (None, "")), names[0])

    def text(self, wanted: str) -> str | None:
        name = self.name(wanted)
        return as_text(self.raw.get(name), name)

    def seconds(self, wanted: str) -> int | None:
        name = self.name(wanted)
        return as_seconds(self.raw.get(name), name)


def webhook_events(
    kind: EventKind | None, raw: Mapping[str, Any], received_at: datetime, connection: Connection
) -> tuple[CallEvent, ...]:
    """One webhook of this moment as call events. Raises WireInvalid naming the field."""
    return () if kind is None else (_event(kind, Fields(raw), received_at, connection),)


def parse_calls_list(body: bytes, connection: Connection) -> tuple[tuple[CallEvent, ...], tuple[str, ...]]:
    """Return the JSON call log as final reports, and what was refused of it, one line each: one bad row spoils no other.

    body: a JSON array of flat objects. Raises WireInvalid when it is none.
    """
    rows = json_object(b'{"rows":' + (body.strip() or b"[]") + b"}", "body")["rows"]
    if not isinstance(rows, list):
        raise WireInvalid("body", "must be a JSON array of calls")
    events: list[CallEvent] = []
    refused: list[str] = []
    for place, row in enumerate(rows):
        try:
            if not isinstance(row, Mapping):
                raise WireInvalid("row", "must be an object")
            events.append(read_without_spoilt(lambda told: _row(told, connection), row)[0])
        except WireInvalid as err:
            refused.append(f"call {place}: {err}")
    return tuple(events), tuple(refused)


def _row(row: Mapping[str, Any], connection: Connection) -> CallEvent:
    fields = Fields(row)
    if fields.text("start") is None:
        raise WireInvalid("calldate", "is missing")
    return _event(EventKind.SUMMARY, fields, None, connection)


def moment_of(raw: Mapping[str, Any], path: str) -> EventKind | None:
    """Which moment of a call a webhook tells of: as its path or a field says, or as follows from what it tells.

    Raises WireInvalid.
    """
    fields = Fields(raw)
    told = fields.text("event") or path.rpartition("/")[2]
    if told:
        plain = re.sub(r"[\W_]", "", told).lower().removeprefix("incoming").removeprefix("outgoing")
        if plain not in _MOMENTS:
            raise WireInvalid(
                fields.name("event"), "is not a moment of a call: before, answer, forwarding, after"
            )
        return _MOMENTS[plain]
    if fields.text("status") or fields.text("duration") or fields.text("talk"):
        return EventKind.SUMMARY
    return EventKind.STARTED


def _event(
    kind: EventKind, fields: Fields, received_at: datetime | None, connection: Connection
) -> CallEvent:
    call_key = _call_key(fields, connection)
    start = _start(fields, received_at, connection)
    talk, wait, duration = fields.seconds("talk"), fields.seconds("wait"), fields.seconds("duration")
    is_answered = kind is EventKind.ANSWERED
    lasted = wait if is_answered else duration
    begun = start or received_at
    assert begun is not None  # only the call log has no time of receipt, and there the start is required
    at = begun if kind is EventKind.STARTED else (received_at or begun)
    if start is not None and lasted is not None:
        at = start + timedelta(seconds=lasted)
    cause = _cause(fields, talk) if kind is EventKind.SUMMARY else None
    call_type = _type(fields)
    told = classify_parties(fields.text("caller"), fields.text("called"), call_type, connection)
    client = told.client
    if told.direction == "outbound":
        client = clean_number(fields.text("client")) or told.client
    employee = fields.text("party")
    if is_machine(employee, connection):
        employee, kind, talk, cause = None, _WITHOUT_TALK.get(kind, kind), None, None
    party = phone_address(employee) or (told.party if kind is EventKind.STARTED else None)
    return CallEvent(
        kind=kind,
        call_key=call_key,
        at=at,
        direction=told.direction,
        client=client,
        line=None if is_extension(told.line, connection) else told.line,
        party=party,
        cause=cause,
        failed_side=_failed_side(fields, cause, call_type),
        talk_seconds=talk if kind is EventKind.SUMMARY else None,
        wait_seconds=wait if kind is EventKind.SUMMARY else None,
        started_at=start,
        answered_at=start + timedelta(seconds=wait)
        if start and wait is not None and cause is Disposition.ANSWERED
        else None,
        recording=_recording(fields),
        is_callback=_is_callback(fields),
        params=as_params(
            {_OURS.get(name, name): value for name, value in fields.raw.items() if name not in _KNOWN}
        ),
    )


def _call_key(fields: Fields, connection: Connection) -> str:
    chosen = str(connection.settings.get("call_id_field") or "")
    call_key = as_text(fields.raw.get(chosen), chosen) if chosen else fields.text("call")
    if call_key is None:
        raise WireInvalid(chosen or "call_id", "is missing")
    return call_key


def _start(fields: Fields, received_at: datetime | None, connection: Connection) -> datetime | None:
    text, name = fields.text("start"), fields.name("start")
    return (
        not_ahead(read_time(text, name, zone_of(connection), received_at), received_at, name)
        if text
        else None
    )


def _type(fields: Fields) -> Direction | None:
    text = fields.text("type")
    if text is None:
        return None
    direction = _TYPES.get(text.lower())
    if direction is None:
        raise WireInvalid("call_type", f"is not one of {', '.join(_TYPES)}")
    return direction


def _cause(fields: Fields, talk: int | None) -> Disposition | None:
    """Return the cause. A status that is not in the table is refused unless the talk time tells what it would have told."""
    text = fields.text("status")
    if text is None:
        return None if talk is None else Disposition.ANSWERED if talk else Disposition.NO_ANSWER
    cause = _DISPOSITIONS.get(_plain_status(text))
    if cause is None and talk is None:
        raise WireInvalid(fields.name("status"), "is not a known disposition")
    return cause or (Disposition.ANSWERED if talk else Disposition.NO_ANSWER)


def _failed_side(fields: Fields, cause: Disposition | None, call_type: Direction | None) -> FailedSide | None:
    """Only a report tells. Whoever calls out is there; voicemail answers for the client, not for a manager."""
    if cause in (None, Disposition.ANSWERED):
        return None
    status = _plain_status(fields.text("status") or "")
    if _is_callback(fields):
        if not status:
            return None
        is_client = status in _CLIENTS_STATUSES
        return FailedSide.CLIENT_NOT_REACHED if is_client else FailedSide.EMPLOYEE_NOT_REACHED
    return FailedSide.CLIENT_NOT_REACHED if call_type == "outbound" else None


def _is_callback(fields: Fields) -> bool:
    told = (fields.text("type"), fields.text("insertion"))
    return "callback" in ((text or "").lower() for text in told)


def _plain_status(text: str) -> str:
    return re.sub(r"[\s+_-]+", " ", text).strip().upper()


def _recording(fields: Fields) -> str | None:
    link = fields.text("recording")
    return link if link and link.lower() not in ("0", "false", "no") else None
