"""From AMI events to call events: one call per Linkedid, however many channels Asterisk makes of it.

A pure state machine: `step` takes the state and one AMI message and gives the next state and what happened in our
words. Any single message may be missing: that somebody answered follows from DialEnd as well as from the bridge; a
channel whose Hangup is lost is taken for gone by `sweep` or when `CoreShowChannels` does not list it.

Pitfalls seen on Asterisk 16 and 22: after a Goto the Exten (and the CDR's Destination) is a label, so the dialled
number is that of the first Newchannel; a called channel's CallerIDNum may be that label too; an attended transfer
moves channels from one Linkedid to another; a voice menu that answers is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.pbx.asterisk.channels import (
    Channel,
    LiveCall,
    Role,
    dialled_address,
    endpoint,
    is_dialable,
    is_local,
    is_number,
    is_trunk,
    known,
    role_of_dialled,
)
from gateway.pbx.asterisk.final import cdr_event, hangup_cause, own_event
from gateway.pbx.asterisk.wire import Message
from gateway.pbx.port import Connection
from gateway.pbx.sides import Sides, is_extension, sides
from gateway.pbx.times import from_epoch
from routing.calls import CallEvent, Disposition, EventKind

QUIET = timedelta(seconds=30)
_FORGET_ENDED_AFTER = timedelta(minutes=10)
_FORGET_LIVE_AFTER = timedelta(hours=12)

_DIAL_STATUSES: Mapping[str, Disposition] = {
    "BUSY": Disposition.BUSY,
    "NOANSWER": Disposition.NO_ANSWER,
    "CANCEL": Disposition.CANCELLED,
    "CHANUNAVAIL": Disposition.FAILED,
    "CONGESTION": Disposition.FAILED,
}


@dataclass(frozen=True, slots=True)
class Legs:
    """The state: calls that have channels left; calls that ended and channels that went lately (their late CDRs are no
    new calls); and the channels listed since a CoreShowChannels began (None = no listing runs)."""

    calls: Mapping[str, LiveCall] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)
    gone: Mapping[str, datetime] = field(default_factory=dict)
    listed: frozenset[str] | None = None


def step(
    state: Legs, message: Message, received_at: datetime, connection: Connection
) -> tuple[Legs, tuple[CallEvent, ...]]:
    """The next state and what happened. Unknown messages change nothing."""
    handler = _HANDLERS.get(message.event or "")
    if handler is None:
        return state, ()
    turn = _Turn(state, message, _time(message, received_at), connection)
    handler(turn)
    return turn.result()


def sweep(state: Legs, now: datetime, quiet: timedelta = QUIET) -> tuple[Legs, tuple[CallEvent, ...]]:
    """End the calls of which nothing but lost Hangups is left; forget what is too old to matter.

    A call ends when each of its channels was about to leave and nothing was heard of any for `quiet`.
    """
    calls, ended, events = dict(state.calls), dict(state.ended), []
    for key, call in state.calls.items():
        if now - call.last_at >= quiet and all(c.is_leaving for c in call.channels.values()):
            events += [_leg_ended(key, channel, call.last_at) for channel in call.channels.values()]
            events.append(CallEvent(kind=EventKind.ENDED, call_key=key, at=call.last_at))
            ended[key] = now
            del calls[key]
        elif now - call.last_at >= _FORGET_LIVE_AFTER:
            del calls[key]
    ended = {key: at for key, at in ended.items() if now - at < _FORGET_ENDED_AFTER}
    gone = {key: at for key, at in state.gone.items() if now - at < _FORGET_ENDED_AFTER}
    return replace(state, calls=calls, ended=ended, gone=gone), tuple(events)


def _time(message: Message, received_at: datetime) -> datetime:
    """`timestampevents=yes` puts the PBX's clock into every event; else the time of receipt."""
    stamp = message.get("Timestamp")
    return from_epoch(float(stamp), "Timestamp") if stamp.replace(".", "", 1).isdigit() else received_at


