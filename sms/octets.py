"""The parts of a message as octets, with the header that joins them; and back. Pure.

GSM-7 stands unpacked, one octet for each septet, as SMPP wants it: the message centre packs it. UCS-2 is UTF-16BE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sms import gsm7
from sms.segments import ReferenceBits, SmsEncoding, SmsSegments

_CONCATENATED: dict[int, ReferenceBits] = {0x00: 8, 0x08: 16}
"""Ids of the information elements that join parts, with the bits of their reference."""


class PartHeader(NamedTuple):
    """reference: the same in all parts of a message. number: from 1."""

    reference: int
    total: int
    number: int
    reference_bits: ReferenceBits = 8


class SmsOctets(NamedTuple):
    """What goes into one short message. header: None of a message that is alone."""

    header: PartHeader | None
    data: bytes


def written(segments: SmsSegments, reference: int) -> tuple[SmsOctets, ...]:
    """Write every part, header included. reference: taken modulo its bits; it must differ from that of other messages to
    this number that may still be under way."""
    total = len(segments.parts)
    if total > 255:
        raise ValueError(f"a message has at most 255 parts, this one {total}")
    if total == 1:
        return (SmsOctets(None, _body(segments.parts[0], segments.encoding)),)
    reference %= 1 << 8 if segments.reference_bits == 8 else 1 << 16
    heads = [PartHeader(reference, total, number, segments.reference_bits) for number in range(1, total + 1)]
    bodies = (_body(part, segments.encoding) for part in segments.parts)
    return tuple(SmsOctets(head, _udh(head) + body) for head, body in zip(heads, bodies, strict=True))


def read_header(data: bytes) -> tuple[PartHeader | None, bytes]:
    """Split what carries a user data header. Elements other than the joining one are skipped; what is no header is all body."""
    if not data or data[0] + 1 > len(data):
        return None, data
    header, body = data[1 : data[0] + 1], data[data[0] + 1 :]
    return _joining(header), body


def decoded(data: bytes, encoding: SmsEncoding) -> str:
    """Read a body without its header. Half a character at the end of UCS-2 becomes U+FFFD."""
    return gsm7.decode(data) if encoding is SmsEncoding.GSM7 else data.decode("utf-16-be", "replace")


def joined(bodies: Iterable[bytes], encoding: SmsEncoding) -> str:
    """Read the bodies of all parts, in their order, as one: others tear a pair of UTF-16 between two parts."""
    return decoded(b"".join(bodies), encoding)


def assembled(parts: Iterable[tuple[PartHeader, SmsEncoding, bytes]]) -> str | None:
    """Read an incoming message from the parts that have come, in any order and some twice; None: parts are missing.

    All must be of one message: the same sender, recipient, reference and total.
    """
    by_number = {header.number: (header, encoding, body) for header, encoding, body in parts}
    if not by_number:
        return None
    ordered = [by_number[number] for number in sorted(by_number)]
    if len(ordered) < ordered[0][0].total:
        return None
    encodings = {encoding for _, encoding, _ in ordered}
    if len(encodings) == 1:
        return joined([body for *_, body in ordered], encodings.pop())
    return "".join(decoded(body, encoding) for _, encoding, body in ordered)


def _body(text: str, encoding: SmsEncoding) -> bytes:
    if encoding is SmsEncoding.GSM7:
        return gsm7.encode(text)
    return text.encode("utf-16-be", "surrogatepass")


def _udh(head: PartHeader) -> bytes:
    if head.reference_bits == 8:
        return bytes([0x05, 0x00, 0x03, head.reference, head.total, head.number])
    return bytes([0x06, 0x08, 0x04, *head.reference.to_bytes(2, "big"), head.total, head.number])


def _joining(header: bytes) -> PartHeader | None:
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if (bits := _CONCATENATED.get(element)) and len(value) == bits // 8 + 2:
            return _numbered(value, bits)
        at += 2 + length
    return None


def _numbered(value: Sequence[int], bits: ReferenceBits) -> PartHeader | None:
    *reference, total, number = value
    is_sound = 0 < number <= total
    return PartHeader(int.from_bytes(bytes(reference), "big"), total, number, bits) if is_sound else None
