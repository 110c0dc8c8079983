"""What MANGO answers when it is asked: extended statistics and the list of employees. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.pbx.connection import Connection
from gateway.pbx.mango.links import recording_link
from gateway.pbx.parties import clean_number
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.machines import is_machine
from gateway.pbx.reading.payload import as_count, as_text, json_object
from gateway.pbx.times import read_time
from routing.calls.model import CallEvent, Direction, Disposition, EventKind

_CONTEXTS: Mapping[int, Direction] = {1: "inbound", 2: "outbound", 3: "internal"}
_STATUSES = ("request", "work", "complete", "cancel", "error", "not-found")


@dataclass(frozen=True, slots=True)
class CallsAnswer:
    """status: the vendor's; only `complete` carries calls. calls: how many were listed, refused ones included, which
    is what the next offset is counted by. refused: one line for each call that could not be read."""

    status: str
    calls: int = 0
    events: tuple[CallEvent, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.status == "complete"

    @property
    def is_pending(self) -> bool:
        return self.status in ("request", "work")


@dataclass(frozen=True, slots=True)
class MangoEmployee:
    name: str
    email: str | None
    user_id: str | None
    extension: str | None
    numbers: tuple[str, ...]
    sips: tuple[str, ...]


def parse_key(body: bytes) -> str:
    """Return the key of a statistics request. Raises WireInvalid."""
    key = as_text(json_object(body, "body").get("key"), "key")
    if key is None:
        raise WireInvalid("key", "is missing")
    return key


def parse_calls(http_status: int, body: bytes, connection: Connection) -> CallsAnswer:
    """Return the answer to `calls_result`. 204 and an empty body: not ready yet. Raises WireInvalid.

    One unreadable call is told of in `refused` and spoils no other.
    """
    if http_status == 204 or not body.strip():
        return CallsAnswer("work")
    if http_status == 404:
        return CallsAnswer("not-found")
    told = json_object(body, "body")
    status = as_text(told.get("status"), "status")
    if status not in _STATUSES:
        raise WireInvalid("status", f"is not one of {', '.join(_STATUSES)}")
    if status != "complete":
        return CallsAnswer(status)
    entries = [entry for part in _list(told, "data") for entry in _list(part, "list")]
    events: list[CallEvent] = []
    refused: list[str] = []
    for place, entry in enumerate(entries):
        try:
            events.extend(_entry(entry, connection))
        except WireInvalid as err:
            refused.append(f"call {place}: {err}")
    return CallsAnswer(status, len(entries), tuple(events), tuple(refused))


def _entry(entry: Any, connection: Connection) -> tuple[CallEvent, ...]:
    if not isinstance(entry, Mapping):
        raise WireInvalid("list", "must hold objects")
    call_key = as_text(entry.get("entry_id"), "entry_id")
    context = as_count(entry.get("context_type"), "context_type")
    if call_key is None:
        raise WireInvalid("entry_id", "is missing")
    if context is None or context not in _CONTEXTS:
        raise WireInvalid("context_type", "is not 1, 2 or 3")
    direction = _CONTEXTS[context]
    started_at = _time(entry, "context_start_time")
    if started_at is None:
        raise WireInvalid("context_start_time", "is missing")
    duration = as_count(entry.get("duration"), "duration") or 0
    talk_seconds = as_count(entry.get("talk_duration"), "talk_duration") or 0
    legs = [leg for leg in _list(entry, "context_calls") if isinstance(leg, Mapping)]
    talked = _talked(legs)
    legs = [leg for leg in legs if not is_machine(_address(leg), connection)]
    if talked and not _talked(legs):
        talk_seconds = 0
    caller = clean_number(as_text(entry.get("caller_number"), "caller_number"))
    called = clean_number(as_text(entry.get("called_number"), "called_number"))
    summary = CallEvent(
        kind=EventKind.SUMMARY,
        call_key=call_key,
        at=started_at + timedelta(seconds=duration),
        direction=direction,
        client=None if direction == "internal" else called if direction == "outbound" else caller,
        line=called if direction == "inbound" else None,
        party=_first_talker(legs)
        or (as_text(entry.get("caller_id"), "caller_id") if direction == "outbound" else None),
        cause=Disposition.ANSWERED if talk_seconds else Disposition.NO_ANSWER,
        talk_seconds=talk_seconds,
        started_at=started_at,
        answered_at=_answered_at(legs) if talk_seconds else None,
    )
    return (summary, *_talks(legs, call_key), *_recordings(legs, summary, connection))


def _talked(legs: list[Mapping[str, Any]]) -> list[tuple[datetime, Mapping[str, Any]]]:
    """Return the legs of people who talked, by the time of their answer."""
    people = [leg for leg in legs if as_text(leg.get("call_type"), "call_type") in ("user", "number")]
    timed = [
        (at, leg)
        for leg in people
        if (at := _time(leg, "call_answer_time")) and as_count(leg.get("talk_duration"), "talk_duration")
    ]
    return sorted(timed, key=lambda told: told[0])


def _address(leg: Mapping[str, Any]) -> str | None:
    """Return an employee's number. That `call_abonent_number` is the short one for employees is not confirmed."""
    return as_text(leg.get("call_abonent_number"), "call_abonent_number")


