"""Requests and connections as PBXs send and have them, with readable defaults."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound
from tests.paths import CASES as ALL_CASES

CASES = ALL_CASES / "pbx"
RECEIVED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


def a_connection(kind: str = "generic", **fields: Any) -> Connection:
    fields.setdefault("lines", ("+74951234567",))
    return Connection(
        account_id="a1",
        id="p1",
        name=kind,
        kind=kind,
        secret_hash=hashlib.sha256(b"demo").hexdigest(),
        **fields,
    )


def a_request(
    path: str = "",
    *,
    query: Mapping[str, str] | None = None,
    form: Mapping[str, Any] | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Inbound:
    """form: sent urlencoded. body: bytes as they are, anything else as JSON."""
    sent = dict(headers or {})
    raw = b""
    if form is not None:
        raw, sent["Content-Type"] = urlencode(form, doseq=True).encode(), FORM
    elif isinstance(body, bytes):
        raw = body
    elif body is not None:
        raw, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
    return Inbound(
        method="POST" if raw else "GET",
        path=path,
        query=dict(query or {}),
        headers=sent,
        body=raw,
        received_at=RECEIVED,
    )


def a_case(kind: str, name: str) -> Any:
    """A documented or recorded sample of this kind."""
    return json.loads((CASES / kind / f"{name}.json").read_text())


def an_answer(*addresses: str, kind: str = "extension") -> dict[str, Any]:
    """The contract's lookup answer with these targets."""
    return {
        "decision_id": "d1",
        "caller": "+79001234567",
        "outcome": "manager" if addresses else "scheme",
        "reason": "contact_owner" if addresses else "unknown_caller",
        "entity": None,
        "responsible": None,
        "targets": [{"kind": kind, "address": address, "ring_seconds": 20} for address in addresses],
        "directory_age_ms": 5,
    }
