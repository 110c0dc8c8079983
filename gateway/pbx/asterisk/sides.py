"""Who is who once it is known which way a call goes: said by the dialplan, or by whom a phone dials in the end."""

from __future__ import annotations

from dataclasses import replace

from gateway.pbx.asterisk.channels import Channel, ChannelRole, LiveCall, is_of_employee
from gateway.pbx.connection import Connection
from gateway.pbx.reading.addresses import endpoint
from routing.calls.model import Direction, FailedSide


def with_direction(
    call: LiveCall, direction: Direction, channel_name: str, connection: Connection
) -> LiveCall:
    """Return the call as the dialplan says that it goes; who is the client, who of ours, follows.

    channel_name: of the channel with which it began.
    """
    if call.is_originated:  # we know whom we rang first
        return replace(call, direction=direction)
    channels = {
        uniqueid: _with_role(channel, direction, uniqueid == call.key, connection)
        for uniqueid, channel in call.channels.items()
    }
    if (first := channels.get(call.key)) and first.role is ChannelRole.OURS and first.address is None:
        channels[call.key] = replace(first, address=endpoint(channel_name))
    got_to = FailedSide.EMPLOYEE_HUNG_UP if direction == "outbound" and call.got_to is None else call.got_to
    return replace(
        call,
        direction=direction,
        is_direction_told=True,
        is_undecided=False,
        channels=channels,
        got_to=got_to,
    )


def _with_role(channel: Channel, direction: Direction, is_first: bool, connection: Connection) -> Channel:
    if channel.role is ChannelRole.GLUE:
        return channel
    if direction == "outbound":
        is_ours = is_first or is_of_employee(channel.address, connection)
    else:
        is_ours = not is_first or direction == "internal"
    return replace(channel, role=ChannelRole.OURS if is_ours else ChannelRole.CLIENT)


def with_dialled(call: LiveCall, channel: Channel) -> LiveCall:
    """Return the call once a phone rings somebody that was lifted before it was known whom it would call."""
    if channel.role is ChannelRole.CLIENT:
        return replace(call, is_undecided=False, direction="outbound", client=channel.address)
    if channel.role is ChannelRole.OURS:
        return replace(call, is_undecided=False, direction="internal")
    return call
