"""What an event of the CRM is a cause of, and that one happening has one key."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.triggers.causes import ClosingStages, applied, causes_of, is_cause_for, is_crossed, told_by_hook
from tests.unit.routing.triggers.values import trigger

CLOSING = ClosingStages(won=frozenset(("142",)), lost=frozenset(("143",)))


class Told(NamedTuple):
    aspect: str
    old: str | None
    new: str
    event_id: int = 3


def kinds(told: Told, created_in: tuple[str, str] | None = None) -> list[str]:
    return [cause.on for cause in causes_of(told, CLOSING, created_in)]


def fires(told: Told, *events: dict[str, object], **changes: object) -> bool:
    one = trigger(events=list(events), **changes)
    return any(is_cause_for(cause, one) for cause in causes_of(told, CLOSING))


def test_a_move_is_an_entrance_with_the_key_of_its_event() -> None:
    (cause,) = causes_of(Told("stage", "10/9", "10/11"), CLOSING)
    assert (cause.on, cause.key, cause.before) == ("entered", "stage:10/11@3", "9")


@pytest.mark.parametrize(("stage", "end"), [("142", "won"), ("143", "lost")])
def test_a_move_into_a_closing_stage_is_the_end_too(stage: str, end: str) -> None:
    assert kinds(Told("stage", "10/11", f"10/{stage}")) == ["entered", end]
    assert fires(Told("stage", "10/11", f"10/{stage}"), {"on": end})
    assert fires(Told("stage", "10/9", f"10/{stage}"), {"on": end}, stage_id=None)
    assert not fires(Told("stage", "10/9", f"10/{stage}"), {"on": end})


def test_a_deal_that_was_made_is_created_where_it_first_stood() -> None:
    assert kinds(Told("added", None, "1"), ("10", "11")) == ["created"]
    assert kinds(Told("added", None, "1")) == []


def test_a_trigger_of_a_whole_pipeline_takes_every_stage_of_it() -> None:
    assert fires(Told("stage", "10/9", "10/12"), {"on": "entered"}, stage_id=None)
    assert not fires(Told("stage", "10/9", "20/12"), {"on": "entered"}, stage_id=None)
    assert not fires(Told("stage", "10/9", "10/12"), {"on": "entered"})


@pytest.mark.parametrize(
    ("old", "new", "is_it"),
    [
        ("49999", "50001", True), ("50001", "60000", False), ("49999", "50000", True), ("50000", "50001", False),
        ("60000", "40000", False), (None, "60000", False), ("", "60000", False), ("text", "60000", False),
        ("49999", "text", False), ("49999", "60000", True),
    ],
)  # fmt: skip
def test_a_price_crosses_an_amount_from_below_only(old: str | None, new: str, is_it: bool) -> None:
    """Case 3 of the triggers: 49 999 → 50 001 → 60 000 fires once, at the crossing."""
    assert fires(Told("price", old, new), {"on": "price_crossed", "amount": 50_000}) is is_it


@given(st.lists(st.integers(0, 10).map(str), min_size=2), st.integers(0, 10))
def test_a_price_that_only_rises_crosses_an_amount_at_most_once(prices: list[str], amount: int) -> None:
    rising = sorted(prices, key=int)
    crossed = [is_crossed(a, b, amount) for a, b in pairwise(rising)]
    assert crossed.count(True) <= 1


def test_tags_and_fields_are_named() -> None:
    assert fires(Told("tag:VIP", None, "1"), {"on": "tag_added", "tag": "vip"})
    assert fires(Told("tag:VIP", None, "1"), {"on": "tag_added"})
    assert not fires(Told("tag:VIP", "1", "0"), {"on": "tag_added"})
    assert not fires(Told("tag:new", None, "1"), {"on": "tag_added", "tag": "vip"})
    changed = Told("fields", '{"5":"a","6":"b"}', '{"5":"a","6":"c"}')
    assert fires(changed, {"on": "field_changed", "field": "deal.cf_6"})
    assert not fires(changed, {"on": "field_changed", "field": "deal.cf_5"})
    assert fires(changed, {"on": "field_changed"})


def test_people_and_messages_are_causes() -> None:
    assert fires(Told("responsible", "5", "6"), {"on": "responsible_changed"})
    assert not fires(Told("responsible", "5", "5"), {"on": "responsible_changed"})
    assert fires(Told("incoming:88", None, "1"), {"on": "client_wrote"})
    assert not fires(Told("name", "a", "b"), {"on": "entered"}, {"on": "client_wrote"})


def test_what_a_hook_tells_and_what_is_applied_are_entrances_with_keys_of_their_own() -> None:
    assert is_cause_for(told_by_hook("10", "11", "hook:a"), trigger())
    assert applied("p1").key == "apply:p1"


@given(st.text(max_size=10), st.none() | st.text(max_size=10), st.text(max_size=10))
def test_no_event_raises(aspect: str, old: str | None, new: str) -> None:
    for name in (aspect, "stage", "price", "fields", "tag:", "incoming:", "responsible", "added"):
        for cause in causes_of(Told(name, old, new), CLOSING, ("10", "11")):
            assert cause.key.endswith("@3")
