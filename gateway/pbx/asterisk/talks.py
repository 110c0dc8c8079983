"""Who talks with whom: over bridges, through Local channels, whatever Linkedid each channel carries.

Asterisk does not merge the Linkedids of a conference at all, and those of a pick-up, a parked call or the phone's own
transfer only at its end. So it is not the id that says that somebody talks with a client but the way from one channel to
the other: both in one bridge, the two ends of a Local channel, or one took the other's dial.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.pbx.asterisk.channels import Channel, ChannelRole, LiveCall

Calls = Mapping[str, LiveCall]


def conversations(calls: Calls) -> Iterator[tuple[Channel, frozenset[str]]]:
    """Each channel of ours that is up somewhere, and the keys of the calls in which it talks."""
    channels = {c.uniqueid: c for call in calls.values() for c in call.channels.values()}
    homes = {uniqueid: call for call in calls.values() for uniqueid in call.channels}
    for group in _groups(channels):
        clients = frozenset(homes[c.uniqueid].key for c in group if c.role is ChannelRole.CLIENT)
        for channel in group:
            if channel.role is ChannelRole.OURS:
                yield channel, clients or _internal_talk(channel, group, homes[channel.uniqueid])


def _internal_talk(channel: Channel, group: list[Channel], home: LiveCall) -> frozenset[str]:
    """Of an internal call the one that was called."""
    if home.direction != "internal" or channel.uniqueid == home.key:
        return frozenset()
    others = [c for c in group if c.role is ChannelRole.OURS and c.uniqueid != channel.uniqueid]
    return frozenset({home.key}) if others else frozenset()


def _groups(channels: Mapping[str, Channel]) -> Iterator[list[Channel]]:
    """Channels that hear each other."""
    near: dict[str, set[str]] = {uniqueid: set() for uniqueid in channels}
    for meeting in _meetings(channels.values()):
        for uniqueid in meeting:
            near[uniqueid] |= meeting
    for uniqueid, channel in channels.items():
        for other in channel.dialled & channels.keys():
            near[uniqueid].add(other)
            near[other].add(uniqueid)
    left = dict.fromkeys(channels)
    while left:
        found, ahead = [], [next(iter(left))]
        while ahead:
            uniqueid = ahead.pop()
            if uniqueid in left:
                del left[uniqueid]
                found.append(channels[uniqueid])
                ahead += near[uniqueid]
        yield found


def _meetings(channels: Iterable[Channel]) -> Iterator[set[str]]:
    """Members of one bridge, and the two ends of one Local channel."""
    places: dict[str, set[str]] = {}
    for channel in channels:
        for place in (channel.bridge, channel.pair):
            if place is not None:
                places.setdefault(place, set()).add(channel.uniqueid)
    yield from places.values()
