"""What vendors send, read into plain values, each refused with its field's name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote_to_bytes

import orjson

from runtime.vendors.charsets import charset_of
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound

_MOST_FIELDS = 1000
_LATEST = 32503680000  # the year 3000


def form_of(body: bytes, content_type: str = "") -> dict[str, list[str]]:
    """Return the fields of a form, in order; so is the query of an address read. What is no UTF-8 is read in the charset that is
    declared, else in windows-1251, which cabinets of Russian providers offer. NUL becomes U+FFFD. Raises SmsWireInvalid."""
    pairs = body.strip().replace(b"+", b" ").split(b"&")
    if len(pairs) > _MOST_FIELDS:
        raise SmsWireInvalid("body", "is not a form")
    charset = charset_of(content_type) or "windows-1251"
    fields: dict[str, list[str]] = {}
    for pair in pairs:
        name, is_given, value = pair.partition(b"=")
        if is_given or name:
            fields.setdefault(_decoded(name, charset), []).append(_decoded(value, charset))
    return fields


def _decoded(escaped: bytes, charset: str) -> str:
    data = unquote_to_bytes(escaped)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode(charset, "replace")
    return text.replace("\x00", "\ufffd")


def flat_form(request: SmsInbound) -> dict[str, str]:
    """Return the last value of each name, the body's before the query's."""
    return {**request.query, **flat(form_of(request.body, content_type_of(request)))}


def flat(form: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the last value of each name."""
    return {name: values[-1] for name, values in form.items()}


def content_type_of(request: SmsInbound) -> str:
    return next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")


def json_of(body: bytes | str, field: str = "body") -> dict[str, object]:
    """Return a JSON object. Raises SmsWireInvalid."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise SmsWireInvalid(field, "is not JSON") from err
    if not isinstance(value, dict):
        raise SmsWireInvalid(field, "is not a JSON object")
    return value


def object_in(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return an object inside an object; {} where there is none (PHP writes an empty one as a list)."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def text_in(fields: Mapping[str, object], name: str) -> str:
    """Return a scalar as text, "" when it is not there. Raises SmsWireInvalid for what is none."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SmsWireInvalid(name, "must be text")
    return str(value).strip()


def needed_text(fields: Mapping[str, object], name: str) -> str:
    """Return a scalar as text. Raises SmsWireInvalid where it is missing."""
    text = text_in(fields, name)
    if not text:
        raise SmsWireInvalid(name, "is missing")
    return text


def whole_in(fields: Mapping[str, object], name: str) -> int | None:
    """Return a whole number, also as text; None when it is not there. Raises SmsWireInvalid."""
    text = text_in(fields, name)
    if not text:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise SmsWireInvalid(name, "must be a whole number")
    return int(text)


def money_in(fields: Mapping[str, object], name: str) -> Decimal | None:
    """Return an amount; None when it is not there or none: nothing hangs on a price."""
    try:
        amount = Decimal(text_in(fields, name).replace(",", "."))
    except (InvalidOperation, SmsWireInvalid):
        return None
    return amount if amount.is_finite() else None


def time_in(fields: Mapping[str, object], name: str) -> datetime | None:
    """Return Unix seconds as a time; None when it is not there or no time."""
    try:
        seconds = whole_in(fields, name)
    except SmsWireInvalid:
        return None
    return datetime.fromtimestamp(seconds, UTC) if seconds and 0 < seconds < _LATEST else None


def with_plus(number: str) -> str:
    """Return a number as vendors spell it, eleven digits and more without a plus, as an international one."""
    digits = number.strip()
    return f"+{digits}" if digits.isascii() and digits.isdigit() and len(digits) >= 11 else digits
