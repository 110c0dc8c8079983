"""What a PBX posted, whatever the form: query, form or JSON, read into one flat mapping."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from gateway.pbx.port import Inbound, WireInvalid
from gateway.pbx.reading.text import SPOILT, decoded, legible
from runtime.vendors.charsets import charset_of

_SECRETS = frozenset({"token"})
_MOST_FIELDS = 1000
_DEEPEST = 32
_EXACT_DIGITS = 15
_BOUNDARY = re.compile(r"multipart/form-data.*?boundary=\"?([^\";,]+)", re.IGNORECASE)
_PART_NAME = re.compile(rb"[;\s]name=\"?([^\";\r\n]*)", re.IGNORECASE)
_DURATION = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d*)?)", re.ASCII)
# What JSON allows after a backslash; anything else (a Windows path) is meant as it stands.
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')


def header(request: Inbound, name: str) -> str | None:
    """Return a header's value, whatever the case of its name."""
    wanted = name.lower()
    return next((value for key, value in request.headers.items() if key.lower() == wanted), None)


def read_fields(request: Inbound) -> dict[str, Any]:
    """All fields of the request by name, the body's before the query's; the secret is not among them.

    Values are text, except in JSON bodies; `name[]` gives a list under `name`, `name[key]` an object. Text that cannot
    be read as it stands is made legible (gateway/pbx/reading/text.py).
    Raises WireInvalid with field "body" when it is neither a form nor a JSON object.
    """
    fields: dict[str, Any] = {legible(k): legible(v) for k, v in request.query.items() if k not in _SECRETS}
    for name, value in read_body(request).items():
        if name not in _SECRETS and (name not in fields or not _is_blank(value)):
            fields[name] = value
    return fields


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def read_body(request: Inbound) -> dict[str, Any]:
    """Return the fields of the body alone; {} when there is none."""
    content_type = header(request, "Content-Type") or ""
    charset = charset_of(content_type)
    if boundary := _BOUNDARY.search(content_type):
        return _legible_object(_nested(_parts(request.body, boundary[1].encode(), charset)))
    text = decoded(request.body, charset).strip()
    if not text:
        return {}
    if "json" in content_type.lower() or text[0] in "{[":
        return json_object(text, "body")
    return _legible_object(read_form(request.body, charset))


def read_form(body: bytes, charset: str | None = None) -> dict[str, Any]:
    """Return an `application/x-www-form-urlencoded` body; of each plain name the last value that holds
    something. The text is not made legible yet: a signature may have to be checked over the very bytes."""
    return _nested(_pairs(body.strip(), charset))


def _pairs(body: bytes, charset: str | None) -> Iterator[tuple[str, str]]:
    pairs = body.removeprefix(codecs.BOM_UTF8).replace(b"+", b" ").split(b"&")
    if len(pairs) > _MOST_FIELDS:
        raise WireInvalid("body", f"has more than {_MOST_FIELDS} fields")
    for pair in filter(None, pairs):
        name, _, value = pair.partition(b"=")
        yield decoded(unquote_to_bytes(name), charset), decoded(unquote_to_bytes(value), charset)


def _parts(body: bytes, boundary: bytes, charset: str | None) -> Iterator[tuple[str, str]]:
    """Return the fields of `multipart/form-data`; files are left out."""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:_MOST_FIELDS]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if name and b"filename" not in head:
            yield decoded(name[1], charset), decoded(value, charset)


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        if not bracket or not inner.endswith("]"):
            if name not in fields or value.strip():
                fields[name] = value
        elif inner == "]":
            held = fields.setdefault(outer, [])
            fields[outer] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            held = fields.setdefault(outer, {})
            fields[outer] = {**(held if isinstance(held, dict) else {}), inner[:-1]: value}
    return fields


def json_object(text: str | bytes, field: str) -> dict[str, Any]:
    """Return a JSON object with legible text. Raises WireInvalid with this field name.

    A number that is not whole, or longer than 15 digits, is its own text: as a float, two ids could become one.
    """
    value = _json(decoded(text) if isinstance(text, bytes) else text, field)
    if not isinstance(value, dict):
        raise WireInvalid(field, "must be a JSON object")
    return _legible_object(value)


def _json(text: str, field: str) -> Any:
    try:
        try:
            return _loaded(text)
        except ValueError:
            return _loaded(_ESCAPE.sub(lambda found: found[0] if found[1] else "\\\\", text))
    except RecursionError as err:
        raise WireInvalid(field, "is nested too deep") from err
    except ValueError as err:
        raise WireInvalid(field, "is not valid JSON") from err


def _loaded(text: str) -> Any:
    return json.loads(
        text,
        strict=False,
        parse_int=lambda digits: int(digits) if len(digits) <= _EXACT_DIGITS else digits,
        parse_float=str,
        parse_constant=str,
    )


def _legible_object(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {legible(name): _legible(value, 1) for name, value in fields.items()}


def _legible(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return legible(value)
    if not isinstance(value, dict | list):
        return value
    if depth == _DEEPEST:
        return SPOILT
    if isinstance(value, list):
        return [_legible(inner, depth + 1) for inner in value]
    return {legible(name): _legible(inner, depth + 1) for name, inner in value.items()}


def canonical(value: Any) -> str:
    """Return the same text for every repetition of the same message, whatever the order of its fields."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def as_text(value: Any, field: str) -> str | None:
    """Return a scalar as stripped text, None when absent or empty. Raises WireInvalid for objects and lists."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WireInvalid(field, "must be text")
    return str(value).strip() or None


def as_count(value: Any, field: str) -> int | None:
    """Return a whole number ≥ 0, also as text or 12.0; None when absent or empty."""
    text = as_text(value, field)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    try:
        number = float(text)
    except ValueError as err:
        raise WireInvalid(field, "must be a whole number") from err
    if not 0 <= number < 10**18 or number != int(number):
        raise WireInvalid(field, "must be a whole number, 0 or more")
    return int(number)


def as_seconds(value: Any, field: str) -> int | None:
    """Return a duration in whole seconds: `12`, `12.345`, `00:01:23`, `1:23`; what is less than a second, but something, is one."""
    text = as_text(value, field)
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise WireInvalid(field, "is not a duration in seconds, such as 83 or 00:01:23")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    lasted = hours * 3600 + minutes * 60 + seconds
    return max(int(lasted), 1) if lasted else 0


def as_params(values: Mapping[str, Any]) -> dict[str, str]:
    """Whatever else was sent, values as text; empty ones are left out, nested ones become JSON."""
    params: dict[str, str] = {}
    for name, value in values.items():
        if value is None or value == "" or value == [] or value == {}:
            continue
        if isinstance(value, str):
            params[name] = value
        elif isinstance(value, bool):
            params[name] = "true" if value else "false"
        else:
            params[name] = str(value) if isinstance(value, int | float) else canonical(value)
    return params
