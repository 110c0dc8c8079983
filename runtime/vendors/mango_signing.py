"""How MANGO signs: its telephony and its SMS are behind one key and one salt. Pure.

`sign` = hex sha256(key + json + salt) over the exact text of `json`: it is never parsed and written again in between.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson


def signature(api_key: str, salt: str, *signed: str) -> str:
    """signed: bytes in it that are no UTF-8 stand as lone surrogates, since they were signed too."""
    return hashlib.sha256(_octets("".join((api_key, *signed, salt)))).hexdigest()


def signed_form(api_key: str, salt: str, payload: Mapping[str, Any]) -> bytes:
    """Return a request's body, `application/x-www-form-urlencoded`. Methods without parameters send `{}`."""
    text = orjson.dumps(dict(payload)).decode()
    return urlencode({"vpbx_api_key": api_key, "sign": signature(api_key, salt, text), "json": text}).encode()


def is_signature(shown_key: str, sign: str, json: str, *, api_key: str, salt: str) -> bool:
    """Say whether key and signature are right, compared in constant time. Without a key or salt of ours nobody is trusted."""
    if not api_key or not salt:
        return False
    is_key = hmac.compare_digest(_octets(shown_key), api_key.encode())
    return hmac.compare_digest(_octets(sign).lower(), signature(api_key, salt, json).encode()) and is_key


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
