"""How a text becomes short messages: its encoding, its parts, and what made it dearer than it looks. Pure.

A message is in GSM-7 (160 septets, or parts of 153) or in UCS-2 (70 units, or parts of 67): one character that GSM-7 lacks
puts the whole text into UCS-2. Joined parts lose room to the header that numbers them: six octets, seven with a reference of
16 bits (3GPP TS 23.040, 9.2.3.24).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from sms import gsm7

ReferenceBits = Literal[8, 16]


class SmsEncoding(StrEnum):
    """How the characters of a message are written."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class SmsRoom(NamedTuple):
    """Units that a message holds when it is alone, and in each of several joined parts."""

    alone: int
    joined: int


ROOM: Mapping[tuple[SmsEncoding, ReferenceBits], SmsRoom] = {
    (SmsEncoding.GSM7, 8): SmsRoom(160, 153),
    (SmsEncoding.GSM7, 16): SmsRoom(160, 152),
    (SmsEncoding.UCS2, 8): SmsRoom(70, 67),
    (SmsEncoding.UCS2, 16): SmsRoom(70, 66),
}


class OddCharacter(NamedTuple):
    """The first character that GSM-7 lacks. offset: in characters of the text as it is sent, from 0."""

    character: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSegments:
    """text: as it is sent, every line end a line feed. units: septets in GSM-7, UTF-16 code units in UCS-2, of each part.

    odd: what made it UCS-2, None in GSM-7.
    """

    text: str
    encoding: SmsEncoding
    reference_bits: ReferenceBits
    parts: tuple[str, ...]
    units: tuple[int, ...]
    odd: OddCharacter | None

    @property
    def room_left(self) -> int:
        """Units that could still be written into the last part."""
        room = ROOM[self.encoding, self.reference_bits]
        most = room.alone if len(self.parts) == 1 else room.joined
        return most - self.units[-1] if self.units else room.alone


def segmented(text: str, reference_bits: ReferenceBits = 8) -> SmsSegments:
    """Part a text. A character is never torn: neither an escape from what it escapes nor half an emoji from the other half.

    An empty text has no parts.
    """
    sent = one_line_end(text)
    odd = first_odd(sent)
    encoding = SmsEncoding.GSM7 if odd is None else SmsEncoding.UCS2
    room = ROOM[encoding, reference_bits]
    sizes = [_size_in(encoding)(character) for character in sent]
    parts = (sent,) if 0 < sum(sizes) <= room.alone else tuple(_filled(sent, sizes, room.joined))
    return SmsSegments(
        text=sent,
        encoding=encoding,
        reference_bits=reference_bits,
        parts=parts,
        units=tuple(units_of(part, encoding) for part in parts),
        odd=odd,
    )


def one_line_end(text: str) -> str:
    """Return the text with LF for CR LF and CR: a carriage return is a septet that nobody sees."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def first_odd(text: str) -> OddCharacter | None:
    """Find what GSM-7 lacks."""
    return next((OddCharacter(c, at) for at, c in enumerate(text) if gsm7.septets(c) is None), None)


def units_of(text: str, encoding: SmsEncoding) -> int:
    return sum(map(_size_in(encoding), text))


def _size_in(encoding: SmsEncoding) -> Callable[[str], int]:
    return _septets if encoding is SmsEncoding.GSM7 else _utf16_units


def _septets(character: str) -> int:
    return gsm7.septets(character) or 0


def _utf16_units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _filled(text: str, sizes: Iterable[int], room: int) -> Iterable[str]:
    start, used = 0, 0
    for at, size in enumerate(sizes):
        if used + size > room:
            yield text[start:at]
            start, used = at, 0
        used += size
    if start < len(text):
        yield text[start:]


class Cheaper(NamedTuple):
    """A replacement that the author may accept. times: how often the character stands in the text."""

    character: str
    instead: str
    times: int


_CHEAPER: Mapping[str, str] = {
    "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "‟": '"', "‘": "'", "’": "'", "‚": "'", "`": "'",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "№": "No.", "•": "-", "\t": " ",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "", "\ufeff": "", "\u00ad": "",
}  # fmt: skip


class Suggestion(NamedTuple):
    """What the text would be with every replacement made; nothing of it is ever done unasked."""

    replacements: tuple[Cheaper, ...]
    segments: SmsSegments


def cheaper(segments: SmsSegments) -> Suggestion | None:
    """Suggest plain quotes, dashes and spaces where that takes the text back to GSM-7 or saves a part; None: it would save nothing."""
    found = dict.fromkeys(c for c in segments.text if c in _CHEAPER)
    plain = "".join(_CHEAPER.get(c, c) for c in segments.text)
    then = segmented(plain, segments.reference_bits)
    saves = len(then.parts) < len(segments.parts) or then.encoding is not segments.encoding
    if not found or not saves:
        return None
    return Suggestion(tuple(Cheaper(c, _CHEAPER[c], segments.text.count(c)) for c in found), then)
