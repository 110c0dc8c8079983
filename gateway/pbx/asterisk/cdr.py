"""Call detail records as reports of calls that nobody watched: for backfill, and for calls that passed while we were away.

Asterisk (12 and later) writes a record for every two channels that met, so a call has several, with one UniqueID where
it was passed on; a Local channel has its own. Each record is read by itself, and `fold` puts them together:

- the record of the channel that came in (its UniqueID is the Linkedid) says what the call is, and that it is over;
- who talked is the phone at the other end, seen from the client's channel or from a Local channel in between; a record
  whose other end is a Local channel does not say whether a person or a mailbox stood behind it;
- what a dialled phone's own record says stands in the caller's already.

Times are whole seconds without a zone (setting `time_zone`). The Destination follows a transfer, so it is no line unless
it is one of ours. Where a record cannot tell, it claims nothing: no missed call is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.pbx.asterisk.channels import (
    is_failed_originate,
    is_local,
    is_phone,
    is_same_subscriber,
    is_trunk,
    without_prefix,
)
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.parties import (
    Parties,
    classify_parties,
    clean_number,
    is_extension,
    is_line,
    is_own_number,
)
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.addresses import dialled_address, endpoint, is_dialable, is_number
from gateway.pbx.reading.machines import is_machine
from gateway.pbx.reading.payload import as_count
from gateway.pbx.reading.spoilt import read_without_spoilt
from gateway.pbx.times import read_time, zone_of
from routing.calls.model import CallEvent, Disposition, EventKind, FailedSide
from routing.outbound.attempts import attempt_id_in

_DISPOSITIONS: Mapping[str, Disposition] = {
    "ANSWERED": Disposition.ANSWERED,
    "NO ANSWER": Disposition.NO_ANSWER,
    "BUSY": Disposition.BUSY,
    "FAILED": Disposition.FAILED,
    "CONGESTION": Disposition.FAILED,
}


# Here the other end is whoever else was there; who came alone may have met others, whose records tell it, or nobody.
_ROOMS = frozenset({"confbridge", "meetme"})


@dataclass(frozen=True, slots=True)
class Record:
    """One CDR. leg: the other end's part in the call, unlike those of its neighbours. other: whom it connected, None where that
    is nobody or not told: a Local channel has no number, and a trunk's endpoint is nobody's. is_met: there was somebody
    all the same. application: where its channel was at the end, lower case."""

    key: str
    uniqueid: str
    leg: str
    channel: str
    other_channel: str
    other: str | None
    is_met: bool
    source: str | None
    destination: str | None
    cause: Disposition
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime
    seconds: int
    is_first: bool
    application: str

    @property
    def is_talk(self) -> bool:
        return self.cause is Disposition.ANSWERED and self.seconds > 0 and bool(self.other)

    @property
    def calls_whom_it_shows(self) -> bool:
        """Is it the client who is called? A click shows the client's number to the first phone, and it goes on to the record."""
        other, source = self.other or "", self.source or ""
        return is_number(other) and other[-7:] == source[-7:]


def cdr_events(message: AmiMessage, connection: Connection) -> tuple[CallEvent, ...]:
    """Return what one CDR says, without the fields that cannot be read; () where another one says it.

    Raises WireInvalid naming a field without which nothing can be kept.
    """
    first_values = dict(reversed(tuple(message)))
    events = read_without_spoilt(lambda told: _told_by(told, connection), first_values)[0]
    return tuple(event.model_copy(update={"attempt": attempt_id_in(event.call_key)}) for event in events)


def _told_by(fields: Mapping[str, str | None], connection: Connection) -> tuple[CallEvent, ...]:
    message = AmiMessage(tuple((name, value) for name, value in fields.items() if value is not None))
    record = read_record(message, connection)
    if is_failed_originate(message) or (record.application in _ROOMS and not record.other):
        return ()
    if is_local(record.channel):
        # Without a Linkedid nobody can tell to which call it belongs.
        return tuple(_of_a_wire(record, connection)) if message.get("LinkedID") else ()
    return tuple(_of_the_caller(record, connection)) if record.is_first else ()