def _leg_ended(key: str, channel: Channel, at: datetime, cause: Disposition | None = None) -> CallEvent:
    party = channel.address if channel.role is Role.OURS else None
    return CallEvent(
        kind=EventKind.LEG_ENDED, call_key=key, at=at, leg=channel.uniqueid, party=party, cause=cause
    )


class _Turn:
    """One message being worked on: the state's copy that changes and the events so far."""

    def __init__(self, state: Legs, message: Message, at: datetime, connection: Connection) -> None:
        self.state, self.message, self.at, self.connection = state, message, at, connection
        self.calls = dict(state.calls)
        self.ended = dict(state.ended)
        self.gone = dict(state.gone)
        self.listed = state.listed
        self.events: list[CallEvent] = []

    def result(self) -> tuple[Legs, tuple[CallEvent, ...]]:
        return Legs(self.calls, self.ended, self.gone, self.listed), tuple(self.events)

    def emit(self, kind: EventKind, call: LiveCall, at: datetime | None = None, **fields: object) -> None:
        told = {"kind": kind, "call_key": call.key, "at": at or self.at, **fields}
        self.events.append(CallEvent.model_validate(told))

    # -- calls and channels -------------------------------------------------------------------------------------

    def call_of(self, prefix: str = "") -> LiveCall | None:
        """The call of the message's channel (prefix "Dest": of the called one), begun now when it is not known."""
        key = self.message.get(f"{prefix}Linkedid")
        if not key or key in self.ended:
            return None
        self._move(self.message.get(f"{prefix}Uniqueid"), key)
        call = self.calls.get(key)
        if call is None:
            call = LiveCall(key=key, started_at=self.at, last_at=self.at)
        call = replace(call, last_at=max(call.last_at, self.at))
        self.calls[key] = call
        return call

    def _move(self, uniqueid: str, key: str) -> None:
        """An attended transfer or a pick-up takes a channel from one call into another."""
        for old in list(self.calls.values()):
            if old.key != key and uniqueid in old.channels:
                channel = old.channels[uniqueid]
                self.drop(old, channel, None)
                call = self.calls.get(key) or LiveCall(key=key, started_at=self.at, last_at=self.at)
                # In its new call it is a phone of ours unless it is the outside party's: it has not talked here yet.
                self.put(call, replace(channel, has_answered=False, bridge=None))

    def put(self, call: LiveCall, channel: Channel) -> LiveCall:
        call = replace(call, channels={**call.channels, channel.uniqueid: channel})
        self.calls[call.key] = call
        return call

    def drop(self, call: LiveCall, channel: Channel, cause: Disposition | None) -> None:
        """A channel has gone; with the last one the call is over."""
        self.gone[channel.uniqueid] = self.at
        left = {uniqueid: c for uniqueid, c in call.channels.items() if uniqueid != channel.uniqueid}
        if channel.role is not Role.GLUE:
            self.events.append(_leg_ended(call.key, channel, self.at, cause))
        if left:
            self.calls[call.key] = replace(call, channels=left)
            return
        self.emit(EventKind.ENDED, call)
        self.calls.pop(call.key, None)
        self.ended[call.key] = self.at

    def first_channel(self, call: LiveCall) -> LiveCall:
        """Note the channel with which the call came in, by whichever message tells of it first."""
        message = self.message
        if message.get("Uniqueid") != call.key or call.key in call.channels:
            return call
        name, exten = message.get("Channel"), message.get("Exten")
        told = self._sides(name, known(message.get("CallerIDNum")), exten if is_dialable(exten) else None)
        is_ringing_in = message.get("ChannelState") != "0"  # Down: a channel that we are about to dial
        role = Role.GLUE if is_local(name) else Role.CLIENT if told.direction == "inbound" else Role.OURS
        direction = told.direction if is_ringing_in else None
        address = endpoint(name) if role is Role.OURS else None
        if told.direction in ("outbound", "internal"):
            address = told.party or address
        call = replace(call, direction=direction, did=told.line, caller=told.client)
        call = self.put(call, Channel(uniqueid=call.key, role=role, address=address))
        if is_ringing_in:
            self._started(call, told, address)
        else:
            self.emit(EventKind.STARTED, call, leg=call.key)
        return call

    def _sides(self, name: str, caller: str | None, called: str | None) -> Sides:
        """Who is who for the first channel. A trunk's call comes from outside, a phone's call of a number goes there.

        No caller's number and no phone of ours: it was withheld.
        """
        owner = endpoint(name)
        is_phone = is_extension(owner, self.connection)
        caller = caller or (owner if is_phone else "anonymous")
        if is_trunk(name, self.connection):
            return sides(caller, called, "inbound", self.connection)
        told = sides(caller, called, None, self.connection)
        if is_phone and is_number(called) and told.direction in (None, "inbound"):
            told = sides(caller, called, "outbound", self.connection)
        return told if told.direction else sides(caller, called, "inbound", self.connection)

    def _started(self, call: LiveCall, told: Sides, address: str | None) -> None:
        self.emit(
            EventKind.STARTED,
            call,
            seq=1,
            leg=call.key,
            direction=told.direction,
            client=told.client,
            line=told.line,
            party=address if told.direction != "inbound" else None,
        )

    def dialled(self) -> tuple[LiveCall, Channel] | None:
        """The called channel of a Dial message, noted with its owner."""
        call = self.call_of("Dest") if self.message.get("DestLinkedid") else self.call_of()
        uniqueid, name = self.message.get("DestUniqueid"), self.message.get("DestChannel")
        if call is None or not uniqueid:
            return None
        if self.message.get("Channel"):
            call = self.first_channel(call)
        channel = call.channels.get(uniqueid)
        dial_string = self.message.get("DialString")
        if channel is None or (dial_string and uniqueid != call.key):
            address = dialled_address(dial_string, name)
            role = role_of_dialled(call, name, address, self.connection)
            channel = replace(
                channel or Channel(uniqueid=uniqueid, role=role), role=role, address=address, is_leaving=False
            )
            call = self.put(call, channel)
        return call, channel

    def originated(self, call: LiveCall) -> LiveCall:
        """A dial without a calling channel: we ring the first party ourselves (Originate), the second comes after."""
        if call.is_originated:
            return call
        first = call.channels.get(self.message.get("DestUniqueid"))
        name = self.message.get("DestChannel")
        address = dialled_address(self.message.get("DialString"), name)
        call = replace(call, is_originated=True, direction="outbound")
        role = role_of_dialled(call, name, address, self.connection)
        first = replace(
            first or Channel(uniqueid=self.message.get("DestUniqueid"), role=role), role=role, address=address
        )
        call = self.put(call, first)
        shown = known(self.message.get("DestCallerIDNum"))
        client = address if role is Role.CLIENT else shown if is_number(shown) else None
        self.emit(
            EventKind.STARTED,
            call,
            at=call.started_at,
            leg=first.uniqueid,
            direction="outbound",
            is_callback=True,
            client=client,
            party=address if role is Role.OURS else None,
        )
        return call

    # -- who talks ----------------------------------------------------------------------------------------------

    def answered(self, call: LiveCall, channel: Channel) -> LiveCall:
        """The called channel took the call: our phone talks, or, on an outbound call, the phone that had it dialled."""
        if channel.role is Role.CLIENT:
            ours = [c for c in call.channels.values() if c.role is Role.OURS]
            first = call.first
            channel = first if first and first.role is Role.OURS else ours[0] if ours else channel
        if channel.role is not Role.OURS or channel.has_answered:
            return call
        self.emit(EventKind.ANSWERED, call, leg=channel.uniqueid, party=channel.address)
        return self.put(call, replace(channel, has_answered=True))

    def talkers(self, call: LiveCall, bridge: str) -> None:
        """With two channels in a bridge, those of ours in it talk; of an internal call the one that was called."""
        members = [c for c in call.channels.values() if c.bridge == bridge]
        if len(members) < 2:
            return
        for member in members:
            if member.role is Role.OURS and not (
                member.uniqueid == call.key and call.direction == "internal"
            ):
                call = self.answered(call, member)


