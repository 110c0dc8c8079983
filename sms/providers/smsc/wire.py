"""SMSC.ru's forms and answers ↔ our values. Pure.

The library that the vendor hands out repeats a request at another host when no answer came; we ask by our id instead. Not
tried against a live account: the form of incoming messages, and the words that tell too many requests from a duplicate.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from sms.errors import SmsProviderRefused, SmsProviderUnreachable, SmsWireInvalid
from sms.model import (
    IncomingSms,
    OutboundSms,
    SmsAccepted,
    SmsBalance,
    SmsOutcome,
    SmsRefused,
    SmsReport,
    SmsState,
)
from sms.providers.reading import json_of, money_in, needed_text, text_in, time_in, whole_in, with_plus
from sms.reasons import SmsReason

_REFUSALS: Mapping[int, SmsReason] = {
    1: SmsReason.BAD_REQUEST,  # an error in the parameters
    2: SmsReason.BAD_KEY,  # wrong login or password, or an address that may not send
    3: SmsReason.NO_MONEY,
    4: SmsReason.ADDRESS_BLOCKED,  # the IP address, for a time, after too many bad requests
    5: SmsReason.BAD_REQUEST,  # the form of a date
    6: SmsReason.FORBIDDEN_TEXT,  # by its text or by the sender's name
    7: SmsReason.BAD_NUMBER,
    8: SmsReason.NO_ROUTE,  # a message to this number cannot be delivered
    9: SmsReason.DUPLICATE,  # the same within a minute; or more than 15 requests at once, which the words tell apart
}
_AT_ONCE = "concurrent"

_STATES: Mapping[int, tuple[SmsState, SmsReason | None]] = {
    -1: (
        SmsState.DEFERRED,
        None,
    ),  # waits at the provider: by night it holds messages until 09:00 of the recipient
    0: (SmsState.SENT, None),  # handed to the operator
    1: (SmsState.DELIVERED, None),
    2: (SmsState.DELIVERED, None),  # and read
    3: (SmsState.EXPIRED, SmsReason.EXPIRED),
    20: (SmsState.UNDELIVERED, SmsReason.UNDELIVERABLE),
    22: (SmsState.REJECTED, SmsReason.BAD_NUMBER),
    23: (SmsState.REJECTED, SmsReason.FORBIDDEN_TEXT),
    24: (SmsState.REJECTED, SmsReason.NO_MONEY),
    25: (SmsState.UNDELIVERED, SmsReason.UNREACHABLE),
}
_NOT_FOUND = -3
_LONGEST_MINUTES = 24 * 60


def send_fields(message: OutboundSms) -> dict[str, str]:
    """Return what is sent besides login and password."""
    fields = {
        "phones": message.digits,
        "mes": message.segments.text,
        "id": str(message.own_id),
        "charset": "utf-8",
        "fmt": "3",  # JSON
        "cost": "3",  # price and balance in the answer
    }
    if message.sender:
        fields["sender"] = message.sender
    if message.lives:
        minutes = min(max(1, int(message.lives.total_seconds() // 60)), _LONGEST_MINUTES)
        fields["valid"] = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return fields


def status_fields(message: OutboundSms) -> dict[str, str]:
    return {"phone": message.digits, "id": str(message.own_id), "charset": "utf-8", "fmt": "3", "all": "1"}


def parse_sent(body: bytes) -> SmsOutcome:
    """Read the answer to a sending. Raises SmsWireInvalid."""
    told = json_of(body)
    if "error_code" in told or "error" in told:
        return _refusal(told)
    return SmsAccepted(
        ids=(needed_text(told, "id"),), price=money_in(told, "cost"), balance=money_in(told, "balance")
    )


def parse_status(body: bytes, message: OutboundSms) -> SmsReport | None:
    """Read the answer to a question for one message; None: the provider does not know it. Raises SmsWireInvalid."""
    told = json_of(body)
    if "status" not in told:
        _raise_refused(told)
    status = whole_in(told, "status")
    if status == _NOT_FOUND:
        return None
    return _report(str(message.own_id), status, told, time_in(told, "last_timestamp"))


def parse_balance(body: bytes) -> SmsBalance:
    """Read what money is left. Raises SmsWireInvalid."""
    told = json_of(body)
    amount = money_in(told, "balance")
    if amount is None:
        _raise_refused(told)
        raise SmsWireInvalid("balance", "is missing")
    return SmsBalance(amount, text_in(told, "currency"))


def parse_report(form: Mapping[str, str]) -> SmsReport:
    """Read a pushed report. Raises SmsWireInvalid."""
    return _report(needed_text(form, "id"), whole_in(form, "status"), form, None)


def is_incoming(form: Mapping[str, str]) -> bool:
    return "mes" in form and "status" not in form


def parse_incoming(form: Mapping[str, str]) -> IncomingSms:
    """Read what a client wrote. Raises SmsWireInvalid. Its id is all that the vendor says to tell it from another: which of these
    are there, and whose id `sms_id` is, depends on the cabinet. The time, in no zone that is told, is no more than that."""
    return IncomingSms(
        number=with_plus(needed_text(form, "phone")),
        to=text_in(form, "to"),
        text=form["mes"],
        id="/".join(filter(None, (text_in(form, name) for name in ("id", "sms_id", "time")))),
    )


def is_signed(form: Mapping[str, str], secret: str) -> bool:
    """Compare md5 or sha1 of `id:phone:status:secret`, the stronger where both are there, in constant time."""
    signed = ":".join((*(form.get(name, "") for name in ("id", "phone", "status")), secret)).encode()
    for name, digest in (("sha1", hashlib.sha1), ("md5", hashlib.md5)):
        if shown := form.get(name):
            expected = digest(signed, usedforsecurity=False).hexdigest()
            return hmac.compare_digest(shown.lower().encode(), expected.encode())
    return False


def _report(id: str, status: int | None, told: Mapping[str, object], at: datetime | None) -> SmsReport:
    if status is None or status not in _STATES:
        raise SmsWireInvalid("status", "is none of the vendor's")
    state, reason = _STATES[status]
    error = text_in(told, "err")
    code = f"{status}/{error}" if error and error != "0" else str(status)
    return SmsReport(id=id, state=state, at=at, reason=reason, vendor_code=code, price=money_in(told, "cost"))


def _refusal(told: Mapping[str, object]) -> SmsRefused:
    code, words = whole_in(told, "error_code"), text_in(told, "error")
    reason = _REFUSALS.get(code or 0, SmsReason.BAD_REQUEST)
    if reason is SmsReason.DUPLICATE and _AT_ONCE in words:
        reason = SmsReason.THROTTLED
    return SmsRefused(reason=reason, vendor_code=str(code or ""), words=words)


def _raise_refused(told: Mapping[str, object]) -> None:
    if "error" in told or "error_code" in told:
        refusal = _refusal(told)
        said = f"{refusal.vendor_code} {refusal.words}".strip()
        # 9 of a question: it was asked too often, which passes
        raise SmsProviderUnreachable(said) if refusal.vendor_code == "9" else SmsProviderRefused(said)
