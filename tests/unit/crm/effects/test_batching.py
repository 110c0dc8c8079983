"""Which effects share a request, and in what order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm.effects.batching import BY_NUMBER, COMPLEX, Sizes, next_batch
from crm.effects.model import Ready
from crm.effects.texts import refusals
from crm.lane import Lane

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def a_row(key: str, seq: int, what: str, lane: Lane = Lane.EVENTS, **more: object) -> Ready:
    return Ready(**{"key": key, "seq": seq, "lane": lane, "what": what, "client": key, **more})  # type: ignore[arg-type]


def pairs(count: int, lane: Lane = Lane.EVENTS, first: int = 0) -> list[Ready]:
    rows = []
    for i in range(first, first + count):
        rows.append(a_row(f"c{i}", 2 * i, "create_contact", lane, client=str(i)))
        rows.append(a_row(f"d{i}", 2 * i + 1, "create_deal", lane, client=str(i), contact=f"c{i}"))
    return rows


def test_a_contact_and_its_deal_travel_together_by_fifty() -> None:
    batch = next_batch(pairs(60), Sizes())
    assert batch is not None
    assert (batch.kind, len(batch.rows), batch.is_full) == (COMPLEX, 100, True)
    assert batch.keys[:4] == ("c0", "d0", "c1", "d1")


def test_nothing_to_send_is_no_batch() -> None:
    assert next_batch([], Sizes()) is None


def test_a_client_for_whom_something_is_being_created_waits() -> None:
    batch = next_batch(pairs(2), Sizes(), busy_clients={"0"})
    assert batch is not None
    assert batch.keys == ("c1", "d1")


def test_one_batch_never_creates_two_contacts_of_one_client() -> None:
    rows = [a_row("a", 1, "create_contact", client="x"), a_row("b", 2, "create_contact", client="x")]
    batch = next_batch(rows, Sizes())
    assert batch is not None
    assert batch.keys == ("a",)


def test_the_faster_lane_goes_first_and_lanes_do_not_mix() -> None:
    rows = [a_row("old", 1, "create_task", Lane.BACKFILL), a_row("new", 2, "create_task", Lane.REALTIME)]
    batch = next_batch(rows, Sizes())
    assert batch is not None
    assert (batch.lane, batch.keys) == (Lane.REALTIME, ("new",))


def test_a_live_lane_sends_its_oldest_effect_first_with_its_like() -> None:
    rows = [
        a_row("n1", 1, "attach_call", target="deal"),
        a_row("t", 2, "create_task"),
        a_row("n2", 3, "attach_call", target="contact"),
        a_row("n3", 4, "attach_call", target="deal"),
    ]
    batch = next_batch(rows, Sizes())
    assert batch is not None
    assert (batch.kind, batch.keys) == ("attach_call:deal", ("n1", "n3"))


def test_the_backfill_sends_full_requests_before_partial_ones() -> None:
    notes = [a_row(f"n{i}", i, "attach_call", Lane.BACKFILL, target="deal") for i in range(249)]
    batch = next_batch([*notes, *pairs(50, Lane.BACKFILL, first=500)], Sizes())
    assert batch is not None
    assert (batch.kind, batch.is_full) == (COMPLEX, True)


def test_an_effect_in_doubt_travels_in_ever_smaller_company() -> None:
    def size(unknown_attempts: int) -> int:
        batch = next_batch(
            [a_row(f"t{i}", i, "create_task", unknown_attempts=unknown_attempts) for i in range(250)], Sizes()
        )
        return len(batch.rows) if batch else 0

    assert [size(d) for d in range(5)] == [250, 62, 15, 3, 1]


def test_what_was_split_does_not_travel_as_a_pair() -> None:
    batch = next_batch(pairs(1), Sizes(), split={"c0": "apart", "d0": "apart"})
    assert batch is not None
    assert (batch.kind, batch.keys) == ("create_contact", ("c0",))


def test_calls_without_a_target_go_by_number_and_a_route_overrides_the_usual_request() -> None:
    rows = [a_row("a", 1, "attach_call"), a_row("b", 2, "attach_call", target="deal")]
    batch = next_batch(rows, Sizes(), routes={"b": BY_NUMBER})
    assert batch is not None
    assert (batch.kind, batch.keys) == (BY_NUMBER, ("a", "b"))


def test_a_request_that_was_too_large_shrinks_and_grows_back_when_it_goes_well() -> None:
    sizes = Sizes()
    sizes.too_large("create_task", 250)
    assert sizes.of("create_task") == 125
    sizes.too_large("create_task", 125)
    assert sizes.of("create_task") == 25
    for _ in range(20):
        sizes.on_success("create_task", 5)
    assert sizes.of("create_task") == 25
    for _ in range(20):
        sizes.on_success("create_task", 250)
    assert sizes.of("create_task") == 250


@pytest.mark.parametrize(
    ("code", "field", "part"),
    [
        ("NotSupportedChoice", "0.responsible_user_id", "«ответственный»"),
        ("NotSupportedChoice", "_embedded.contacts.0.id", "«номер карточки»"),
        ("FieldNotExpected", "0.whatever", "«0.whatever»"),
        ("crm-forbidden", "", "нет права"),
        ("SomethingNew", "0.text", "«текст»"),
    ],
)
def test_the_desk_names_the_field_in_plain_words(code: str, field: str, part: str) -> None:
    assert part in refusals.why(code, field, "detail", refusals.TEXTS["ru"])
