"""MANGO's signed forms as they come in: three fields, and whether the signature holds (runtime/vendors/mango_signing.py). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import read_form
from runtime.vendors.mango_signing import is_signature


@dataclass(frozen=True, slots=True)
class SignedForm:
    """What a notification carries. json: the exact text that was signed; bytes in it that are no letters stand as lone
    surrogates (gateway/pbx/reading/text.py), since they were signed too."""

    api_key: str
    sign: str
    json: str = field(repr=False)


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
    """Say whether the signature holds. A connection without key or salt trusts nobody."""
    keys = connection.keys
    return is_signature(
        form.api_key, form.sign, form.json, api_key=keys.get("api_key", ""), salt=keys.get("api_salt", "")
    )
