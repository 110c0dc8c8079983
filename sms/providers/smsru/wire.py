"""SMS.RU's forms and answers ↔ our values. Pure.

The answer to a sending has a status for the request and one for each number: only the inner one says whether a message was
taken. Not tried against a live account: the `hash` of a pushed report.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from sms.errors import SmsProviderRefused, SmsWireInvalid
from sms.model import OutboundSms, SmsAccepted, SmsBalance, SmsOutcome, SmsRefused, SmsReport, SmsState
from sms.providers.reading import json_of, money_in, needed_text, object_in, text_in, time_in, whole_in
from sms.reasons import SmsReason

MOST_IDS = 100
"""That one question for statuses may hold."""
_TAKEN = 100

_REFUSALS: Mapping[int, SmsReason] = {
    150: SmsReason.NO_ROUTE,
    200: SmsReason.BAD_KEY,  # api_id
    201: SmsReason.NO_MONEY,
    202: SmsReason.BAD_NUMBER,
    203: SmsReason.EMPTY_TEXT,
    204: SmsReason.SENDER_NOT_REGISTERED,  # the recipient's operator is not connected for this sender
    205: SmsReason.TOO_LONG,  # more than 8 parts
    206: SmsReason.DAY_LIMIT,  # reached or about to be passed
    207: SmsReason.NO_ROUTE,  # for this number
    208: SmsReason.BAD_REQUEST,  # the time
    209: SmsReason.BLOCKED_NUMBER,  # on the stop-list
    210: SmsReason.BAD_REQUEST,  # GET where POST is wanted
    211: SmsReason.BAD_REQUEST,  # no such method
    212: SmsReason.BAD_REQUEST,  # the text is no UTF-8
    213: SmsReason.BAD_REQUEST,  # more than 100 numbers
    214: SmsReason.NO_ROUTE,  # abroad
    215: SmsReason.BLOCKED_NUMBER,  # on the list of those who complained
    216: SmsReason.FORBIDDEN_TEXT,
    220: SmsReason.PROVIDER_TROUBLE,  # try a little later
    221: SmsReason.PROVIDER_TROUBLE,
    230: SmsReason.NUMBER_LIMIT,  # of a day
    231: SmsReason.DUPLICATE,  # the same text within a minute
    232: SmsReason.DUPLICATE,  # the same text within a day
    233: SmsReason.FORBIDDEN_TEXT,  # confirmation codes
    300: SmsReason.BAD_KEY,  # the token
    301: SmsReason.BAD_KEY,  # login or password
    302: SmsReason.BAD_KEY,  # the account is not confirmed
    303: SmsReason.BAD_KEY,
    304: SmsReason.BAD_KEY,
    305: SmsReason.BAD_KEY,
    **dict.fromkeys(range(500, 509), SmsReason.PROVIDER_TROUBLE),
    550: SmsReason.PROVIDER_TROUBLE,
}

_STATES: Mapping[int, tuple[SmsState, SmsReason | None]] = {
    100: (SmsState.ACCEPTED, None),  # in the queue
    101: (SmsState.ACCEPTED, None),  # being handed to the operator
    102: (SmsState.SENT, None),
    103: (SmsState.DELIVERED, None),
    104: (SmsState.EXPIRED, SmsReason.EXPIRED),
    105: (SmsState.UNDELIVERED, SmsReason.CANCELLED),  # deleted by the operator
    106: (SmsState.UNDELIVERED, SmsReason.HANDSET),
    107: (SmsState.UNDELIVERED, SmsReason.UNDELIVERABLE),  # the cause is not known
    108: (SmsState.REJECTED, SmsReason.REJECTED),
    110: (SmsState.DELIVERED, None),  # and read
    150: (SmsState.REJECTED, SmsReason.NO_ROUTE),
    207: (SmsState.REJECTED, SmsReason.NO_ROUTE),
}
_NOT_FOUND = -1
_REPORT = "sms_status"


def send_fields(message: OutboundSms, *, is_test: bool) -> dict[str, str]:
    """Return what is sent besides the key. is_test: nothing leaves the provider, and nothing is charged."""
    fields = {"to": message.digits, "msg": message.segments.text, "json": "1"}
    if message.sender:
        fields["from"] = message.sender
    if message.lives:
        fields["ttl"] = str(min(max(1, int(message.lives.total_seconds() // 60)), 1440))
    return {**fields, "test": "1"} if is_test else fields


def parse_sent(body: bytes) -> SmsOutcome:
    """Read the answer to a message to one number. Raises SmsWireInvalid."""
    told = json_of(body)
    outer = whole_in(told, "status_code")
    if outer is None:
        raise SmsWireInvalid("status_code", "is missing")
    if outer != _TAKEN:
        return _refusal(outer, told)
    inner = next((v for v in object_in(told, "sms").values() if isinstance(v, dict)), None)
    if inner is None:
        raise SmsWireInvalid("sms", "names no message")
    code = whole_in(inner, "status_code")
    if code != _TAKEN:
        return _refusal(code, inner)
    return SmsAccepted(
        ids=(needed_text(inner, "sms_id"),), price=money_in(inner, "cost"), balance=money_in(told, "balance")
    )


def parse_statuses(body: bytes) -> tuple[SmsReport, ...]:
    """Read statuses by id; those that the provider does not know are left out. Raises SmsWireInvalid."""
    told = object_in(_good(body), "sms")
    return _readable([partial(_status, id, inner) for id, inner in told.items()])


def parse_balance(body: bytes) -> SmsBalance:
    """Read what money is left. Raises SmsWireInvalid."""
    amount = money_in(_good(body), "balance")
    if amount is None:
        raise SmsWireInvalid("balance", "is missing")
    return SmsBalance(amount, "RUB")


def parse_pushed(entries: Sequence[str]) -> tuple[SmsReport, ...]:
    """Read the list `data[]`: each entry of four lines, the kind, the id, the status and Unix seconds. Other kinds (calls
    that check a number) are left out. Raises SmsWireInvalid."""
    lines = [entry.replace("\r\n", "\n").split("\n") for entry in entries]
    return _readable([partial(_pushed, rest) for kind, *rest in lines if kind.strip() == _REPORT])


def is_hashed(entries: Sequence[str], shown: str, api_id: str) -> bool:
    """Compare sha256 of the key and all entries, in constant time."""
    expected = hashlib.sha256("".join((api_id, *entries)).encode()).hexdigest()
    return hmac.compare_digest(shown.lower().encode(), expected.encode())


def _readable(readings: Sequence[Callable[[], SmsReport | None]]) -> tuple[SmsReport, ...]:
    """Read each by itself: one of a new kind holds up none of the others. Raises SmsWireInvalid where none can be read."""
    found: list[SmsReport] = []
    refused: SmsWireInvalid | None = None
    for read in readings:
        try:
            report = read()
        except SmsWireInvalid as err:
            refused = err
            continue
        if report is not None:
            found.append(report)
    if refused is not None and not found:
        raise refused
    return tuple(found)


def _status(id: str, told: object) -> SmsReport | None:
    if not isinstance(told, dict):
        raise SmsWireInvalid("sms", "holds what is no object")
    code = whole_in(told, "status_code")
    return None if code == _NOT_FOUND else _report(id, code, None, money_in(told, "cost"))


def _pushed(lines: list[str]) -> SmsReport:
    if len(lines) < 2 or not lines[0].strip():
        raise SmsWireInvalid("data", "has an entry without id or status")
    status = whole_in({"status": lines[1]}, "status")
    seconds = lines[2].strip() if len(lines) > 2 else ""
    return _report(lines[0].strip(), status, time_in({"time": seconds}, "time"))


def _report(id: str, code: int | None, at: datetime | None, price: Decimal | None = None) -> SmsReport:
    if code is None or code not in _STATES:
        raise SmsWireInvalid("status", "is none of the vendor's")
    state, reason = _STATES[code]
    return SmsReport(id=id, state=state, at=at, reason=reason, vendor_code=str(code), price=price)


def _refusal(code: int | None, told: Mapping[str, object]) -> SmsRefused:
    reason = _REFUSALS.get(code or 0, SmsReason.BAD_REQUEST)
    return SmsRefused(reason=reason, vendor_code=str(code or ""), words=text_in(told, "status_text"))


def _good(body: bytes) -> Mapping[str, object]:
    told = json_of(body)
    code = whole_in(told, "status_code")
    if code != _TAKEN:
        raise SmsProviderRefused(f"{code} {text_in(told, 'status_text')}".strip())
    return told
