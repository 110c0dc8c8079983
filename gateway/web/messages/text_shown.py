"""A text as it would go out, in words: its length, what makes it dear, and who gets it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.admin.sms.words import ReceiverInWords, receivers_in_words
from gateway.sms.preview import TextPreview
from routing.texts.catalogue import Texts
from sms.segments import ROOM, SmsEncoding, SmsSegments
from sms.templates import SmsPreview


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLength:
    """units of room: what fits into as many parts. rule: how parts are counted in this alphabet. odd: the character that made it
    the long one, and text around it."""

    units: int
    room: int
    parts: int
    message: str
    rule: str
    before: str
    odd: str
    after: str
    odd_message: str
    cheaper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShown:
    """empty: macros without a value, in words. refusal: why it would not go out. is_sample: no deal was chosen."""

    length: TextLength
    empty: Sequence[str]
    refusal: str
    receivers: Sequence[ReceiverInWords]
    is_sample: bool = False

    @property
    def gets(self) -> Sequence[ReceiverInWords]:
        return [one for one in self.receivers if one.why is None]

    @property
    def skipped(self) -> Sequence[ReceiverInWords]:
        return [one for one in self.receivers if one.why is not None]


def text_length(segments: SmsSegments, texts: Texts, saved_parts: int = 0) -> TextLength:
    """saved_parts: by plain quotes and dashes."""
    room = ROOM[segments.encoding, segments.reference_bits]
    parts, units = len(segments.parts), sum(segments.units)
    most = room.alone if parts <= 1 else room.joined * parts
    at = segments.odd.offset if segments.odd else len(segments.text)
    name = "ucs2" if segments.encoding is SmsEncoding.UCS2 else "gsm7"
    odd = segments.text[at : at + 1]
    return TextLength(
        units=units,
        room=most,
        parts=parts,
        message=texts.say("messages.text.length", n=units, parts=parts, room=most),
        rule=texts.say(f"messages.text.rule_{name}", alone=room.alone, joined=room.joined),
        before=segments.text[:at],
        odd=odd,
        after=segments.text[at + 1 :],
        odd_message=texts.say("messages.text.odd", odd=_shown(odd, texts)) if segments.odd else "",
        cheaper=texts.say("messages.text.cheaper", n=saved_parts) if saved_parts > 0 else "",
    )


def _shown(character: str, texts: Texts) -> str:
    return character if character.strip() and character.isprintable() else texts.say("messages.text.unseen")


def text_shown(found: TextPreview, texts: Texts, macro: Callable[[str], str]) -> TextShown:
    """macro: a macro's words."""
    saved = len(found.segments.parts) - len(found.suggestion.segments.parts) if found.suggestion else 0
    return TextShown(
        length=text_length(found.segments, texts, saved),
        empty=[macro(name) for name in found.empty],
        refusal=texts.word("sms.reason", found.refusal.reason) if found.refusal else "",
        receivers=receivers_in_words(found, texts),
    )


def sample_shown(found: SmsPreview, texts: Texts) -> TextShown:
    """Where there is no deal to show it by."""
    saved = len(found.segments.parts) - len(found.suggestion.segments.parts) if found.suggestion else 0
    length = text_length(found.segments, texts, saved)
    return TextShown(length=length, empty=(), refusal="", receivers=(), is_sample=True)
