"""What names a thing that is to be removed, in the words of the person who removes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from routing.texts.catalogue import Texts

_ALONE = {
    "matrix": "matrix",
    "lookup": "lookup",
    "shift change": "shift_change",
    "one_person": "one_person",
    "observers": "observers",
}
_NAMED = {
    "trigger": "trigger",
    "campaign": "campaign",
    "user": "user",
    "token": "token",
    "template": "template",
    "schedule": "schedule",
    "deputy of": "deputy_of",
    "channel": "channel",
    "access to channel": "channel_access",
    "default channel": "default_channel",
}


_OF_CHANNELS = ("channel ", "access to channel ", "default channel ")


def are_of_channels(uses: Iterable[str]) -> bool:
    """Whether some of them are seen and ended on the pages of channels."""
    return any(use == "observers" or use.startswith(_OF_CHANNELS) for use in uses)


def uses_said(uses: Iterable[str], texts: Texts, names: Mapping[str, str]) -> list[str]:
    """Say each. uses: as stores tell them, e.g. "matrix", "trigger big deals", "3 that wait". names: of people, by logins and ids."""
    return [_said(use, texts, names) for use in uses]


def _said(use: str, texts: Texts, names: Mapping[str, str]) -> str:
    if use in _ALONE:
        return texts.say(f"words.use.{_ALONE[use]}")
    for kind, key in _NAMED.items():
        if use.startswith(f"{kind} "):
            name = use.removeprefix(f"{kind} ")
            is_person = kind in ("user", "deputy of")
            return texts.say(f"words.use.{key}", name=names.get(name, name) if is_person else name)
    count, _, rest = use.partition(" ")
    return texts.say("words.use.waiting", n=int(count)) if rest == "that wait" and count.isdigit() else use
