"""Parts of messages as people read them, and what a message says in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.web.words.words import Words
from sms.channels.model import PartKind, PartTold

_ICONS: Mapping[PartKind, str] = {
    PartKind.VOICE: "microphone",
    PartKind.AUDIO: "volume",
    PartKind.LOCATION: "map-pin",
    PartKind.CONTACT: "user",
    PartKind.STICKER: "star",
}
_OTHERS_ICON = "paperclip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPart:
    """label: what it is, in words; "" of a text. href: where its file is to be had, "" = nowhere."""

    text: str
    label: str = ""
    icon: str = ""
    href: str = ""


def shown_part(part: PartTold, words: Words) -> ShownPart:
    text = words.text(part.text)
    if part.kind is PartKind.TEXT:
        return ShownPart(text=text)
    label = words.texts.say(f"dialogs.part.{part.kind}")
    more = words.phone(part.phone) if part.phone else part.file.name if part.file else ""
    if part.kind is PartKind.LOCATION and part.latitude is not None and part.longitude is not None:
        more = f"{part.latitude:.5f}, {part.longitude:.5f}"
    if part.kind is PartKind.OTHER:
        more = part.vendor_kind
    return ShownPart(
        text=text, label=f"{label}: {more}" if more else label, icon=_ICONS.get(part.kind, _OTHERS_ICON)
    )


def in_one_line(parts: Sequence[PartTold], words: Words) -> str:
    """Return what is said, else what it is."""
    said = [words.text(part.text) for part in parts if part.text.strip()]
    kinds = [words.texts.say(f"dialogs.part.{part.kind}") for part in parts if part.kind is not PartKind.TEXT]
    return " ".join(" ".join([*kinds, *said]).split())
