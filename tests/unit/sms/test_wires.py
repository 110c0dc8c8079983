"""What providers say, as raw bodies in files, and what it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from runtime.vendors.http import HttpAnswer
from runtime.vendors.mango_signing import signed_form
from sms.errors import SmsError
from sms.kinds import SMS_KINDS
from sms.model import OutboundSms
from sms.port import SmsConnection, SmsInbound
from sms.providers.mango import wire as mango
from sms.providers.smsaero import wire as smsaero
from sms.providers.smsc import wire as smsc
from sms.providers.smsru import wire as smsru
from tests.paths import ROOT

FOLDER = ROOT / "tests" / "cases" / "sms"
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
HELLO = OutboundSms(own_id=7, number="+79161234567", text="Привет")
Case = dict[str, Any]


def cases(*, of_news: bool) -> list[Any]:
    return [
        pytest.param(file.stem, case, id=f"{file.stem}: {case['what']}")
        for file in sorted(FOLDER.glob("*.json"))
        for case in json.loads(file.read_text(encoding="utf-8"))
        if (case["of"] not in ("sent", "status", "balance", "found")) == of_news
    ]


def answer(case: Case) -> HttpAnswer:
    return HttpAnswer(case.get("status", 200), {}, case["body"].encode())


READERS: Mapping[str, Mapping[str, Callable[[HttpAnswer], object]]] = {
    "smsc": {
        "sent": lambda a: smsc.parse_sent(a.body),
        "status": lambda a: smsc.parse_status(a.body, HELLO),
        "balance": lambda a: smsc.parse_balance(a.body),
    },
    "smsru": {
        "sent": lambda a: smsru.parse_sent(a.body),
        "status": lambda a: smsru.parse_statuses(a.body),
        "balance": lambda a: smsru.parse_balance(a.body),
    },
    "smsaero": {
        "sent": smsaero.parse_sent,
        "status": lambda a: smsaero.parse_status(a.body),
        "balance": lambda a: smsaero.parse_balance(a.body),
        "found": lambda a: smsaero.parse_found(a.body, HELLO, NOW),
    },
    "mango": {
        "sent": lambda a: mango.parse_sent(a, HELLO),
        "balance": lambda a: mango.parse_balance(a.body),
    },
}


def plain(value: object) -> object:
    """As it is written in a case: a dataclass by its name with the fields that are not their default."""
    if is_dataclass(value) and not isinstance(value, type):
        told = {f.name: getattr(value, f.name) for f in fields(value)}
        kept = {
            f.name: plain(told[f.name])
            for f in fields(value)
            if f.default is MISSING or told[f.name] != f.default
        }
        return {type(value).__name__: kept}
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | str) else value


def check(case: Case, read: Callable[[], object]) -> None:
    if "refuses" not in case:
        assert plain(read()) == case["gives"]
        return
    with pytest.raises(SmsError) as caught:
        read()
    assert getattr(caught.value, "field", caught.value.code) == case["refuses"]


@pytest.mark.parametrize(("vendor", "case"), cases(of_news=False))
def test_an_answer_means(vendor: str, case: Case) -> None:
    check(case, lambda: READERS[vendor][case["of"]](answer(case)))


@pytest.mark.parametrize(("vendor", "case"), cases(of_news=True))
def test_a_push_means(vendor: str, case: Case) -> None:
    kind, body = SMS_KINDS[vendor], case["body"].encode()
    if vendor == "mango":
        body = signed_form("k", "s", json.loads(case["body"]))
    path = case["of"] if vendor == "mango" else ""
    connection = SmsConnection(
        account_id="1", id="1", name="sms", kind=vendor, keys={"api_key": "k", "api_salt": "s"}
    )
    request = SmsInbound(
        method="POST", path=path, query=case.get("query", {}), headers={}, body=body, received_at=NOW
    )
    check(case, lambda: kind.read(request, connection))


def test_every_vendor_that_is_read_has_its_cases() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == READERS.keys()
    assert READERS.keys() | {"sandbox", "smpp"} >= SMS_KINDS.keys()
