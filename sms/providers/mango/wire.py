"""MANGO's `commands/sms` and what it tells of it later ↔ our values. Pure.

The request is answered at once, the command's result comes as a push to `/result/sms`, the delivery as one to `/events/sms`.
There is no question for a status and no list: what is not pushed is never known. The time in a push is said to be UTC+3 in
Unix seconds, so the moment of its arrival is taken instead. Not tried against a live product: the answer to the balance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runtime.vendors.http import HttpAnswer
from sms.errors import SmsProviderRefused, SmsWireInvalid
from sms.model import OutboundSms, SmsAccepted, SmsBalance, SmsOutcome, SmsRefused, SmsReport, SmsState
from sms.port import LateOutcome, SmsNews
from sms.providers.reading import flat, form_of, json_of, money_in, needed_text, object_in, text_in, whole_in
from sms.reasons import SmsReason

DONE = 1000
MOST_PARTS = 4
"""612 Latin or 268 Cyrillic characters."""

_REFUSALS: Mapping[int, SmsReason] = {
    2211: SmsReason.DAY_LIMIT,
    2212: SmsReason.DAY_LIMIT,  # of a month
    2220: SmsReason.THROTTLED,  # too many at once
    2230: SmsReason.SERVICE_OFF,
    2240: SmsReason.NO_MONEY,
    3102: SmsReason.BAD_KEY,  # the signature
    3136: SmsReason.BAD_NUMBER,
    3300: SmsReason.BAD_REQUEST,  # no such object
    4001: SmsReason.SERVICE_OFF,  # not supported by the product
    4290: SmsReason.THROTTLED,
    4300: SmsReason.NOT_POSSIBLE,
    5008: SmsReason.THROTTLED,
}
_CLASSES: Mapping[int, SmsReason] = {
    2: SmsReason.NO_MONEY,  # billing
    3: SmsReason.BAD_REQUEST,  # parameters; 32xx are numbers
    4: SmsReason.NOT_POSSIBLE,
    5: SmsReason.PROVIDER_TROUBLE,  # their server
}
_BAD_NUMBERS = 32

_STATES: Mapping[int, tuple[SmsState, SmsReason | None]] = {
    1000: (SmsState.DELIVERED, None),
    4300: (SmsState.REJECTED, SmsReason.NOT_POSSIBLE),
    4301: (SmsState.EXPIRED, SmsReason.EXPIRED),
    4391: (SmsState.UNDELIVERED, SmsReason.LOST),
    4392: (SmsState.REJECTED, SmsReason.REJECTED),
    4393: (SmsState.REJECTED, SmsReason.CANCELLED),
}


def send_payload(message: OutboundSms, extension: str) -> dict[str, str]:
    """Return the field `json`. The id is ours, and no protection: the same command twice is two messages."""
    payload = {
        "command_id": str(message.own_id),
        "text": message.segments.text,
        "from_extension": extension,
        "to_number": message.digits,
    }
    return {**payload, "sms_sender": message.sender} if message.sender else payload


def parse_sent(answer: HttpAnswer, message: OutboundSms) -> SmsOutcome:
    """Read the answer to the request, whose body may be empty. That it was taken is no more than that: see `parse_news`."""
    told = json_of(answer.body) if answer.body.strip() else {}
    if (
        whole_in(told, "status") == 429
    ):  # {"name": "Service Unavailable", "message": "Rate limit exceeded.", …}
        return SmsRefused(reason=SmsReason.THROTTLED, vendor_code="429", words=text_in(told, "message"))
    code = whole_in(told, "result")
    if code not in (None, DONE):
        return refusal_of(code)
    if answer.status != 200:
        return SmsRefused(reason=SmsReason.BAD_REQUEST, words=f"HTTP {answer.status}")
    return SmsAccepted(ids=(str(message.own_id),))


def refusal_of(code: int) -> SmsRefused:
    """Return what a result code means; one that is not known counts as its class."""
    reason = _REFUSALS.get(code)
    if reason is None:
        reason = SmsReason.BAD_NUMBER if code // 100 == _BAD_NUMBERS else _CLASSES.get(code // 1000)
    return SmsRefused(reason=reason or SmsReason.BAD_REQUEST, vendor_code=str(code))


def parse_balance(body: bytes) -> SmsBalance:
    """Read what money is left. Raises SmsWireInvalid."""
    told = json_of(body)
    code = whole_in(told, "result")
    if code not in (None, DONE):
        raise SmsProviderRefused(f"result {code}")
    amount = money_in(told if "balance" in told else object_in(told, "data"), "balance")
    if amount is None:
        raise SmsWireInvalid("balance", "is missing")
    return SmsBalance(amount, "RUB")


def signed_fields(body: bytes) -> tuple[str, str, str]:
    """(key, signature, the exact text of `json`) of a push. Raises SmsWireInvalid."""
    form = flat(form_of(body))
    key, sign = needed_text(form, "vpbx_api_key"), needed_text(form, "sign")
    needed_text(form, "json")
    return key, sign, form["json"]


def parse_news(path: str, json: str, received_at: datetime) -> SmsNews:
    """Read a push. path: what follows the connection's address, with or without `vpbx/`. Raises SmsWireInvalid."""
    name = path.strip("/").removeprefix("vpbx/")
    told = json_of(json, "json")
    id = needed_text(told, "command_id")
    if name == "result/sms":
        return SmsNews(outcomes=_result(id, told))
    if name == "events/sms":
        return SmsNews(reports=(_report(id, told, received_at),))
    raise SmsWireInvalid("path", "is neither result/sms nor events/sms")


def _result(id: str, told: Mapping[str, object]) -> tuple[LateOutcome, ...]:
    code = whole_in(told, "result")
    if code is None:
        raise SmsWireInvalid("result", "is missing")
    outcome = SmsAccepted(ids=(id,)) if code == DONE else refusal_of(code)
    return (LateOutcome(id=id, outcome=outcome),)


def _report(id: str, told: Mapping[str, object], received_at: datetime) -> SmsReport:
    code = whole_in(told, "reason")
    if code is None:
        raise SmsWireInvalid("reason", "is missing")
    state, reason = _STATES.get(code, (SmsState.UNDELIVERED, SmsReason.UNDELIVERABLE))
    return SmsReport(id=id, state=state, at=received_at, reason=reason, vendor_code=str(code))
