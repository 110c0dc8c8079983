"""Protocol data units of SMPP 3.4 ↔ values. Pure.

What a message is, stands in wire_messages.py; here are the frame, the strings and the optional parameters.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from sms.errors import SmsWireInvalid

HEADER_BYTES = 16
MOST_BYTES = 65536
"""A unit holds a text of 64 KB at most, and none does."""
ANSWER = 0x80000000
_HEADER = struct.Struct(">IIII")
_VERSION = 0x34


class SmppCommand(IntEnum):
    """Requests; the answer to each has the highest bit set."""

    BIND_TRANSCEIVER = 0x09
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = ANSWER


class SmppStatus(IntEnum):
    """Those that somebody here tells apart."""

    OK = 0x00
    INVALID_COMMAND = 0x03
    THROTTLED = 0x58
    QUEUE_FULL = 0x14


class SmppPdu(NamedTuple):
    """One protocol data unit. command: as a number, since others than ours may come."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    @property
    def is_answer(self) -> bool:
        return bool(self.command & ANSWER)


def packed(pdu: SmppPdu) -> bytes:
    return _HEADER.pack(HEADER_BYTES + len(pdu.body), pdu.command, pdu.status, pdu.sequence) + pdu.body


def answer_to(pdu: SmppPdu, body: bytes = b"") -> SmppPdu:
    """Return the good answer to a request."""
    return SmppPdu(pdu.command | ANSWER, SmppStatus.OK, pdu.sequence, body)


def read_head(head: bytes) -> tuple[int, SmppPdu]:
    """(octets of the body that follow, the unit without it). Raises SmsWireInvalid: then the stream is lost."""
    length, command, status, sequence = _HEADER.unpack(head)
    if not HEADER_BYTES <= length <= MOST_BYTES:
        raise SmsWireInvalid("command_length", f"{length} cannot be")
    return length - HEADER_BYTES, SmppPdu(command, status, sequence)


def bind_body(system_id: str, password: str, system_type: str = "") -> bytes:
    """Return the body of bind_transceiver. Raises SmsWireInvalid for what is longer than the protocol has room for."""
    head = c_string(system_id, 16, "system_id") + c_string(password, 9, "password")
    return head + c_string(system_type, 13, "system_type") + bytes([_VERSION, 0, 0]) + b"\x00"


def c_string(text: str, most: int, field: str) -> bytes:
    """most: octets, the final NUL included."""
    try:
        written = text.encode("ascii") + b"\x00"
    except UnicodeEncodeError as err:
        raise SmsWireInvalid(field, "has letters that are not Latin") from err
    if len(written) > most or b"\x00" in written[:-1]:
        raise SmsWireInvalid(field, f"is longer than {most - 1} octets or holds a NUL")
    return written


class Octets:
    """A body that is read from the front; what is not there raises SmsWireInvalid."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int, field: str) -> bytes:
        if self._at + count > len(self._data):
            raise SmsWireInvalid(field, "is cut off")
        found = self._data[self._at : self._at + count]
        self._at += count
        return found

    def octet(self, field: str) -> int:
        return self.take(1, field)[0]

    def text(self, field: str) -> str:
        """Read up to the next NUL; letters that are not Latin are taken as Latin-1."""
        end = self._data.find(b"\x00", self._at)
        if end < 0:
            raise SmsWireInvalid(field, "does not end")
        found = self._data[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    def tlvs(self) -> Mapping[int, bytes]:
        """Read the rest as optional parameters; the last of each tag counts."""
        found: dict[int, bytes] = {}
        while self._at < len(self._data):
            tag, length = struct.unpack(">HH", self.take(4, "tlv"))
            found[tag] = self.take(length, "tlv")
        return found


def message_id_of(pdu: SmppPdu) -> str:
    """Return the id in the answer to submit_sm, "" where there is none (some answer without a body)."""
    return Octets(pdu.body).text("message_id").strip() if pdu.body else ""
