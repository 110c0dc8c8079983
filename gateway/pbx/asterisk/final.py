"""What one message or one leg tells by itself: hangup causes, what our dialplan says, who left, whose call it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.pbx.asterisk.channels import Channel, ChannelRole, LiveCall
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.parties import clean_number
from gateway.pbx.reading.causes import disposition_of_code, number_word_of_code
from gateway.pbx.reading.links import leads_to
from routing.calls.model import CallEvent, Direction, Disposition, EventKind, NumberWord

_DIRECTIONS: Mapping[str, Direction] = {"in": "inbound", "out": "outbound", "internal": "internal"}

# What every event of a channel carries; anything else in our own event is a parameter.
_CHANNEL_KEYS = frozenset(
    {
        "event", "privilege", "timestamp", "systemname", "channel", "channelstate", "channelstatedesc", "calleridnum",
        "calleridname", "connectedlinenum", "connectedlinename", "language", "accountcode", "context", "exten",
        "priority", "uniqueid", "linkedid", "userevent", "sequencenumber", "file", "line", "func", "actionid",
        "did", "client", "direction", "callback", "recording",
    }
)  # fmt: skip


def hangup_cause(message: AmiMessage) -> Disposition | None:
    return disposition_of_code(message.get("Cause"))


def number_word(message: AmiMessage) -> NumberWord | None:
    """Return what the end of a client's leg says of the number."""
    return number_word_of_code(message.get("Cause"))


def own_event(
    message: AmiMessage, call_key: str, started_at: datetime, at: datetime, connection: Connection
) -> CallEvent:
    """`UserEvent(Callmatrix,…)` with any of Did, Client, Direction (in, out, internal), Callback (1), Recording (a link).

    It sorts before the channel's own start, so that what the dialplan knows counts first. An unknown direction is ignored:
    a slip in a dialplan must not lose calls. A recording is taken only at a host of setting `recording_hosts`: where a
    dialplan does not filter what callers write, a caller's number can hold one.
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
        recording=recording
        if recording and leads_to(recording, connection.words("recording_hosts"))
        else None,
        is_callback=message.get("Callback").lower() in ("1", "yes", "true"),
        params={k.lower(): v for k, v in message if k.lower() not in _CHANNEL_KEYS and v},
    )


def leg_ended(
    key: str,
    channel: Channel,
    at: datetime,
    cause: Disposition | None = None,
    number_word: NumberWord | None = None,
) -> CallEvent:
    party = channel.address if channel.role is ChannelRole.OURS else None
    return CallEvent(
        kind=EventKind.LEG_ENDED,
        call_key=key,
        at=at,
        leg=channel.leg(key),
        party=party,
        cause=cause,
        number_word=number_word,
    )


def clients_call(call: LiveCall) -> CallEvent:
    """Whose call it is, told as soon as that is sure."""
    about = {"call_key": call.key, "at": call.started_at, "seq": 0, "leg": call.key}
    return CallEvent.model_validate({"kind": EventKind.STARTED, "client": call.client, **about})