def _new_channel(turn: _Turn) -> None:
    call = turn.call_of()
    if call is None:
        return
    uniqueid, name = turn.message.get("Uniqueid"), turn.message.get("Channel")
    if uniqueid == call.key:
        turn.first_channel(call)
    elif uniqueid not in call.channels:
        role = role_of_dialled(call, name, endpoint(name), turn.connection)
        turn.put(call, Channel(uniqueid=uniqueid, role=role, address=endpoint(name)))


def _dial_begin(turn: _Turn) -> None:
    found = turn.dialled()
    if found is None:
        return
    call, channel = found
    if not turn.message.get("Channel"):
        turn.originated(call)
        return
    if call.is_originated and channel.role is Role.CLIENT:
        turn.emit(EventKind.STARTED, call, at=call.started_at, leg=call.key, seq=0, client=channel.address)
    if channel.role is Role.OURS and channel.uniqueid != call.key and not channel.has_rung:
        turn.emit(EventKind.RANG, call, leg=channel.uniqueid, party=channel.address)
        turn.put(call, replace(channel, has_rung=True))


def _dial_end(turn: _Turn) -> None:
    found = turn.dialled()
    if found is None:
        return
    call, channel = found
    status = turn.message.get("DialStatus")
    if not turn.message.get("Channel"):
        # The end of an Originate's own dial: the first party has picked up, nobody talks to anybody yet.
        call = turn.originated(call)
    elif status == "ANSWER":
        turn.answered(call, channel)
    if status in _DIAL_STATUSES and channel.uniqueid in call.channels:
        turn.drop(turn.calls[call.key], call.channels[channel.uniqueid], _DIAL_STATUSES[status])


