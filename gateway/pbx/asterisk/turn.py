"""One AMI message being worked on: the state's copy that changes, who owns which channel, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.pbx.asterisk.channels import (
    Channel,
    ChannelRole,
    LiveCall,
    is_local,
    is_phone,
    is_same_subscriber,
    is_trunk,
    known,
    pair_of,
    role_of_dialled,
    without_prefix,
)
from gateway.pbx.asterisk.final import clients_call, leg_ended
from gateway.pbx.asterisk.reached import failed_side, unconnected, with_picked_up
from gateway.pbx.asterisk.sides import with_dialled
from gateway.pbx.asterisk.talks import conversations
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.parties import Parties, classify_parties, is_extension, is_line, is_own_number
from gateway.pbx.reading.addresses import dialled_address, endpoint, is_dialable, is_number
from gateway.pbx.times import from_epoch
from routing.calls.model import CallEvent, Disposition, EventKind, FailedSide, NumberWord
from routing.outbound.attempts import attempt_id_in


@dataclass(frozen=True, slots=True)
class Legs:
    """The state: calls that have channels left; calls that ended and channels that went lately (their late CDRs are no
    new calls); and the channels listed since a CoreShowChannels began (None = no listing runs).

    hears_bridges: this link has told of a channel that entered a bridge, so who picks up and enters none talks to nobody.
    Where it never does (an event filter), picking up has to do.
    """

    calls: Mapping[str, LiveCall] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)
    gone: Mapping[str, datetime] = field(default_factory=dict)
    listed: frozenset[str] | None = None
    hears_bridges: bool = False


def _time(message: AmiMessage, received_at: datetime) -> datetime:
    """`timestampevents=yes` puts the PBX's clock into every event; else the time of receipt."""
    stamp = message.get("Timestamp")
    is_time = stamp.isascii() and stamp.replace(".", "", 1).isdigit()
    return from_epoch(float(stamp), "Timestamp") if is_time else received_at


