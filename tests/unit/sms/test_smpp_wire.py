"""SMPP's units, held to a codec that others wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from sms.errors import SmsWireInvalid
from sms.model import IncomingSms, OutboundSms, SmsState
from sms.octets import PartHeader, joined, read_header, written
from sms.providers.smpp.wire import (
    SmppCommand,
    SmppPdu,
    answer_to,
    bind_body,
    message_id_of,
    packed,
    read_head,
)
from sms.providers.smpp.wire_messages import Delivered, read_delivered, refusal_of, spellings, submit_body
from sms.reasons import CLASS_OF, FailureClass, SmsReason
from sms.segments import SmsEncoding, one_line_end

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
RECEIPT = (
    "id:{id} sub:001 dlvrd:001 submit date:2603021000 done date:2603021001 stat:{word} err:{err} text:Hello"
)


def message(text: str, **more: object) -> OutboundSms:
    return OutboundSms(own_id=7, number="+79161234567", text=text, **more)  # type: ignore[arg-type]


def submitted(sent: OutboundSms, sender: str = "Office") -> list[smpp34.SubmitSm]:
    """As another codec reads what we write."""
    segments = sent.segments
    bodies = [submit_body(sent, part, segments.encoding, sender) for part in written(segments, sent.own_id)]
    read = [smpp34.decode(packed(SmppPdu(SmppCommand.SUBMIT_SM, 0, 5, body))) for body in bodies]
    assert all(isinstance(pdu, smpp34.SubmitSm) for pdu in read)
    return [pdu for pdu in read if isinstance(pdu, smpp34.SubmitSm)]


def delivered(data: bytes, *, source: str = "79161234567", ton: int = 1, **more: object) -> Delivered:
    pdu = smpp34.DeliverSm(source, "Office", data, source_addr_ton=ton, **more)  # type: ignore[arg-type]
    return read_delivered(pdu.encode()[16:])


CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("я€{a😀")


@given(
    st.lists(st.tuples(CHARACTERS, st.sampled_from([1, 66, 70, 153])), min_size=1, max_size=6).map(
        lambda runs: "".join(c * n for c, n in runs)
    )
)
def test_parts_as_another_codec_reads_them_are_the_text(text: str) -> None:
    pdus = submitted(message(text))
    encodings = {SmsEncoding.UCS2 if pdu.data_coding == 8 else SmsEncoding.GSM7 for pdu in pdus}
    (encoding,) = encodings
    bodies = [read_header(pdu.short_message)[1] if pdu.esm_class else pdu.short_message for pdu in pdus]
    assert joined(bodies, encoding) == one_line_end(text)
    assert all(pdu.sm_length == len(pdu.short_message) for pdu in pdus)


def test_a_part_is_addressed_and_orders_its_receipt() -> None:
    (pdu,) = submitted(message("Hello", lives=timedelta(hours=26, seconds=5)))
    assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("Office", 5, 0)
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("79161234567", 1, 1)
    assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (0, 0, 1)
    assert pdu.validity_period == "000001020005000R"
    first, second = submitted(message("я" * 71))
    assert (first.esm_class, first.data_coding) == (0x40, 8)
    assert first.short_message[:6] == bytes.fromhex("050003070201")
    assert second.short_message[:6] == bytes.fromhex("050003070202")


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("Office", (5, 0, "Office")),
        ("+74951234567", (1, 1, "74951234567")),
        ("3443", (0, 1, "3443")),
        ("", (0, 0, "")),
    ],
)
def test_a_sender_is_a_name_a_number_or_nothing(sender: str, address: tuple[int, int, str]) -> None:
    (pdu,) = submitted(message("Hello"), sender)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == address


@pytest.mark.parametrize("sender", ["Офис", "TwelveLetter"])
def test_a_sender_that_cannot_be_written_is_refused(sender: str) -> None:
    with pytest.raises(SmsWireInvalid, match="source_addr"):
        submitted(message("Hello"), sender)


def test_a_life_is_never_shorter_than_centres_take() -> None:
    (pdu,) = submitted(message("Hello", lives=timedelta(seconds=1)))
    assert pdu.validity_period == "000000000100000R"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", SmsState.DELIVERED), ("EXPIRED", SmsState.EXPIRED), ("DELETED", SmsState.UNDELIVERED),
        ("UNDELIV", SmsState.UNDELIVERED), ("ACCEPTD", SmsState.ACCEPTED), ("UNKNOWN", SmsState.UNKNOWN),
        ("REJECTD", SmsState.REJECTED), ("ENROUTE", SmsState.SENT),
    ],
)  # fmt: skip
@pytest.mark.parametrize("esm_class", [0x04, 0x00, 0x20])
def test_a_receipt_in_words_is_read_with_or_without_its_mark(
    word: str, state: SmsState, esm_class: int
) -> None:
    report = delivered(RECEIPT.format(id="A1", word=word, err="011").encode(), esm_class=esm_class).report
    assert report
    assert (report.id, report.state, report.vendor_code, report.at) == ("A1", state, f"{word}/11", None)


def test_a_receipt_in_parameters_beats_its_words() -> None:
    tlvs = [
        smpp34.Tlv(0x001E, b"A1\x00"),
        smpp34.Tlv(0x0427, b"\x05"),
    ]
    for text in (b"", RECEIPT.format(id="161", word="DELIVRD", err="000").encode()):
        report = delivered(text, esm_class=4, tlvs=tlvs).report
        assert report
        assert (report.id, report.state) == ("A1", SmsState.UNDELIVERED)


@pytest.mark.parametrize("text", ["", "id:1 stat:WHATEVER", "stat:DELIVRD", "hello"])
def test_a_receipt_without_id_or_known_state_is_refused(text: str) -> None:
    with pytest.raises(SmsWireInvalid, match="short_message"):
        delivered(text.encode(), esm_class=4)


def test_ids_are_looked_for_in_every_spelling() -> None:
    assert {"ff", "FF", "000000FF"} <= set(spellings("255"))
    assert {"255", "ff"} <= set(spellings("FF"))
    assert "255" in spellings("000000ff")
    assert spellings("0b0a-77") == ("b0a-77", "0B0A-77")


@pytest.mark.parametrize(
    ("data", "coding", "text"),
    [
        ("СТОП".encode("utf-16-be"), 8, "СТОП"),
        (b"Stop\x1b\x65", 0, "Stop€"),
        ("été".encode("latin-1"), 3, "été"),
        (b"", 0, ""),
    ],
)
def test_what_a_client_wrote_is_read_in_its_coding(data: bytes, coding: int, text: str) -> None:
    assert delivered(data, data_coding=coding).incoming == IncomingSms(
        number="+79161234567", to="Office", text=text
    )


def test_a_number_that_is_not_marked_as_international_stays_as_it_is() -> None:
    incoming = delivered(b"x", source="3443", ton=0).incoming
    assert incoming
    assert incoming.number == "3443"


def test_a_long_text_may_come_as_payload() -> None:
    tlvs = [smpp34.Tlv(0x0424, "да".encode("utf-16-be") * 200)]
    incoming = delivered(b"", data_coding=8, tlvs=tlvs).incoming
    assert incoming
    assert incoming.text == "да" * 200


def test_pieces_carry_their_place_and_are_read_together() -> None:
    emoji = "😀".encode("utf-16-be")
    first = delivered(bytes.fromhex("050003070201") + emoji[:2], esm_class=0x40, data_coding=8).incoming
    sar = [
        smpp34.Tlv(0x020C, b"\x00\x07"),
        smpp34.Tlv(0x020E, b"\x02"),
        smpp34.Tlv(0x020F, b"\x02"),
    ]
    second = delivered(emoji[2:], data_coding=8, tlvs=sar).incoming
    assert first
    assert second
    assert first.part
    assert second.part
    assert first.part.header == PartHeader(7, 2, 1)
    assert second.part.header == PartHeader(7, 2, 2, 16)
    assert joined([first.part.data, second.part.data], SmsEncoding.UCS2) == "😀"


@given(st.binary(max_size=120))
def test_no_body_of_a_stranger_breaks_more_than_itself(body: bytes) -> None:
    try:
        read_delivered(body)
    except SmsWireInvalid:
        return


@pytest.mark.parametrize(
    ("status", "reason", "pause"),
    [
        (0x58, SmsReason.THROTTLED, 1.0), (0x14, SmsReason.QUEUE_FULL, 5.0), (0x0B, SmsReason.BAD_NUMBER, None),
        (0x0E, SmsReason.BAD_KEY, None), (0x0A, SmsReason.SENDER_NOT_APPROVED, None), (0x45, SmsReason.REJECTED, None),
        (0x08, SmsReason.PROVIDER_TROUBLE, None), (0x33, SmsReason.BAD_REQUEST, None), (0x401, SmsReason.REJECTED, None),
    ],
)  # fmt: skip
def test_a_status_means(status: int, reason: SmsReason, pause: float | None) -> None:
    refusal = refusal_of(status)
    assert (refusal.reason, refusal.vendor_code, refusal.retry_after) == (reason, f"0x{status:08X}", pause)


def test_what_may_pass_is_never_final() -> None:
    assert {CLASS_OF[refusal_of(s).reason] for s in (0x58, 0x14, 0x08, 0x64)} == {FailureClass.LATER}


def test_a_bind_has_room_for_what_the_protocol_grants() -> None:
    assert bind_body("office", "hush") == b"office\x00hush\x00\x00\x34\x00\x00\x00"
    for wrong in (("o" * 16, "x"), ("o", "p" * 9), ("офис", "x"), ("o\x00", "x")):
        with pytest.raises(SmsWireInvalid):
            bind_body(*wrong)


def test_a_length_that_cannot_be_ends_the_stream() -> None:
    assert read_head(packed(SmppPdu(SmppCommand.ENQUIRE_LINK, 0, 9))) == (0, SmppPdu(0x15, 0, 9))
    for length in (0, 15, 2**31):
        with pytest.raises(SmsWireInvalid, match="command_length"):
            read_head(length.to_bytes(4, "big") + bytes(12))


def test_an_answer_goes_back_with_its_number() -> None:
    assert answer_to(SmppPdu(SmppCommand.DELIVER_SM, 0, 9, b"x"), b"\x00") == SmppPdu(
        0x80000005, 0, 9, b"\x00"
    )
    assert message_id_of(SmppPdu(0x80000004, 0, 1)) == ""
    assert message_id_of(SmppPdu(0x80000004, 0, 1, b"A1\x00")) == "A1"
