"""From AMI events to call events: one call per client, however many channels and Linkedids Asterisk makes of it.

A pure state machine: `step` takes the state and one AMI message and gives the next state and what happened in our
words. Any single message may be missing: that somebody answered follows from DialEnd as well as from the bridge; a
channel whose Hangup is lost is taken for gone by `sweep` or when `CoreShowChannels` does not list it.

Pitfalls seen on Asterisk 16 and 22: after a Goto the Exten (and the CDR's Destination) is a label, so the dialled
number is that of the first Newchannel; a called channel's CallerIDNum may be that label too; pick-up, conference,
parking and transfers bring channels of several Linkedids together (talks.py); a voice menu that answers is nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.pbx.asterisk.cdr import cdr_events
from gateway.pbx.asterisk.channels import (
    Channel,
    ChannelRole,
    LiveCall,
    is_failed_originate,
    known,
    pair_of,
    role_of_dialled,
    without_prefix,
)
from gateway.pbx.asterisk.final import clients_call, hangup_cause, leg_ended, number_word, own_event
from gateway.pbx.asterisk.reached import (
    as_listed,
    decides,
    failed_side,
    is_employee_first,
    unconnected,
    with_rung,
)
from gateway.pbx.asterisk.sides import with_direction
from gateway.pbx.asterisk.turn import Legs, Turn
from gateway.pbx.asterisk.wire import AmiMessage, listed_for
from gateway.pbx.connection import Connection
from gateway.pbx.parties import is_own_number
from gateway.pbx.reading.addresses import endpoint, is_number
from routing.calls.model import CallEvent, Disposition, EventKind
from routing.outbound.attempts import attempt_id_in

__all__ = ["QUIET", "Legs", "resumed", "step", "sweep"]

QUIET = timedelta(seconds=30)
_LISTING = timedelta(seconds=5)
_UP = "6"
_FORGET_ENDED_AFTER = timedelta(minutes=10)
_FORGET_LIVE_AFTER = timedelta(hours=12)

_DIAL_STATUSES: Mapping[str, Disposition] = {
    "BUSY": Disposition.BUSY,
    "NOANSWER": Disposition.NO_ANSWER,
    "CANCEL": Disposition.CANCELLED,
    "CHANUNAVAIL": Disposition.FAILED,
    "CONGESTION": Disposition.FAILED,
}


def step(
    state: Legs, message: AmiMessage, received_at: datetime, connection: Connection
) -> tuple[Legs, tuple[CallEvent, ...]]:
    """Return the next state and what happened. Unknown messages change nothing."""
    handler = _HANDLERS.get(message.event or "")
    if handler is None:
        return state, ()
    turn = Turn(state, message, received_at, connection)
    if is_failed_originate(message):
        turn.ended[message.get("LinkedID") or message.get("UniqueID")] = received_at
        return turn.result()
    handler(turn)
    return turn.result()


def resumed(state: Legs, at: datetime, connection: Connection) -> tuple[Legs, tuple[CallEvent, ...]]:
    """Return the state for a link that is new or has come back, and what follows. Who had picked up before may have been put
    through meanwhile, and nobody will tell: picking up has to do for them."""
    turn = Turn(state, AmiMessage(()), at, connection)
    for call in state.calls.values():
        turn.at = call.last_at
        for uniqueid in call.channels:
            turn.connected(uniqueid)
        turn.settle()
    return turn.result()


def sweep(state: Legs, now: datetime, quiet: timedelta = QUIET) -> tuple[Legs, tuple[CallEvent, ...]]:
    """End the calls of which nothing but lost Hangups is left; forget what is too old to matter.

    A call ends when each of its channels was about to leave and nothing was heard of any for `quiet`.
    """
    calls, ended, events = dict(state.calls), dict(state.ended), []
    for key, call in state.calls.items():
        if now - call.heard_at >= quiet and all(c.is_leaving for c in call.channels.values()):
            events += [leg_ended(key, channel, call.last_at) for channel in call.channels.values()]
            events += [clients_call(call)] if call.client and not call.is_client_told else []
            events.append(
                CallEvent(
                    kind=EventKind.ENDED,
                    call_key=key,
                    at=call.last_at,
                    failed_side=failed_side(call),
                    attempt=attempt_id_in(key),
                    params=unconnected(call),
                )
            )
            ended[key] = now
            del calls[key]
        elif now - call.heard_at >= _FORGET_LIVE_AFTER:
            del calls[key]
    ended = {key: at for key, at in ended.items() if now - at < _FORGET_ENDED_AFTER}
    gone = {key: at for key, at in state.gone.items() if now - at < _FORGET_ENDED_AFTER}
    return replace(state, calls=calls, ended=ended, gone=gone), tuple(events)


def _new_channel(turn: Turn) -> None:
    call = turn.call_of()
    if call is None:
        return
    uniqueid, name = turn.message.get("Uniqueid"), turn.message.get("Channel")
    if uniqueid == call.key:
        turn.first_channel(call)
    elif uniqueid not in call.channels:
        turn.put(call, _channel(turn, call, uniqueid, name))


def _channel(turn: Turn, call: LiveCall, uniqueid: str, name: str) -> Channel:
    """One of which nothing but its name is known yet."""
    role = role_of_dialled(call, name, endpoint(name), turn.connection)
    return Channel(uniqueid=uniqueid, role=role, address=endpoint(name), pair=pair_of(name))


def _dial_begin(turn: Turn) -> None:
    found = turn.dialled()
    if found is None:
        return
    call, channel = found
    if turn.message.get("Channel"):
        _stays(turn)
    elif (call := turn.originated(call)).is_originated:
        turn.calls[call.key] = with_rung(call, call.channels[channel.uniqueid])
        return
    turn.decide(channel)
    call = turn.calls[call.key] = with_rung(turn.calls[call.key], channel)
    if channel.role is ChannelRole.CLIENT:
        turn.client_dialled(call, channel.address)
        if turn.message.event == "DialState":
            turn.tell_client(call)
    if channel.role is ChannelRole.OURS and channel.uniqueid != call.key and not channel.has_rung:
        turn.emit(EventKind.RANG, call, leg=channel.uniqueid, party=channel.address)
        turn.put(call, replace(channel, has_rung=True))


def _dial_end(turn: Turn) -> None:
    found = turn.dialled()
    if found is None:
        return
    call, channel = found
    status = turn.message.get("DialStatus")
    if not turn.message.get("Channel"):
        # The end of an Originate's own dial: the first party has picked up, nobody talks to anybody yet.
        call = turn.originated(call)
        if status == "ANSWER":
            turn.picked_up(channel.uniqueid)
        elif forward := turn.message.get("Forward"):
            _sent_elsewhere(turn, call, forward)
    elif status == "ANSWER":
        turn.took_the_call(turn.message.get("Uniqueid"), channel.uniqueid)
    if status in _DIAL_STATUSES and (known := turn.find(channel.uniqueid)) is not None:
        if status == "NOANSWER" and is_employee_first(known[0]):
            turn.put(known[0], replace(known[1], is_leaving=True))
        else:
            turn.drop(*known, _DIAL_STATUSES[status])


def _sent_elsewhere(turn: Turn, call: LiveCall, forward: str) -> None:
    """Note that the phone we rang first sends us on, of which Asterisk makes another call: it is for whom this one was."""
    to = next(
        (c for c in turn.calls.values() if c.first and c is not call and c.first.address == forward), None
    )
    if to is not None and call.is_originated:
        turn.calls[to.key] = replace(to, client=to.client or call.client)
        turn.take_back(call)


def _agent_connect(turn: Turn) -> None:
    found = turn.dialled()
    if found is not None:  # comes when whatever a queue does before it is done
        turn.took_the_call(turn.message.get("Uniqueid"), found[1].uniqueid, is_connected=True)


def _bridge_enter(turn: Turn) -> None:
    call = turn.call_of()
    if call is None:
        return
    call = turn.first_channel(call)
    uniqueid, name = turn.message.get("Uniqueid"), turn.message.get("Channel")
    bridge = turn.message.get("BridgeUniqueid")
    is_held = (
        turn.message.get("BridgeTechnology") == "holding_bridge"
    )  # parked, or waiting for the room to open
    channel = call.channels.get(uniqueid)
    if channel is None:
        channel = _channel(turn, call, uniqueid, name)
    turn.hears_bridges = True
    turn.mixed(call, replace(channel, is_leaving=False), None if is_held else bridge)
    if not is_held:
        turn.connected(uniqueid)
    turn.settle()


def _bridge_leave(turn: Turn) -> None:
    _leaving(turn, is_leaving=True, leaves_bridge=True)


def _about_to_hang_up(turn: Turn) -> None:
    _leaving(turn, is_leaving=True, leaves_bridge=False)


def _stays(turn: Turn) -> None:
    """Note that the channel goes on in the dialplan after all (a transfer, a survey after the talk)."""
    if turn.message.get("Exten") != "h":  # what runs after a hangup is no staying
        _leaving(turn, is_leaving=False, leaves_bridge=False)


def _goes_on(turn: Turn) -> None:
    _stays(turn)
    if turn.message.get("Application").lower() == "voicemail":
        _is_passed_on(turn)


def _is_passed_on(turn: Turn) -> None:
    """Note that a client with whom somebody has talked is before a queue or mailbox now: perhaps it brings nobody."""
    _stays(turn)
    found = turn.find(turn.message.get("Uniqueid"))
    if found is not None and found[1].role is ChannelRole.CLIENT and found[0].is_answered:
        turn.emit(EventKind.RANG, found[0], leg=found[1].leg(found[0].key))


def _leaving(turn: Turn, *, is_leaving: bool, leaves_bridge: bool) -> None:
    if (found := turn.find(turn.message.get("Uniqueid"))) is None:
        return
    if leaves_bridge and turn.message.get("BridgeTechnology") != "holding_bridge":
        _was_in_a_bridge(turn, *found)
        found = turn.find(found[1].uniqueid) or found
    call, channel = turn.heard(found[0]), replace(found[1], is_leaving=is_leaving)
    if leaves_bridge and channel.bridge in (None, turn.message.get("BridgeUniqueid")):
        turn.mixed(call, channel, None)
        turn.settle()
    else:
        turn.put(call, channel)


def _was_in_a_bridge(turn: Turn, call: LiveCall, channel: Channel) -> None:
    """Note of who leaves a bridge that it was never told to enter: what the call's channels were told to await has come,
    since the last that was heard."""
    if channel.bridge is None and channel.awaits:
        now, turn.at = turn.at, call.last_at
        for uniqueid in call.channels:
            turn.connected(uniqueid)
        turn.settle()
        turn.at = now


def _hangup(turn: Turn) -> None:
    key, uniqueid = turn.message.get("Linkedid"), turn.message.get("Uniqueid")
    if (found := turn.find(uniqueid)) is not None:
        holder, channel = found
        is_called = channel.role is ChannelRole.OURS and uniqueid != holder.key
        is_called |= decides(holder, channel)
        word = number_word(turn.message) if channel.role is ChannelRole.CLIENT else None
        turn.drop(holder, channel, hangup_cause(turn.message) if is_called else None, word)
    elif uniqueid == key and key and key not in turn.ended and key not in turn.calls:
        # A call that began before we were listening: it is over, whatever else it was.
        turn.events.append(
            CallEvent(kind=EventKind.ENDED, call_key=key, at=turn.at, attempt=attempt_id_in(key))
        )
        turn.ended[key] = turn.received_at


def _cdr(turn: Turn) -> None:
    """For a call that was watched a CDR tells nothing new, except that its channel is done; alone it is the report."""
    uniqueid = turn.message.get("UniqueID")
    key = turn.message.get("LinkedID") or uniqueid
    call = next((call for call in turn.calls.values() if key == call.key or uniqueid in call.channels), None)
    if call is not None:
        done = call.channels.get(uniqueid)
        if done is not None and done.bridge is None:
            turn.put(call, replace(done, is_leaving=True))
    elif key and not {key, uniqueid} & (turn.ended.keys() | turn.gone.keys()):
        turn.events += cdr_events(turn.message, turn.connection)


def _user_event(turn: Turn) -> None:
    """`UserEvent(Callmatrix,Did: …,Client: …)` of our dialplan: what it knows better than the channel."""
    if turn.message.get("UserEvent").lower() != "callmatrix":
        return
    call = turn.call_of()
    if call is None:
        return
    call = turn.first_channel(call)
    event = own_event(turn.message, call.key, call.started_at, turn.at, turn.connection)
    if event.direction == "outbound" and is_own_number(event.client, turn.connection):
        event = _of_a_colleague(call, event)
    if (direction := event.direction) is not None:
        if direction == "outbound" and call.direction != "outbound":
            event = _turned_round(turn, call, event)
        call = with_direction(call, direction, turn.message.get("Channel"), turn.connection)
    if event.client and call.direction == "outbound" and not call.is_client_told:
        call = replace(call, client=without_prefix(event.client, turn.connection))
        event = event.model_copy(update={"client": None})
    elif event.client:
        call = replace(call, is_client_told=True)
    turn.calls[call.key] = call
    turn.events.append(event)
    turn.settle()


def _of_a_colleague(call: LiveCall, event: CallEvent) -> CallEvent:
    """Return the event of a call of an employee's own number: internal, unless we made it, for the first side of a click."""
    is_phones = call.direction is not None and not call.is_originated
    return event.model_copy(update={"client": None, "direction": "internal" if is_phones else None})


