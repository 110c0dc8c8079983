"""How texts become parts. The vectors were computed by hand and by a library that is kept no more; both agreed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms import gsm7
from sms.octets import PartHeader, assembled, decoded, joined, read_header, written
from sms.segments import ROOM, ReferenceBits, SmsEncoding, cheaper, one_line_end, segmented, units_of

GSM7, UCS2 = SmsEncoding.GSM7, SmsEncoding.UCS2

VECTORS: list[tuple[str, SmsEncoding, tuple[int, ...]]] = [
    ("a" * 160, GSM7, (160,)),
    ("a" * 161, GSM7, (153, 8)),
    ("a" * 306, GSM7, (153, 153)),
    ("a" * 307, GSM7, (153, 153, 1)),
    ("a" * 158 + "€", GSM7, (160,)),
    ("a" * 159 + "€", GSM7, (153, 8)),
    ("a" * 152 + "€" + "b" * 20, GSM7, (152, 22)),
    ("{" * 80, GSM7, (160,)),
    ("{" * 81, GSM7, (152, 10)),
    ("a\n" * 80, GSM7, (160,)),
    ("a\r\n" * 80, GSM7, (160,)),
    ("a" * 612, GSM7, (153,) * 4),
    ("a" * 613, GSM7, (153,) * 4 + (1,)),
    ("я" * 70, UCS2, (70,)),
    ("я" * 71, UCS2, (67, 4)),
    ("я" * 134, UCS2, (67, 67)),
    ("я" * 135, UCS2, (67, 67, 1)),
    ("я" * 268, UCS2, (67,) * 4),
    ("я" * 269, UCS2, (67,) * 4 + (1,)),
    ("я" * 66 + "😀" + "я" * 10, UCS2, (66, 12)),
    ("😀" * 35, UCS2, (70,)),
    ("😀" * 36, UCS2, (66, 6)),
    ("a" * 152 + "ё", UCS2, (67, 67, 19)),
    ("", GSM7, ()),
    ("€", GSM7, (2,)),
    ("@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà", GSM7, (44,)),
    ("\f^{}\\[~]|€", GSM7, (20,)),
]


@pytest.mark.parametrize(("text", "encoding", "units"), VECTORS)
def test_a_text_is_parted_as_the_phone_counts(
    text: str, encoding: SmsEncoding, units: tuple[int, ...]
) -> None:
    segments = segmented(text)
    assert (segments.encoding, segments.units) == (encoding, units)
    assert "".join(segments.parts) == one_line_end(text)


@pytest.mark.parametrize(
    ("text", "units"),
    [("a" * 160, (160,)), ("a" * 161, (152, 9)), ("я" * 70, (70,)), ("я" * 71, (66, 5)), ("a" * 151 + "€" * 10, (151, 20))],
)  # fmt: skip
def test_a_reference_of_16_bits_costs_one_more_octet(text: str, units: tuple[int, ...]) -> None:
    assert segmented(text, 16).units == units


@pytest.mark.parametrize("odd", [*"ё«»“”„№–—…\u00a0\t`ç😀"])
def test_one_character_that_gsm7_lacks_is_named_with_its_place(odd: str) -> None:
    segments = segmented(f"Call us\r\n{odd} {odd}")
    assert segments.encoding is UCS2
    assert segments.odd == (odd, 8)


def test_every_character_of_the_alphabet_comes_back_from_its_septets() -> None:
    text = "".join(chr(code) for code in range(0x2FFF) if gsm7.septets(chr(code)))
    assert len(text) == 137
    assert gsm7.decode(gsm7.encode(text)) == text


def test_octets_that_no_table_knows_are_shown_as_such() -> None:
    assert gsm7.decode(b"\x80") == "\ufffd"
    assert gsm7.decode(b"\x1b\x41") == "A"
    assert gsm7.decode(b"a\x1b") == "a"


def test_what_is_left_in_the_last_part_is_told() -> None:
    assert [segmented("a" * n).room_left for n in (0, 1, 160, 161)] == [160, 159, 0, 145]


CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("aя€{ё😀\n")
RUNS = st.lists(st.tuples(CHARACTERS, st.sampled_from([1, 2, 66, 67, 70, 152, 153, 160])), max_size=8)
TEXTS = st.text(CHARACTERS, max_size=80) | RUNS.map(lambda runs: "".join(c * times for c, times in runs))
"""Runs of one character bring the borders of parts, which texts of single ones seldom reach."""
LONG_TEXTS = st.builds(lambda text, head: text + head * 161, TEXTS, st.sampled_from("aя€😀"))
BITS = st.sampled_from([8, 16])


@given(TEXTS | LONG_TEXTS, BITS)
def test_parts_give_the_text_and_each_is_within_its_limit(text: str, bits: ReferenceBits) -> None:
    segments = segmented(text, bits)
    room = ROOM[segments.encoding, bits]
    assert "".join(segments.parts) == one_line_end(text)
    assert all(
        units == units_of(p, segments.encoding)
        for p, units in zip(segments.parts, segments.units, strict=True)
    )
    assert all(0 < n <= (room.alone if len(segments.units) == 1 else room.joined) for n in segments.units)
    assert all(not (part.endswith("\x1b")) or "\x1b" in text for part in segments.parts)


@given(TEXTS.filter(bool) | LONG_TEXTS, BITS, st.integers(0, 2**20))
def test_octets_of_all_parts_decode_to_the_text(text: str, bits: ReferenceBits, reference: int) -> None:
    segments = segmented(text, bits)
    octets = written(segments, reference)
    assert all(
        len(part.data) <= (160 if part.header is None else 140 if segments.encoding is UCS2 else 160)
        for part in octets
    )
    if len(octets) == 1:
        assert decoded(octets[0].data, segments.encoding) == segments.text
        return
    read = [read_header(part.data) for part in octets]
    assert [header for header, _ in read] == [part.header for part in octets]
    assert {header.reference for header, _ in read if header} == {reference % 2**bits}
    assert joined([body for _, body in read], segments.encoding) == segments.text
    assert [decoded(body, segments.encoding) for _, body in read] == list(segments.parts)


def test_a_part_begins_with_the_header_that_joins_it() -> None:
    first, second = written(segmented("я" * 71), 0x1F7)
    assert first.data[:6] == bytes.fromhex("050003f70201")
    assert second.data == bytes.fromhex("050003f70202") + "яяяя".encode("utf-16-be")
    first, _ = written(segmented("a" * 161, 16), 0x1F7)
    assert first.data[:7] == bytes.fromhex("06080401f70201")
    assert len(first.data) == 7 + 152


def test_a_message_of_more_parts_than_a_header_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        written(segmented("a" * 153 * 256), 1)


@pytest.mark.parametrize(
    ("data", "header", "body"),
    [
        (b"", None, b""),
        (b"\x05\x00\x03", None, b"\x05\x00\x03"),
        (b"\x05\x00\x03\x07\x02\x03a", None, b"a"),
        (b"\x05\x00\x03\x07\x02\x00a", None, b"a"),
        (b"\x04\x24\x02\x01\x02a", None, b"a"),
        (b"\x08\x24\x01\x01\x00\x03\x07\x02\x02a", PartHeader(7, 2, 2), b"a"),
        (b"\x06\x08\x04\x01\x00\x02\x01a", PartHeader(256, 2, 1, 16), b"a"),
    ],
)
def test_a_header_is_read_whatever_stands_beside_the_numbers(
    data: bytes, header: PartHeader | None, body: bytes
) -> None:
    assert read_header(data) == (header, body)


@given(st.binary(max_size=160))
def test_no_octets_of_a_stranger_break_the_reader(data: bytes) -> None:
    _, body = read_header(data)
    assert isinstance(decoded(body, GSM7) + decoded(body, UCS2), str)


def test_dear_characters_get_a_suggestion_and_nothing_is_changed_unasked() -> None:
    segments = segmented("Order №5 «ready» \u2014 come\u00a0in")
    suggestion = cheaper(segments)
    assert suggestion
    assert [(r.character, r.instead, r.times) for r in suggestion.replacements] == [
        ("№", "No.", 1), ("«", '"', 1), ("»", '"', 1), ("—", "-", 1), ("\u00a0", " ", 1),
    ]  # fmt: skip
    assert suggestion.segments.text == 'Order No.5 "ready" - come in'
    assert suggestion.segments.encoding is GSM7
    assert segments.text.startswith("Order №5")


@pytest.mark.parametrize("text", ["plain", "Заказ «готов»", "", "ё" * 70 + "—"])
def test_where_nothing_is_saved_nothing_is_suggested(text: str) -> None:
    assert cheaper(segmented(text)) is None


def test_a_suggestion_that_stays_in_ucs2_must_save_a_part() -> None:
    suggestion = cheaper(segmented("ё" * 70 + "\u200b"))
    assert suggestion
    assert len(suggestion.segments.parts) == 1


@given(LONG_TEXTS, st.randoms(use_true_random=False))
def test_an_incoming_message_is_read_from_its_parts_in_any_order_and_twice(
    text: str, chance: random.Random
) -> None:
    segments = segmented(text)
    read = [read_header(part.data) for part in written(segments, 7)]
    parts = [(header, segments.encoding, body) for header, body in read if header]
    mixed = [*parts, *parts[:1]]
    chance.shuffle(mixed)
    assert assembled(mixed) == segments.text
    assert assembled(parts[1:]) is None
    assert assembled([]) is None


def test_parts_in_two_encodings_are_read_each_in_its_own() -> None:
    parts = [
        (PartHeader(7, 2, 1), GSM7, b"Hello, "),
        (PartHeader(7, 2, 2), UCS2, "мир".encode("utf-16-be")),
    ]
    assert assembled(parts) == "Hello, мир"