def _agent_connect(turn: _Turn) -> None:
    found = turn.dialled()
    if found is not None:
        turn.answered(*found)


def _bridge_enter(turn: _Turn) -> None:
    call = turn.call_of()
    if call is None:
        return
    call = turn.first_channel(call)
    uniqueid, name = turn.message.get("Uniqueid"), turn.message.get("Channel")
    bridge = turn.message.get("BridgeUniqueid")
    channel = call.channels.get(uniqueid)
    if channel is None:
        role = role_of_dialled(call, name, endpoint(name), turn.connection)
        channel = Channel(uniqueid=uniqueid, role=role, address=endpoint(name))
    call = turn.put(call, replace(channel, bridge=bridge, is_leaving=False))
    turn.talkers(call, bridge)


def _bridge_leave(turn: _Turn) -> None:
    _leaving(turn, is_leaving=True, leaves_bridge=True)


def _about_to_hang_up(turn: _Turn) -> None:
    _leaving(turn, is_leaving=True, leaves_bridge=False)


def _stays(turn: _Turn) -> None:
    """The channel goes on in the dialplan after all (a transfer, a survey after the talk)."""
    _leaving(turn, is_leaving=False, leaves_bridge=False)


def _leaving(turn: _Turn, *, is_leaving: bool, leaves_bridge: bool) -> None:
    call = turn.calls.get(turn.message.get("Linkedid"))
    channel = call.channels.get(turn.message.get("Uniqueid")) if call else None
    if call is None or channel is None:
        return
    bridge = None if leaves_bridge else channel.bridge
    call = replace(call, last_at=max(call.last_at, turn.at))
    turn.put(call, replace(channel, bridge=bridge, is_leaving=is_leaving))


