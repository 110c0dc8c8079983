"""Messages, receipts and refusals of SMPP 3.4 ↔ our values. Pure.

Centres differ: an id may be hexadecimal in the answer and decimal in the receipt, a receipt may stand in the text, in optional
parameters, or in both, and some send it without its mark. The zone of its dates is nobody's, so they are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from sms.errors import SmsWireInvalid
from sms.model import IncomingPart, IncomingSms, OutboundSms, SmsRefused, SmsReport, SmsState
from sms.octets import PartHeader, SmsOctets, decoded, read_header
from sms.providers.smpp.wire import Octets, SmppStatus, c_string
from sms.reasons import SmsReason
from sms.segments import SmsEncoding

_UDHI, _KIND_BITS, _RECEIPTS = 0x40, 0x3C, (0x04, 0x20)
_GSM7_CODING, _UCS2_CODING = 0x00, 0x08
_ALPHANUMERIC, _INTERNATIONAL, _PLAIN = (5, 0), (1, 1), (0, 1)
_LONGEST_ALPHANUMERIC = 11
_SHORTEST_LIFE = timedelta(seconds=60)

_PAYLOAD, _RECEIPTED_ID, _MESSAGE_STATE = 0x0424, 0x001E, 0x0427
_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER = 0x020C, 0x020E, 0x020F

_REFUSALS: Mapping[int, SmsReason] = {
    0x01: SmsReason.TOO_LONG,  # ESME_RINVMSGLEN
    0x04: SmsReason.NOT_CONNECTED,  # ESME_RINVBNDSTS: not bound for this
    0x05: SmsReason.BAD_KEY,  # ESME_RALYBND: bound already, by somebody else
    0x08: SmsReason.PROVIDER_TROUBLE,  # ESME_RSYSERR
    0x0A: SmsReason.SENDER_NOT_APPROVED,  # ESME_RINVSRCADR
    0x0B: SmsReason.BAD_NUMBER,  # ESME_RINVDSTADR: drop it for ever
    0x0D: SmsReason.BAD_KEY,  # ESME_RBINDFAIL
    0x0E: SmsReason.BAD_KEY,  # ESME_RINVPASWD
    0x0F: SmsReason.BAD_KEY,  # ESME_RINVSYSID
    SmppStatus.QUEUE_FULL: SmsReason.QUEUE_FULL,  # ESME_RMSGQFUL
    0x45: SmsReason.REJECTED,  # ESME_RSUBMITFAIL
    SmppStatus.THROTTLED: SmsReason.THROTTLED,  # ESME_RTHROTTLED
    0x64: SmsReason.PROVIDER_TROUBLE,  # ESME_RX_T_APPN: may pass
    0x65: SmsReason.REJECTED,  # ESME_RX_P_APPN: does not
    0x66: SmsReason.REJECTED,  # ESME_RX_R_APPN
}
_VENDORS_OWN = 0x400
_PAUSES: Mapping[SmsReason, float] = {SmsReason.THROTTLED: 1.0, SmsReason.QUEUE_FULL: 5.0}

_Verdict = tuple[SmsState, SmsReason | None]
_DELETED: _Verdict = (SmsState.UNDELIVERED, SmsReason.CANCELLED)
_UNDELIVERED: _Verdict = (SmsState.UNDELIVERED, SmsReason.UNDELIVERABLE)
_REJECTED: _Verdict = (SmsState.REJECTED, SmsReason.REJECTED)
_EXPIRED: _Verdict = (SmsState.EXPIRED, SmsReason.EXPIRED)
_BY_WORD: Mapping[str, _Verdict] = {
    "ENROUTE": (SmsState.SENT, None),
    "DELIVRD": (SmsState.DELIVERED, None),
    "EXPIRED": _EXPIRED,
    "DELETED": _DELETED,
    "UNDELIV": _UNDELIVERED,
    "ACCEPTD": (SmsState.ACCEPTED, None),
    "UNKNOWN": (SmsState.UNKNOWN, None),
    "REJECTD": _REJECTED,
}
_BY_NUMBER: Mapping[int, str] = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_FIELD = re.compile(r"\b(id|stat|err):\s*(\S+)", re.IGNORECASE)
_UNMARKED = re.compile(r"id:\S+ sub:\d+ dlvrd:\d+ ", re.IGNORECASE)


def submit_body(message: OutboundSms, part: SmsOctets, encoding: SmsEncoding, sender: str) -> bytes:
    """Return the body of submit_sm for one part, with a receipt ordered. Raises SmsWireInvalid for a sender that cannot be."""
    esm_class = _UDHI if part.header else 0
    coding = _GSM7_CODING if encoding is SmsEncoding.GSM7 else _UCS2_CODING
    addresses = _address(sender) + bytes(_INTERNATIONAL) + c_string(message.digits, 21, "destination_addr")
    times = b"\x00" + c_string(_validity(message.lives), 17, "validity_period")
    flags = bytes([esm_class, 0, 0]), bytes([1, 0, coding, 0, len(part.data)])
    return b"\x00" + addresses + flags[0] + times + flags[1] + part.data


def refusal_of(status: int) -> SmsRefused:
    """Return what a status other than 0 means; those of a vendor's own concern the message."""
    fallback = SmsReason.REJECTED if status >= _VENDORS_OWN else SmsReason.BAD_REQUEST
    reason = _REFUSALS.get(status, fallback)
    return SmsRefused(reason=reason, vendor_code=f"0x{status:08X}", retry_after=_PAUSES.get(reason))