class Turn:
    """One message being worked on: the state's copy that changes and the events so far."""

    def __init__(
        self, state: Legs, message: AmiMessage, received_at: datetime, connection: Connection
    ) -> None:
        self.message, self.connection, self.received_at = message, connection, received_at
        self.at = _time(message, received_at)
        self.calls = dict(state.calls)
        self.ended = dict(state.ended)
        self.gone = dict(state.gone)
        self.listed, self.hears_bridges = state.listed, state.hears_bridges
        self.events: list[CallEvent] = []

    def result(self) -> tuple[Legs, tuple[CallEvent, ...]]:
        state = Legs(self.calls, self.ended, self.gone, self.listed, self.hears_bridges)
        return state, tuple(self.events)

    def emit(self, kind: EventKind, call: LiveCall, at: datetime | None = None, **fields: object) -> None:
        told = {
            "kind": kind,
            "call_key": call.key,
            "at": at or self.at,
            "attempt": attempt_id_in(call.key),
            **fields,
        }
        self.events.append(CallEvent.model_validate(told))

    # -- calls and channels -------------------------------------------------------------------------------------

    def call_of(self, prefix: str = "") -> LiveCall | None:
        """Return the call that the message's channel came with (prefix "Dest": the called one), begun now when it is not known.

        A channel stays with the call that it came with, whatever its Linkedid becomes.
        """
        key = self.message.get(f"{prefix}Linkedid")
        found = self.find(self.message.get(f"{prefix}Uniqueid"))
        if found is None and (not key or key in self.ended):
            return None
        call = self.heard(found[0] if found else self.calls.get(key) or self._begun(key))
        self.calls[call.key] = call
        return call

    def _begun(self, key: str) -> LiveCall:
        is_unheard = self.message.event not in ("Newchannel", "DialBegin")
        at, heard_at = self.at, self.received_at
        return LiveCall(key=key, started_at=at, last_at=at, heard_at=heard_at, is_unheard=is_unheard)

    def heard(self, call: LiveCall) -> LiveCall:
        return replace(
            call, last_at=max(call.last_at, self.at), heard_at=max(call.heard_at, self.received_at)
        )

    def find(self, uniqueid: str) -> tuple[LiveCall, Channel] | None:
        """Return a channel that is known, with its call."""
        holder = next((call for call in self.calls.values() if uniqueid in call.channels), None)
        return (holder, holder.channels[uniqueid]) if holder else None

    def put(self, call: LiveCall, channel: Channel) -> LiveCall:
        call = replace(call, channels={**call.channels, channel.uniqueid: channel})
        self.calls[call.key] = call
        return call

    def drop(
        self,
        call: LiveCall,
        channel: Channel,
        cause: Disposition | None,
        number_word: NumberWord | None = None,
    ) -> None:
        """Note that a channel has gone: who talked with it does no longer; with the last one the call is over."""
        self.gone[channel.uniqueid] = self.received_at
        left = {uniqueid: c for uniqueid, c in call.channels.items() if uniqueid != channel.uniqueid}
        self.calls[call.key] = replace(call, channels=left)
        for key in sorted(channel.talks_in):
            self.events.append(leg_ended(key, channel, self.at))
        if channel.role is not ChannelRole.GLUE and not channel.stretches:
            self.events.append(leg_ended(call.key, channel, self.at, cause, number_word))
        self.settle()
        if not left:
            if call.is_originated and call.client is None and channel.stretches:  # in another call
                self.take_back(call)
            self.tell_client(call)
            self.emit(
                EventKind.ENDED,
                call,
                direction="internal" if call.is_undecided else None,  # lifted, and put down again
                failed_side=failed_side(self.calls[call.key]),
                params=unconnected(self.calls[call.key]),
            )
            del self.calls[call.key]
            self.ended[call.key] = self.received_at

    def first_channel(self, call: LiveCall) -> LiveCall:
        """Note the channel with which the call came in, by whichever message tells of it first."""
        message = self.message
        if message.get("Uniqueid") != call.key or call.key in call.channels:
            return call
        name, exten = message.get("Channel"), message.get("Exten")
        shown = known(message.get("CallerIDNum"))
        told = self._sides(name, shown, exten if is_dialable(exten) else None)
        is_undecided = not exten and self._is_lifted(name, shown)
        if is_undecided:
            told = Parties(
                None, None, None, shown if is_extension(shown, self.connection) else endpoint(name)
            )
        is_ringing_in = message.get("ChannelState") != "0"  # Down: a channel that we are about to dial
        role = (
            ChannelRole.GLUE
            if is_local(name)
            else ChannelRole.CLIENT
            if told.direction == "inbound"
            else ChannelRole.OURS
        )
        direction = told.direction if is_ringing_in else None
        address = endpoint(name) if role is ChannelRole.OURS else None
        if told.direction in ("outbound", "internal") or is_undecided:
            address = told.party or address
        is_out = direction == "outbound"
        call = replace(
            call,
            direction=direction,
            did=told.line,
            client=told.client if is_ringing_in else None,
            is_client_told=is_ringing_in and not is_out and not is_undecided,
            is_undecided=is_undecided and is_ringing_in,
        )
        if is_out or call.is_undecided:
            call = replace(call, got_to=FailedSide.EMPLOYEE_HUNG_UP)
        call = self.put(call, Channel(uniqueid=call.key, role=role, address=address, pair=pair_of(name)))
        if is_ringing_in:
            self._started(call, told, address)
        else:
            self.emit(EventKind.STARTED, call, leg=call.key)
        return call

    def _is_lifted(self, name: str, shown: str | None) -> bool:
        """Say whether it is a phone that dials digit by digit (analog lines, overlap): it begins without a number. A line
        from outside that tells no number either begins at the extension `s`."""
        is_ours = (endpoint(name) or "").lower() in self.connection.phones or is_extension(
            shown, self.connection
        )
        return is_ours and not is_local(name) and not is_trunk(name, self.connection)

    def _sides(self, name: str, caller: str | None, called: str | None) -> Parties:
        """Who is who for the first channel. A trunk's call comes from outside, a phone's call of a number goes there.

        No caller's number and no phone of ours: it was withheld.
        """
        owner = endpoint(name)
        is_ours = is_phone(owner, self.connection)
        caller = caller or (owner if is_ours else "anonymous")
        if is_trunk(name, self.connection):
            return classify_parties(caller, called, "inbound", self.connection)
        if called and called[0] in "*#":  # a feature code: pick-up, listening in, a voice mailbox
            return classify_parties(caller, called, "internal", self.connection)
        if is_ours and called:
            called = without_prefix(called, self.connection)
        if is_ours and is_own_number(called, self.connection):  # of a colleague
            return Parties("internal", None, None, owner)
        if is_extension(called, self.connection) and (owner or "").lower() in self.connection.phones:
            return classify_parties(owner, called, "internal", self.connection)
        told = classify_parties(caller, called, None, self.connection)
        if is_ours and is_number(called) and told.direction in (None, "inbound"):
            told = classify_parties(caller, called, "outbound", self.connection)
        return told if told.direction else classify_parties(caller, called, "inbound", self.connection)

    def _started(self, call: LiveCall, told: Parties, address: str | None) -> None:
        self.emit(
            EventKind.STARTED,
            call,
            seq=1,
            leg=call.key,
            direction=told.direction,
            client=told.client if call.is_client_told else None,
            line=told.line,
            party=address if told.direction != "inbound" else None,
        )

    def dialled(self) -> tuple[LiveCall, Channel] | None:
        """Return the called channel of a Dial message, noted with its owner."""
        call = self.call_of("Dest") if self.message.get("DestLinkedid") else self.call_of()
        uniqueid, name = self.message.get("DestUniqueid"), self.message.get("DestChannel")
        if call is None or not uniqueid:
            return None
        if self.message.get("Channel"):
            call = self.first_channel(call)
        channel = call.channels.get(uniqueid)
        dial_string = self.message.get("DialString")
        if not dial_string and is_own_number(shown := self.message.get("DestCallerIDNum"), self.connection):
            dial_string = shown  # its DialBegin was lost
        if channel is None or (dial_string and uniqueid != call.key):
            address = dialled_address(dial_string, name)
            role = role_of_dialled(call, name, address, self.connection)
            channel = replace(
                channel or Channel(uniqueid=uniqueid, role=role, pair=pair_of(name)),
                role=role,
                address=address,
                is_leaving=False,
            )
            call = self.put(call, channel)
        return call, channel

    def originated(self, call: LiveCall) -> LiveCall:
        """Note a dial without a calling channel: we ring the first party ourselves (Originate), the second comes after.

        Asterisk dials like that too for the consultation of a transfer by feature code, a page, ARI on behalf of another
        channel: those are legs of a call that is under way, not its first.
        """
        if call.is_originated or self.message.get("DestUniqueid") != call.key or call.direction is not None:
            return call
        first = call.channels.get(self.message.get("DestUniqueid"))
        name = self.message.get("DestChannel")
        address = dialled_address(self.message.get("DialString"), name)
        call = replace(call, is_originated=True, direction="outbound")
        role = role_of_dialled(call, name, address, self.connection)
        first = replace(
            first or Channel(uniqueid=call.key, role=role, pair=pair_of(name)), role=role, address=address
        )
        call = self.put(call, first)
        shown = known(self.message.get("DestCallerIDNum"))
        if role is not ChannelRole.CLIENT and self._may_be_client(shown):
            call = replace(call, client=shown)
        call = self.calls[call.key] = replace(call, is_client_told=role is ChannelRole.CLIENT)
        self.emit(
            EventKind.STARTED,
            call,
            at=call.started_at,
            seq=2,
            leg=first.uniqueid,
            direction="outbound",
            is_callback=True,
            client=address if role is ChannelRole.CLIENT else None,
            party=address if role is ChannelRole.OURS else None,
        )
        return call

    def _may_be_client(self, number: str | None) -> bool:
        return (
            is_number(number)
            and not is_line(number, self.connection)
            and not is_own_number(number, self.connection)
        )

    def take_back(self, call: LiveCall) -> None:
        """Note of a call that we made that it concerns no client: a colleague asked into a room, a transfer that came back."""
        self.calls[call.key] = replace(self.calls[call.key], direction="internal", client=None)
        self.emit(
            EventKind.STARTED,
            self.calls[call.key],
            at=call.started_at,
            seq=0,
            leg=call.key,
            direction="internal",
            is_callback=True,
        )

    def decide(self, channel: Channel) -> None:
        """Whom a phone dials that was lifted before anybody knew."""
        holder = self.find(channel.uniqueid)
        if holder is None or not holder[0].is_undecided:
            return
        call = self.calls[holder[0].key] = with_dialled(holder[0], channel)
        if call.direction is not None:
            party = call.first.address if call.first else None
            self.emit(EventKind.STARTED, call, seq=2, leg=call.key, direction=call.direction, party=party)

    def client_dialled(self, call: LiveCall, address: str | None) -> None:
        """Note the client's leg: it tells the number as it went to the provider: without an outside prefix, of the right trunk."""
        call = self.calls[call.key]
        is_better = call.is_originated or is_same_subscriber(call.client or "", address or "")
        if is_number(address) and is_better and not call.is_client_told:
            self.calls[call.key] = replace(call, client=address)

    def tell_client(self, call: LiveCall) -> None:
        """Once: when their phone rings, somebody talks or the call ends."""
        call = self.calls[call.key]
        if not call.is_client_told and call.client:
            self.calls[call.key] = replace(call, is_client_told=True)
            self.events.append(clients_call(call))

    # -- who talks ----------------------------------------------------------------------------------------------

    def picked_up(self, uniqueid: str) -> None:
        if (found := self.find(uniqueid)) is not None:
            self.calls[found[0].key] = with_picked_up(*found)

    def took_the_call(self, source: str, dest: str, *, is_connected: bool = False) -> None:
        """Note that the dialled channel was picked up. Something may come before the two hear each other (an announcement, a
        question to confirm, a delay of the queue), and then neither is in a bridge yet."""
        self.picked_up(dest)
        for one, other in ((source, dest), (dest, source)):
            if (found := self.find(one)) is not None:
                self.put(found[0], replace(found[1], awaits=found[1].awaits | {other}))
        if is_connected or not self.hears_bridges:
            self.connected(source)
        self.settle()

    def connected(self, uniqueid: str) -> None:
        """Note that the channel is put together with whom it awaits: one of the two is in a bridge, the other on its way."""
        if (found := self.find(uniqueid)) is None:
            return
        channel = found[1]
        self.put(found[0], replace(channel, awaits=frozenset(), dialled=channel.dialled | channel.awaits))
        for other in channel.awaits:
            if (met := self.find(other)) is not None:
                dialled = met[1].dialled | {uniqueid}
                self.put(met[0], replace(met[1], awaits=met[1].awaits - {uniqueid}, dialled=dialled))

    def mixed(self, call: LiveCall, channel: Channel, bridge: str | None) -> None:
        """Note that the channel is in this bridge now, in none with None. Who has been in another is no longer where it was dialled."""
        moves_on = bridge is None or channel.bridge not in (None, bridge)
        if not moves_on:
            self.put(call, replace(channel, bridge=bridge))
            return
        self.put(call, replace(channel, bridge=bridge, dialled=frozenset(), awaits=frozenset()))
        for other in channel.dialled | channel.awaits:
            if (found := self.find(other)) is not None:
                left = replace(found[1], dialled=found[1].dialled - {channel.uniqueid})
                self.put(found[0], replace(left, awaits=left.awaits - {channel.uniqueid}))

    def settle(self) -> None:
        """Tells who has begun to talk and who has ceased to."""
        for channel, talks_in in tuple(conversations(self.calls)):
            if talks_in == channel.talks_in or (found := self.find(channel.uniqueid)) is None:
                continue
            for key in sorted(channel.talks_in - talks_in):
                self.events.append(leg_ended(key, channel, self.at))
            begun = sorted(talks_in - channel.talks_in)
            stretches = {**channel.stretches, **{key: channel.stretches.get(key, 0) + 1 for key in begun}}
            channel = replace(channel, talks_in=talks_in, stretches=stretches)
            self.put(found[0], channel)
            for key in begun:
                self._begins_to_talk(key, channel)

    def _begins_to_talk(self, key: str, channel: Channel) -> None:
        self.tell_client(self.calls[key])
        self.calls[key] = replace(self.calls[key], is_answered=True)
        self.emit(EventKind.ANSWERED, self.calls[key], leg=channel.leg(key), party=channel.address)