def _first_talker(legs: list[Mapping[str, Any]]) -> str | None:
    talked = _talked(legs)
    return _address(talked[0][1]) if talked else None


def _answered_at(legs: list[Mapping[str, Any]]) -> datetime | None:
    talked = _talked(legs)
    return talked[0][0] if talked else None


def _talks(legs: list[Mapping[str, Any]], call_key: str) -> list[CallEvent]:
    """Who talked, leg by leg, as the notifications would have told; `external_call_id` is their call_id."""
    events: list[CallEvent] = []
    for at, leg in _talked(legs):
        answered = CallEvent(
            kind=EventKind.ANSWERED,
            call_key=call_key,
            at=at,
            leg=as_text(leg.get("external_call_id"), "external_call_id"),
            party=_address(leg),
        )
        events.append(answered)
        if ended_at := _time(leg, "call_end_time"):
            events.append(answered.model_copy(update={"kind": EventKind.LEG_ENDED, "at": ended_at}))
    return events


def _recordings(legs: list[Mapping[str, Any]], summary: CallEvent, connection: Connection) -> list[CallEvent]:
    ids = [
        text for leg in legs for item in _list(leg, "recording_id") if (text := as_text(item, "recording_id"))
    ]
    return [
        CallEvent(
            kind=EventKind.RECORDING,
            call_key=summary.call_key,
            at=summary.at,
            recording=recording_link(recording_id, connection),
            params={"recording_id": recording_id},
        )
        for recording_id in dict.fromkeys(ids)
    ]


def parse_users(body: bytes) -> tuple[MangoEmployee, ...]:
    """Return the list of employees. Raises WireInvalid."""
    return tuple(_user(user) for user in _list(json_object(body, "body"), "users"))


def _user(user: Any) -> MangoEmployee:
    general, telephony = _object(user, "general"), _object(user, "telephony")
    lines = [line for line in _list(telephony, "numbers") if isinstance(line, Mapping)]
    numbers = [as_text(line.get("number"), "number") for line in lines if line.get("protocol") != "sip"]
    sips = [as_text(line.get("number"), "number") for line in lines if line.get("protocol") == "sip"]
    sips += [as_text(sip, "sips") for sip in _list(general, "sips") if not isinstance(sip, Mapping)]
    mobile = as_text(general.get("mobile"), "mobile")
    return MangoEmployee(
        name=as_text(general.get("name"), "name") or "",
        email=as_text(general.get("email"), "email"),
        user_id=as_text(general.get("user_id"), "user_id"),
        extension=as_text(telephony.get("extension"), "extension"),
        numbers=tuple(dict.fromkeys(number for number in [*numbers, mobile] if number)),
        sips=tuple(dict.fromkeys(sip.removeprefix("sip:") for sip in sips if sip)),
    )


def _object(value: Any, name: str) -> Mapping[str, Any]:
    inner = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping):
        raise WireInvalid(name, "must be an object")
    return inner


def _list(value: Any, name: str) -> list[Any]:
    inner = value.get(name) if isinstance(value, Mapping) else None
    if inner is None or inner == "":
        return []
    if not isinstance(inner, list):
        raise WireInvalid(name, "must be a list")
    return inner


def _time(value: Mapping[str, Any], name: str) -> datetime | None:
    """Unix seconds or `31.10.2019 00:00:00` in UTC (which of the two is not confirmed); 0 and "" mean never."""
    text = as_text(value.get(name), name)
    return None if text in (None, "0") else read_time(str(text), name, UTC)
