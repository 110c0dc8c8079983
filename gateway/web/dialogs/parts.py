"""Parts of messages as people read them, and what a message says in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.store.channels.files import ChatFile
from gateway.web.words.words import Words
from sms.channels.media import INLINE_TYPES
from sms.channels.model import PartKind, PartTold
from sms.channels.reasons import FileReason

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
    """label: what it is, in words; "" of a text. href: where its file is to be had, "" = nowhere. shown_as: image, audio or video where a
    browser shows it in its place. missing: why the file is not here."""

    text: str
    label: str = ""
    icon: str = ""
    href: str = ""
    shown_as: str = ""
    missing: str = ""


def shown_part(part: PartTold, words: Words, file: ChatFile | None = None, href: str = "") -> ShownPart:
    """file: of the part, where it is known. href: where it is to be had once it is here."""
    text = words.text(part.text)
    if part.kind is PartKind.TEXT:
        return ShownPart(text=text)
    label = words.texts.say(f"dialogs.part.{part.kind}")
    more = words.phone(part.phone) if part.phone else part.file.name if part.file else ""
    if part.kind is PartKind.LOCATION and part.latitude is not None and part.longitude is not None:
        more = f"{part.latitude:.5f}, {part.longitude:.5f}"
    if part.kind is PartKind.OTHER:
        more = part.vendor_kind
    is_here = file is not None and file.state == "kept"
    is_shown = file is not None and is_here and file.media_type in INLINE_TYPES
    return ShownPart(
        text=text,
        label=f"{label}: {more}" if more else label,
        icon=_ICONS.get(part.kind, _OTHERS_ICON),
        href=href if is_here else "",
        shown_as=file.media_type.partition("/")[0] if file is not None and is_shown else "",
        missing=_missing(part, file, words),
    )


def _missing(part: PartTold, file: ChatFile | None, words: Words) -> str:
    if part.file is None or (file is not None and file.state == "kept"):
        return ""
    if file is None:
        return words.texts.say(f"channel.file.{FileReason.GONE}")
    return words.texts.say(f"channel.file.{file.reason}" if file.reason else "dialogs.file.comes")


def in_one_line(parts: Sequence[PartTold], words: Words) -> str:
    """Return what is said, else what it is."""
    said = [words.text(part.text) for part in parts if part.text.strip()]
    kinds = [words.texts.say(f"dialogs.part.{part.kind}") for part in parts if part.kind is not PartKind.TEXT]
    return " ".join(" ".join([*kinds, *said]).split())