def _hangup(turn: _Turn) -> None:
    key, uniqueid = turn.message.get("Linkedid"), turn.message.get("Uniqueid")
    holder = turn.calls.get(key)
    if holder is None or uniqueid not in holder.channels:
        # After a transfer the last word may still name the call that the channel was in before.
        holder = next((call for call in turn.calls.values() if uniqueid in call.channels), None)
    if holder is not None:
        channel = holder.channels[uniqueid]
        cause = hangup_cause(turn.message) if not channel.has_answered else None
        is_called = channel.role is Role.OURS and uniqueid != holder.key
        turn.drop(holder, channel, cause if is_called else None)
    elif uniqueid == key and key and key not in turn.ended and key not in turn.calls:
        # A call that began before we were listening: it is over, whatever else it was.
        turn.events.append(CallEvent(kind=EventKind.ENDED, call_key=key, at=turn.at))
        turn.ended[key] = turn.at


def _cdr(turn: _Turn) -> None:
    """For a call that was watched a CDR tells nothing new, except that its channel is done; alone it is the report."""
    uniqueid = turn.message.get("UniqueID")
    key = turn.message.get("LinkedID") or uniqueid
    call = next((call for call in turn.calls.values() if key == call.key or uniqueid in call.channels), None)
    if call is not None:
        done = call.channels.get(uniqueid)
        if done is not None and done.bridge is None:
            turn.put(call, replace(done, is_leaving=True))
    elif key and not {key, uniqueid} & (turn.ended.keys() | turn.gone.keys()):
        # A Local channel's own CDR is of no call by itself.
        if is_local(turn.message.get("Channel")):
            return
        turn.events.append(cdr_event(turn.message, turn.connection))


def _user_event(turn: _Turn) -> None:
    """`UserEvent(Callmatrix,Did: …,Client: …)` of our dialplan: what it knows better than the channel."""
    if turn.message.get("UserEvent").lower() != "callmatrix":
        return
    call = turn.call_of()
    if call is None:
        return
    call = turn.first_channel(call)
    event = own_event(turn.message, call.key, call.started_at, turn.at, turn.connection)
    if event.direction is not None:
        call = replace(call, direction=event.direction)
        turn.calls[call.key] = call
    turn.events.append(event)


def _listed(turn: _Turn) -> None:
    """One channel of CoreShowChannels: known ones are confirmed, unknown ones began while we were away."""
    turn.listed = (turn.listed or frozenset()) | {turn.message.get("Uniqueid")}
    now, turn.at = turn.at, turn.at - _duration(turn.message)
    _new_channel(turn)
    turn.at = now
    if turn.message.get("BridgeId"):
        call = turn.calls.get(turn.message.get("Linkedid"))
        channel = call.channels.get(turn.message.get("Uniqueid")) if call else None
        if call is not None and channel is not None:
            turn.talkers(
                turn.put(call, replace(channel, bridge=turn.message.get("BridgeId"))),
                turn.message.get("BridgeId"),
            )


def _duration(message: Message) -> timedelta:
    """`00:01:02`, hours first; nothing where it cannot be read."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d)", message.get("Duration"))
    if match is None:
        return timedelta(0)
    hours, minutes, seconds = map(int, match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _list_complete(turn: _Turn) -> None:
    """What is not listed has gone while nobody listened."""
    listed = turn.listed or frozenset()
    turn.listed = None
    for key in list(turn.calls):
        for uniqueid in list(turn.calls[key].channels):
            if uniqueid not in listed and key in turn.calls and uniqueid in turn.calls[key].channels:
                turn.drop(turn.calls[key], turn.calls[key].channels[uniqueid], None)


_HANDLERS: Mapping[str, Callable[[_Turn], None]] = {
    "Newchannel": _new_channel,
    "DialBegin": _dial_begin,
    "DialState": _dial_begin,
    "DialEnd": _dial_end,
    "AgentConnect": _agent_connect,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "HangupRequest": _about_to_hang_up,
    "SoftHangupRequest": _about_to_hang_up,
    "Newexten": _stays,
    "Hangup": _hangup,
    "Cdr": _cdr,
    "UserEvent": _user_event,
    "CoreShowChannel": _listed,
    "CoreShowChannelsComplete": _list_complete,
}
