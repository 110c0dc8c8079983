"""Which doings in the CRM are signs of somebody, and of whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm.doings import CrmDoing, DoingKind
from gateway.presence.crm_signs import by_our_clock, ours_left_out, signs_of
from gateway.store.presence.watches import OwnWrite

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def doing(
    seconds: float, kind: DoingKind = "moved", user: str | None = "7", entity: str = "500", id: str = ""
) -> CrmDoing:
    return CrmDoing(
        id=id or f"{kind}{seconds}{user}", kind=kind, at=at(seconds), by_user=user, entity_id=entity
    )


def test_the_newest_doing_of_each_user_counts() -> None:
    told = [doing(1), doing(9, "noted"), doing(4, user="8"), doing(20, user=None)]
    assert signs_of(told, (), 5) == {"7": at(9), "8": at(4)}


def test_a_user_behind_whom_a_program_stands_is_nobody() -> None:
    assert signs_of([doing(1), doing(2, user="8")], ("7",), 5) == {"8": at(2)}


def test_our_own_write_is_nobodys_sign_for_a_minute_and_on_the_same_thing_only() -> None:
    write = OwnWrite("update_entity", frozenset({"500"}), at(60))
    told = [doing(0), doing(120), doing(121), doing(60, entity="501"), doing(60, "task_completed")]
    left = ours_left_out(told, [write])
    assert [(d.at, d.entity_id, d.kind) for d in left] == [
        (at(121), "500", "moved"),
        (at(60), "501", "moved"),
        (at(60), "500", "task_completed"),
    ]


def test_a_bulk_action_of_500_is_one_sign_at_its_beginning() -> None:
    bulk = [doing(10 + number / 25, id=f"b{number}") for number in range(500)]
    assert signs_of(bulk, (), 5) == {"7": at(10)}
    by_hand_afterwards = [*bulk, doing(90, id="hand")]
    assert signs_of(by_hand_afterwards, (), 5) == {"7": at(90)}


def test_what_a_hand_does_quickly_is_no_bulk() -> None:
    quick = [doing(second, id=f"q{second}") for second in range(5)]
    assert signs_of(quick, (), 5) == {"7": at(4)}
    five_at_once = [doing(3, id=f"f{number}") for number in range(5)]
    assert signs_of(five_at_once, (), 5) == {"7": at(3)}


def test_a_crm_whose_clock_is_five_minutes_off_is_read_by_ours() -> None:
    assert by_our_clock([doing(300)], 300.0)[0].at == at(0)
    assert by_our_clock([doing(0)], -300.0)[0].at == at(300)
    assert by_our_clock([doing(7)], None)[0].at == at(7)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["moved", "noted"])), max_size=40), st.randoms()
)
def test_order_and_repetition_of_pages_do_not_matter(
    rows: list[tuple[int, DoingKind]], random: object
) -> None:
    told = [doing(second, kind, id=str(number)) for number, (second, kind) in enumerate(rows)]
    shuffled = [*told, *told]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert signs_of(told, (), 5) == signs_of(shuffled, (), 5)