class Delivered(NamedTuple):
    """What deliver_sm brought: one of the two."""

    report: SmsReport | None = None
    incoming: IncomingSms | None = None


def read_delivered(body: bytes) -> Delivered:
    """Read the body of deliver_sm. Raises SmsWireInvalid."""
    octets = Octets(body)
    octets.text("service_type")
    number = _read_address(octets, "source_addr")
    to = _read_address(octets, "destination_addr")
    esm_class = octets.octet("esm_class")
    octets.take(2, "protocol_id")
    octets.text("schedule_delivery_time")
    octets.text("validity_period")
    octets.take(2, "registered_delivery")
    coding = octets.octet("data_coding")
    octets.octet("sm_default_msg_id")
    data = octets.take(octets.octet("sm_length"), "short_message")
    tlvs = octets.tlvs()
    data = data or tlvs.get(_PAYLOAD, b"")
    if report := _receipt(esm_class, data, tlvs):
        return Delivered(report=report)
    part = _part(esm_class, coding, data, tlvs)
    is_alone = part.header.total == 1
    text = decoded(part.data, part.encoding)
    incoming = IncomingSms(number=number, to=to, text=text, part=None if is_alone else part)
    return Delivered(incoming=incoming)


def spellings(id: str) -> tuple[str, ...]:
    """Other ways in which a centre may have written this id before: hexadecimal for decimal and back, without leading zeros."""
    found = [id.lstrip("0"), id.upper(), id.lower()]
    if id.isascii() and id.isdigit():
        found += [f"{int(id):x}", f"{int(id):X}", f"{int(id):08x}", f"{int(id):08X}"]
    if re.fullmatch(r"[0-9A-Fa-f]{1,16}", id):
        found.append(str(int(id, 16)))
    return tuple(dict.fromkeys(spelled for spelled in found if spelled and spelled != id))


def _receipt(esm_class: int, data: bytes, tlvs: Mapping[int, bytes]) -> SmsReport | None:
    text = data.decode("latin-1")
    is_receipt = esm_class & _KIND_BITS in _RECEIPTS or _UNMARKED.match(text) is not None
    if not is_receipt:
        return None
    told = {name.lower(): value for name, value in _FIELD.findall(text)}
    id = tlvs.get(_RECEIPTED_ID, b"").rstrip(b"\x00").decode("latin-1").strip() or told.get("id", "")
    state = tlvs.get(_MESSAGE_STATE, b"")
    word = (_BY_NUMBER.get(state[0], "") if state else "") or told.get("stat", "").upper()
    if not id or word not in _BY_WORD:
        raise SmsWireInvalid("short_message", "is a receipt without a known id and state")
    verdict, reason = _BY_WORD[word]
    error = told.get("err", "").lstrip("0")
    code = f"{word}/{error}" if error else word
    return SmsReport(id=id, state=verdict, reason=reason, vendor_code=code, other_ids=spellings(id))


def _part(esm_class: int, coding: int, data: bytes, tlvs: Mapping[int, bytes]) -> IncomingPart:
    header, body = read_header(data) if esm_class & _UDHI else (_sar(tlvs), data)
    encoding = SmsEncoding.UCS2
    if coding == _GSM7_CODING:
        encoding = SmsEncoding.GSM7
    elif coding != _UCS2_CODING:  # Latin-1 and kin: kept in a form that joins with any other part
        body = body.decode("latin-1").encode("utf-16-be")
    return IncomingPart(header=header or PartHeader(0, 1, 1), encoding=encoding, data=body)


def _sar(tlvs: Mapping[int, bytes]) -> PartHeader | None:
    reference, total, number = (tlvs.get(tag, b"") for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER))
    if (len(reference), len(total), len(number)) != (2, 1, 1) or not 0 < number[0] <= total[0]:
        return None
    return PartHeader(int.from_bytes(reference, "big"), total[0], number[0], 16)


def _address(sender: str) -> bytes:
    """Write a sender: a name of Latin letters, a number, or nothing, which leaves it to the centre."""
    digits = sender.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        kind = _ALPHANUMERIC if sender else (0, 0)
        return bytes(kind) + c_string(sender, _LONGEST_ALPHANUMERIC + 1, "source_addr")
    return bytes(_INTERNATIONAL if len(digits) > 6 else _PLAIN) + c_string(digits, 21, "source_addr")


def _read_address(octets: Octets, field: str) -> str:
    kind, _ = octets.octet(field), octets.octet(field)
    address = octets.text(field)
    return f"+{address}" if kind == _INTERNATIONAL[0] and address.isdigit() else address


def _validity(lives: timedelta | None) -> str:
    """Write a relative time, YYMMDDhhmmss000R; "" leaves it to the centre."""
    if lives is None:
        return ""
    seconds = int(max(lives, _SHORTEST_LIFE).total_seconds())
    days, rest = divmod(seconds, 86400)
    return f"0000{min(days, 31):02d}{rest // 3600:02d}{rest // 60 % 60:02d}{rest % 60:02d}000R"
