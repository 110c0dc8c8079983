"""Who sees a dialogue and who may write in it: by channel and person, and by whose dialogue it is.

One rule for lists, searches, links, files, pushes and exports. `seen_in` is what a list is asked for with; a test holds that the
database finds by it what `may_read` lets through.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

ChannelRight = Literal["none", "read", "send"]
Visibility = Literal["all", "own"]
"""own: one's own dialogues, and those that are nobody's yet."""
AccessPreset = Literal["manager", "head", "quality"]
ACCESS_PRESETS: tuple[AccessPreset, ...] = get_args(AccessPreset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onlooker:
    """employee_id None: somebody who administers the installation, and sees all. rights: by channel; one without a row: none.
    is_observer: sees all dialogues of the channels that they may read; owns none and answers in none. owners: by channel, whose
    dialogues count as theirs; those of anybody else are nobody's, or nobody would see them. None = anybody's. is_gone: the CRM has
    switched them off; whatever rights they still hold are none."""

    employee_id: str | None
    rights: Mapping[str, ChannelRight]
    visibility: Visibility = "all"
    is_observer: bool = False
    owners: Mapping[str, Collection[str]] | None = None
    is_gone: bool = False

    def right_in(self, channel_id: str) -> ChannelRight:
        return "none" if self.is_gone else self.rights.get(channel_id, "none")


class SeenDialogues(NamedTuple):
    """channels: None = all. owner: None = anybody's; else this one's and nobody's. owners: as of Onlooker."""

    channels: tuple[str, ...] | None
    owner: str | None
    owners: Mapping[str, Collection[str]] | None = None


def seen_in(who: Onlooker) -> SeenDialogues:
    """Return which dialogues this person may see."""
    if who.employee_id is None:
        return SeenDialogues(None, None)
    channels = tuple(sorted(id for id in who.rights if who.right_in(id) != "none"))
    is_bound = who.visibility == "own" and not who.is_observer
    return SeenDialogues(channels, who.employee_id if is_bound else None, who.owners)


def may_read(who: Onlooker, channel_id: str, owner: str | None) -> bool:
    """Whether this person may see a dialogue of this channel that belongs to `owner` (None = nobody)."""
    seen = seen_in(who)
    is_in_channel = seen.channels is None or channel_id in seen.channels
    return is_in_channel and (seen.owner in (None, owner) or is_nobodys(who.owners, channel_id, owner))


def owners_of(
    rights: Mapping[str, Mapping[str, ChannelRight]], observers: Collection[str], active: Collection[str]
) -> dict[str, frozenset[str]]:
    """Return by channel who can be the owner of a dialogue: who reads it, can be responsible, and is no observer. rights: by
    employee, then by channel."""
    able = {
        employee: of for employee, of in rights.items() if employee in active and employee not in observers
    }
    channels = {channel for of in able.values() for channel in of}
    return {c: frozenset(e for e, of in able.items() if of.get(c, "none") != "none") for c in channels}


def is_nobodys(owners: Mapping[str, Collection[str]] | None, channel_id: str, owner: str | None) -> bool:
    """Whether a dialogue waits for somebody: it has no owner, or one who cannot look after it there."""
    return owner is None or (owners is not None and owner not in owners.get(channel_id, ()))


def may_write(who: Onlooker, channel_id: str, owner: str | None) -> bool:
    """Whether this person may write in it. Who administers and is no employee writes in nobody's name."""
    if who.employee_id is None or who.is_observer:
        return False
    return who.right_in(channel_id) == "send" and may_read(who, channel_id, owner)


def is_of_another(who: Onlooker, channel_id: str, owner: str | None) -> bool:
    """Whether it is only because the dialogue is somebody else's that this person does not write in it."""
    return may_write(who, channel_id, None) and not may_write(who, channel_id, owner)


def may_not_write(
    people: Collection[str],
    rights: Mapping[str, Mapping[str, ChannelRight]],
    observers: Collection[str],
    channel: str,
) -> tuple[str, ...]:
    """Return who of these people may not write in a channel. rights: by employee, then by channel."""
    return tuple(w for w in people if w in observers or rights.get(w, {}).get(channel) != "send")


def passed_over(people: Collection[str], unable: Collection[str]) -> frozenset[str]:
    """Return who of a template's people gets no turn with a channel's clients: who may not write there. Where nobody may, all have
    their turns: better a deal that is somebody's than one that waits for ever."""
    return frozenset(unable) if len(unable) < len(people) else frozenset()


def preset_right(preset: AccessPreset) -> tuple[ChannelRight, bool]:
    """Return what somebody of this part gets in every channel, and whether they are an observer: a manager writes, a head looks
    at what is open to everybody, quality control at all there is."""
    return ("send", False) if preset == "manager" else ("read", preset == "quality")


def default_channel(rights: Mapping[str, ChannelRight], chosen: str | None) -> str | None:
    """Return the channel that a person writes from: the chosen one as long as they may, else the only one left."""
    open_to = [id for id, right in rights.items() if right == "send"]
    if chosen in open_to:
        return chosen
    return open_to[0] if len(open_to) == 1 else None
