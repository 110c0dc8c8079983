"""One change is one event, whatever webhooks, polls and the feed tell of it, in whatever order, how often ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.news import Heard, History, Seen, hear, last_after_all, see

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return T0 + timedelta(seconds=second)


def seen(value: str, second: int, **more: object) -> Seen:
    return Seen(value=value, at=at(second), told_by="webhook", **more)  # type: ignore[arg-type]


def heard(id: str, before: str, after: str, second: int, by: str = "7") -> Heard:
    return Heard(id=id, at=at(second), before=before, after=after, by_user=by)


KNOWN = History("A", at(0))


def test_a_webhook_told_twice_is_one_change() -> None:
    history = see(see(KNOWN, seen("B", 5)), seen("B", 5))
    assert [(c.old, c.new) for c in history.changes] == [("A", "B")]


def test_the_feed_fills_in_who_did_it_and_when() -> None:
    history = hear(see(KNOWN, seen("B", 6)), heard("e1", "A", "B", 5))
    assert [(c.at, c.by_user, c.feed_id, c.told_by) for c in history.changes] == [
        (at(5), "7", "e1", "webhook")
    ]


def test_two_changes_within_one_second_are_two() -> None:
    history = see(see(KNOWN, seen("B", 5)), seen("C", 5))
    assert [(c.old, c.new) for c in history.changes] == [("A", "B"), ("B", "C")]


def test_of_there_and_back_between_two_polls_the_feed_tells_both() -> None:
    history = see(KNOWN, seen("A", 9))
    assert history.changes == ()
    history = hear(hear(history, heard("e1", "A", "B", 5)), heard("e2", "B", "A", 8))
    assert [(c.old, c.new) for c in history.changes] == [("A", "B"), ("B", "A")]


def test_a_poll_that_saw_only_the_end_is_put_right() -> None:
    history = see(KNOWN, seen("C", 9))
    assert [(c.old, c.new) for c in history.changes] == [("A", "C")]
    history = hear(hear(history, heard("e1", "A", "B", 5)), heard("e2", "B", "C", 8))
    assert sorted((c.old, c.new) for c in history.changes) == [("A", "B"), ("B", "C")]


def test_what_is_seen_for_the_first_time_is_no_change_unless_the_crm_says_so() -> None:
    assert see(History(), seen("B", 5)).changes == ()
    changes = see(History(), seen("B", 5, before="A", is_change=True)).changes
    assert [(c.old, c.new) for c in changes] == [("A", "B")]


def test_a_creation_with_an_old_date_is_still_one() -> None:
    history = see(History(), seen("1", -9000, is_change=True))
    event = Heard(id="e1", at=at(5), before=None, after="1", by_user="7", is_once=True)
    assert len(hear(history, event).changes) == 1


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[tuple[str, str, int]], list[tuple[str, int]]]:
    """(true changes as (before, after, second), what is told in which order: ("see", i), ("feed", upto))."""
    steps = draw(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 2)), min_size=1, max_size=7))
    changes: list[tuple[str, str, int]] = []
    value, second = "A", 1
    for after, pause in steps:
        second += pause
        if after != value:
            changes.append((value, after, second))
            value = after
    tellings = [("see", i) for i in range(len(changes))]
    told = draw(st.lists(st.sampled_from(tellings), max_size=14)) if tellings else []
    feeds = sorted(draw(st.lists(st.integers(0, len(changes)), max_size=3)))
    for upto in feeds:
        told.insert(draw(st.integers(0, len(told))), ("feed", upto))
    return changes, told


@settings(max_examples=500)
@given(lives())
def test_once_the_feed_has_told_everything_each_change_is_one_event(
    life: tuple[list[tuple[str, str, int]], list[tuple[str, int]]],
) -> None:
    changes, told = life
    history, read = KNOWN, 0
    for what, i in [*told, ("feed", len(changes)), *told, ("feed", len(changes))]:
        if what == "see":
            history = see(history, seen(changes[i][1], changes[i][2]))
            continue
        for n in range(max(0, min(read, i) - 1), i):  # the last one is told again
            before, after, second = changes[n]
            history = hear(history, heard(f"e{n}", before, after, second))
        read = max(read, i)
    kept = sorted((c.feed_id or "never", c.old, c.new) for c in history.changes)
    assert kept == sorted((f"e{n}", before, after) for n, (before, after, _) in enumerate(changes))


class _Follower:
    """Gets what is handed out as the store does it, and works on it whenever it comes to it: what holds then is taken over."""

    def __init__(self) -> None:
        self.value, self._history, self._waiting = KNOWN.value, KNOWN, set[int]()

    def told(self, after: History) -> None:
        """Everything that one transaction takes in."""
        last = last_after_all(self._history, after)
        new = [replace(c, event_id=n) for n, c in enumerate(after.changes)]
        self._waiting |= {n for n, c in enumerate(after.changes) if c.event_id is None}
        self._waiting |= {last.event_id} if last is not None and last.event_id is not None else set()
        self._history = replace(after, changes=tuple(new))

    def work(self) -> None:
        for event_id in sorted(self._waiting):
            made = self._history.changes[event_id].new
            self.value = made if made == self._history.value else self.value
        self._waiting.clear()

    @property
    def history(self) -> History:
        return self._history


@settings(max_examples=500)
@given(lives(), st.data())
def test_who_follows_what_holds_ends_with_the_truth_whatever_came_first_or_never(
    life: tuple[list[tuple[str, str, int]], list[tuple[str, int]]], data: st.DataObject
) -> None:
    """Webhooks are lost, late and doubled; several changes fall into one second; pages of the feed begin anywhere."""
    changes, told = life
    follower, read = _Follower(), 0
    for what, i in [*told, ("feed", len(changes))]:
        history = follower.history
        if what == "see":
            history = see(history, seen(changes[i][1], changes[i][2]))
        for n in range(max(0, min(read, i) - 1), i) if what == "feed" else ():
            before, after, second = changes[n]
            history = hear(history, heard(f"e{n}", before, after, second))
        read = max(read, i) if what == "feed" else read
        follower.told(history)
        if data.draw(st.booleans()):
            follower.work()
    follower.work()
    assert follower.value == (changes[-1][1] if changes else KNOWN.value)
