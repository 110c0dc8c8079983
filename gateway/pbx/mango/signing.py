"""MANGO's signed forms: the same three fields in both directions. Pure.

`sign` = hex sha256(key + json + salt) over the exact text of `json`: it is never parsed and written again in between.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import read_form
from gateway.pbx.reading.text import encoded


@dataclass(frozen=True, slots=True)
class SignedForm:
    """What a notification carries. json: the exact text that was signed; bytes in it that are no letters stand as lone
    surrogates (gateway/pbx/reading/text.py), since they were signed too."""

    api_key: str
    sign: str
    json: str = field(repr=False)


def signature(api_key: str, salt: str, *signed: str) -> str:
    return hashlib.sha256(encoded("".join((api_key, *signed, salt)))).hexdigest()


def read_signed(body: bytes) -> SignedForm:
    """Return the three fields of a form. Raises WireInvalid naming the one that is missing."""
    form = read_form(body)
    values = {}
    for name in ("vpbx_api_key", "sign", "json"):
        value = form.get(name)
        if not isinstance(value, str) or not value:
            raise WireInvalid(name, "is missing")
        values[name] = value
    return SignedForm(values["vpbx_api_key"], values["sign"], values["json"])


def is_signed_by(form: SignedForm, connection: Connection) -> bool:
    """Say whether the signature holds, compared in constant time. A connection without key or salt trusts nobody."""
    api_key, salt = connection.keys.get("api_key"), connection.keys.get("api_salt")
    if not api_key or not salt:
        return False
    is_key = hmac.compare_digest(encoded(form.api_key), api_key.encode())
    expected = signature(api_key, salt, form.json)
    return hmac.compare_digest(encoded(form.sign).lower(), expected.encode()) and is_key


def signed_form(api_key: str, salt: str, payload: dict[str, Any]) -> bytes:
    """Return a request's body, `application/x-www-form-urlencoded`. Methods without parameters send `{}`."""
    text = orjson.dumps(payload).decode()
    return urlencode({"vpbx_api_key": api_key, "sign": signature(api_key, salt, text), "json": text}).encode()
