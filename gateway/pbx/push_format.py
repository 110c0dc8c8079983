"""The generic push format ↔ call events. Pure: bytes and values in, values out.

A superset of what sipgate pushes and of Zammad's generic CTI interface: newCall, answer, hangup; and ours: ringing,
recording, summary. Names of fields are accepted in several spellings; what is not known is kept as a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from gateway.pbx.connection import Connection
from gateway.pbx.parties import Parties, classify_parties, clean_number, is_extension, is_line
from gateway.pbx.port import Inbound, Parsed, WireInvalid
from gateway.pbx.reading.addresses import phone_address
from gateway.pbx.reading.causes import disposition_of_code, number_word_of_code
from gateway.pbx.reading.machines import is_machine, keeps_waiting, people
from gateway.pbx.reading.payload import as_params, as_seconds, as_text
from gateway.pbx.reading.spoilt import parsed_of
from gateway.pbx.times import not_ahead, read_time, zone_of
from routing.calls.model import CallEvent, Direction, Disposition, EventKind, FailedSide, NumberWord
from routing.outbound.attempts import attempt_id_in

_EVENTS: Mapping[str, EventKind | None] = {
    "newcall": EventKind.STARTED,
    "ringing": EventKind.RANG,
    "ring": EventKind.RANG,
    "answer": EventKind.ANSWERED,
    "answered": EventKind.ANSWERED,
    "leave": EventKind.LEG_ENDED,
    "hangup": EventKind.ENDED,
    "recording": EventKind.RECORDING,
    "summary": EventKind.SUMMARY,
    "dtmf": None,  # sipgate's key presses: accepted, nothing follows from them
    "ping": None,
}

_DIRECTIONS: Mapping[str, Direction] = {
    "in": "inbound",
    "inbound": "inbound",
    "incoming": "inbound",
    "out": "outbound",
    "outbound": "outbound",
    "outgoing": "outbound",
    "internal": "internal",
    "local": "internal",
}

# sipgate's and Zammad's seven causes, and how others spell them; normalClearing says nothing about whether anybody talked.
_CAUSES: Mapping[str, Disposition | None] = {
    "normalclearing": None,
    "normal": None,
    "completed": None,
    "complete": None,
    "hangup": None,
    "forwarded": None,
    "busy": Disposition.BUSY,
    "userbusy": Disposition.BUSY,
    "cancel": Disposition.CANCELLED,
    "cancelled": Disposition.CANCELLED,
    "canceled": Disposition.CANCELLED,
    "originatorcancel": Disposition.CANCELLED,
    "noanswer": Disposition.NO_ANSWER,
    "unanswered": Disposition.NO_ANSWER,
    "missed": Disposition.NO_ANSWER,
    "timeout": Disposition.NO_ANSWER,
    "congestion": Disposition.FAILED,
    "notfound": Disposition.FAILED,
    "badnumber": Disposition.FAILED,
    "nosuchnumber": Disposition.FAILED,
    "unallocatednumber": Disposition.FAILED,
    "machine": Disposition.NO_ANSWER,
    "answeringmachine": Disposition.NO_ANSWER,
    "failed": Disposition.FAILED,
    "chanunavail": Disposition.FAILED,
    "answered": Disposition.ANSWERED,
    "answer": Disposition.ANSWERED,
    "rejected": Disposition.REJECTED,
    "callrejected": Disposition.REJECTED,
    "declined": Disposition.REJECTED,
}

# sipgate says notFound of a phone that is switched off too.
_NUMBER_WORDS: Mapping[str, NumberWord] = {
    "badnumber": "no_such_number",
    "nosuchnumber": "no_such_number",
    "unallocatednumber": "no_such_number",
    "machine": "machine",
    "answeringmachine": "machine",
}

# Of a call that the PBX made and nobody talked in.
_SIDES: Mapping[str, FailedSide] = {
    "employee": FailedSide.EMPLOYEE_NOT_REACHED,
    "operator": FailedSide.EMPLOYEE_NOT_REACHED,
    "agent": FailedSide.EMPLOYEE_NOT_REACHED,
    "employeenotreached": FailedSide.EMPLOYEE_NOT_REACHED,
    "employeehungup": FailedSide.EMPLOYEE_HUNG_UP,
    "operatorhungup": FailedSide.EMPLOYEE_HUNG_UP,
    "client": FailedSide.CLIENT_NOT_REACHED,
    "clientnotreached": FailedSide.CLIENT_NOT_REACHED,
}

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "event": ("event", "type"),
    "call": ("callId", "call_id", "callid"),
    "origin": ("origCallId", "orig_call_id"),
    "from": ("from", "caller"),
    "to": ("to", "callee"),
    "direction": ("direction",),
    "at": ("at", "timestamp", "time"),
    "extension": ("extension",),
    "user": ("user",),
    "answering": ("answeringNumber", "answering_number"),
    "cause": ("cause", "reason"),
    "billsec": ("billsec", "talk_seconds"),
    "recording": ("recording", "recording_url", "record"),
    "callback": ("callback", "is_callback"),
    "started": ("startedAt", "started_at"),
    "answered": ("answeredAt", "answered_at"),
    "leg": ("leg",),
    "side": ("side", "failedSide", "failed_side"),
    "attempt": ("attempt_id", "attemptId"),
}
_KNOWN = frozenset(name for names in _ALIASES.values() for name in names) | {"params", "format"}


class _Fields:
    """The payload by our names; remembers under which of its names a value came, for errors.

    zone: of times that are written without one, None = such a time says nothing.
    """

    def __init__(self, raw: Mapping[str, Any], received_at: datetime, zone: tzinfo | None) -> None:
        self.raw = raw
        self.received_at = received_at
        self.zone = zone

    def name(self, wanted: str) -> str:
        names = _ALIASES[wanted]
        return next((name for name in names if self.raw.get(name) not in (None, "", [])), names[0])

    def text(self, wanted: str) -> str | None:
        name = self.name(wanted)
        return as_text(self.raw.get(name), name)

    def texts(self, wanted: str) -> list[str]:
        name = self.name(wanted)
        value = self.raw.get(name)
        values = value if isinstance(value, list) else [value]
        return [text for item in values if (text := as_text(item, name))]

    def addresses(self, wanted: str) -> list[str]:
        return [address for text in self.texts(wanted) if (address := phone_address(text))]

    def time(self, wanted: str) -> datetime | None:
        text, name = self.text(wanted), self.name(wanted)
        return (
            not_ahead(read_time(text, name, self.zone, self.received_at), self.received_at, name)
            if text
            else None
        )

    def plain(self, wanted: str) -> str:
        """Lower case, without separators; empty where nothing was sent."""
        return re.sub(r"[\W_]", "", self.text(wanted) or "").lower()

    def word(self, wanted: str, words: Mapping[str, Any]) -> Any:
        """Return a word of a closed set, whatever its case and separators."""
        if self.text(wanted) is None:
            return None
        plain = self.plain(wanted)
        if plain not in words:
            raise WireInvalid(self.name(wanted), f"is not one of {', '.join(words)}")
        return words[plain]


def parse_push(request: Inbound, fields: Mapping[str, Any], connection: Connection) -> Parsed:
    """Return a message in this format, read as far as it can be. fields: as `read_fields` gives them. Raises WireInvalid."""
    return parsed_of(
        request, fields, lambda told: parse_event(told, request.path, request.received_at, connection)
    )


def parse_event(
    raw: Mapping[str, Any], path: str, received_at: datetime, connection: Connection
) -> tuple[CallEvent, ...]:
    """One message as call events; () for what is known but says nothing about a call.

    raw: fields by name as `read_fields` gives them. path: the event's name where it stands in the URL instead.
    Raises WireInvalid naming the field.
    """
    told = {**raw, "event": raw.get("event") or raw.get("type") or path.rpartition("/")[2]}
    fields = _Fields(told, received_at, zone_of(connection) if connection.settings.get("time_zone") else None)
    kind: EventKind | None = fields.word("event", _EVENTS)
    if kind is None and not fields.text("event"):
        raise WireInvalid("event", "is missing")
    if kind is None:
        return ()
    call_key = fields.text("call")
    if call_key is None:
        raise WireInvalid("callId", "is missing")
    # sipgate: a call that is forwarded has an id of its own, and names the one that it began with.
    origin = fields.text("origin")
    if origin and kind is EventKind.ENDED and fields.plain("cause") == "forwarded":
        kind = EventKind.LEG_ENDED
    return _events(kind, origin or call_key, call_key if origin else None, fields, received_at, connection)


def _events(
    kind: EventKind,
    call_key: str,
    leg: str | None,
    fields: _Fields,
    received_at: datetime,
    connection: Connection,
) -> tuple[CallEvent, ...]:
    told = _sides(fields, leg is not None, connection)
    at = fields.time("at") or received_at
    talk_seconds = as_seconds(fields.raw.get(name := fields.name("billsec")), name)
    party = _party(fields, told)
    event = CallEvent(
        kind=kind,
        call_key=call_key,
        at=at,
        direction=told.direction,
        client=told.client,
        line=told.line,
        leg=fields.text("leg") or leg,
        is_callback=(fields.text("callback") or "").lower() in ("1", "true", "yes", "on"),
        started_at=fields.time("started"),
        answered_at=fields.time("answered"),
        recording=fields.text("recording"),
        failed_side=_SIDES.get(fields.plain("side")),
        attempt=attempt_id_in(fields.text("attempt")),
        number_word=_number_word(fields),
        params=_params(fields.raw),
    )
    if kind is EventKind.STARTED:
        return (event.model_copy(update={"party": told.party}), *_rang(event, fields, told, connection))
    if _is_machine(fields, told, connection):
        without_talk = _without_talk(event, _told_cause(fields))
        if kind in (EventKind.ANSWERED, EventKind.RANG) and any(map(keeps_waiting, _names(fields))):
            without_talk = without_talk.model_copy(update={"kind": EventKind.RANG})
        return (without_talk,)
    if kind is EventKind.RANG:
        return _rang(event, fields, told, connection) or (event,)
    if kind in (EventKind.ENDED, EventKind.SUMMARY):
        cause = _cause(fields, party, talk_seconds)
        return (event.model_copy(update={"party": party, "cause": cause, "talk_seconds": talk_seconds}),)
    return (event.model_copy(update={"party": party}),)


def _sides(fields: _Fields, is_forwarded: bool, connection: Connection) -> Parties:
    """Tell who is who. is_forwarded: this is a leg of a call that began under another id, whatever the PBX calls its
    direction: it goes out to a phone of ours, and shows the client's number or one of ours."""
    caller, called = fields.text("from"), fields.text("to")
    direction: Direction | None = fields.word("direction", _DIRECTIONS)
    if not is_forwarded:
        return classify_parties(caller, called, direction, connection)
    shown = clean_number(caller)
    is_ours = shown is None or is_line(shown, connection) or is_extension(shown, connection)
    client, line = None if is_ours else shown, clean_number(called)
    return Parties(None if client is None else "inbound", client, line if is_line(line, connection) else None)