def _turned_round(turn: Turn, call: LiveCall, event: CallEvent) -> CallEvent:
    """Return the event of a call that goes out after all: what it seemed to have called is no line of ours but the
    client; what it shows may be a line."""
    shown = known(turn.message.get("CallerIDNum"))
    line = event.line or (shown if is_number(shown) else None)
    client = event.client or (
        without_prefix(call.did, turn.connection) if call.did and is_number(call.did) else None
    )
    return event.model_copy(update={"line": line, "client": client})


def _listed(turn: Turn) -> None:
    """One channel of CoreShowChannels: known ones are confirmed, unknown ones began while we were away."""
    uniqueid, bridge = turn.message.get("Uniqueid"), turn.message.get("BridgeId")
    turn.listed = (turn.listed or frozenset()) | {uniqueid}
    before, was = turn.find(uniqueid), turn.calls.get(turn.message.get("Linkedid"))
    now, turn.at = turn.at, turn.at - listed_for(turn.message)
    _new_channel(turn)
    turn.at = now
    found = turn.find(uniqueid)
    is_quiet = was is not None and turn.received_at - was.heard_at >= _LISTING
    if found is not None and (before is None or (is_quiet and uniqueid == found[0].key)):
        is_up = turn.message.get("ChannelState") == _UP
        turn.calls[found[0].key] = as_listed(*found, was, is_up=is_up)
        found = turn.find(uniqueid)
    if found is not None and bridge:
        if before is not None and before[1].awaits and before[1].bridge is None:
            turn.hears_bridges = False  # it went in, and nobody told: an event filter keeps that away
            turn.connected(uniqueid)
            found = turn.find(uniqueid) or found
        turn.mixed(*found, bridge)
        turn.settle()


