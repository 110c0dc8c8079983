"""What a PBX posted, whatever the form: query, form or JSON, read into one flat mapping."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound, WireInvalid

_SECRETS = frozenset({"token"})


def header(request: Inbound, name: str) -> str | None:
    """A header's value, whatever the case of its name."""
    wanted = name.lower()
    return next((value for key, value in request.headers.items() if key.lower() == wanted), None)


def has_valid_token(request: Inbound, connection: Connection) -> bool:
    """Does the request carry the connection's secret as Bearer, as the password of Basic, or as `?token=`?"""
    return any(connection.knows(token) for token in _tokens(request))


def _tokens(request: Inbound) -> list[str]:
    tokens = [request.query["token"]] if request.query.get("token") else []
    scheme, _, value = (header(request, "Authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        tokens.append(value.strip())
    elif scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return tokens
        tokens.append(user_and_password.partition(":")[2])
    return tokens


def read_fields(request: Inbound) -> dict[str, Any]:
    """All fields of the request by name, the body's before the query's; the secret is not among them.

    Values are text, except in JSON bodies; `name[]` gives a list under `name`, `name[key]` an object.
    Raises WireInvalid with field "body" when it is neither a form nor a JSON object.
    """
    for name, value in request.query.items():
        if "\x00" in name or "\x00" in value:
            raise WireInvalid("query", "contains a NUL character")
    fields: dict[str, Any] = {k: v for k, v in request.query.items() if k not in _SECRETS}
    fields.update({k: v for k, v in read_body(request).items() if k not in _SECRETS})
    return fields


def read_body(request: Inbound) -> dict[str, Any]:
    """The fields of the body alone; {} when there is none."""
    text = decoded(request.body, "body").strip()
    if not text:
        return {}
    if "json" in (header(request, "Content-Type") or "").lower() or text[0] in "{[":
        return json_object(text, "body")
    return read_form(text)


def read_form(text: str) -> dict[str, Any]:
    """An `application/x-www-form-urlencoded` body; the last value of each plain name."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as err:
        raise WireInvalid("body", "is not a form in UTF-8") from err
    fields: dict[str, Any] = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        if not bracket or not inner.endswith("]"):
            fields[name] = value
        elif inner == "]":
            held = fields.setdefault(outer, [])
            fields[outer] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            held = fields.setdefault(outer, {})
            fields[outer] = {**(held if isinstance(held, dict) else {}), inner[:-1]: value}
    return fields


def json_object(text: str | bytes, field: str) -> dict[str, Any]:
    """A JSON object. Raises WireInvalid with this field name."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        raise WireInvalid(field, "is not valid JSON") from err
    if not isinstance(value, dict):
        raise WireInvalid(field, "must be a JSON object")
    return value


def decoded(body: bytes, field: str) -> str:
    """Bytes as UTF-8 text, NUL refused (PostgreSQL cannot keep it)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        raise WireInvalid(field, "is not UTF-8") from err
    if "\x00" in text or "%00" in text or "\\u0000" in text:
        raise WireInvalid(field, "contains a NUL character")
    return text


def canonical(value: Any) -> str:
    """The same text for every repetition of the same message, whatever the order of its fields."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def as_text(value: Any, field: str) -> str | None:
    """A scalar as stripped text, None when absent or empty. Raises WireInvalid for objects and lists."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WireInvalid(field, "must be text")
    return str(value).strip() or None


def as_count(value: Any, field: str) -> int | None:
    """A whole number ≥ 0, also as text or 12.0; None when absent or empty."""
    text = as_text(value, field)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError as err:
        raise WireInvalid(field, "must be a whole number") from err
    if not 0 <= number < 10**18 or number != int(number):
        raise WireInvalid(field, "must be a whole number, 0 or more")
    return int(number)


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
