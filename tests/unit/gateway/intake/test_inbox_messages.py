"""What one message of a PBX becomes before it is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.inbox import messages_of
from gateway.pbx.connection import Connection
from gateway.pbx.port import Parsed
from gateway.store.intake.inbox import InboxMessage
from routing.calls.model import CallEvent, EventKind
from routing.settings import NumberPolicy

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PBX = Connection(account_id="main", id="pbx", name="pbx", kind="generic", secret_hash="")
POLICY = NumberPolicy(own_numbers=frozenset({"+74951230000"}))


def stored(*events: CallEvent, canonical: str = "x", raw: bytes = b"raw") -> tuple[InboxMessage, ...]:
    return messages_of(PBX, Parsed(canonical=canonical, events=events), raw, AT, POLICY)


def an_event(**fields: Any) -> CallEvent:
    return CallEvent(
        **{"kind": EventKind.STARTED, "call_key": "c1", "at": AT, "direction": "inbound", **fields}
    )


@pytest.mark.parametrize(
    ("client", "direction", "number"),
    [
        ("8 (916) 123-45-67", "inbound", "+79161234567"),
        ("anonymous", "inbound", None),
        ("101", "inbound", None),
        ("+74951230000", "inbound", None),
        ("+79161234567", "internal", None),
        (None, "inbound", None),
    ],
)
def test_client_is_the_outside_number_or_nobody(
    client: str | None, direction: str, number: str | None
) -> None:
    (message,) = stored(an_event(client=client, direction=direction))
    assert message.client == number


def test_same_canonical_payload_has_the_same_key_and_another_has_not() -> None:
    first, again, other = (stored(an_event(), canonical=c)[0].dedupe_key for c in ("a", "a", "b"))
    assert first == again != other


def test_request_without_a_body_keeps_its_canonical_form_as_raw() -> None:
    (message,) = stored(an_event(), canonical="event=newCall", raw=b"")
    assert message.raw == b"event=newCall"


def test_two_calls_in_one_message_have_different_keys() -> None:
    first, second = stored(an_event(), an_event(call_key="c2"))
    assert (first.call_key, second.call_key) == ("c1", "c2")
    assert first.dedupe_key != second.dedupe_key


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_events_are_valid_json_without_nul_whatever_a_parameter_holds(text: str) -> None:
    (message,) = stored(an_event(params={"a": text}))
    (event,) = orjson.loads(message.events)
    assert event.get("params", {}).get("a") == text.replace("\0", "�")