def _list_complete(turn: Turn) -> None:
    """Take away what is not listed: it has gone while nobody listened, except what began while the list was made."""
    listed = turn.listed or frozenset()
    turn.listed = None
    for key in [k for k, call in turn.calls.items() if turn.received_at - call.heard_at >= _LISTING]:
        for uniqueid in list(turn.calls[key].channels):
            call = turn.calls.get(key)
            if call is not None and uniqueid not in listed and uniqueid in call.channels:
                is_unheard = call.is_unheard or not call.channels[uniqueid].is_leaving
                turn.drop(replace(call, is_unheard=is_unheard), call.channels[uniqueid], None)


_HANDLERS: Mapping[str, Callable[[Turn], None]] = {
    "Newchannel": _new_channel,
    "DialBegin": _dial_begin,
    "DialState": _dial_begin,
    "DialEnd": _dial_end,
    "AgentConnect": _agent_connect,
    "BridgeEnter": _bridge_enter,
    "ConfbridgeJoin": _bridge_enter,  # tells the same, should the other be lost
    "BridgeLeave": _bridge_leave,
    "HangupRequest": _about_to_hang_up,
    "SoftHangupRequest": _about_to_hang_up,
    "Newexten": _goes_on,
    "QueueCallerJoin": _is_passed_on,
    "MusicOnHoldStart": _stays,
    "Hangup": _hangup,
    "Cdr": _cdr,
    "UserEvent": _user_event,
    "CoreShowChannel": _listed,
    "CoreShowChannelsComplete": _list_complete,
}