def read_record(message: AmiMessage, connection: Connection) -> Record:
    """Read one record. Raises WireInvalid naming the field."""
    uniqueid = message.get("UniqueID")
    key = message.get("LinkedID") or uniqueid
    if not key:
        raise WireInvalid("UniqueID", "is missing")
    word = message.get("Disposition").strip().upper()
    if word and word not in _DISPOSITIONS:
        raise WireInvalid("Disposition", "is not known")
    zone = zone_of(connection)
    times = {
        name: read_time(text, name, zone) if (text := message.get(name)) else None
        for name in ("StartTime", "AnswerTime", "EndTime")
    }
    ended_at, answered_at = times["EndTime"] or times["StartTime"], times["AnswerTime"]
    if ended_at is None:
        raise WireInvalid("EndTime", "is missing")
    seconds = as_count(message.get("BillableSeconds"), "BillableSeconds")
    if seconds is None:
        seconds = max(0, int((ended_at - answered_at).total_seconds())) if answered_at else 0
    other_channel, destination = message.get("DestinationChannel"), message.get("Destination")
    application = message.get("LastApplication").lower()
    other = _other_end(message, other_channel, connection)
    is_mute = is_machine(other, connection) or (application in _ROOMS and is_trunk(other_channel, connection))
    if is_mute:  # a machine, or another client in the room
        other = None
    return Record(
        key=key,
        uniqueid=uniqueid or key,
        leg=" ".join((uniqueid, other_channel, message.get("StartTime"))).strip(),
        channel=message.get("Channel"),
        other_channel=other_channel,
        other=other,
        is_met=not is_mute and _is_somebody(other_channel, application),
        source=clean_number(message.get("Source")),
        destination=destination if is_dialable(destination) else None,
        cause=_DISPOSITIONS[word] if word else Disposition.ANSWERED if seconds else Disposition.NO_ANSWER,
        started_at=times["StartTime"],
        answered_at=times["AnswerTime"],
        ended_at=ended_at,
        seconds=seconds,
        is_first=uniqueid in ("", key),
        application=application,
    )


def _is_somebody(other_channel: str, application: str) -> bool:
    """Say whether anybody was met there. A queue puts callers through to its members only, whatever their Local channel leads
    to; a Dial() of one may have ended in a mailbox."""
    return bool(other_channel) and (not is_local(other_channel) or application == "queue")


def _other_end(message: AmiMessage, channel: str, connection: Connection) -> str | None:
    """`PJSIP/uas/sip:101@host,20` names a phone best; of `PJSIP/101&PJSIP/79001234567@trunk` the channel tells which it was."""
    if not channel or is_local(channel):
        return None
    owner = endpoint(channel)
    dialled = message.get("LastData").partition(",")[0].split("&")
    of_owner = [part for part in dialled if _peer(part) == owner]
    if message.get("LastApplication").lower() == "dial" and len(of_owner) == 1:
        return dialled_address(of_owner[0], channel)
    # After a pick-up or a transfer the channel is another's than the one that was dialled.
    return None if is_trunk(channel, connection) else owner


def _peer(dial_string: str) -> str | None:
    """Whose channel a dial string makes: `PJSIP/101` 101's, `PJSIP/79001234567@trunk` the trunk's."""
    _, _, rest = dial_string.partition("/")
    if not rest:
        return None
    first, at, host = rest.partition("@")
    return host if at and "/" not in first and "sip:" not in first else rest.partition("/")[0]


def _of_the_caller(record: Record, connection: Connection) -> Iterator[CallEvent]:
    told = _parties(record, connection)
    is_out = told.direction == "outbound"
    is_answered = _is_answered(record, is_out)
    is_told_elsewhere = is_local(record.other_channel) and not is_out  # since when, by what stood behind it
    sent = record.other if is_out and record.other != told.client else None
    if not (sent and is_same_subscriber(told.client or "", sent)):
        sent = None
    begun = {"call_key": record.key, "leg": record.uniqueid}
    yield CallEvent.model_validate(
        {
            "kind": EventKind.STARTED,
            "at": record.started_at or record.ended_at,
            "client": sent or told.client,
            **begun,
        }
    )
    yield CallEvent(
        kind=EventKind.SUMMARY,
        call_key=record.key,
        at=record.ended_at,
        leg=record.uniqueid,
        direction=told.direction,
        client=sent if is_out else told.client,  # what went to the provider has no outside prefix
        line=told.line,
        party=told.party if is_out else _short_talker(record),
        cause=Disposition.ANSWERED if is_answered else None,
        failed_side=_failed_side(record, connection) if is_out and not is_answered else None,
        started_at=record.started_at,
        answered_at=record.answered_at if is_answered and not is_told_elsewhere else None,
        is_callback=is_out and is_trunk(record.channel, connection),
    )
    if not is_out:
        yield from _of_a_phone(record)
    elif record.cause is not Disposition.ANSWERED:
        yield _failed(record)


def _is_answered(record: Record, is_out: bool) -> bool:
    """Without another end it was a voice menu or a mailbox; that one phone did not answer says nothing of the others. What goes
    out over a Local channel is answered by the client."""
    if record.cause is not Disposition.ANSWERED:
        return False
    is_met = record.is_met or (is_out and is_local(record.other_channel))
    return is_met and (record.seconds > 0 or bool(record.other))


def _short_talker(record: Record) -> str | None:
    """Return who answered for less than a second, which does not say that nobody else talked. A queue answers callers
    itself, and then a member whose call was picked up by somebody else stands as one who answered."""
    if record.cause is not Disposition.ANSWERED or record.is_talk or record.application == "queue":
        return None
    return record.other


