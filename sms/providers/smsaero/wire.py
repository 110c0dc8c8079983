"""SMS Aero's JSON ↔ our values. Pure.

Refusals have no codes: HTTP's status and the words of `message` are all there is. Numbers are written as text: as numbers they
would stand whole in the record of exchanges. Not tried against a live account: the numeric statuses, the form of reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from runtime.vendors.http import HttpAnswer
from sms.errors import SmsProviderRefused, SmsWireInvalid
from sms.model import (
    OutboundSms,
    SmsAccepted,
    SmsBalance,
    SmsOutcome,
    SmsRefused,
    SmsReport,
    SmsState,
    SmsUnknown,
)
from sms.providers.reading import json_of, money_in, needed_text, text_in, time_in, whole_in
from sms.reasons import SmsDoubt, SmsReason

SPEAKING = frozenset({200, 400, 401, 402, 403, 404, 422, 429, 500})
"""Statuses of HTTP whose bodies may hold the vendor's own words."""
SHORTEST_TEXT, LONGEST_TEXT = 2, 640
TELLING = frozenset({200, 404})
"""Those of a question for one message: 404 is of one that is not known."""
_NOT_FOUND = "not found"
_CLOCKS_APART = timedelta(minutes=2)

_BY_HTTP: Mapping[int, SmsReason] = {
    401: SmsReason.BAD_KEY,
    402: SmsReason.NO_MONEY,
    403: SmsReason.BAD_KEY,
    429: SmsReason.THROTTLED,
}
# In the order in which they are looked for, in small letters.
_BY_WORDS: tuple[tuple[str, SmsReason], ...] = (
    ("no credits", SmsReason.NO_MONEY),
    ("not enough", SmsReason.NO_MONEY),
    ("balance", SmsReason.NO_MONEY),
    ("credentials", SmsReason.BAD_KEY),
    ("auth", SmsReason.BAD_KEY),
    ("sign", SmsReason.SENDER_NOT_APPROVED),
    ("blacklist", SmsReason.BLOCKED_NUMBER),
    ("black list", SmsReason.BLOCKED_NUMBER),
    ("too many", SmsReason.THROTTLED),
    ("number", SmsReason.BAD_NUMBER),
    ("reject", SmsReason.REJECTED),
)

_STATES: Mapping[int, tuple[SmsState, SmsReason | None]] = {
    0: (SmsState.ACCEPTED, None),  # in the queue
    1: (SmsState.DELIVERED, None),
    2: (SmsState.UNDELIVERED, SmsReason.UNDELIVERABLE),
    3: (SmsState.SENT, None),
    4: (SmsState.SENT, None),  # waits for the operator's word
    6: (SmsState.REJECTED, SmsReason.REJECTED),
    8: (SmsState.DEFERRED, None),  # a moderator reads it
}


def send_body(message: OutboundSms, sign: str) -> dict[str, str]:
    body = {"number": message.digits, "sign": message.sender or sign, "text": message.segments.text}
    return {**body, "callbackUrl": message.report_url} if message.report_url else body


def parse_sent(answer: HttpAnswer) -> SmsOutcome:
    """Read the answer to a sending, whatever its status of HTTP. Raises SmsWireInvalid."""
    told = json_of(answer.body)
    if told.get("success") is not True:
        return _refusal(answer, told)
    data = _data(told)
    return SmsAccepted(ids=(needed_text(data, "id"),), price=money_in(data, "cost"))


def parse_status(body: bytes) -> SmsReport | None:
    """Read the answer to a question for one message; None: the provider does not know it. Raises SmsWireInvalid."""
    told = json_of(body)
    if told.get("success") is not True and _NOT_FOUND in _words(told).lower():
        return None
    return _report(_data(_good(body)))


def parse_found(body: bytes, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
    """Read the list of messages and pick ours out by number, text and time: the latest that fits. Raises SmsWireInvalid."""
    listed = _good(body).get("data")
    rows = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
    mine = [row for row in rows if isinstance(row, dict) and _is_it(row, message, asked_at)]
    if not mine:
        return None
    latest = max(mine, key=lambda row: whole_in(row, "dateCreate") or 0)
    return SmsAccepted(ids=(needed_text(latest, "id"),), price=money_in(latest, "cost"))


def parse_balance(body: bytes) -> SmsBalance:
    """Read what money is left. Raises SmsWireInvalid."""
    amount = money_in(_data(_good(body)), "balance")
    if amount is None:
        raise SmsWireInvalid("balance", "is missing")
    return SmsBalance(amount, "RUB")


def parse_report(fields: Mapping[str, object]) -> SmsReport:
    """Read a pushed report. Raises SmsWireInvalid."""
    return _report(fields)


def _is_it(row: Mapping[str, object], message: OutboundSms, asked_at: datetime) -> bool:
    made_at = time_in(row, "dateCreate")
    is_late_enough = made_at is not None and made_at >= asked_at - _CLOCKS_APART
    is_to_them = text_in(row, "number").lstrip("+") == message.digits
    return is_late_enough and is_to_them and row.get("text") == message.segments.text


def _report(fields: Mapping[str, object]) -> SmsReport:
    status = whole_in(fields, "status")
    if status is None or status not in _STATES:
        raise SmsWireInvalid("status", "is none of the vendor's")
    state, reason = _STATES[status]
    return SmsReport(
        id=needed_text(fields, "id"),
        state=state,
        at=time_in(fields, "dateAnswer"),
        reason=reason,
        vendor_code=str(status),
        price=money_in(fields, "cost"),
    )


def _refusal(answer: HttpAnswer, told: Mapping[str, object]) -> SmsOutcome:
    words = _words(told)
    by_words = next((reason for part, reason in _BY_WORDS if part in words.lower()), None)
    reason = _BY_HTTP.get(answer.status) or by_words
    if reason is None and answer.status >= 500:
        return SmsUnknown(why=SmsDoubt.SERVER_ERROR, words=f"HTTP {answer.status} {words}".strip())
    code = "" if answer.status == 200 else str(answer.status)
    return SmsRefused(
        reason=reason or SmsReason.BAD_REQUEST,
        vendor_code=code,
        words=words,
        retry_after=answer.retry_after,
    )


def _words(told: Mapping[str, object]) -> str:
    message = told.get("message")
    return message if isinstance(message, str) else ""


def _good(body: bytes) -> Mapping[str, object]:
    told = json_of(body)
    if told.get("success") is not True:
        raise SmsProviderRefused(_words(told) or "success is not true")
    return told


def _data(told: Mapping[str, object]) -> Mapping[str, object]:
    """Return `data`, which is an object, or a list with one."""
    data = told.get("data")
    inner = data[0] if isinstance(data, list) and data else data
    if not isinstance(inner, dict):
        raise SmsWireInvalid("data", "must be an object")
    return inner
