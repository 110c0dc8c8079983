"""How far a call that we make has come, and so whose side it is if nobody talks in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.pbx.asterisk.channels import Channel, ChannelRole, LiveCall
from routing.calls.model import FailedSide
from routing.outbound.attempts import attempt_id_in


def with_rung(call: LiveCall, channel: Channel) -> LiveCall:
    """Note that a phone of ours or the client's begins to ring."""
    if channel.role is ChannelRole.GLUE or channel.has_rung:
        return call
    is_client = channel.role is ChannelRole.CLIENT
    return replace(
        call, got_to=FailedSide.CLIENT_NOT_REACHED if is_client else FailedSide.EMPLOYEE_NOT_REACHED
    )


def with_picked_up(call: LiveCall, channel: Channel) -> LiveCall:
    """Whoever is up waits for the other side; a client who was rung first waits for an employee."""
    if channel.role is ChannelRole.OURS and channel.address:
        call = replace(call, picked_up=tuple(dict.fromkeys((*call.picked_up, channel.address))))
    if channel.role is ChannelRole.CLIENT and call.is_originated:
        return replace(call, got_to=FailedSide.EMPLOYEE_NOT_REACHED)
    if channel.role is ChannelRole.OURS and call.got_to in (None, FailedSide.EMPLOYEE_NOT_REACHED):
        return replace(call, got_to=FailedSide.EMPLOYEE_HUNG_UP)
    return call


def as_listed(call: LiveCall, channel: Channel, was: LiveCall | None, *, is_up: bool) -> LiveCall:
    """Say of a call that we ordered how far it has come, by a channel that is listed and of which nothing was heard, or not that
    it was picked up. Whose phone rings now is known from here on; where a phone is up, somebody may have been reached already.

    was: the call as it was known before, None = not at all.
    """
    if not attempt_id_in(call.key):
        return call
    is_first = channel.uniqueid == call.key
    got_to = was.got_to if was else None
    call = replace(call, got_to=got_to, is_unheard=was is None or was.is_unheard)
    if not is_up and (is_first or channel.role is ChannelRole.CLIENT):
        is_known = was is None or channel.role is ChannelRole.CLIENT
        return replace(with_rung(call, channel), is_unheard=call.is_unheard and not is_known)
    if is_first:
        is_new = got_to in (None, FailedSide.EMPLOYEE_NOT_REACHED)
        return replace(call, is_originated=True, is_unheard=call.is_unheard or is_new)
    return replace(call, is_unheard=call.is_unheard or is_up)


def is_employee_first(call: LiveCall) -> bool:
    """Whether we ordered the call and rang a phone of ours for it, itself and not over a Local channel."""
    first = call.channels.get(call.key)
    return call.is_originated and first is not None and first.role is ChannelRole.OURS


def decides(call: LiveCall, channel: Channel) -> bool:
    """Whether the end of this leg of a call that we ordered says why nobody talked. `NOANSWER` of a dial is a phone that rang in
    vain, one that declined and a number that does not exist: which it was stands in the cause of its Hangup only."""
    if not is_employee_first(call) or call.is_answered or channel.stretches:
        return False
    if channel.uniqueid == call.key:
        return call.got_to is FailedSide.EMPLOYEE_NOT_REACHED
    return channel.role is ChannelRole.CLIENT


def failed_side(call: LiveCall) -> FailedSide | None:
    """Of a call that is over; None of one that came from outside or in which somebody talked, and of one of our order in which
    they may have: to whoever was talked with it would be a second call."""
    if call.is_unheard and attempt_id_in(call.key):
        return None
    is_ours = call.direction == "outbound" or (call.is_originated and call.direction != "internal")
    return call.got_to if is_ours and not call.is_answered else None


def unconnected(call: LiveCall) -> Mapping[str, str]:
    """Return the fact of a missed call that a phone was picked up and the client never put through to it: they left while it was
    told who calls, was to confirm, or a machine of its own had answered."""
    is_missed = call.direction == "inbound" and not call.is_answered
    return {"not_connected": ", ".join(call.picked_up)} if is_missed and call.picked_up else {}