def _rang(event: CallEvent, fields: _Fields, told: Parties, connection: Connection) -> tuple[CallEvent, ...]:
    """One event per phone that rings: sipgate and Zammad name them all in `user[]`."""
    if told.direction == "outbound":
        return ()
    parties = fields.addresses("extension") or fields.addresses("user")
    if not parties and told.direction == "internal" and event.kind is EventKind.STARTED:
        parties = fields.addresses("to")
    return tuple(
        event.model_copy(update={"kind": EventKind.RANG, "party": party, "leg": event.leg, "params": {}})
        for party in dict.fromkeys(people(parties, connection))
    )


def _party(fields: _Fields, told: Parties) -> str | None:
    """Who of ours talked: the extension; a user that reads like an address; the answering number; any user.

    sipgate's `user` is a person's display name, which maps to nobody; on outbound calls `answeringNumber` is the client's.
    """
    if extension := phone_address(fields.text("extension")):
        return extension
    users = fields.addresses("user")
    if users and re.fullmatch(r"[\w.+-]*\d[\w.+-]*(@.+)?", users[0]):
        return users[0]
    if told.direction == "outbound":
        return users[0] if users else told.party
    return phone_address(fields.text("answering")) or (users[0] if users else None)


def _is_machine(fields: _Fields, told: Parties, connection: Connection) -> bool:
    """Did a mailbox, a menu or a queue pick up? Any name of who answered may tell it.

    sipgate names nobody where a queue or an announcement picked up: both fields are there and empty.
    """
    users = fields.texts("user")
    names = (fields.text("extension"), fields.text("answering"))
    if any(is_machine(name, connection) for name in names) or (users and not people(users, connection)):
        return True
    is_sipgates = {"user", "answeringNumber"} <= fields.raw.keys() and "extension" not in fields.raw
    is_nobody = is_sipgates and not users and not fields.text("answering") and told.direction == "inbound"
    return is_nobody and fields.plain("event") in ("answer", "answered")


