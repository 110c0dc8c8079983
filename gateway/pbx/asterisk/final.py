"""Single AMI messages that are a report in themselves: CDRs, hangup causes, and what our dialplan tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from gateway.pbx.asterisk.channels import dialled_address, endpoint, is_dialable, is_local
from gateway.pbx.asterisk.wire import Message
from gateway.pbx.connection import Connection
from gateway.pbx.parties import classify_parties, clean_number
from gateway.pbx.payload import as_count
from gateway.pbx.port import WireInvalid
from gateway.pbx.times import read_time, zone_of
from routing.calls.model import CallEvent, Direction, Disposition, EventKind

# Q.850. 16 (normal) and 26 (answered elsewhere) say nothing about how the call came out.
_CAUSES: Mapping[str, Disposition] = {
    "17": Disposition.BUSY,
    "18": Disposition.NO_ANSWER,
    "19": Disposition.NO_ANSWER,
    "20": Disposition.NO_ANSWER,
    "21": Disposition.REJECTED,
    "1": Disposition.FAILED,
    "3": Disposition.FAILED,
    "27": Disposition.FAILED,
    "28": Disposition.FAILED,
    "34": Disposition.FAILED,
    "38": Disposition.FAILED,
}
_CDR_DISPOSITIONS: Mapping[str, Disposition] = {
    "ANSWERED": Disposition.ANSWERED,
    "NO ANSWER": Disposition.NO_ANSWER,
    "BUSY": Disposition.BUSY,
    "FAILED": Disposition.FAILED,
    "CONGESTION": Disposition.FAILED,
}
_DIRECTIONS: Mapping[str, Direction] = {"in": "inbound", "out": "outbound", "internal": "internal"}
_TALKING_APPLICATIONS = frozenset({"dial", "queue", "bridge", "followme"})

# What every event of a channel carries; anything else in our own event is a parameter.
_CHANNEL_KEYS = frozenset(
    {
        "event", "privilege", "timestamp", "systemname", "channel", "channelstate", "channelstatedesc", "calleridnum",
        "calleridname", "connectedlinenum", "connectedlinename", "language", "accountcode", "context", "exten",
        "priority", "uniqueid", "linkedid", "userevent", "sequencenumber", "file", "line", "func", "actionid",
        "did", "client", "direction", "callback", "recording",
    }
)  # fmt: skip


def hangup_cause(message: Message) -> Disposition | None:
    return _CAUSES.get(message.get("Cause"))


def own_event(
    message: Message, call_key: str, started_at: datetime, at: datetime, connection: Connection
) -> CallEvent:
    """`UserEvent(Callmatrix,…)` with any of Did, Client, Direction (in, out, internal), Callback (1), Recording (a link).

    It sorts before the channel's own start, so that what the dialplan knows counts first. An unknown direction is ignored:
    a slip in a dialplan must not lose calls.
    """
    recording = message.get("Recording") or None
    return CallEvent(
        kind=EventKind.RECORDING if recording else EventKind.STARTED,
        call_key=call_key,
        at=at if recording else started_at,
        seq=0,
        direction=_DIRECTIONS.get(message.get("Direction").lower()),
        client=clean_number(message.get("Client")),
        line=message.get("Did") or None,
        leg=None if recording else call_key,
        recording=recording,
        is_callback=message.get("Callback").lower() in ("1", "yes", "true"),
        params={k.lower(): v for k, v in message if k.lower() not in _CHANNEL_KEYS and v},
    )


def cdr_event(message: Message, connection: Connection) -> CallEvent:
    """A CDR as the report of a call that nobody watched: for backfill and calls that passed while we were away.

    Its Destination may be a label of the dialplan, its times have no zone (setting `time_zone`), whole seconds; ANSWERED
    may be a voice menu, so it counts only where the last thing done was to connect somebody. A call has several CDRs
    when it was transferred: the key is the Linkedid where cdr_manager.conf maps it. Raises WireInvalid naming the field.
    """
    key = message.get("LinkedID") or message.get("UniqueID")
    if not key:
        raise WireInvalid("UniqueID", "is missing")
    destination = message.get("Destination")
    told = classify_parties(
        message.get("Source") or "anonymous",
        destination if is_dialable(destination) else None,
        None,
        connection,
    )
    direction = told.direction or "inbound"
    is_out = direction == "outbound"
    cause = _CDR_DISPOSITIONS.get(message.get("Disposition").upper())
    if cause is None:
        raise WireInvalid("Disposition", "is not known")
    called = message.get("DestinationChannel")
    is_talk = bool(called) and message.get("LastApplication").lower() in _TALKING_APPLICATIONS
    if cause is Disposition.ANSWERED and not is_talk:
        cause = Disposition.NO_ANSWER
    zone = zone_of(connection)
    times = {
        name: read_time(text, name, zone) if (text := message.get(name)) else None
        for name in ("StartTime", "AnswerTime", "EndTime")
    }
    ended_at = times["EndTime"] or times["StartTime"]
    if ended_at is None:
        raise WireInvalid("EndTime", "is missing")
    is_answered = cause is Disposition.ANSWERED
    return CallEvent(
        kind=EventKind.SUMMARY,
        call_key=key,
        at=ended_at,
        leg=message.get("UniqueID") or None,
        direction=direction,
        client=told.client if told.direction else clean_number(message.get("Source")) or "anonymous",
        line=told.line if told.direction else None,
        party=told.party or endpoint(message.get("Channel")) if is_out else _called(message, called),
        cause=cause,
        talk_seconds=as_count(message.get("BillableSeconds"), "BillableSeconds") if is_answered else 0,
        started_at=times["StartTime"],
        answered_at=times["AnswerTime"] if is_answered else None,
    )


def _called(message: Message, channel: str) -> str | None:
    if not channel or is_local(channel):
        return endpoint(channel) if channel else None
    # `PJSIP/uas/sip:101@host,20` or `PJSIP/101&PJSIP/102,20`: the dial string of a single phone names it best.
    dialled = re.sub(r"^[A-Za-z0-9]+/", "", message.get("LastData").partition(",")[0])
    if message.get("LastApplication").lower() == "dial" and "&" not in dialled:
        return dialled_address(dialled, channel)
    return endpoint(channel)