def _of_a_wire(record: Record, connection: Connection) -> Iterator[CallEvent]:
    """Return the party of a Local channel: what stood behind it, a phone of ours or the client of a call that we made."""
    # It is shown who calls: the client, or on the way out a phone of ours.
    is_out = _is_employee(record.source, connection) or record.calls_whom_it_shows
    client = (
        record.other
        if is_out and is_number(record.other) and not _is_employee(record.other, connection)
        else None
    )
    if record.is_first or client:
        failed = record.cause if client and record.cause is not Disposition.ANSWERED else None
        yield CallEvent(
            kind=EventKind.SUMMARY,
            call_key=record.key,
            at=record.ended_at,
            leg=record.uniqueid,
            direction="outbound" if record.is_first or client else None,
            client=client,
            cause=failed,
            failed_side=FailedSide.CLIENT_NOT_REACHED if failed else None,
            started_at=record.started_at,
            is_callback=record.is_first,
        )
        if client:
            return
    yield from _of_a_phone(record)


def _of_a_phone(record: Record) -> Iterator[CallEvent]:
    """Whom the record connected, as one who talked or was rung."""
    if not record.other:
        return
    about = {"call_key": record.key, "leg": record.leg, "party": record.other}
    began_at = record.started_at or record.ended_at
    yield CallEvent.model_validate({"kind": EventKind.RANG, "at": began_at, **about})
    if record.is_talk:
        at = record.answered_at or began_at
        yield CallEvent.model_validate({"kind": EventKind.ANSWERED, "at": at, **about})
        yield CallEvent.model_validate({"kind": EventKind.LEG_ENDED, "at": record.ended_at, **about})
    elif record.cause is not Disposition.ANSWERED:
        yield _failed(record)


def _failed(record: Record) -> CallEvent:
    return CallEvent(
        kind=EventKind.LEG_ENDED,
        call_key=record.key,
        at=record.ended_at,
        leg=record.leg,
        party=record.other,
        cause=record.cause,
        failed_side=FailedSide.EMPLOYEE_NOT_REACHED if is_local(record.channel) else None,
    )


def _failed_side(record: Record, connection: Connection) -> FailedSide:
    """Of a call that we made: a phone that was rung, or one that called; on the trunk the client was called first."""
    has_other = bool(record.other_channel)
    if is_trunk(record.channel, connection) and not _client_behind(record, connection):
        is_client_up = has_other or record.cause is Disposition.ANSWERED
        return FailedSide.EMPLOYEE_NOT_REACHED if is_client_up else FailedSide.CLIENT_NOT_REACHED
    if has_other:
        return FailedSide.CLIENT_NOT_REACHED
    is_rung = record.application == "appdial2"  # by an Originate, and still where that left it
    return FailedSide.EMPLOYEE_NOT_REACHED if is_rung else FailedSide.EMPLOYEE_HUNG_UP


def _parties(record: Record, connection: Connection) -> Parties:
    """Return who calls whom: a phone's own channel never comes in from itself; a call from outside that shows our line
    is one that we made."""
    owner, source, dialled = endpoint(record.channel), record.source, record.destination
    if is_trunk(record.channel, connection):
        if client := _client_behind(record, connection):
            return Parties("outbound", client, None, source if is_own_number(source, connection) else None)
        if is_line(source, connection):
            return Parties("outbound", None, None, record.other)
        return Parties("inbound", source or "anonymous", _line(dialled, connection))
    if is_phone(owner, connection) or (is_extension(source, connection) and not is_line(source, connection)):
        if dialled is None or dialled[0] in "*#" or _is_employee(dialled, connection):
            return Parties("internal", None, None, owner)
        return Parties("outbound", without_prefix(dialled, connection), None, owner)
    told = classify_parties(source or "anonymous", dialled, None, connection)
    if told.direction == "outbound":
        return Parties("outbound", told.client, told.line, told.party or owner)
    if told.direction == "internal":
        return told
    return Parties("inbound", source or "anonymous", _line(dialled, connection))


def _client_behind(record: Record, connection: Connection) -> str | None:
    """Whom a channel of the trunk called there that is an employee's own number: rung first by a click, or calling in to be put
    through. Such a channel shows the client's number, one of our lines or its own."""
    is_ours = (
        record.calls_whom_it_shows
        or is_line(record.source, connection)
        or is_own_number(record.source, connection)
    )
    is_outside = is_number(record.other) and not is_own_number(record.other, connection)
    return record.other if is_ours and is_outside else None


def _is_employee(number: str | None, connection: Connection) -> bool:
    return is_extension(number, connection) or is_own_number(number, connection)


def _line(dialled: str | None, connection: Connection) -> str | None:
    if connection.lines:
        return dialled if is_line(dialled, connection) else None
    return dialled if is_number(dialled) else None