def _names(fields: _Fields) -> list[str | None]:
    return [fields.text("extension"), fields.text("answering"), *fields.texts("user")]


def _without_talk(event: CallEvent, cause: Disposition | None) -> CallEvent:
    """Return what is left of an event that tells of a machine: somebody else may have talked before it, or will."""
    if event.kind in (EventKind.ANSWERED, EventKind.RANG):
        return event.model_copy(update={"kind": EventKind.STARTED, "answered_at": None})
    is_end = event.kind in (EventKind.ENDED, EventKind.SUMMARY) and cause is not Disposition.ANSWERED
    return event.model_copy(update={"answered_at": None, "cause": cause if is_end else None})


def _cause(fields: _Fields, party: str | None, talk_seconds: int | None) -> Disposition | None:
    cause = _told_cause(fields)
    if cause is None and (talk_seconds or (party and fields.text("answering") and talk_seconds is None)):
        # A hangup that names who answered is proof enough when the answer itself got lost.
        return Disposition.ANSWERED
    if cause is not None and cause is not Disposition.ANSWERED and talk_seconds:
        return Disposition.ANSWERED
    return cause


def _told_cause(fields: _Fields) -> Disposition | None:
    """Return a word, or the number of a standard."""
    text = fields.text("cause") or ""
    if text.isascii() and text.isdigit():
        return disposition_of_code(text)
    cause: Disposition | None = fields.word("cause", _CAUSES)
    return cause


def _number_word(fields: _Fields) -> NumberWord | None:
    return _NUMBER_WORDS.get(fields.plain("cause")) or number_word_of_code(fields.text("cause") or "")


def _params(raw: Mapping[str, Any]) -> dict[str, str]:
    inner = raw.get("params") or {}
    if not isinstance(inner, Mapping):
        raise WireInvalid("params", "must be an object")
    return as_params({**{k: v for k, v in raw.items() if k not in _KNOWN}, **inner})
